/* SPDX-License-Identifier: Apache-2.0 */
/* test_copy.c: lines of the audit trail reach a pipe or the log daemon whole, or not at all. */
#include "audit/copy.h"
#include "audit/row.h"
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>

static int ends[2]; /* of the running test's pipe: reading, writing */

static esign_audit_copy_t *new_pipe(void)
{
    CU_ASSERT_FATAL(pipe(ends) == 0);
    return esign_audit_copy_pipe(ends[1], pool);
}

/* A line of `length` bytes, its end included, that begins with a number. */
static const char *line(int number, int length)
{
    char *text = apr_palloc(pool, (apr_size_t)length + 1);
    memset(text, '.', (apr_size_t)length);
    int digits = apr_snprintf(text, (apr_size_t)length, "%d", number);
    text[digits] = '.';
    text[length - 1] = '\n';
    text[length] = '\0';
    return text;
}

/* Writes numbered lines until one does not fit; how many did. */
static int fill(esign_audit_copy_t *copy, int length)
{
    int count = 0;
    errno = 0;
    while (count < 100000 && esign_audit_copy_write(copy, line(count, length), 0))
        count++;
    CU_ASSERT(count > 0 && errno == EAGAIN);
    return count;
}

/* Reads up to `size` bytes from the pipe; how many there were. */
static apr_size_t drain(char *text, apr_size_t size)
{
    apr_size_t length = 0;
    ssize_t got;
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    while (length < size && (got = read(ends[0], text + length, size - length)) > 0)
        length += (apr_size_t)got;
    return length;
}

static void test_facilities(void)
{
    const char *known = NULL;
    CU_ASSERT_EQUAL(esign_audit_copy_facility("auth", &known), LOG_AUTH);
    CU_ASSERT_EQUAL(esign_audit_copy_facility("authpriv", &known), LOG_AUTHPRIV);
    CU_ASSERT_EQUAL(esign_audit_copy_facility("local7", &known), LOG_LOCAL7);
    CU_ASSERT_EQUAL(esign_audit_copy_facility("local8", &known), -1);
    CU_ASSERT_EQUAL(esign_audit_copy_facility("AUTH", &known), -1);
    CU_ASSERT_EQUAL(esign_audit_copy_facility("", &known), -1);
    CU_ASSERT(known && strstr(known, "authpriv") && strstr(known, "local0"));
}

static void test_full_pipe(void)
{
    char *text = apr_palloc(pool, 1 << 20);
    esign_audit_copy_t *copy = new_pipe();
    const int length = 1000; /* 65,536 bytes of a pipe are no multiple of it */
    int count = fill(copy, length);
    CU_ASSERT_EQUAL(esign_audit_copy_written(copy), (apr_uint64_t)count * length);
    CU_ASSERT_EQUAL(drain(text, 1 << 20), (apr_size_t)count * length);
    for (int i = 0; i < count; i++)
        CU_ASSERT(strncmp(text + i * length, line(i, length), (apr_size_t)length) == 0);
    CU_ASSERT_EQUAL(esign_audit_copy_write(copy, line(count, length), 0), 1);
    CU_ASSERT_EQUAL(drain(text, 1 << 20), (apr_size_t)length);
    close(ends[0]);
    close(ends[1]);
}

static void test_longest_line(void)
{
    char *text = apr_palloc(pool, 1 << 20);
    esign_audit_copy_t *copy = new_pipe();
    int count = fill(copy, ESIGN_AUDIT_LINE_MAX);
    /* There is room now, but not for a whole line. */
    CU_ASSERT_EQUAL(read(ends[0], text, ESIGN_AUDIT_LINE_MAX - 1), ESIGN_AUDIT_LINE_MAX - 1);
    CU_ASSERT_EQUAL(esign_audit_copy_write(copy, line(count, ESIGN_AUDIT_LINE_MAX), 0), 0);
    CU_ASSERT_EQUAL(errno, EAGAIN);
    CU_ASSERT_EQUAL(drain(text, 1 << 20), (apr_size_t)(count - 1) * ESIGN_AUDIT_LINE_MAX + 1);
    CU_ASSERT_EQUAL(esign_audit_copy_write(copy, line(count, ESIGN_AUDIT_LINE_MAX), 0), 1);
    CU_ASSERT_EQUAL(drain(text, 1 << 20), ESIGN_AUDIT_LINE_MAX);
    close(ends[0]);
    close(ends[1]);
}

static void test_program_gone(void)
{
    esign_audit_copy_t *copy = new_pipe();
    CU_ASSERT_EQUAL(esign_audit_copy_write(copy, "{}\n", 0), 1);
    close(ends[0]);
    CU_ASSERT_EQUAL(esign_audit_copy_write(copy, "{}\n", 0), 0);
    CU_ASSERT_EQUAL(errno, EPIPE);
    CU_ASSERT_EQUAL(esign_audit_copy_written(copy), 3);
    close(ends[1]);
}

static void test_read_when_empty(void)
{
    char text[64];
    esign_audit_copy_t *copy = new_pipe();
    CU_ASSERT(esign_audit_copy_written(copy) == 0 && esign_audit_copy_read(copy) == 0);
    CU_ASSERT_EQUAL(esign_audit_copy_write(copy, "{\"a\":1}\n", 0), 1);
    CU_ASSERT_EQUAL(esign_audit_copy_write(copy, "{\"b\":2}\n", 0), 1);
    CU_ASSERT(esign_audit_copy_written(copy) == 16 && esign_audit_copy_read(copy) == 0);
    CU_ASSERT_EQUAL(read(ends[0], text, 8), 8);
    CU_ASSERT_EQUAL(esign_audit_copy_read(copy), 8);
    CU_ASSERT_EQUAL(read(ends[0], text, sizeof(text)), 8);
    CU_ASSERT_EQUAL(esign_audit_copy_read(copy), 16);
    close(ends[0]);
    close(ends[1]);
}

static void test_bytes_of_another_process(void)
{
    char text[64];
    esign_audit_copy_t *copy = new_pipe();
    CU_ASSERT_EQUAL(write(ends[1], "from an earlier process\n", 24), 24);
    CU_ASSERT_EQUAL(esign_audit_copy_write(copy, "{\"a\":1}\n", 0), 1);
    CU_ASSERT_EQUAL(esign_audit_copy_read(copy), 0);
    CU_ASSERT_EQUAL(read(ends[0], text, 24), 24);
    CU_ASSERT_EQUAL(esign_audit_copy_read(copy), 0);
    CU_ASSERT_EQUAL(read(ends[0], text, sizeof(text)), 8);
    CU_ASSERT_EQUAL(esign_audit_copy_read(copy), 8);
    close(ends[0]);
    close(ends[1]);
}

/* The socket of a log daemon, bound. */
static int new_daemon(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int daemon = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    apr_cpystrn(address.sun_path, path, sizeof(address.sun_path));
    CU_ASSERT_FATAL(daemon >= 0 &&
                    bind(daemon, (const struct sockaddr *)&address, sizeof(address)) == 0);
    return daemon;
}

/* The next datagram; "": there is no more. */
static const char *receive(int daemon)
{
    char text[2 * ESIGN_AUDIT_LINE_MAX];
    ssize_t length = recv(daemon, text, sizeof(text), 0);
    return length < 0 ? "" : apr_pstrmemdup(pool, text, (apr_size_t)length);
}

static void check_datagram(const char *datagram, int priority, const char *text)
{
    regex_t pattern;
    const char *wanted = apr_psprintf(
        pool, "^<%d>[A-Z][a-z]{2} [ 1-3][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2} mod_esign\\[%d\\]: %s$",
        priority, (int)getpid(), text);
    CU_ASSERT_FATAL(regcomp(&pattern, wanted, REG_EXTENDED | REG_NOSUB) == 0);
    CU_ASSERT_EQUAL(regexec(&pattern, datagram, 0, NULL, 0), 0);
    regfree(&pattern);
}

static void test_daemon(void)
{
    const char *path = scratch_path("log");
    int daemon = new_daemon(path);
    esign_audit_copy_t *copy = esign_audit_copy_syslog(path, LOG_LOCAL3, pool);
    CU_ASSERT_EQUAL(esign_audit_copy_write(copy, "accepted\n", 0), 1);
    CU_ASSERT_EQUAL(esign_audit_copy_write(copy, "refused\n", 1), 1);
    check_datagram(receive(daemon), LOG_LOCAL3 | LOG_INFO, "accepted");
    check_datagram(receive(daemon), LOG_LOCAL3 | LOG_NOTICE, "refused");
    CU_ASSERT(esign_audit_copy_written(copy) == 17 && esign_audit_copy_read(copy) == 17);
    CU_ASSERT_EQUAL(esign_audit_copy_write(copy, line(1, ESIGN_AUDIT_LINE_MAX), 0), 1);
    CU_ASSERT(strlen(receive(daemon)) > ESIGN_AUDIT_LINE_MAX);
    close(daemon);
    unlink(path);
}

static void test_no_daemon(void)
{
    const char *path = scratch_path("absent");
    esign_audit_copy_t *copy = esign_audit_copy_syslog(path, LOG_USER, pool);
    CU_ASSERT_EQUAL(esign_audit_copy_write(copy, "one\n", 0), 0);
    CU_ASSERT_EQUAL(errno, ENOENT);
    CU_ASSERT_EQUAL(esign_audit_copy_written(copy), 0);

    int daemon = new_daemon(path);
    CU_ASSERT_EQUAL(esign_audit_copy_write(copy, "one\n", 0), 1);
    check_datagram(receive(daemon), LOG_USER | LOG_INFO, "one");

    close(daemon); /* its socket's file stays */
    CU_ASSERT_EQUAL(esign_audit_copy_write(copy, "two\n", 0), 0);
    CU_ASSERT_EQUAL(errno, ECONNREFUSED);
    unlink(path);
    daemon = new_daemon(path);
    CU_ASSERT_EQUAL(esign_audit_copy_write(copy, "two\n", 0), 1);
    check_datagram(receive(daemon), LOG_USER | LOG_INFO, "two");
    CU_ASSERT_EQUAL(esign_audit_copy_written(copy), 8);
    close(daemon);
    unlink(path);
}

static void test_daemon_does_not_read(void)
{
    const char *path = scratch_path("slow");
    int daemon = new_daemon(path);
    esign_audit_copy_t *copy = esign_audit_copy_syslog(path, LOG_USER, pool);
    int count = fill(copy, 100);
    CU_ASSERT_EQUAL(esign_audit_copy_written(copy), (apr_uint64_t)count * 100);
    for (int i = 0; i < count; i++)
        CU_ASSERT_PTR_NOT_NULL(strstr(receive(daemon), apr_psprintf(pool, "]: %d.", i)));
    CU_ASSERT_STRING_EQUAL(receive(daemon), "");
    CU_ASSERT_EQUAL(esign_audit_copy_write(copy, line(count, 100), 0), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(receive(daemon), apr_psprintf(pool, "]: %d.", count)));
    close(daemon);
    unlink(path);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "facilities of the system's log", test_facilities },
        { "a full pipe takes no line, and holds whole lines only", test_full_pipe },
        { "the longest line is not written in pieces", test_longest_line },
        { "a program that has ended", test_program_gone },
        { "bytes count as read when they have left the pipe", test_read_when_empty },
        { "bytes of another process never count as read", test_bytes_of_another_process },
        { "the log daemon gets lines with their severity", test_daemon },
        { "the log daemon is away, comes, goes and comes back", test_no_daemon },
        { "a log daemon that does not read makes nobody wait", test_daemon_does_not_read },
        CU_TEST_INFO_NULL
    };
    signal(SIGPIPE, SIG_IGN);
    if (!scratch_make())
        return EXIT_FAILURE;
    int status = suite_run("copy", tests);
    scratch_remove();
    return status;
}
