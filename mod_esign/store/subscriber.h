/* SPDX-License-Identifier: Apache-2.0 */
/* subscriber.h: the persons with cards, and the counters that guard their accounts. */
#ifndef ESIGN_STORE_SUBSCRIBER_H
#define ESIGN_STORE_SUBSCRIBER_H

#include "reseal.h"

#define ESIGN_SUBSCRIBER_NONE 0

/* Texts are unsealed, wiped with the pool of the call. */
typedef struct {
    apr_int64_t id; /* random, 63 bits */
    const char *national_id;
    const char *name;
    const char *email;
    const char *phone;    /* E.164 */
    const char *language; /* "tr" or "en" */
    const char
        *word_hash; /* as it is kept, sealed: esign_subscriber_open_hash; NULL: no word yet */
    int failures;   /* in a row, of word and code together */
    apr_time_t wait_until; /* 0: no wait */
    int closed;            /* by failures or the help desk, who opens it */
    apr_int64_t
        epoch; /* raised by a word change and by esign_subscriber_end_sessions: ends sessions */
    apr_int64_t link_epoch; /* raised by these and by a sign-in: ends unused links */
} esign_subscriber_t;

/* How failures slow a subscriber down (NIST SP 800-63B-4 section 3.2.2). */
typedef struct {
    int free;                    /* failures before the first wait: 4 */
    apr_interval_time_t first;   /* 30 s, doubled by each further failure */
    apr_interval_time_t longest; /* 1 h */
    int close_at;                /* 100 */
} esign_failure_policy_t;

/* Finds by national id (keyed hash, under each key id of the keyring, always all of them), also
 * while a rotation moves the row to another key. `*subscriber` NULL: nobody, at the same cost. */
esign_result_t esign_subscriber_find(esign_database_t *database, const char *national_id,
                                     esign_subscriber_t **subscriber, apr_pool_t *p);

/* For a number that nobody has: id and hash of another subscriber, always the same one as long as
 * it stays; `*other` NULL: there is none. A word against it costs what it costs somebody: hashes
 * are not all of today's cost, and two smaller ones do not take exactly the time of a large one. */
esign_result_t esign_subscriber_decoy(esign_database_t *database, const char *national_id,
                                      esign_subscriber_t **other, apr_pool_t *p);

/* Finds by id. `*subscriber` NULL: nobody. */
esign_result_t esign_subscriber_get(esign_database_t *database, apr_int64_t id,
                                    esign_subscriber_t **subscriber, apr_pool_t *p);

/* The session epoch alone, one cheap SELECT; -1 when there is no such subscriber. */
esign_result_t esign_subscriber_epoch(esign_database_t *database, apr_int64_t id,
                                      apr_int64_t *epoch, apr_pool_t *p);

/* The PHC string of a subscriber's word, wiped with `p`; NULL when there is none or `subscriber` is
 * NULL, at the same cost. APR_EINVAL: it does not open. */
esign_result_t esign_subscriber_open_hash(const esign_keyring_t *keyring,
                                          const esign_subscriber_t *subscriber, const char **phc,
                                          apr_pool_t *p);

/* esign_database_begin, for whoever adds subscribers: keeps out all others who would, until
 * esign_database_end. Without it two programs whose key files differ in the active key could
 * register one person at the same time. */
esign_result_t esign_subscriber_begin(esign_database_t *database, apr_pool_t *p);

/* Writes a new row, everything but language and counters sealed; sets subscriber->id. APR_EEXIST
 * when the national id is registered already. `phc`: the hash of the word (subscriber->word_hash is
 * not looked at); NULL: no word yet. */
esign_result_t esign_subscriber_add(esign_database_t *database, esign_subscriber_t *subscriber,
                                    const char *phc, apr_pool_t *p);

/* Counts one failure with one atomic UPDATE and sets the wait or the closure that follows;
 * `*closed`: this very failure closed sign-in. `judged` 0: nothing is counted while a wait runs,
 * for such a guess is refused whatever it was: else a burst of guesses that began together would
 * close an account in seconds, which takes days of waits. One UPDATE and one SELECT whoever it is,
 * ESIGN_SUBSCRIBER_NONE too. In the caller's transaction. */
esign_result_t esign_subscriber_failed(esign_database_t *database, apr_int64_t id,
                                       const esign_failure_policy_t *policy, int judged,
                                       apr_time_t now, int *closed, apr_pool_t *p);

/* A whole sign-in was completed: clears failures and wait, ends unused links. */
esign_result_t esign_subscriber_signed_in(esign_database_t *database, apr_int64_t id,
                                          apr_pool_t *p);

/* Sets a new word hash, a PHC string, and raises both epochs, if the one still is `epoch` or the
 * other `link_epoch` (-1: that one does not count); clears wait_until, never the count. `*changed`
 * 0: the session or link that asked for it had died. */
esign_result_t esign_subscriber_change_word(esign_database_t *database, apr_int64_t id,
                                            apr_int64_t epoch, apr_int64_t link_epoch,
                                            const char *phc, int *changed, apr_pool_t *p);

/* Ends all sessions and unused links by raising both epochs, the subscriber's own record's too, if
 * the epoch still is that record's. `*ended` 0: another request was faster. */
esign_result_t esign_subscriber_end_sessions(esign_database_t *database,
                                             esign_subscriber_t *subscriber, int *ended,
                                             apr_pool_t *p);

/* Replaces the hash of the same word (new parameters), if it still is the subscriber's. */
esign_result_t esign_subscriber_rehash(esign_database_t *database,
                                       const esign_subscriber_t *subscriber, const char *phc,
                                       apr_pool_t *p);

/* Claims the right to send one SMS with one atomic UPDATE: `pause` since the last one and at most
 * `per_day` a UTC day. `*granted` 0: not now;
 * `*next` is then the earliest moment. */
esign_result_t esign_subscriber_claim_sms(esign_database_t *database, apr_int64_t id,
                                          apr_time_t now, apr_interval_time_t pause, int per_day,
                                          int *granted, apr_time_t *next, apr_pool_t *p);

/* Claims the right to send one reset mail: `per_day` a UTC day, beyond them one when `pause` has
 * gone by since the last. */
esign_result_t esign_subscriber_claim_mail(esign_database_t *database, apr_int64_t id,
                                           apr_time_t now, apr_interval_time_t pause, int per_day,
                                           int *granted, apr_pool_t *p);

/* Keeps out until esign_subscriber_open, and ends all sessions and unused links: the help desk's,
 * for a phone that was lost. `*found` 0: nobody. */
esign_result_t esign_subscriber_close(esign_database_t *database, apr_int64_t id, int *found,
                                      apr_pool_t *p);

/* Lifts a closure and a wait, and clears the failures: the help desk's. `*found` 0: nobody. */
esign_result_t esign_subscriber_open(esign_database_t *database, apr_int64_t id, int *found,
                                     apr_pool_t *p);

/* Moves what is sealed, and the lookup, to the active key: a table of `key rotate`. */
esign_reseal_fn esign_subscriber_reseal;

#endif
