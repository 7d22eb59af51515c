/* SPDX-License-Identifier: Apache-2.0 */
/* sms_size.h: how much room a text takes as an SMS. */
#ifndef ESIGN_CORE_SMS_SIZE_H
#define ESIGN_CORE_SMS_SIZE_H

/* The alphabets of 3GPP TS 23.038, from the one that holds most characters in a message to the one
 * that holds most kinds of them. */
typedef enum {
    ESIGN_SMS_DEFAULT, /* GSM 7 bit default alphabet and its extension table (section 6.2.1): 160
                          septets */
    ESIGN_SMS_TURKISH, /* the same with the Turkish single shift table (annex A.2.1); its user data
                          header leaves 155 septets */
    ESIGN_SMS_UCS2     /* 70 units of 16 bits */
} esign_sms_alphabet_e;

typedef struct {
    esign_sms_alphabet_e alphabet; /* the first that has every character of the text */
    int units; /* what the text takes: septets, a shifted character two; or 16-bit units */
    int room;  /* what one message has */
} esign_sms_size_t;

/* Measures a UTF-8 text. What is not UTF-8 counts as U+FFFD, a byte each. */
esign_sms_size_t esign_sms_size(const char *text);

#endif
