/* SPDX-License-Identifier: Apache-2.0 */
/* test_key_file.c: making and changing the key file, as a whole or not at all. */
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define COMMENT "# kept\n\n"
#define TWO COMMENT SCRATCH_KEY_1 "\t# between\n" SCRATCH_KEY_2

static const char *path;
static const unsigned char nobody[ESIGN_KEY_MAX_ID + 1];

static void write_text(const char *text)
{
    path = scratch_path("keys");
    unlink(path);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    CU_ASSERT_FATAL(file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text) &&
                    close(file) == 0);
}

static const char *read_text(void)
{
    char *text = apr_pcalloc(pool, 65536);
    int file = open(path, O_RDONLY);
    CU_ASSERT_FATAL(file >= 0 && read(file, text, 65535) >= 0 && close(file) == 0);
    return text;
}

static esign_keyring_t *load(void)
{
    esign_keyring_t *keyring = NULL;
    CU_ASSERT_FATAL(!esign_failed(esign_keyring_load(&keyring, path, pool)));
    return keyring;
}

static int added(void)
{
    int id = -1;
    CU_ASSERT_FATAL(!esign_failed(esign_key_file_add(path, nobody, &id, pool)));
    return id;
}

static void test_create(void)
{
    struct stat info;
    path = scratch_path("new");
    mode_t mask = umask(0);
    CU_ASSERT(!esign_failed(esign_key_file_create(path, pool)));
    umask(mask);
    CU_ASSERT(stat(path, &info) == 0 && (info.st_mode & 07777) == 0600);
    const esign_keyring_t *first = load();
    CU_ASSERT_EQUAL(esign_keyring_active(first), 1);
    const char *before = read_text();
    CU_ASSERT_EQUAL(esign_key_file_create(path, pool).status, EEXIST);
    CU_ASSERT_STRING_EQUAL(read_text(), before);
    unlink(path);
    CU_ASSERT(!esign_failed(esign_key_file_create(path, pool)));
    CU_ASSERT(memcmp(esign_keyring_key(first, ESIGN_KEY_OTP, 1),
                     esign_keyring_key(load(), ESIGN_KEY_OTP, 1), ESIGN_KEY_SIZE) != 0);
    unlink(path);
    CU_ASSERT_EQUAL(esign_key_file_create(scratch_path("none/keys"), pool).status, ENOENT);
}

static void test_life_of_a_key(void)
{
    int id = -1;
    write_text(TWO);
    CU_ASSERT(!esign_failed(esign_key_file_activate(path, &id, pool)) && id == 0);
    CU_ASSERT_STRING_EQUAL(read_text(), TWO);
    CU_ASSERT_EQUAL(added(), 3);
    const esign_keyring_t *keyring = load();
    CU_ASSERT(esign_keyring_active(keyring) == 2 && esign_keyring_next(keyring) == 3);
    CU_ASSERT(strncmp(read_text(), TWO "next 3 ", strlen(TWO) + 7) == 0);
    esign_result_t again = esign_key_file_add(path, nobody, &id, pool);
    CU_ASSERT(again.status == APR_EEXIST && strstr(again.detail, "key 3 has been added") != NULL);

    CU_ASSERT(!esign_failed(esign_key_file_activate(path, &id, pool)) && id == 3);
    const esign_keyring_t *rotated = load();
    CU_ASSERT(esign_keyring_active(rotated) == 3 && esign_keyring_next(rotated) == 0);
    CU_ASSERT(memcmp(esign_keyring_key(keyring, ESIGN_KEY_OTP, 3),
                     esign_keyring_key(rotated, ESIGN_KEY_OTP, 3), ESIGN_KEY_SIZE) == 0);

    CU_ASSERT(!esign_failed(esign_key_file_remove(path, 2, pool)));
    CU_ASSERT(strncmp(read_text(), COMMENT SCRATCH_KEY_1 "\t# between\nkey 3 ",
                      strlen(COMMENT SCRATCH_KEY_1 "\t# between\nkey 3 ")) == 0);
    CU_ASSERT_EQUAL(esign_key_file_remove(path, 2, pool).status, APR_ENOENT);
    CU_ASSERT_EQUAL(esign_key_file_remove(path, 3, pool).status, APR_EEXIST);
    CU_ASSERT(!esign_failed(esign_key_file_remove(path, 1, pool)) &&
              esign_keyring_active(load()) == 3);
    CU_ASSERT(added() == 4 && !esign_failed(esign_key_file_remove(path, 4, pool)) &&
              esign_keyring_next(load()) == 0);
}

/* A running server still has another key of that id. */
static void test_taken_ids(void)
{
    unsigned char taken[ESIGN_KEY_MAX_ID + 1] = { [2] = 1, [4] = 1 };
    int id;
    write_text(SCRATCH_KEY_1);
    CU_ASSERT(!esign_failed(esign_key_file_add(path, taken, &id, pool)) && id == 5);
    CU_ASSERT(!esign_failed(esign_key_file_remove(path, 5, pool)));
    taken[ESIGN_KEY_MAX_ID] = 1;
    CU_ASSERT(!esign_failed(esign_key_file_add(path, taken, &id, pool)) && id == 3);
    CU_ASSERT(!esign_failed(esign_key_file_remove(path, 3, pool)));
    memset(taken, 1, sizeof(taken));
    CU_ASSERT_EQUAL(esign_key_file_add(path, taken, &id, pool).status, APR_EEXIST);
    CU_ASSERT_STRING_EQUAL(read_text(), SCRATCH_KEY_1);
}

static void test_written_by_hand(void)
{
    static const char next[] = "next 7 AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    int id;
    write_text("key 255 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"); /* no line feed, and the
                                                                          highest id */
    CU_ASSERT_EQUAL(added(), 1);
    CU_ASSERT(esign_keyring_active(load()) == 255 && esign_keyring_next(load()) == 1);
    write_text(apr_pstrcat(pool, next, "\n", SCRATCH_KEY_1, NULL));
    CU_ASSERT(!esign_failed(esign_key_file_activate(path, &id, pool)) && id == 7);
    CU_ASSERT_STRING_EQUAL(read_text(),
                           apr_pstrcat(pool, SCRATCH_KEY_1, "key", next + 4, "\n", NULL));
    char *all = "";
    for (int i = 1; i <= ESIGN_KEY_MAX_ID; i++)
        all = apr_psprintf(pool, "%skey %d %.43s\n", all, i, &SCRATCH_KEY_1[6]);
    write_text(all);
    CU_ASSERT_EQUAL(esign_key_file_add(path, nobody, &id, pool).status, APR_EEXIST);
    CU_ASSERT(!esign_failed(esign_key_file_remove(path, 77, pool)) && added() == 77);
    write_text("key 1 broken\n");
    CU_ASSERT_EQUAL(esign_key_file_add(path, nobody, &id, pool).status, APR_EINVAL);
    CU_ASSERT_STRING_EQUAL(read_text(), "key 1 broken\n");
}

static void test_place_mode_and_owner(void)
{
    struct stat info;
    const char *link = scratch_path("link");
    write_text(TWO);
    CU_ASSERT_FATAL(chmod(path, 0400) == 0 && (geteuid() != 0 || chown(path, 65534, 65534) == 0) &&
                    symlink("keys", link) == 0);
    const char *file = path;
    path = link;
    added();
    CU_ASSERT(lstat(link, &info) == 0 && S_ISLNK(info.st_mode));
    CU_ASSERT(stat(file, &info) == 0 && (info.st_mode & 07777) == 0400 &&
              (geteuid() != 0 || (info.st_uid == 65534 && info.st_gid == 65534)));
    unlink(link);
    path = file;

    /* The file of a killed run. */
    const char *left = scratch_path("keys.new");
    int half = open(left, O_WRONLY | O_CREAT, 0600);
    CU_ASSERT(half >= 0 && write(half, "key 9 AA", 8) == 8 && close(half) == 0);
    CU_ASSERT(!esign_failed(esign_key_file_remove(path, 1, pool)) && access(left, F_OK) != 0);
}

/* Checks that the change which `work` tries fails and leaves everything unchanged. In a child,
 * because limits cannot be raised again. */
static void test_no_room(void)
{
    int status, id;
    write_text(TWO);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = { 100, 100 };
        signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
            _exit(2);
        esign_result_t result = esign_key_file_add(path, nobody, &id, pool);
        _exit(result.status == EFBIG && strstr(result.detail, "nothing was changed") != NULL ? 0
                                                                                             : 1);
    }
    CU_ASSERT(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CU_ASSERT_STRING_EQUAL(read_text(), TWO);
    CU_ASSERT(access(scratch_path("keys.new"), F_OK) != 0);

    /* No new file can be made, because a folder has its name. */
    CU_ASSERT_FATAL(mkdir(scratch_path("keys.new"), 0700) == 0);
    esign_result_t result = esign_key_file_remove(path, 1, pool);
    CU_ASSERT(result.status == EEXIST && strstr(result.detail, "nothing was changed") != NULL);
    rmdir(scratch_path("keys.new"));
    CU_ASSERT_STRING_EQUAL(read_text(), TWO);
    path = scratch_path("nowhere");
    CU_ASSERT_EQUAL(esign_key_file_add(path, nobody, &id, pool).status, ENOENT);
}

/* Many processes each remove one key at the same time. No removal is lost. */
static void test_changes_at_once(void)
{
    enum { PROCESSES = 12 };
    char *all = "";
    int failures = 0, status;
    for (int i = 1; i <= PROCESSES + 1; i++)
        all = apr_psprintf(pool, "%skey %d %.43s\n", all, i, &SCRATCH_KEY_1[6]);
    write_text(all);
    for (int i = 1; i <= PROCESSES; i++)
        if (fork() == 0)
            _exit(esign_failed(esign_key_file_remove(path, i, pool)));
    while (wait(&status) > 0)
        failures += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    CU_ASSERT_EQUAL(failures, 0);
    CU_ASSERT_STRING_EQUAL(read_text(),
                           apr_psprintf(pool, "key %d %.43s\n", PROCESSES + 1, &SCRATCH_KEY_1[6]));
}

int main(void)
{
    CU_TestInfo tests[] = { { "a new file is private, random and never overwritten", test_create },
                            { "a key is added, becomes active, and is removed",
                              test_life_of_a_key },
                            { "an id in use is not given again", test_taken_ids },
                            { "lines written by hand are read and kept", test_written_by_hand },
                            { "place, mode and owner stay", test_place_mode_and_owner },
                            { "without room nothing changes", test_no_room },
                            { "changes wait for each other", test_changes_at_once },
                            CU_TEST_INFO_NULL };
    if (!scratch_make())
        return EXIT_FAILURE;
    int status = suite_run("key_file", tests);
    scratch_remove();
    return status;
}
