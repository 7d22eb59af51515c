/* SPDX-License-Identifier: Apache-2.0 */
/* courier.h: carries what the outbox holds to the mail server and the SMS gateways. */
#ifndef ESIGN_DELIVER_COURIER_H
#define ESIGN_DELIVER_COURIER_H

#include "transport.h"

#include "cache/token.h"
#include "ipc/meter.h"
#include "store/outbox.h"

/* Everything that the courier works with; it outlives the courier. */
typedef struct {
    esign_message_context_t message;
    const esign_smtp_t *smtp;
    const apr_array_header_t *gateways; /* esign_sms_gateway_t, in their order; none: codes are not
                                           sent, and stay until they expire */
    const esign_keyring_t *keyring;
    esign_cache_t *cache;
    esign_meter_t *meter;
    int sms_at_once;
    int mails_per_minute,
        sms_per_minute; /* of the portal, over all nodes; 0: as many as there are */
    apr_interval_time_t link_life;
    int mails_per_day; /* reset mails to a subscriber; beyond them one in half a link's life */
    apr_interval_time_t keep;     /* how long a message that was given up stays for the operator */
    int (*stopping)(void *baton); /* the process is to end: nothing more is leased */
    /* Sets `context`'s stylesheets to those of the portal at `url`, of which a message is (NULL:
     * `message`'s own); what they make need not outlive `p`. */
    void (*render)(void *baton, const char *url, esign_message_context_t *context, apr_pool_t *p);
    void (*log)(void *baton, int level, apr_status_t status,
                const char *text); /* level: syslog's, which are httpd's too */
    void *baton;
} esign_courier_options_t;

typedef struct esign_courier_t esign_courier_t;

/* One courier of a process, used by one thread. Ended with `p`, its transfers given up (their
 * leases run out within four seconds). */
esign_result_t esign_courier_create(esign_courier_t **courier,
                                    const esign_courier_options_t *options, apr_pool_t *p);

/* One round, which does all that needs the database and waits for nothing: expires, writes down
 * what has ended, leases what is due and for which there are free places, and starts it. Mail and
 * SMS have places of their own, so that a dead mail server never holds up a code. `called`: a
 * message was queued, the outbox is looked at at once and not only when it is time. `p` is the
 * round's pool. What is beyond a ceiling is not leased, so that it waits as it is; while memcached
 * cannot tell how many have left, all do. Ends are written together, 100 or those of 50 ms in a
 * transaction, those of codes at once; what was sent and has not been written when the process
 * dies, is sent again. Where the transaction fails they stay, and nothing is leased. `database`
 * NULL: it cannot be reached. Transfers go on, and how they ended is kept. What was not handed over
 * three seconds after its lease was last renewed goes back. Pauses after refusals: 5 s, doubled
 * each time to 15 min at most, ± 20 %. A server that cannot be used at all is left alone
 * (breaker.h): mails wait unleased, codes go to the next gateway. */
esign_result_t esign_courier_round(esign_courier_t *courier, esign_database_t *database, int called,
                                   apr_pool_t *p);

/* Between rounds: lets transfers go on until there is something to do for a round, `wake` rings, or
 * `wait` is over. */
void esign_courier_wait(esign_courier_t *courier, int wake, apr_interval_time_t wait);

/* How many transfers are under way. */
int esign_courier_pending(const esign_courier_t *courier);

/* Before the process ends, in this order; of several couriers all take each step before one takes
 * the next. The courier does nothing else afterwards. */

/* Begins nothing any more and lets what is under way go on until something has ended, or `wait` is
 * over. How much still is. */
int esign_courier_leave(esign_courier_t *courier, apr_interval_time_t wait, apr_pool_t *p);

/* Tells it to break off, for which it needs about a second. */
void esign_courier_break(esign_courier_t *courier);

/* Waits for that, and makes what is left due again at once; `database` NULL: when its leases run
 * out. */
void esign_courier_finish(esign_courier_t *courier, esign_database_t *database, apr_pool_t *p);

#endif
