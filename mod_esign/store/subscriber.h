/* SPDX-License-Identifier: Apache-2.0 */
/* subscriber.h: the holders of cards, and the counters that protect their accounts. */
#ifndef ESIGN_STORE_SUBSCRIBER_H
#define ESIGN_STORE_SUBSCRIBER_H

#include "reseal.h"

/* The id of no subscriber; in an audit row: it is not known who it was. */
#define ESIGN_SUBSCRIBER_NONE 0

/* A row of the table subscriber, unsealed. Its texts are wiped with the pool of the call. */
typedef struct {
    apr_int64_t id; /* random, 63 bits */
    const char *national_id;
    const char *name;
    const char *email;
    const char *phone;     /* E.164 */
    const char *language;  /* "tr" or "en" */
    const char *word_hash; /* still sealed: esign_subscriber_open_hash; NULL: no word yet */
    int failures;          /* in a row, of word and code together */
    apr_time_t wait_until; /* no sign-in before; 0: no wait */
    int closed;            /* 1: no sign-in until the help desk opens it */
    apr_int64_t epoch;     /* raised by a change of the word and by esign_subscriber_end_sessions;
                              sessions of an older epoch are invalid */
    apr_int64_t
        link_epoch; /* raised by these and by a sign-in; links of an older one are invalid */
} esign_subscriber_t;

/* How failures delay further tries and at last close sign-in (NIST SP 800-63B-4, section 3.2.2).
 * The figures are the defaults. */
typedef struct {
    int free;                  /* failures without a wait: 4 */
    apr_interval_time_t first; /* the wait after the next one, 30 s; doubled by each further one */
    apr_interval_time_t longest; /* 1 h */
    int close_at;                /* failures that close sign-in: 100 */
} esign_failure_policy_t;

/* Finds a subscriber by national id, under the lookup of every key of the keyring, also while a
 * rotation moves the row to another key. `*subscriber` NULL: there is none. Both answers cost the
 * same. */
esign_result_t esign_subscriber_find(esign_database_t *database, const char *national_id,
                                     esign_subscriber_t **subscriber, apr_pool_t *p);

/* For a number that is not registered: another subscriber, of whom only id and word_hash are set.
 * A number gets the same one as long as that one is registered. NULL: nobody is registered. A word
 * is checked against this hash, so that an unknown number takes the time of a known one: stored
 * hashes differ in cost, and two cheap ones do not take exactly the time of an expensive one. */
esign_result_t esign_subscriber_decoy(esign_database_t *database, const char *national_id,
                                      esign_subscriber_t **other, apr_pool_t *p);

/* Finds a subscriber by id. `*subscriber` NULL: there is none. */
esign_result_t esign_subscriber_get(esign_database_t *database, apr_int64_t id,
                                    esign_subscriber_t **subscriber, apr_pool_t *p);

/* Reads the session epoch only, one cheap SELECT. -1: there is no such subscriber. */
esign_result_t esign_subscriber_epoch(esign_database_t *database, apr_int64_t id,
                                      apr_int64_t *epoch, apr_pool_t *p);

/* Unseals the PHC string of a subscriber's word. `*phc` is wiped with `p`; NULL when there is no
 * word or `subscriber` is NULL, which costs the same. APR_EINVAL: it cannot be unsealed. */
esign_result_t esign_subscriber_open_hash(const esign_keyring_t *keyring,
                                          const esign_subscriber_t *subscriber, const char **phc,
                                          apr_pool_t *p);

/* Begins a transaction in which subscribers can be added: it locks out all others that begin one,
 * until esign_database_end. Without it two programs whose key files have different active keys
 * could register one person at the same time. */
esign_result_t esign_subscriber_begin(esign_database_t *database, apr_pool_t *p);

/* Adds a row and sets subscriber->id. All but language and counters is sealed. `phc` is the hash of
 * the word, NULL: no word yet; subscriber->word_hash is ignored. APR_EEXIST: the national id is
 * registered already. */
esign_result_t esign_subscriber_add(esign_database_t *database, esign_subscriber_t *subscriber,
                                    const char *phc, apr_pool_t *p);

/* Counts one failure with one atomic UPDATE, which also sets the wait or closes sign-in. `*closed`
 * 1: this failure closed it. `judged` 0: the failure does not count while a wait runs, because such
 * a guess is refused, right or wrong. Otherwise a burst of guesses would close an account within
 * seconds, which should take days of waits. Any id costs one UPDATE and one SELECT,
 * ESIGN_SUBSCRIBER_NONE too. Runs in the caller's transaction. */
esign_result_t esign_subscriber_failed(esign_database_t *database, apr_int64_t id,
                                       const esign_failure_policy_t *policy, int judged,
                                       apr_time_t now, int *closed, apr_pool_t *p);

/* Records a complete sign-in: clears failures and wait, and raises link_epoch. */
esign_result_t esign_subscriber_signed_in(esign_database_t *database, apr_int64_t id,
                                          apr_pool_t *p);

/* Sets the hash of a new word, a PHC string, and raises both epochs, if the row still has `epoch`
 * or `link_epoch`; -1 leaves one out. Clears wait_until, but never the failures.
 * `*changed` 0: the session or the link that asked for it is no longer valid. */
esign_result_t esign_subscriber_change_word(esign_database_t *database, apr_int64_t id,
                                            apr_int64_t epoch, apr_int64_t link_epoch,
                                            const char *phc, int *changed, apr_pool_t *p);

/* Ends all sessions and unused links: raises both epochs in the row and in `subscriber`, if the row
 * still has the epoch of `subscriber`. `*ended` 0: another request was faster. */
esign_result_t esign_subscriber_end_sessions(esign_database_t *database,
                                             esign_subscriber_t *subscriber, int *ended,
                                             apr_pool_t *p);

/* Replaces the hash of an unchanged word by one with new parameters, if the row still has the hash
 * of `subscriber`. */
esign_result_t esign_subscriber_rehash(esign_database_t *database,
                                       const esign_subscriber_t *subscriber, const char *phc,
                                       apr_pool_t *p);

/* Claims one SMS with one atomic UPDATE: granted `pause` after the last one, and `per_day` times a
 * day (UTC). `*granted` 0: not now, and `*next` is the earliest moment. */
esign_result_t esign_subscriber_claim_sms(esign_database_t *database, apr_int64_t id,
                                          apr_time_t now, apr_interval_time_t pause, int per_day,
                                          int *granted, apr_time_t *next, apr_pool_t *p);

/* Claims one reset mail: granted `per_day` times a day (UTC), and beyond that once `pause` has
 * passed since the last one. */
esign_result_t esign_subscriber_claim_mail(esign_database_t *database, apr_int64_t id,
                                           apr_time_t now, apr_interval_time_t pause, int per_day,
                                           int *granted, apr_pool_t *p);

/* Closes sign-in until esign_subscriber_open, and ends all sessions and unused links: the help desk
 * does it when a phone is lost. `*found` 0: there is no such subscriber. */
esign_result_t esign_subscriber_close(esign_database_t *database, apr_int64_t id, int *found,
                                      apr_pool_t *p);

/* Opens sign-in, and clears wait and failures. `*found` 0: there is no such subscriber. */
esign_result_t esign_subscriber_open(esign_database_t *database, apr_int64_t id, int *found,
                                     apr_pool_t *p);

/* Moves sealed columns and lookups of a batch of subscribers to the active key, for `esignctl key
 * rotate`. */
esign_reseal_fn esign_subscriber_reseal;

#endif
