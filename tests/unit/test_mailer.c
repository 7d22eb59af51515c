/* SPDX-License-Identifier: Apache-2.0 */
/* test_mailer.c: threads that send mails: many mails, jobs without a mail, mails that come too
 * late, and an end while mails are under way. */
#include "deliver/mailer.h"
#include "scratch.h"

#include <stdio.h>
#include <sys/stat.h>

#define MAILS 40
#define OUTCOMES (ESIGN_TRANSFER_UNTRIED + 1)

static atomic_int woken;

static void wake(void *baton)
{
    CU_ASSERT_PTR_EQUAL(baton, &woken);
    woken++;
}

/* A mailer in `p` with four threads, whose sendmail command is a shell script. */
static esign_mailer_t *mailer_of(const char *name, const char *script, apr_pool_t *p)
{
    const char *path = scratch_path(name);
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_FATAL(fprintf(file, "#!/bin/sh\n%s\n", script) > 0 && fclose(file) == 0 &&
                    chmod(path, 0755) == 0);
    esign_smtp_t *smtp = apr_pcalloc(p, sizeof(*smtp));
    *smtp = (esign_smtp_t){ .url = apr_pstrcat(p, "sendmail:", path, NULL),
                            .from = "portal@example.org",
                            .timeout = apr_time_from_sec(20),
                            .connections = 4 };
    esign_mailer_t *mailer;
    CU_ASSERT_FATAL(!esign_failed(esign_mailer_create(&mailer, smtp, wake, &woken, p)));
    return mailer;
}

static esign_lease_t lease = { APR_INT64_MAX };

static void submit(esign_mailer_t *mailer, apr_int64_t id, const char *bytes, apr_pool_t *p)
{
    esign_mail_job_t *job = apr_pcalloc(p, sizeof(*job));
    *job = (esign_mail_job_t){ .pool = p,
                               .id = id,
                               .to = "ayse@example.org",
                               .bytes = bytes,
                               .length = bytes ? strlen(bytes) : 0,
                               .lease = &lease };
    esign_mailer_submit(mailer, job);
}

/* Reaps `count` jobs within ten seconds. `outcomes`: how many ended in each way. */
static void reap(esign_mailer_t *mailer, int count, int outcomes[OUTCOMES])
{
    char seen[MAILS] = { 0 };
    memset(outcomes, 0, sizeof(int) * OUTCOMES);
    for (apr_time_t end = apr_time_now() + apr_time_from_sec(10);
         count > 0 && apr_time_now() < end;) {
        esign_mail_job_t *job = esign_mailer_reap(mailer);
        if (!job) {
            apr_sleep(1000);
            continue;
        }
        CU_ASSERT_FATAL(job->id >= 0 && job->id < MAILS && !seen[job->id]);
        seen[job->id] = 1;
        outcomes[job->outcome]++;
        count--;
    }
    CU_ASSERT_EQUAL(count, 0);
    CU_ASSERT(esign_mailer_done(mailer) == 0 && !esign_mailer_reap(mailer));
}

static void test_all_are_sent(void)
{
    int outcomes[OUTCOMES];
    apr_pool_t *p;
    apr_pool_create(&p, pool);
    esign_mailer_t *mailer = mailer_of("taken", "cat >> \"$0.$$\"", p);
    woken = 0;
    for (int i = 0; i < MAILS; i++)
        submit(mailer, i, i % 8 ? "To: a\r\n\r\nb\r\n" : NULL, p);
    reap(mailer, MAILS, outcomes);
    CU_ASSERT_EQUAL(outcomes[ESIGN_TRANSFER_SENT], MAILS);
    CU_ASSERT(woken > 0);
    apr_pool_destroy(p);
}

/* Two mails come at once, the first hangs, and only one thread waits for work: another thread takes
 * the second. */
static void test_beside_one_that_hangs(void)
{
    int outcomes[OUTCOMES];
    apr_pool_t *p;
    apr_pool_create(&p, pool);
    esign_mailer_t *mailer =
        mailer_of("one hangs", "read line; [ $line = slow ] && exec sleep 30; exit 0", p);
    submit(mailer, 0, "fast\r\n", p);
    reap(mailer, 1, outcomes);
    apr_sleep(apr_time_from_msec(50)); /* until the thread waits for work */
    submit(mailer, 1, "slow\r\n", p);
    submit(mailer, 2, "fast\r\n", p);
    reap(mailer, 1, outcomes);
    CU_ASSERT_EQUAL(outcomes[ESIGN_TRANSFER_SENT], 1);
    esign_mailer_stop(mailer);
    esign_mailer_join(mailer);
    reap(mailer, 1, outcomes);
    apr_pool_destroy(p);
}

static void test_too_late(void)
{
    int outcomes[OUTCOMES];
    apr_pool_t *p;
    apr_pool_create(&p, pool);
    esign_mailer_t *mailer = mailer_of("late", "cat > \"$0.mail\"", p);
    lease.deadline = esign_clock() - 1;
    submit(mailer, 0, "a\r\n", p);
    reap(mailer, 1, outcomes);
    lease.deadline = APR_INT64_MAX;
    CU_ASSERT_EQUAL(outcomes[ESIGN_TRANSFER_UNTRIED], 1);
    struct stat file;
    CU_ASSERT(stat(scratch_path("late.mail"), &file) != 0);
    apr_pool_destroy(p);
}

/* Mails that no thread has begun come back at once. Mails that hang come back when it stops. */
static void test_recalled_and_stopped(void)
{
    int outcomes[OUTCOMES];
    apr_pool_t *p;
    apr_pool_create(&p, pool);
    esign_mailer_t *mailer = mailer_of("hangs", "echo >> \"$0.begun\"; exec sleep 30", p);
    for (int i = 0; i < MAILS; i++)
        submit(mailer, i, "a\r\n", p);
    struct stat file = { .st_size = 0 };
    for (int i = 0; i < 500 && file.st_size < 4; i++) {
        apr_sleep(10000);
        if (stat(scratch_path("hangs.begun"), &file) != 0)
            file.st_size = 0;
    }
    CU_ASSERT_EQUAL(file.st_size, 4);
    esign_mailer_recall(mailer);
    reap(mailer, MAILS - 4, outcomes);
    CU_ASSERT_EQUAL(outcomes[ESIGN_TRANSFER_UNTRIED], MAILS - 4);
    apr_time_t start = apr_time_now();
    esign_mailer_stop(mailer);
    esign_mailer_join(mailer);
    CU_ASSERT(apr_time_now() - start < apr_time_from_sec(3));
    reap(mailer, 4, outcomes);
    CU_ASSERT_EQUAL(outcomes[ESIGN_TRANSFER_SENT], 0);
    apr_pool_destroy(p);
}

/* Its pool is destroyed while mails are under way. */
static void test_pool_goes(void)
{
    apr_pool_t *p;
    apr_pool_create(&p, pool);
    esign_mailer_t *mailer = mailer_of("gone", "cat > /dev/null", p);
    for (int i = 0; i < MAILS; i++)
        submit(mailer, i, "a\r\n", p);
    apr_pool_destroy(p);
}

int main(void)
{
    CU_TestInfo tests[] = { { "all are sent, once each, by four threads", test_all_are_sent },
                            { "a mail does not wait for one that hangs",
                              test_beside_one_that_hangs },
                            { "a mail whose deadline has passed is not begun", test_too_late },
                            { "mails not begun are recalled, mails that hang are broken off",
                              test_recalled_and_stopped },
                            { "its pool is destroyed while it works", test_pool_goes },
                            CU_TEST_INFO_NULL };
    if (!scratch_make())
        return EXIT_FAILURE;
    int status = suite_run("mailer", tests);
    scratch_remove();
    return status;
}
