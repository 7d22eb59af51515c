/* SPDX-License-Identifier: Apache-2.0 */
/* test_sms_size.c: lengths of texts, by the figures of 3GPP TS 23.038. */
#include "core/sms_size.h"
#include "suite.h"

static void check(const char *text, esign_sms_alphabet_e alphabet, int units, int room)
{
    esign_sms_size_t size = esign_sms_size(text);
    CU_ASSERT_EQUAL(size.alphabet, alphabet);
    CU_ASSERT_EQUAL(size.units, units);
    CU_ASSERT_EQUAL(size.room, room);
}

/* `count` times the same character. */
static const char *many(const char *character, int count)
{
    char *text = apr_pstrdup(pool, "");
    while (count-- > 0)
        text = apr_pstrcat(pool, text, character, NULL);
    return text;
}

static void test_default(void)
{
    check("", ESIGN_SMS_DEFAULT, 0, 160);
    check("Kod 123456.\n@portal.example.org #123456", ESIGN_SMS_DEFAULT, 39, 160);
    check(many("a", 161), ESIGN_SMS_DEFAULT, 161, 160);
    /* The whole table, section 6.2.1: 127 characters beside the escape. */
    check("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ "
          "!\"#¤%&'()*+,-./"
          "0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
          ESIGN_SMS_DEFAULT, 127, 160);
}

static void test_extension(void)
{
    check("\f^{}\\[~]|€", ESIGN_SMS_DEFAULT, 20, 160);
    check("a[b]", ESIGN_SMS_DEFAULT, 6, 160);
}

static void test_turkish(void)
{
    check("ĞİŞçğış", ESIGN_SMS_TURKISH, 14, 155);
    check("Çağrı €", ESIGN_SMS_TURKISH, 10, 155); /* Ç is in the default alphabet, ç is not */
    check("şifre", ESIGN_SMS_TURKISH, 6, 155);
    check("ÇÖÜöü", ESIGN_SMS_DEFAULT, 5, 160);
}

static void test_ucs2(void)
{
    check("`", ESIGN_SMS_UCS2, 1, 70);
    check("ê", ESIGN_SMS_UCS2, 1, 70);
    check("ş“”", ESIGN_SMS_UCS2, 3, 70);
    check("“ş”", ESIGN_SMS_UCS2, 3, 70);
    check("a\U0001F512", ESIGN_SMS_UCS2, 3, 70); /* a surrogate pair */
    check("\t", ESIGN_SMS_UCS2, 1, 70);
    check("\xC3(\xFF", ESIGN_SMS_UCS2, 3, 70);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "the default alphabet takes one septet for a character", test_default },
        { "the extension table takes two septets for a character", test_extension },
        { "the Turkish single shift table", test_turkish },
        { "anything else makes the whole message UCS-2", test_ucs2 },
        CU_TEST_INFO_NULL
    };
    return suite_run("sms_size", tests);
}
