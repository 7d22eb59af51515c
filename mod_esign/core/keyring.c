/* SPDX-License-Identifier: Apache-2.0 */
/* keyring.c: reads the key file and derives one key for each purpose from each of its lines. */
#include "core/keyring.h"
#include "core/digest.h"
#include "core/secret.h"

#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <sodium.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROBLEM "key file"
#define MAX_ID 255
#define MAX_FILE 65536

typedef unsigned char derived_t[ESIGN_KEY_PURPOSES][ESIGN_KEY_SIZE];

struct esign_keyring_t {
    int count;
    int ids[MAX_ID];                       /* active one first */
    unsigned char position[MAX_ID + 1];    /* by id: 1 + its index in `ids` and `keys`; 0: no such key */
    derived_t keys[];
};

/* The lines of the file, in its order. */
typedef struct {
    int count;
    int ids[MAX_ID];
    unsigned char keys[MAX_ID][ESIGN_KEY_SIZE];
} master_keys_t;

/* HKDF's `info`. A label never changes: what was sealed under it would be lost. */
static const char *const labels[ESIGN_KEY_PURPOSES] = {
    [ESIGN_KEY_LOOKUP] = "mod_esign 1 lookup",
    [ESIGN_KEY_PEPPER] = "mod_esign 1 pepper",
    [ESIGN_KEY_DATABASE] = "mod_esign 1 database",
    [ESIGN_KEY_MEMCACHED] = "mod_esign 1 memcached",
    [ESIGN_KEY_CHALLENGE] = "mod_esign 1 challenge",
    [ESIGN_KEY_OTP] = "mod_esign 1 otp",
    [ESIGN_KEY_COOKIE] = "mod_esign 1 cookie",
    [ESIGN_KEY_AUDIT] = "mod_esign 1 audit",
    [ESIGN_KEY_WORK] = "mod_esign 1 work",
    [ESIGN_KEY_CHANCE] = "mod_esign 1 chance",
    [ESIGN_KEY_MARK] = "mod_esign 1 mark"
};

static esign_result_t read_all(int file, const char *path, char *text, apr_pool_t *p)
{
    apr_size_t length = 0;
    ssize_t got;
    while ((got = read(file, text + length, MAX_FILE + 1 - length)) != 0) {
        if (got < 0 && errno != EINTR) {
            int error = errno;
            return esign_result_make(p, error, PROBLEM, "%s cannot be read: %s", path, strerror(error));
        }
        length += got > 0 ? (apr_size_t)got : 0;
        if (length > MAX_FILE)
            return esign_result_make(p, APR_EINVAL, PROBLEM, "%s is longer than %d bytes: is it the key file?", path, MAX_FILE);
    }
    if (memchr(text, '\0', length) != NULL)
        return esign_result_make(p, APR_EINVAL, PROBLEM, "%s is not a text file: is it the key file?", path);
    return ESIGN_OK;
}

static esign_result_t read_private(const char *path, char *text, apr_pool_t *p)
{
    struct stat info;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);   /* O_NONBLOCK: a named pipe must not hold httpd's start */
    if (file < 0 || fstat(file, &info) != 0) {
        int error = errno;
        if (file >= 0)
            close(file);
        return esign_result_make(p, error, PROBLEM, "%s cannot be opened: %s; esignctl makes one", path, strerror(error));
    }
    esign_result_t result;
    if (!S_ISREG(info.st_mode))
        result = esign_result_make(p, APR_EINVAL, PROBLEM, "%s is not a regular file", path);
    else if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        result = esign_result_make(p, APR_EACCES, PROBLEM, "%s is open to its group or to others (mode %04o): chmod 600 %s", path,
                                   (unsigned int)info.st_mode & 07777, path);
    else
        result = read_all(file, path, text, p);
    close(file);
    return result;
}

/* The number of an id of 1 to 3 digits, 0 when it is none. */
static int parse_id(const char *text)
{
    apr_size_t length = strlen(text);
    if (length > 3 || strspn(text, "0123456789") != length)
        return 0;
    apr_int64_t id = apr_atoi64(text);
    return id <= MAX_ID ? (int)id : 0;
}

/* Why a line is refused; NULL when it is a key, a comment or empty. */
static const char *parse_line(char *line, master_keys_t *masters, apr_pool_t *scratch)
{
    static const char blanks[] = " \t\r";
    char *rest;
    const char *keyword = apr_strtok(line, blanks, &rest);
    if (keyword == NULL || keyword[0] == '#')
        return NULL;
    const char *id_text = apr_strtok(NULL, blanks, &rest);
    const char *key_text = id_text == NULL ? NULL : apr_strtok(NULL, blanks, &rest);
    if (strcmp(keyword, "key") != 0 || key_text == NULL || apr_strtok(NULL, blanks, &rest) != NULL)
        return "write it as: key ID BASE64URL";
    int id = parse_id(id_text);
    if (id == 0)
        return "the id must be a number from 1 to 255";
    for (int i = 0; i < masters->count; i++)
        if (masters->ids[i] == id)
            return "this id stands twice; give each key its own";
    apr_size_t length;
    const unsigned char *key = esign_digest_decode(scratch, key_text, &length);
    if (key == NULL || length != ESIGN_KEY_SIZE)
        return "the key must be 32 bytes in base64url without padding (43 characters)";
    masters->ids[masters->count] = id;
    memcpy(masters->keys[masters->count++], key, ESIGN_KEY_SIZE);
    return NULL;
}

static esign_result_t parse(const char *path, char *text, master_keys_t *masters, apr_pool_t *scratch, apr_pool_t *p)
{
    int number = 1;
    for (char *line = text, *next; line != NULL; line = next, number++) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        const char *refusal = parse_line(line, masters, scratch);
        if (refusal != NULL)
            return esign_result_make(p, APR_EINVAL, PROBLEM, "%s line %d: %s", path, number, refusal);
    }
    if (masters->count == 0)
        return esign_result_make(p, APR_EINVAL, PROBLEM, "%s holds no key; esignctl makes one", path);
    return ESIGN_OK;
}

/* RFC 5869 with an empty salt: the master keys are uniformly random already. */
static int derive(EVP_KDF_CTX *context, unsigned char *master, derived_t keys)
{
    char digest[] = "SHA256";
    for (int purpose = 0; purpose < ESIGN_KEY_PURPOSES; purpose++) {
        const OSSL_PARAM parameters[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, master, ESIGN_KEY_SIZE),
            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)labels[purpose], strlen(labels[purpose])),
            OSSL_PARAM_construct_end()
        };
        EVP_KDF_CTX_reset(context);
        if (EVP_KDF_derive(context, keys[purpose], ESIGN_KEY_SIZE, parameters) <= 0)
            return 0;
    }
    return 1;
}

static int fill(esign_keyring_t *keyring, master_keys_t *masters)
{
    EVP_KDF *hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = hkdf == NULL ? NULL : EVP_KDF_CTX_new(hkdf);
    int done = context != NULL;
    keyring->count = masters->count;
    for (int i = 0; done && i < masters->count; i++) {
        int line = masters->count - 1 - i;
        keyring->ids[i] = masters->ids[line];
        keyring->position[masters->ids[line]] = (unsigned char)(i + 1);
        done = derive(context, masters->keys[line], keyring->keys[i]);
    }
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(hkdf);
    return done;
}

/* sodium_malloc puts the block's end at a page's end, so only a rounded size starts aligned. */
static apr_size_t size_of(int count)
{
    return APR_ALIGN(sizeof(esign_keyring_t) + (apr_size_t)count * sizeof(derived_t), 64);
}

static apr_status_t release(void *keyring)
{
    sodium_free(keyring);
    return APR_SUCCESS;
}

static esign_result_t make(esign_keyring_t **keyring, master_keys_t *masters, apr_pool_t *p)
{
    apr_size_t size = size_of(masters->count);
    esign_keyring_t *made = sodium_init() < 0 ? NULL : sodium_malloc(size);
    if (made == NULL)
        return esign_result_make(p, APR_ENOMEM, PROBLEM, "no guarded memory for %d keys", masters->count);
    memset(made, 0, size);
    apr_pool_cleanup_register(p, made, release, apr_pool_cleanup_null);
    if (!fill(made, masters))
        return esign_result_make(p, APR_EGENERAL, PROBLEM, "OpenSSL derives no keys with HKDF-SHA256");
    if (sodium_mprotect_readonly(made) != 0)
        return esign_result_make(p, errno, PROBLEM, "the keys' memory cannot be made read-only: %s", strerror(errno));
    *keyring = made;
    return ESIGN_OK;
}

esign_result_t esign_keyring_load(esign_keyring_t **keyring, const char *path, apr_pool_t *p)
{
    apr_pool_t *scratch;
    apr_pool_create(&scratch, p);
    char *text = esign_secret_alloc(scratch, MAX_FILE + 1);
    master_keys_t *masters = esign_secret_alloc(scratch, sizeof *masters);

    esign_result_t result = read_private(path, text, p);
    if (!esign_failed(result))
        result = parse(path, text, masters, scratch, p);
    if (!esign_failed(result))
        result = make(keyring, masters, p);
    apr_pool_destroy(scratch);
    return result;
}

apr_status_t esign_keyring_lock(const esign_keyring_t *keyring)
{
    return mlock(keyring, size_of(keyring->count)) == 0 ? APR_SUCCESS : errno;
}

static int write_all(int file, const char *text)
{
    for (apr_size_t left = strlen(text); left > 0;) {
        ssize_t written = write(file, text, left);
        if (written < 0 && errno != EINTR)
            return 0;
        if (written > 0) {
            text += written;
            left -= (apr_size_t)written;
        }
    }
    return fsync(file) == 0;
}

esign_result_t esign_keyring_create(const char *path, apr_pool_t *p)
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file < 0) {
        int error = errno;
        return esign_result_make(p, error, PROBLEM, "%s cannot be made: %s", path,
                                 error == EEXIST ? "it exists, and without its keys the database is lost" : strerror(error));
    }
    apr_pool_t *scratch;
    apr_pool_create(&scratch, p);
    unsigned char *key = esign_secret_alloc(scratch, ESIGN_KEY_SIZE);
    esign_digest_random(key, ESIGN_KEY_SIZE);
    static const char head[] = "# mod_esign's master keys. Keep a copy offline: without them the database cannot be read.\n"
                               "# The last line is the active key; leave older ones while anything is sealed under them.\nkey 1 ";
    int written = write_all(file, head) && write_all(file, esign_digest_encode(scratch, key, ESIGN_KEY_SIZE)) && write_all(file, "\n");
    int error = errno;
    apr_pool_destroy(scratch);
    if (close(file) != 0 && written) {
        error = errno;
        written = 0;
    }
    if (!written) {
        unlink(path);
        return esign_result_make(p, error, PROBLEM, "%s cannot be written: %s", path, strerror(error));
    }
    return ESIGN_OK;
}

int esign_keyring_active(const esign_keyring_t *keyring)
{
    return keyring->ids[0];
}

int esign_keyring_ids(const esign_keyring_t *keyring, const int **ids)
{
    *ids = keyring->ids;
    return keyring->count;
}

const unsigned char *esign_keyring_key(const esign_keyring_t *keyring, esign_key_purpose_e purpose, int id)
{
    if (id < 1 || id > MAX_ID || keyring->position[id] == 0)
        return NULL;
    return keyring->keys[keyring->position[id] - 1][purpose];
}
