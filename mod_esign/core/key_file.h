/* SPDX-License-Identifier: Apache-2.0 */
/* key_file.h: the file of the master keys: reads it, and changes it so that a crash leaves the old
 * file or the new one. */
#ifndef ESIGN_CORE_KEY_FILE_H
#define ESIGN_CORE_KEY_FILE_H

#include "result.h"

#define ESIGN_KEY_SIZE 32
#define ESIGN_KEY_MAX_ID 255

/* Lines `key ID BASE64URL`, the last of which is the active key; at most one line `next ID
 * BASE64URL`, a key that opens seals but makes none until it is the active one;
 * `#` comments. ID 1 to 255, 32 bytes each. */
typedef struct {
    int count;
    int active, next; /* which of them; `next` -1: none */
    int ids[ESIGN_KEY_MAX_ID];
    unsigned char keys[ESIGN_KEY_MAX_ID][ESIGN_KEY_SIZE];
    apr_size_t starts[ESIGN_KEY_MAX_ID],
        ends[ESIGN_KEY_MAX_ID]; /* of each one's line, with its line feed */
} esign_key_file_t;

/* Reads the file, wiped with `p`. Refuses one that its group or others may read, naming the file,
 * the line and what to do. */
esign_result_t esign_key_file_read(esign_key_file_t **file, const char *path, apr_pool_t *p);

/* Writes a new key file with one random key, mode 0600. Refuses to overwrite: a lost key loses the
 * database. */
esign_result_t esign_key_file_create(const char *path, apr_pool_t *p);

/* The changes are written into a new file beside the old one, of its mode and owner, which then
 * takes its name; a symbolic link stays one. Each waits for another that is under way. When one
 * fails the file is as it was. */

/* Adds a random key as `next`, under an id that neither the file has nor `taken`, by id: somebody
 * may still hold another key of it. APR_EEXIST: there is a next one, or no free id. */
esign_result_t esign_key_file_add(const char *path, const unsigned char taken[ESIGN_KEY_MAX_ID + 1],
                                  int *id, apr_pool_t *p);

/* Makes `next` the active key; `*id` 0: there is none. */
esign_result_t esign_key_file_activate(const char *path, int *id, apr_pool_t *p);

/* Takes a key out. APR_ENOENT: there is none of that id; APR_EEXIST: it is the active one. */
esign_result_t esign_key_file_remove(const char *path, int id, apr_pool_t *p);

#endif
