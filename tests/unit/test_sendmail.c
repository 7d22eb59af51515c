/* SPDX-License-Identifier: Apache-2.0 */
/* test_sendmail.c: a sendmail command accepts a mail, refuses it, ends early, hangs, or is missing.
 */
#include "deliver/sendmail.h"
#include "scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_int stop;
static esign_lease_t lease = { APR_INT64_MAX };

/* A file's text; "" for a missing file. */
static const char *text_of(const char *path)
{
    struct stat file;
    FILE *stream = fopen(path, "r");
    if (!stream)
        return "";
    CU_ASSERT_FATAL(fstat(fileno(stream), &file) == 0);
    char *text = apr_pcalloc(pool, (apr_size_t)file.st_size + 1);
    CU_ASSERT_EQUAL(fread(text, 1, (size_t)file.st_size, stream), (size_t)file.st_size);
    fclose(stream);
    return text;
}

/* A shell script as the sendmail command. $0.* are files of its own. */
static esign_smtp_t *command(const char *script)
{
    static int count;
    const char *path = scratch_path(apr_psprintf(pool, "sendmail %d", ++count));
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_FATAL(fprintf(file, "#!/bin/sh\n%s\n", script) > 0 && fclose(file) == 0 &&
                    chmod(path, 0755) == 0);
    esign_smtp_t *smtp = apr_pcalloc(pool, sizeof(*smtp));
    *smtp = (esign_smtp_t){ .url = apr_pstrcat(pool, "sendmail:", path, NULL),
                            .from = "portal@example.org",
                            .timeout = apr_time_from_sec(20) };
    return smtp;
}

static esign_mail_job_t *run_with(const esign_smtp_t *smtp, const char *bytes)
{
    esign_mail_job_t *job = apr_pcalloc(pool, sizeof(*job));
    *job = (esign_mail_job_t){ .pool = pool,
                               .to = "ayse@example.org",
                               .bytes = bytes,
                               .length = strlen(bytes),
                               .lease = &lease };
    esign_sendmail_run(smtp, job, &stop);
    return job;
}

static const char *file_of(const esign_smtp_t *smtp, const char *suffix)
{
    return text_of(apr_pstrcat(pool, esign_sendmail_command(smtp->url), suffix, NULL));
}

static void test_command(void)
{
    CU_ASSERT_STRING_EQUAL(esign_sendmail_command("sendmail:"), "/usr/sbin/sendmail");
    CU_ASSERT_STRING_EQUAL(esign_sendmail_command("sendmail:/a b"), "/a b");
    CU_ASSERT_PTR_NULL(esign_sendmail_command("smtp://sendmail:25"));
}

static void test_taken(void)
{
    esign_smtp_t *smtp =
        command("for a; do echo \"[$a]\"; done > \"$0.arguments\"; env | sort > "
                "\"$0.environment\"; ls /proc/$$/fd > \"$0.files\"; cat > \"$0.mail\"");
    esign_mail_job_t *job = run_with(smtp, "To: a\r\n\r\nb\r\n");
    CU_ASSERT_EQUAL(job->outcome, ESIGN_TRANSFER_SENT);
    CU_ASSERT_STRING_EQUAL(file_of(smtp, ".mail"), "To: a\n\nb\n");
    CU_ASSERT_STRING_EQUAL(file_of(smtp, ".arguments"), "[-t]\n[-i]\n[-f]\n[portal@example.org]\n");
    CU_ASSERT_PTR_NULL(strstr(file_of(smtp, ".environment"), "ESIGN_TEST_SECRET"));
    CU_ASSERT_PTR_NOT_NULL(strstr(file_of(smtp, ".environment"), "PATH=/usr/sbin:"));
    /* Its three, and the files by which the shell reads the script. The hundred that were open here
     * are closed. */
    CU_ASSERT(strlen(file_of(smtp, ".files")) < 20);
}

static void test_large(void)
{
    char *bytes = apr_palloc(pool, 1000001), *expected = apr_palloc(pool, 500001);
    for (int i = 0; i < 500000; i++) {
        bytes[i * 2] = expected[i] = (char)('a' + i % 23);
        bytes[i * 2 + 1] = '\r';
    }
    bytes[1000000] = expected[500000] = '\0';
    /* It writes more than a pipe can hold before it reads. */
    esign_smtp_t *smtp =
        command("head -c 300000 /dev/zero | tr '\\0' x; sleep 0.2; cat > \"$0.mail\"");
    CU_ASSERT_EQUAL(run_with(smtp, bytes)->outcome, ESIGN_TRANSFER_SENT);
    CU_ASSERT_STRING_EQUAL(file_of(smtp, ".mail"), expected);
}

static void test_statuses(void)
{
    static const struct {
        int code;
        esign_transfer_outcome_e outcome;
    } known[] = { { 0, ESIGN_TRANSFER_SENT },        { 75, ESIGN_TRANSFER_LATER },
                  { 65, ESIGN_TRANSFER_NEVER },      { 67, ESIGN_TRANSFER_NEVER },
                  { 68, ESIGN_TRANSFER_NEVER },      { 64, ESIGN_TRANSFER_UNANSWERED },
                  { 69, ESIGN_TRANSFER_UNANSWERED }, { 70, ESIGN_TRANSFER_UNANSWERED },
                  { 71, ESIGN_TRANSFER_UNANSWERED }, { 73, ESIGN_TRANSFER_UNANSWERED },
                  { 77, ESIGN_TRANSFER_UNANSWERED }, { 78, ESIGN_TRANSFER_UNANSWERED },
                  { 1, ESIGN_TRANSFER_UNANSWERED },  { 127, ESIGN_TRANSFER_UNANSWERED } };
    for (apr_size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        CU_ASSERT_EQUAL(
            run_with(command(apr_psprintf(pool, "cat > /dev/null; exit %d", known[i].code)),
                     "a\r\n")
                ->outcome,
            known[i].outcome);
    CU_ASSERT_STRING_EQUAL(
        run_with(command("cat > /dev/null; echo 'fatal: no such user' >&2; echo more; exit 67"),
                 "a\r\n")
            ->words,
        "sendmail ended with status 67: fatal: no such user");
    esign_mail_job_t *job = run_with(command("cat > /dev/null; kill -TERM $$"), "a\r\n");
    CU_ASSERT(job->outcome == ESIGN_TRANSFER_UNANSWERED &&
              strcmp(job->words, "sendmail ended by signal 15") == 0);
}

static void test_ends_early(void)
{
    char *bytes = apr_palloc(pool, 200001);
    memset(bytes, 'a', 200000);
    bytes[200000] = '\0';
    CU_ASSERT_EQUAL(run_with(command("exit 0"), bytes)->outcome, ESIGN_TRANSFER_UNANSWERED);
    CU_ASSERT_EQUAL(run_with(command("exit 67"), bytes)->outcome, ESIGN_TRANSFER_NEVER);
}

static void test_not_there(void)
{
    esign_smtp_t smtp = { .url = "sendmail:/no/such/sendmail",
                          .from = "a@b",
                          .timeout = apr_time_from_sec(20) };
    esign_mail_job_t *job = run_with(&smtp, "a\r\n");
    /* Under valgrind, posix_spawn reports no failure: a child ends instead, as any command may. */
    int started = job->outcome == ESIGN_TRANSFER_UNANSWERED;
    CU_ASSERT(started || job->outcome == ESIGN_TRANSFER_UNREACHABLE);
    CU_ASSERT_STRING_EQUAL(
        job->words, started ? "sendmail ended with status 127"
                            : "/no/such/sendmail cannot be started: No such file or directory");
}

/* Whether the process of a pid file runs; a zombie that another process must wait for has ended. */
static int runs(const char *pid)
{
    char line[256] = "";
    FILE *file = fopen(apr_psprintf(pool, "/proc/%d/stat", atoi(pid)), "r");
    if (file) {
        if (!fgets(line, sizeof(line), file))
            line[0] = '\0';
        fclose(file);
    }
    return line[0] && !strstr(line, ") Z ");
}

/* Whether it ends within five seconds. */
static int ends(const char *pid)
{
    for (int tries = 0; tries < 1000 && runs(pid); tries++)
        apr_sleep(apr_time_from_msec(5));
    return !runs(pid);
}

static void test_hangs(void)
{
    esign_smtp_t *smtp = command("echo $$ > \"$0.pid\"; sleep 600 & echo $! > \"$0.child\"; wait");
    smtp->timeout = apr_time_from_sec(1);
    apr_time_t before = apr_time_now();
    esign_mail_job_t *job = run_with(smtp, "a\r\n");
    apr_interval_time_t took = apr_time_now() - before;
    CU_ASSERT(job->outcome == ESIGN_TRANSFER_UNANSWERED &&
              strstr(job->words, "did not end in time"));
    CU_ASSERT(took >= apr_time_from_msec(900) && took < apr_time_from_sec(5));
    CU_ASSERT(ends(file_of(smtp, ".pid")) && ends(file_of(smtp, ".child")));
}

/* Stops the transfer of a command when the command has made its file; `data` is its esign_smtp_t.
 */
static void *set_stop(void *data)
{
    const esign_smtp_t *smtp = data;
    char path[1024];
    snprintf(path, sizeof(path), "%s.begun", esign_sendmail_command(smtp->url));
    for (int tries = 0; tries < 1000 && access(path, F_OK) != 0; tries++)
        apr_sleep(apr_time_from_msec(5));
    stop = 1;
    return NULL;
}

static void test_stopped(void)
{
    pthread_t thread;
    apr_time_t before = apr_time_now();
    esign_smtp_t *smtp = command(": > \"$0.begun\"; exec sleep 600");
    pthread_create(&thread, NULL, set_stop, smtp);
    esign_mail_job_t *job = run_with(smtp, "a\r\n");
    pthread_join(thread, NULL);
    stop = 0;
    CU_ASSERT(job->outcome == ESIGN_TRANSFER_UNREACHABLE &&
              apr_time_now() - before < apr_time_from_sec(5));
}

/* A lost lease ends a command that has not read all of its input. */
static void test_lease_lost(void)
{
    char *large = apr_palloc(pool, 200001);
    memset(large, 'x', 200000);
    large[200000] = '\0';
    esign_smtp_t *smtp = command("echo $$ > \"$0.pid\"; sleep 600; cat > \"$0.mail\"");
    lease.deadline = esign_clock() + apr_time_from_msec(300);
    apr_time_t before = apr_time_now();
    esign_mail_job_t *job = run_with(smtp, large);
    CU_ASSERT(job->outcome == ESIGN_TRANSFER_UNTRIED && strcmp(job->words, ESIGN_LEASE_LOST) == 0 &&
              apr_time_now() - before < apr_time_from_sec(5));
    CU_ASSERT(ends(file_of(smtp, ".pid")));
    /* After the end of the input, the command is waited for. */
    lease.deadline = esign_clock() + apr_time_from_msec(300);
    CU_ASSERT_EQUAL(run_with(command("cat > /dev/null; sleep 1"), "a\r\n")->outcome,
                    ESIGN_TRANSFER_SENT);
    lease.deadline = APR_INT64_MAX;
}

/* Exim's command leaves a delivery process, which keeps the pipe of its errors open. */
static void test_leaves_a_child(void)
{
    esign_smtp_t *smtp = command("cat > /dev/null; sleep 3 & echo $! > \"$0.child\"; exit 0");
    apr_time_t before = apr_time_now();
    CU_ASSERT_EQUAL(run_with(smtp, "a\r\n")->outcome, ESIGN_TRANSFER_SENT);
    CU_ASSERT(apr_time_now() - before < apr_time_from_sec(2));
    CU_ASSERT(runs(file_of(smtp, ".child")));
}

static int zombies(void)
{
    int found = 0;
    const struct dirent *entry;
    DIR *folder = opendir("/proc");
    while (folder && (entry = readdir(folder))) {
        char line[256] = "";
        FILE *file = fopen(apr_psprintf(pool, "/proc/%s/stat", entry->d_name), "r");
        if (file && fgets(line, sizeof(line), file) &&
            strstr(line, apr_psprintf(pool, ") Z %d ", getpid())))
            found++;
        if (file)
            fclose(file);
    }
    if (folder)
        closedir(folder);
    return found;
}

static int open_files(void)
{
    int count = 0;
    for (int file = 0; file < 1024; file++)
        count += fcntl(file, F_GETFD) >= 0;
    return count;
}

static void *run_many(void *data)
{
    for (int i = 0; i < 10; i++) {
        esign_mail_job_t job = { .to = "a@b", .bytes = "a\r\n", .length = 3, .lease = &lease };
        esign_sendmail_run(data, &job, &stop);
        if (job.outcome != ESIGN_TRANSFER_SENT)
            return data;
    }
    return NULL;
}

static void test_threads(void)
{
    enum { THREADS = 6 };
    esign_smtp_t *smtp = command("cat >> \"$0.mail\"");
    pthread_t threads[THREADS];
    int before = open_files(), failures = 0;
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, run_many, smtp);
    for (int i = 0; i < THREADS; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        failures += failed != NULL;
    }
    CU_ASSERT_EQUAL(failures, 0);
    CU_ASSERT_EQUAL(strlen(file_of(smtp, ".mail")), THREADS * 10 * 2);
    CU_ASSERT_EQUAL(open_files(), before);
    CU_ASSERT_EQUAL(zombies(), 0);
}

int main(void)
{
    CU_TestInfo tests[] = { { "the command of a URL", test_command },
                            { "a mail that is taken, and what the command sees of us", test_taken },
                            { "a large mail to a talkative command", test_large },
                            { "exit statuses", test_statuses },
                            { "a command that ends before it has read all", test_ends_early },
                            { "a command that is not there", test_not_there },
                            { "a command that hangs is killed with its children", test_hangs },
                            { "a command is killed when the process ends", test_stopped },
                            { "a mail whose deadline has passed is not sent", test_lease_lost },
                            { "a command that leaves a child behind", test_leaves_a_child },
                            { "many at once leave no file and no zombie", test_threads },
                            CU_TEST_INFO_NULL };
    /* As in httpd's children: SIGPIPE is ignored. And many files without close-on-exec. */
    signal(SIGPIPE, SIG_IGN);
    setenv("ESIGN_TEST_SECRET", "x", 1);
    for (int file = 100; file < 200; file++)
        dup2(1, file);
    if (!scratch_make())
        return EXIT_FAILURE;
    int status = suite_run("sendmail", tests);
    scratch_remove();
    return status;
}
