/* SPDX-License-Identifier: Apache-2.0 */
/* test_keyring.c: key files that are read and refused, and the keys derived from them. */
#include "core/keyring.h"
#include "suite.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEY_A "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" /* bytes 0 to 31 */
#define KEY_B "AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

static char folder[] = "/tmp/esign-keyring-XXXXXX";

static const char *write_file(const char *text, apr_size_t length, mode_t mode)
{
    const char *path = apr_pstrcat(pool, folder, "/keys", NULL);
    unlink(path);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    CU_ASSERT_FATAL(file >= 0);
    CU_ASSERT_EQUAL_FATAL(write(file, text, length), (ssize_t)length);
    fchmod(file, mode);
    close(file);
    return path;
}

static esign_keyring_t *load(const char *text)
{
    esign_keyring_t *keyring = NULL;
    esign_result_t result =
        esign_keyring_load(&keyring, write_file(text, strlen(text), 0600), pool);
    CU_ASSERT_FATAL(!esign_failed(result) && keyring != NULL);
    return keyring;
}

/* Checks that loading fails, and that the error contains all of `expected` but no key. */
static void refuse(const char *text, const char *expected)
{
    esign_keyring_t *keyring = NULL;
    esign_result_t result =
        esign_keyring_load(&keyring, write_file(text, strlen(text), 0600), pool);
    CU_ASSERT_FATAL(esign_failed(result));
    CU_ASSERT_STRING_EQUAL(result.problem, "key file");
    CU_ASSERT_PTR_NOT_NULL(strstr(result.detail, expected));
    CU_ASSERT_PTR_NOT_NULL(strstr(result.detail, "/keys"));
    CU_ASSERT_PTR_NULL(strstr(result.detail, "AAEC"));
    CU_ASSERT_PTR_NULL(keyring);
}

static void test_derived(void)
{
    /* Computed by RFC 5869 with Python's hmac. They never change, because values sealed under them
     * would be lost. */
    static const char *const expected[ESIGN_KEY_PURPOSES] = {
        [ESIGN_KEY_LOOKUP] = "2e8a526c2bcc9255d084c896e9d107d2ec586dbb488caf64f8b4612e84e7ed16",
        [ESIGN_KEY_PEPPER] = "bed522c0d9aa23e72c9309745bee3b105499e49bb274566b08687d5b0745c402",
        [ESIGN_KEY_DATABASE] = "75af39588ff0e17149b21985764936ecd9351d7d509eb3d61a50440f31e8f6b3",
        [ESIGN_KEY_MEMCACHED] = "6d91e3fa7e5ee7f0e34557df203ab6012cf73252f460b767c7d1672caec7b29b",
        [ESIGN_KEY_CHALLENGE] = "1e906a29ea560fdb9c6cefb8f96819c658771414eb8031025a1977eb3149ddc9",
        [ESIGN_KEY_OTP] = "34c561e651ef28c2140135f2b40d09979bc47da2033a1ab42279924d55e6f5b4",
        [ESIGN_KEY_COOKIE] = "ffc3e3cf4dedeae13a449f6c511b2bc145e9cfb8f9535f361d951a7f02f68582",
        [ESIGN_KEY_AUDIT] = "f32a3c390e994de6d2c0a6e80cde9e52b97559fd2f6dea2b12d32333d74ff612",
        [ESIGN_KEY_WORK] = "e4fe7fe0ff6133b944f1d632dc2d7e62fe57c227839556bc9e6b7a57e3a3dc2a",
        [ESIGN_KEY_CAPTCHA_SEED] =
            "bef026e6432b1b05a7aa7a1312fbe47d0c0f9f8f344f7d468156343315c77ddb",
        [ESIGN_KEY_MARK] = "d279a490a93de2a8250272fcd434c2eccb4c61bc37197661ee01286601373cef",
        [ESIGN_KEY_REPORT] = "15e379623656adaca1c5f7d338acc42df8b986e04b5d659ee7920fac55b3283d",
        [ESIGN_KEY_MESSAGE_ID] = "0bc4b8964455d5aecd1d2f4061ddc3b767f5d1b4bb2b97c9d248bcb7e96cdf79"
    };
    const esign_keyring_t *keyring = load("key 1 " KEY_A "\n");
    for (int purpose = 0; purpose < ESIGN_KEY_PURPOSES; purpose++) {
        const unsigned char *key = esign_keyring_key(keyring, (esign_key_purpose_e)purpose, 1);
        CU_ASSERT_PTR_NOT_NULL_FATAL(key);
        for (int i = 0; i < ESIGN_KEY_SIZE; i++)
            CU_ASSERT(strncmp(apr_psprintf(pool, "%02x", key[i]), expected[purpose] + 2 * i, 2) ==
                      0);
    }
}

static void test_ids(void)
{
    const esign_keyring_t *keyring = load("# a comment\n\n  key 9 " KEY_A
                                          "\r\n\t# another\nkey\t255  " KEY_B "  \nkey 1 " KEY_B);
    const int *ids;
    CU_ASSERT_EQUAL_FATAL(esign_keyring_ids(keyring, &ids), 3);
    CU_ASSERT(ids[0] == 1 && ids[1] == 255 && ids[2] == 9);
    CU_ASSERT_EQUAL(esign_keyring_active(keyring), 1);
    CU_ASSERT_PTR_NULL(esign_keyring_key(keyring, ESIGN_KEY_OTP, 2));
    CU_ASSERT_PTR_NULL(esign_keyring_key(keyring, ESIGN_KEY_OTP, 0));
    CU_ASSERT_PTR_NULL(esign_keyring_key(keyring, ESIGN_KEY_OTP, -1));
    CU_ASSERT_PTR_NULL(esign_keyring_key(keyring, ESIGN_KEY_OTP, 256));
    CU_ASSERT(memcmp(esign_keyring_key(keyring, ESIGN_KEY_OTP, 1),
                     esign_keyring_key(keyring, ESIGN_KEY_OTP, 255), ESIGN_KEY_SIZE) == 0);
    CU_ASSERT(memcmp(esign_keyring_key(keyring, ESIGN_KEY_OTP, 1),
                     esign_keyring_key(keyring, ESIGN_KEY_OTP, 9), ESIGN_KEY_SIZE) != 0);
}

static void test_next(void)
{
    const esign_keyring_t *keyring = load("key 7 " KEY_A "\nnext 9 " KEY_B "\nkey 3 " KEY_A "\n"),
                          *last = load("key 7 " KEY_A "\nnext 9 " KEY_B "\n");
    const int *ids;
    CU_ASSERT(esign_keyring_active(keyring) == 3 && esign_keyring_next(keyring) == 9);
    CU_ASSERT(esign_keyring_ids(keyring, &ids) == 3 && ids[0] == 3 && ids[1] == 9 && ids[2] == 7);
    CU_ASSERT(esign_keyring_active(last) == 7 && esign_keyring_next(last) == 9);
    CU_ASSERT(memcmp(esign_keyring_key(last, ESIGN_KEY_OTP, 9),
                     esign_keyring_key(keyring, ESIGN_KEY_OTP, 9), ESIGN_KEY_SIZE) == 0);
    CU_ASSERT_EQUAL(esign_keyring_next(load("key 7 " KEY_A "\n")), 0);
    refuse("next 1 " KEY_A "\n", "no key");
    refuse("key 1 " KEY_A "\nnext 2 " KEY_A "\nnext 3 " KEY_A "\n", "line 3: a second key");
    refuse("key 1 " KEY_A "\nnext 1 " KEY_A "\n", "line 2: this id stands twice");
}

static void test_all_ids(void)
{
    char *text = "";
    for (int id = 1; id <= 255; id++)
        text = apr_psprintf(pool, "%skey %d " KEY_A "\n", text, id);
    const esign_keyring_t *keyring = load(text);
    const int *ids;
    CU_ASSERT_EQUAL(esign_keyring_ids(keyring, &ids), 255);
    CU_ASSERT_EQUAL(esign_keyring_active(keyring), 255);
    for (int id = 1; id <= 255; id++)
        CU_ASSERT_PTR_NOT_NULL(esign_keyring_key(keyring, ESIGN_KEY_AUDIT, id));
}

static void test_refused_lines(void)
{
    refuse("", "no key");
    refuse("# nothing\n\n", "no key");
    refuse("# first\nkey 1 " KEY_A "\nkey 1 " KEY_B "\n", "line 3: this id stands twice");
    refuse("key 0 " KEY_A "\n", "line 1: the id");
    refuse("key 256 " KEY_A "\n", "line 1: the id");
    refuse("key -1 " KEY_A "\n", "line 1: the id");
    refuse("key 1x " KEY_A "\n", "line 1: the id");
    refuse("key 4294967297 " KEY_A "\n", "line 1: the id");
    refuse("\n\nkey 1\n", "line 3: write it as");
    refuse("key\n", "line 1: write it as");
    refuse("key 1 " KEY_A " more\n", "line 1: write it as");
    refuse("Key 1 " KEY_A "\n", "line 1: write it as");
    refuse("key 1 " KEY_A "=\n", "line 1: the key must be 32 bytes");
    refuse("key 1 AAEC\n", "line 1: the key must be 32 bytes");
    refuse("key 1 " KEY_A "AAEC\n", "line 1: the key must be 32 bytes");
    refuse("key 1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9\n",
           "line 1: the key must be 32 bytes");
}

static void test_refused_files(void)
{
    static const mode_t open_modes[] = { 0640, 0604, 0660, 0601, 0610, 0777 };
    static const char nul[] = "key 1 " KEY_A "\n\0\n";
    esign_keyring_t *keyring;
    for (apr_size_t i = 0; i < sizeof(open_modes) / sizeof(*open_modes); i++) {
        esign_result_t result =
            esign_keyring_load(&keyring, write_file("key 1 " KEY_A "\n", 50, open_modes[i]), pool);
        CU_ASSERT(result.status == APR_EACCES && strstr(result.detail, "chmod 600") != NULL);
    }
    CU_ASSERT(!esign_failed(
        esign_keyring_load(&keyring, write_file("key 1 " KEY_A "\n", 50, 0400), pool)));
    CU_ASSERT(
        esign_failed(esign_keyring_load(&keyring, write_file(nul, sizeof(nul) - 1, 0600), pool)));
    CU_ASSERT(esign_failed(esign_keyring_load(&keyring, folder, pool)));
    CU_ASSERT_EQUAL(
        esign_keyring_load(&keyring, apr_pstrcat(pool, folder, "/none", NULL), pool).status,
        ENOENT);

    char *large = apr_palloc(pool, 70001);
    memset(large, '\n', 70000);
    large[70000] = '\0';
    refuse(large, "longer than");

    const char *pipe_path = apr_pstrcat(pool, folder, "/pipe", NULL);
    CU_ASSERT_EQUAL_FATAL(mkfifo(pipe_path, 0600), 0);
    CU_ASSERT(esign_failed(esign_keyring_load(&keyring, pipe_path, pool)));
    unlink(pipe_path);
}

/* Returns 1 when a child that uses a key of `keyring` in this way is killed. */
static int dies(const esign_keyring_t *keyring, void (*use)(const esign_keyring_t *))
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        use(keyring);
        _exit(0);
    }
    CU_ASSERT_FATAL(child > 0 && waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

static void use_by_reading(const esign_keyring_t *keyring)
{
    volatile unsigned char seen = esign_keyring_key(keyring, ESIGN_KEY_OTP, 1)[0];
    (void)seen;
}

static void use_by_writing(const esign_keyring_t *keyring)
{
    *(volatile unsigned char *)(unsigned char *)(uintptr_t)esign_keyring_key(keyring, ESIGN_KEY_OTP,
                                                                             1) = 0;
}

static void test_read_only_and_freed(void)
{
    const char *path = write_file("key 1 " KEY_A "\n", 50, 0600);
    apr_pool_t *inner;
    esign_keyring_t *keyring;
    apr_pool_create(&inner, pool);
    CU_ASSERT_FATAL(!esign_failed(esign_keyring_load(&keyring, path, inner)));
    CU_ASSERT(!dies(keyring, use_by_reading));
    CU_ASSERT(dies(keyring, use_by_writing));

    const esign_keyring_t *again;
    CU_ASSERT_FATAL(!esign_failed(esign_keyring_load((esign_keyring_t **)&again, path, pool)));
    pid_t child = fork();
    if (child == 0) { /* a child's cleanup frees only its own copy */
        apr_pool_destroy(inner);
        _exit(0);
    }
    int status;
    CU_ASSERT(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CU_ASSERT(memcmp(esign_keyring_key(keyring, ESIGN_KEY_OTP, 1),
                     esign_keyring_key(again, ESIGN_KEY_OTP, 1), ESIGN_KEY_SIZE) == 0);
    apr_pool_destroy(inner);
    CU_ASSERT(!dies(again, use_by_reading));
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "one key for each purpose is derived by HKDF-SHA256", test_derived },
        { "ids, comments and blanks are read; the last line is active", test_ids },
        { "the next key is derived, and is not the active one", test_next },
        { "a file may hold all 255 keys", test_all_ids },
        { "wrong lines are refused by number and reason", test_refused_lines },
        { "files that others can read, that are not regular or too long are refused",
          test_refused_files },
        { "keys cannot be written, and each process frees its own", test_read_only_and_freed },
        CU_TEST_INFO_NULL
    };
    if (mkdtemp(folder) == NULL)
        return EXIT_FAILURE;
    int status = suite_run("keyring", tests);
    char keys[sizeof(folder) + 5];
    snprintf(keys, sizeof(keys), "%s/keys", folder);
    unlink(keys);
    rmdir(folder);
    return status;
}
