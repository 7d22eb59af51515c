/* SPDX-License-Identifier: Apache-2.0 */
/* sms_size.h: measures a text as an SMS. */
#ifndef ESIGN_CORE_SMS_SIZE_H
#define ESIGN_CORE_SMS_SIZE_H

/* The alphabets of 3GPP TS 23.038, in the order in which they are tried. Each has more characters
 * than the one before, and fits fewer of them into a message. */
typedef enum {
    ESIGN_SMS_DEFAULT, /* GSM 7 bit default alphabet with its extension table (section 6.2.1) */
    ESIGN_SMS_TURKISH, /* the same with the Turkish single shift table (annex A.2.1) */
    ESIGN_SMS_UCS2     /* all characters, 16 bits a unit */
} esign_sms_alphabet_e;

typedef struct {
    esign_sms_alphabet_e alphabet; /* the first that has all characters of the text */
    int units; /* the length of the text: septets, two for a shifted character; UCS2: 16-bit units
                */
    int room;  /* the units that fit into one message: 160, 155 or 70 */
} esign_sms_size_t;

/* Measures a UTF-8 text. Each byte that is not UTF-8 counts as U+FFFD. */
esign_sms_size_t esign_sms_size(const char *text);

#endif
