/* SPDX-License-Identifier: Apache-2.0 */
/* key_file.c: parses the lines of the key file, and replaces the file by a changed one. */
#include "key_file.h"
#include "base64.h"
#include "digest.h"
#include "secret.h"

#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROBLEM "key file"
#define MAX_FILE 65536
#define LINE_SIZE 64 /* "next 255 ", 43 characters, and room */

static esign_result_t read_all(int file, const char *path, char *text, apr_pool_t *p)
{
    apr_size_t length = 0;
    ssize_t got;
    while ((got = read(file, text + length, MAX_FILE + 1 - length)) != 0) {
        if (got < 0 && errno != EINTR) {
            int error = errno;
            return esign_result_make(p, error, PROBLEM, "%s cannot be read: %s", path,
                                     strerror(error));
        }
        length += got > 0 ? (apr_size_t)got : 0;
        if (length > MAX_FILE)
            return esign_result_make(p, APR_EINVAL, PROBLEM,
                                     "%s is longer than %d bytes: is it the key file?", path,
                                     MAX_FILE);
    }
    if (memchr(text, '\0', length) != NULL)
        return esign_result_make(p, APR_EINVAL, PROBLEM,
                                 "%s is not a text file: is it the key file?", path);
    return ESIGN_OK;
}

static esign_result_t read_private(const char *path, char *text, apr_pool_t *p)
{
    struct stat info;
    /* O_NONBLOCK: opening a named pipe must not block httpd's start. */
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0 || fstat(file, &info) != 0) {
        int error = errno;
        if (file >= 0)
            close(file);
        return esign_result_make(p, error, PROBLEM, "%s cannot be opened: %s; esignctl makes one",
                                 path, strerror(error));
    }
    esign_result_t result;
    if (!S_ISREG(info.st_mode))
        result = esign_result_make(p, APR_EINVAL, PROBLEM, "%s is not a regular file", path);
    else if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        result = esign_result_make(p, APR_EACCES, PROBLEM,
                                   "%s is open to its group or to others (mode %04o): chmod 600 %s",
                                   path, (unsigned int)info.st_mode & 07777, path);
    else
        result = read_all(file, path, text, p);
    close(file);
    return result;
}

/* The number of an id of 1 to 3 digits; 0 when the text is no valid id. */
static int parse_id(const char *text)
{
    apr_size_t length = strlen(text);
    if (length > 3 || strspn(text, "0123456789") != length)
        return 0;
    apr_int64_t id = apr_atoi64(text);
    return id <= ESIGN_KEY_MAX_ID ? (int)id : 0;
}

/* Reads a line, which it overwrites. Returns why the line is refused; NULL when it is a key, a
 * comment or empty. */
static const char *parse_line(char *line, esign_key_file_t *file, apr_pool_t *scratch)
{
    static const char blanks[] = " \t\r";
    char *rest;
    const char *keyword = apr_strtok(line, blanks, &rest);
    if (!keyword || keyword[0] == '#')
        return NULL;
    int next = strcmp(keyword, "next") == 0;
    const char *id_text = apr_strtok(NULL, blanks, &rest);
    const char *key_text = id_text == NULL ? NULL : apr_strtok(NULL, blanks, &rest);
    if ((!next && strcmp(keyword, "key") != 0) || !key_text ||
        apr_strtok(NULL, blanks, &rest) != NULL)
        return "write it as: key ID BASE64URL";
    int id = parse_id(id_text);
    if (id == 0)
        return "the id must be a number from 1 to 255";
    for (int i = 0; i < file->count; i++)
        if (file->ids[i] == id)
            return "this id stands twice; give each key its own";
    if (next && file->next >= 0)
        return "a second key cannot be the next one";
    apr_size_t length;
    const unsigned char *key = esign_base64_url_decode(scratch, key_text, &length);
    if (!key || length != ESIGN_KEY_SIZE)
        return "the key must be 32 bytes in base64url without padding (43 characters)";
    *(next ? &file->next : &file->active) = file->count;
    file->ids[file->count] = id;
    memcpy(file->keys[file->count++], key, ESIGN_KEY_SIZE);
    return NULL;
}

/* Reads all lines of the text, which it overwrites. */
static esign_result_t parse_lines(const char *path, char *text, esign_key_file_t *file,
                                  apr_pool_t *scratch, apr_pool_t *p)
{
    int number = 1;
    file->active = file->next = -1;
    for (char *line = text, *next; line != NULL; line = next, number++) {
        apr_size_t length = strcspn(line, "\n");
        int before = file->count;
        next = line[length] == '\n' ? line + length + 1 : NULL;
        line[length] = '\0';
        const char *refusal = parse_line(line, file, scratch);
        if (refusal)
            return esign_result_make(p, APR_EINVAL, PROBLEM, "%s line %d: %s", path, number,
                                     refusal);
        if (file->count > before) {
            file->starts[before] = (apr_size_t)(line - text);
            file->ends[before] = file->starts[before] + length + (next != NULL);
        }
    }
    if (file->active < 0)
        return esign_result_make(p, APR_EINVAL, PROBLEM, "%s has no key; esignctl makes one", path);
    return ESIGN_OK;
}

/* Sets `*file` and, unless `text` is NULL, `*text` to a copy of the content. Both are in `p`, wiped
 * with it. */
static esign_result_t read_file(esign_key_file_t **file, char **text, const char *path,
                                apr_pool_t *p)
{
    apr_pool_t *scratch;
    apr_pool_create(&scratch, p);
    char *content = esign_secret_alloc(scratch, MAX_FILE + 1);
    *file = esign_secret_alloc(p, sizeof **file);
    esign_result_t result = read_private(path, content, p);
    if (!esign_failed(result) && text)
        *text = esign_secret_copy(p, content, strlen(content));
    if (!esign_failed(result))
        result = parse_lines(path, content, *file, scratch, p);
    apr_pool_destroy(scratch);
    return result;
}

esign_result_t esign_key_file_read(esign_key_file_t **file, const char *path, apr_pool_t *p)
{
    return read_file(file, NULL, path, p);
}

static int write_all(int file, const char *text, apr_size_t length)
{
    while (length > 0) {
        ssize_t written = write(file, text, length);
        if (written < 0 && errno != EINTR)
            return 0;
        if (written > 0) {
            text += written;
            length -= (apr_size_t)written;
        }
    }
    return 1;
}

/* Writes the folder of a file to the disk, so that the name lasts too. EINVAL: the file system does
 * not support that for folders. */
static int sync_folder(const char *path, apr_pool_t *p)
{
    const char *slash = strrchr(path, '/');
    int folder = open(!slash ? "." : apr_pstrmemdup(p, path, (apr_size_t)(slash - path) + 1),
                      O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int done = folder >= 0 && (fsync(folder) == 0 || errno == EINVAL);
    int error = errno;
    if (folder >= 0)
        close(folder);
    errno = error;
    return done;
}

/* Writes a new file to the disk and closes it. `written` is 0 when writing failed before. Returns 0
 * with errno set when anything failed. */
static int finish_file(int file, int written)
{
    written = written && fsync(file) == 0;
    int error = errno;
    if (close(file) != 0 && written)
        return 0;
    errno = error;
    return written;
}

static const char *make_line(const char *keyword, int id, const unsigned char key[ESIGN_KEY_SIZE],
                             apr_pool_t *p)
{
    char *line = esign_secret_alloc(p, LINE_SIZE);
    apr_snprintf(line, LINE_SIZE, "%s %d %s\n", keyword, id,
                 esign_base64_url_encode(p, key, ESIGN_KEY_SIZE));
    return line;
}

static const char *make_key(const char *keyword, int id, apr_pool_t *p)
{
    unsigned char *key = esign_secret_alloc(p, ESIGN_KEY_SIZE);
    esign_digest_random(key, ESIGN_KEY_SIZE);
    return make_line(keyword, id, key, p);
}

esign_result_t esign_key_file_create(const char *path, apr_pool_t *p)
{
    static const char head[] = "# mod_esign's master keys. Keep a copy offline: without them the "
                               "database cannot be read.\n"
                               "# The last line `key` is the active key; leave older ones while "
                               "anything is sealed under them.\n";
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file < 0) {
        int error = errno;
        return esign_result_make(p, error, PROBLEM, "%s cannot be made: %s", path,
                                 error == EEXIST
                                     ? "it exists, and without its keys the database is lost"
                                     : strerror(error));
    }
    apr_pool_t *scratch;
    apr_pool_create(&scratch, p);
    const char *line = make_key("key", 1, scratch);
    int done = finish_file(file, write_all(file, head, sizeof(head) - 1) &&
                                     write_all(file, line, strlen(line))) &&
               sync_folder(path, scratch);
    int error = errno;
    apr_pool_destroy(scratch);
    if (done)
        return ESIGN_OK;
    unlink(path);
    return esign_result_make(p, error, PROBLEM, "%s cannot be written: %s", path, strerror(error));
}

/* A change under way. */
typedef struct {
    const char *path; /* of the file itself, not of a link to it */
    int lock;         /* the open file; the lock on it excludes other changes */
    struct stat info;
    char *text;
    esign_key_file_t *file;
    apr_pool_t *pool; /* wiped at the end */
} change_t;

/* An error with the cause of errno. */
static esign_result_t make_failure(const change_t *change, const char *what, apr_pool_t *p)
{
    int error = errno;
    return esign_result_make(p, error, PROBLEM, "%s %s: %s; nothing was changed", change->path,
                             what, strerror(error));
}

/* Locks the file. When another process replaced the file during the wait, locks the new one. */
static esign_result_t lock_file(change_t *change, apr_pool_t *p)
{
    struct stat now;
    for (;;) {
        change->lock = open(change->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (change->lock < 0 || flock(change->lock, LOCK_EX) != 0 ||
            fstat(change->lock, &change->info) != 0 || stat(change->path, &now) != 0)
            return make_failure(change, "cannot be locked", p);
        if (now.st_ino == change->info.st_ino && now.st_dev == change->info.st_dev)
            return ESIGN_OK;
        close(change->lock);
    }
}

static void end_change(change_t *change)
{
    if (change->lock >= 0)
        close(change->lock);
    apr_pool_destroy(change->pool);
}

/* Locks and reads the file. The caller calls end_change after any result. */
static esign_result_t begin_change(change_t *change, const char *path, apr_pool_t *p)
{
    *change = (change_t){ .path = path, .lock = -1 };
    apr_pool_create(&change->pool, p);
    char *real = realpath(path, NULL);
    if (!real)
        return make_failure(change, "cannot be opened", p);
    change->path = apr_pstrdup(p, real);
    free(real);
    esign_result_t result = lock_file(change, p);
    if (esign_failed(result))
        return result;
    result = read_file(&change->file, &change->text, change->path, change->pool);
    return esign_failed(result)
               ? esign_result_make(p, result.status, result.problem, "%s", result.detail)
               : result;
}

/* The text of the file without the line of key number `removed` (-1: with all lines), and with
 * `line` added at the end unless it is NULL. */
static const char *edit_text(const change_t *change, int removed, const char *line)
{
    const esign_key_file_t *file = change->file;
    apr_size_t length = strlen(change->text), more = line == NULL ? 0 : strlen(line);
    apr_size_t from = removed < 0 ? length : file->starts[removed],
               to = removed < 0 ? length : file->ends[removed];
    char *text = esign_secret_alloc(change->pool, length + more + 2),
         *last = text + from + length - to;
    memcpy(text, change->text, from);
    memcpy(text + from, change->text + to, length - to);
    if (more > 0 && last > text && last[-1] != '\n')
        *last++ = '\n';
    memcpy(last, line == NULL ? "" : line, more);
    return text;
}

/* Replaces the file by a new one. A new file left by an interrupted run is removed first, which is
 * safe because this run holds the lock. */
static esign_result_t replace_file(const change_t *change, const char *text, apr_pool_t *p)
{
    const char *new = apr_pstrcat(change->pool, change->path, ".new", NULL);
    unlink(new);
    int file = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file < 0)
        return make_failure(change, "cannot be changed, for a new file cannot be made beside it",
                            p);
    int ready = fchown(file, change->info.st_uid, change->info.st_gid) == 0 &&
                fchmod(file, change->info.st_mode & 07777) == 0;
    if (!finish_file(file, ready && write_all(file, text, strlen(text))) ||
        rename(new, change->path) != 0) {
        int error = errno;
        unlink(new);
        errno = error;
        return make_failure(change, "cannot be changed", p);
    }
    if (sync_folder(change->path, change->pool))
        return ESIGN_OK;
    return esign_result_make(p, errno, PROBLEM,
                             "%s was changed, but its folder cannot be written to the disk: %s; "
                             "check first whether the disk is sound",
                             change->path, strerror(errno));
}

/* The index of the key of an id; -1 when the file has no such key. */
static int find_key(const esign_key_file_t *file, int id)
{
    int at = file->count - 1;
    while (at >= 0 && file->ids[at] != id)
        at--;
    return at;
}

/* The id after the highest in use; when that is 255, the lowest free one; 0 when none is free. */
static int choose_id(const esign_key_file_t *file, const unsigned char taken[ESIGN_KEY_MAX_ID + 1])
{
    int lowest = 0, highest = 0;
    for (int id = ESIGN_KEY_MAX_ID; id >= 1; id--) {
        int is_free = find_key(file, id) < 0 && !taken[id];
        lowest = is_free ? id : lowest;
        highest = is_free || highest ? highest : id;
    }
    return highest < ESIGN_KEY_MAX_ID ? highest + 1 : lowest;
}

esign_result_t esign_key_file_add(const char *path, const unsigned char taken[ESIGN_KEY_MAX_ID + 1],
                                  int *id, apr_pool_t *p)
{
    change_t change;
    esign_result_t result = begin_change(&change, path, p);
    if (!esign_failed(result) && change.file->next >= 0)
        result = esign_result_make(p, APR_EEXIST, PROBLEM,
                                   "key %d has been added and is not active yet: esignctl key "
                                   "rotate makes it so, key retire removes it",
                                   change.file->ids[change.file->next]);
    else if (!esign_failed(result) && (*id = choose_id(change.file, taken)) == 0)
        result = esign_result_make(p, APR_EEXIST, PROBLEM,
                                   "all %d ids are taken, in the file or by a running httpd "
                                   "(esignctl key list): retire older keys first",
                                   ESIGN_KEY_MAX_ID);
    else if (!esign_failed(result))
        result =
            replace_file(&change, edit_text(&change, -1, make_key("next", *id, change.pool)), p);
    end_change(&change);
    return result;
}

esign_result_t esign_key_file_activate(const char *path, int *id, apr_pool_t *p)
{
    change_t change;
    esign_result_t result = begin_change(&change, path, p);
    int next = esign_failed(result) ? -1 : change.file->next;
    *id = next < 0 ? 0 : change.file->ids[next];
    if (next >= 0)
        result = replace_file(
            &change,
            edit_text(&change, next, make_line("key", *id, change.file->keys[next], change.pool)),
            p);
    end_change(&change);
    return result;
}

esign_result_t esign_key_file_remove(const char *path, int id, apr_pool_t *p)
{
    change_t change;
    esign_result_t result = begin_change(&change, path, p);
    int at = esign_failed(result) ? -1 : find_key(change.file, id);
    if (!esign_failed(result) && at < 0)
        result = esign_result_make(p, APR_ENOENT, PROBLEM, "%s has no key %d", change.path, id);
    else if (!esign_failed(result) && at == change.file->active)
        result = esign_result_make(p, APR_EEXIST, PROBLEM,
                                   "key %d is the active one: another must replace it first "
                                   "(esignctl key add, key rotate)",
                                   id);
    else if (!esign_failed(result))
        result = replace_file(&change, edit_text(&change, at, NULL), p);
    end_change(&change);
    return result;
}
