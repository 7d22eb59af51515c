/* SPDX-License-Identifier: Apache-2.0 */
/* test_iso_time.c: times and dates, written and read. */
#include "core/iso_time.h"
#include "suite.h"

static void test_written(void)
{
    CU_ASSERT_STRING_EQUAL(esign_iso_time(pool, 0), "1970-01-01T00:00:00Z");
    CU_ASSERT_STRING_EQUAL(esign_iso_time(pool, apr_time_from_sec(1795529225) + 999999),
                           "2026-11-24T14:07:05Z");
    CU_ASSERT_STRING_EQUAL(esign_iso_time(pool, apr_time_from_sec(-1)), "1969-12-31T23:59:59Z");
}

static void test_read_back(void)
{
    apr_time_t time = -1;
    CU_ASSERT(esign_iso_time_parse("2026-11-24T14:07:05Z", 0, &time));
    CU_ASSERT_EQUAL(time, apr_time_from_sec(1795529225));
    CU_ASSERT(esign_iso_time_parse("2028-02-29", 1, &time));
    CU_ASSERT_STRING_EQUAL(esign_iso_time(pool, time), "2028-02-29T00:00:00Z");
}

static void test_refused(void)
{
    static const char *const moments[] = { "",
                                           "2026-11-24",
                                           "2026-11-24T14:07:05",
                                           "2026-11-24 14:07:05Z",
                                           "2026-11-24T24:07:05Z",
                                           "2026-11-24T14:60:05Z",
                                           "2026-11-24T14:07:05+03:00",
                                           "2026-11-24T14:07:05Z ",
                                           " 2026-11-24T14:07:05Z",
                                           "2026-1-24T14:07:05Z" };
    static const char *const dates[] = {
        "",           "2026",     "2026-11",    "2026-02-29",           "2026-13-01",  "2026-00-01",
        "2026-01-00", "2026-1-5", "24.11.2026", "2026-11-24T14:07:05Z", "2026-11-24x", "-026-11-24",
        "20261124"
    };
    apr_time_t time;
    for (apr_size_t i = 0; i < sizeof(moments) / sizeof(*moments); i++)
        CU_ASSERT(!esign_iso_time_parse(moments[i], 0, &time));
    for (apr_size_t i = 0; i < sizeof(dates) / sizeof(*dates); i++)
        CU_ASSERT(!esign_iso_time_parse(dates[i], 1, &time));
}

int main(void)
{
    CU_TestInfo tests[] = { { "times are written in UTC", test_written },
                            { "written times are read back", test_read_back },
                            { "anything else is refused", test_refused },
                            CU_TEST_INFO_NULL };
    return suite_run("iso_time", tests);
}
