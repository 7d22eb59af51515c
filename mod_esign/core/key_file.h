/* SPDX-License-Identifier: Apache-2.0 */
/* key_file.h: reads and changes the file of the master keys. A crash during a change leaves either
 * the old file or the new one. */
#ifndef ESIGN_CORE_KEY_FILE_H
#define ESIGN_CORE_KEY_FILE_H

#include "result.h"

#define ESIGN_KEY_SIZE 32
#define ESIGN_KEY_MAX_ID 255

/* The file has lines `key ID BASE64URL`, at most one line `next ID BASE64URL`, and comments that
 * begin with `#`. An ID is a number from 1 to 255, a key 32 random bytes. The last line `key` is
 * the active key, which makes new seals; all others only open seals. `next` is the key that becomes
 * active next. */
typedef struct {
    int count;        /* of keys, in the order of their lines */
    int active, next; /* indexes of these keys; `next` -1: there is none */
    int ids[ESIGN_KEY_MAX_ID];
    unsigned char keys[ESIGN_KEY_MAX_ID][ESIGN_KEY_SIZE];
    /* Offsets of each key's line in the file; `ends` is after its line feed. */
    apr_size_t starts[ESIGN_KEY_MAX_ID], ends[ESIGN_KEY_MAX_ID];
} esign_key_file_t;

/* Reads the file into memory of `p`, wiped with it. Refuses a file that is not regular, that its
 * group or others may access, or that is malformed. The error names the file, the line and the
 * cure. */
esign_result_t esign_key_file_read(esign_key_file_t **file, const char *path, apr_pool_t *p);

/* Writes a new key file of mode 0600 with one random key. Never overwrites a file, because without
 * its keys the database is lost. */
esign_result_t esign_key_file_create(const char *path, apr_pool_t *p);

/* The three functions below change the file. They write a new file of the same mode and owner
 * beside it, and rename that over the old one; a symbolic link is kept, and its target changed. A
 * change waits for one of another process to end. When it fails, the file is unchanged. */

/* Adds a random key as `next`, and sets `*id` to its id. `taken` is indexed by id: nonzero marks an
 * id that must not be used, because a running server may still have another key of that id.
 * APR_EEXIST: the file has a next key already, or no id is free. */
esign_result_t esign_key_file_add(const char *path, const unsigned char taken[ESIGN_KEY_MAX_ID + 1],
                                  int *id, apr_pool_t *p);

/* Makes the next key the active one, and sets `*id` to its id; to 0 when there is no next key. */
esign_result_t esign_key_file_activate(const char *path, int *id, apr_pool_t *p);

/* Removes a key. APR_ENOENT: there is no key of this id. APR_EEXIST: it is the active key. */
esign_result_t esign_key_file_remove(const char *path, int id, apr_pool_t *p);

#endif
