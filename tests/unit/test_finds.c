/* SPDX-License-Identifier: Apache-2.0 */
/* test_finds.c: an input of a fuzz target is the same bytes again after it was a line of text. */
#include "../fuzz/finds.h"
#include "suite.h"

static void same_again(const char *data, size_t size, const char *expected)
{
    size_t length;
    char *line = finds_encode((const uint8_t *)data, size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(line);
    if (expected)
        CU_ASSERT_STRING_EQUAL(line, expected);
    CU_ASSERT_PTR_NULL(strchr(line, '\n'));
    uint8_t *again = finds_decode(line, &length);
    CU_ASSERT_FATAL(again != NULL && length == size);
    CU_ASSERT(size == 0 || memcmp(again, data, size) == 0);
    free(again);
    free(line);
}

static void test_form(void)
{
    same_again("", 0, "");
    same_again("a b~", 4, "a b~");
    same_again("a\n\t\\n\r\0\x7f\xc5\x9f", 10, "a\\n\\t\\\\n\\x0d\\x00\\x7f\\xc5\\x9f");
    same_again("#a #", 4, "\\x23a #");
    same_again("  ", 2, " \\x20");
    same_again("#", 1, "\\x23");
}

static void test_every_pair_of_bytes(void)
{
    for (int i = 0; i < 256 * 256; i++)
        same_again((const char[]){ (char)(i >> 8), (char)i }, 2, NULL);
}

static void test_malformed(void)
{
    static const char *const wrong[] = { "\\",    "a\\",   "\\a", "\\x",  "\\x0",
                                         "\\x0g", "\\xAB", "\t",  "\x7f", "\xc5\x9f" };
    size_t size;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        CU_ASSERT_PTR_NULL(finds_decode(wrong[i], &size));
}

static void test_lines(void)
{
    char text[] = "# a comment\na\n\n# another\nb", *line = NULL;
    FILE *file = fmemopen(text, strlen(text), "r");
    size_t capacity = 0;
    int number = 0;
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT(finds_next(file, &line, &capacity, &number) && strcmp(line, "a") == 0);
    CU_ASSERT_EQUAL(number, 2);
    CU_ASSERT(finds_next(file, &line, &capacity, &number) && strcmp(line, "") == 0);
    CU_ASSERT(finds_next(file, &line, &capacity, &number) && strcmp(line, "b") == 0);
    CU_ASSERT_EQUAL(number, 5);
    CU_ASSERT(!finds_next(file, &line, &capacity, &number));
    fclose(file);
    free(line);
}

int main(void)
{
    CU_TestInfo tests[] = { { "a line shows what can be shown", test_form },
                            { "every pair of bytes is the same again", test_every_pair_of_bytes },
                            { "a malformed line is refused", test_malformed },
                            { "comments are no inputs, empty lines are", test_lines },
                            CU_TEST_INFO_NULL };
    return suite_run("finds", tests);
}
