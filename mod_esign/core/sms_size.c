/* SPDX-License-Identifier: Apache-2.0 */
/* sms_size.c: the tables of 3GPP TS 23.038 for texts in Turkish and English. */
#include "sms_size.h"

#include <string.h>

#include <unistr.h>

#define ROOM_DEFAULT 160 /* 140 octets */
#define ROOM_TURKISH 155 /* a header of 4 octets takes 5 septets: TS 23.040 section 9.2.3.24.15 */
#define ROOM_UCS2 70     /* 140 octets */

/* The characters of the default alphabet, one septet each. It lacks the ASCII character `, and
 * those of the extension table. */
static int in_default(ucs4_t c)
{
    static const ucs4_t others[] = { U'\n', U'\r', U'£', U'¥', U'è', U'é', U'ù', U'ì', U'ò',
                                     U'Ç',  U'Ø',  U'ø', U'Å', U'å', U'Δ', U'Φ', U'Γ', U'Λ',
                                     U'Ω',  U'Π',  U'Ψ', U'Σ', U'Θ', U'Ξ', U'Æ', U'æ', U'ß',
                                     U'É',  U'¤',  U'¡', U'Ä', U'Ö', U'Ñ', U'Ü', U'§', U'¿',
                                     U'ä',  U'ö',  U'ñ', U'ü', U'à' };
    if (c >= ' ' && c <= '~')
        return strchr("^{}\\[~]|`", (int)c) == NULL;
    for (unsigned int i = 0; i < sizeof(others) / sizeof(*others); i++)
        if (others[i] == c)
            return 1;
    return 0;
}

/* The characters of the extension table, two septets each: the escape and the character. */
static int in_extension(ucs4_t c)
{
    return c == U'€' || c == U'\f' || (c < 0x80 && c > 0 && strchr("^{}\\[~]|", (int)c) != NULL);
}

/* The characters that the Turkish table adds, two septets each. */
static int in_turkish(ucs4_t c)
{
    return c == U'Ğ' || c == U'İ' || c == U'Ş' || c == U'ç' || c == U'ğ' || c == U'ı' || c == U'ş';
}

esign_sms_size_t esign_sms_size(const char *text)
{
    const uint8_t *rest = (const uint8_t *)text;
    esign_sms_alphabet_e alphabet = ESIGN_SMS_DEFAULT;
    int septets = 0, units = 0;
    while (*rest) {
        ucs4_t c;
        rest += u8_mbtouc(&c, rest, strlen((const char *)rest));
        units += c > 0xFFFF ? 2 : 1;
        septets += in_default(c) ? 1 : 2;
        if (in_turkish(c) && alphabet == ESIGN_SMS_DEFAULT)
            alphabet = ESIGN_SMS_TURKISH;
        else if (!in_default(c) && !in_extension(c) && !in_turkish(c))
            alphabet = ESIGN_SMS_UCS2;
    }
    return alphabet == ESIGN_SMS_UCS2
               ? (esign_sms_size_t){ alphabet, units, ROOM_UCS2 }
               : (esign_sms_size_t){ alphabet, septets,
                                     alphabet == ESIGN_SMS_TURKISH ? ROOM_TURKISH : ROOM_DEFAULT };
}
