/* SPDX-License-Identifier: Apache-2.0 */
/* request.h: one request to the portal, as the screens see it. */
#ifndef ESIGN_WEB_REQUEST_H
#define ESIGN_WEB_REQUEST_H

#include "server/runtime.h"

#include "audit/trail.h"
#include "cache/throttle.h"
#include "store/outbox.h"
#include "store/subscriber.h"

#include <httpd.h>

/* How far a person has proved who they are. */
typedef enum {
    ESIGN_TRUST_NONE,
    ESIGN_TRUST_WORD, /* number and word */
    ESIGN_TRUST_CODE  /* and the SMS code */
} esign_trust_e;

/* The portal's addresses: the rows of the route table, in their order. */
typedef enum {
    ESIGN_PATH_START,
    ESIGN_PATH_LOGIN,
    ESIGN_PATH_PICTURE,
    ESIGN_PATH_SOUND,
    ESIGN_PATH_RESET,
    ESIGN_PATH_RESET_SENT,
    ESIGN_PATH_RESET_WORD,
    ESIGN_PATH_RESET_DONE,
    ESIGN_PATH_RESET_LINK,
    ESIGN_PATH_REPORT,
    ESIGN_PATH_OTP,
    ESIGN_PATH_OTP_CODE,
    ESIGN_PATH_MENU,
    ESIGN_PATH_PIN,
    ESIGN_PATH_WORD,
    ESIGN_PATH_ACTIVITY,
    ESIGN_PATH_LOGOUT,
    ESIGN_PATHS /* their number */
} esign_path_e;

/* The folder below the prefix whose files httpd itself serves. */
#define ESIGN_STATIC "static"

typedef struct esign_request_t esign_request_t;

/* A screen answers a request: OK, with r->status set; or DONE. It never returns an error status,
 * because httpd would then answer with a page of its own. */
typedef int esign_screen_fn(esign_request_t *q);

/* Properties of a row; bits. */
#define ESIGN_ROUTE_SESSION 1      /* the page reads the session */
#define ESIGN_ROUTE_PLAIN_BODY 2   /* the body of a POST is no form */
#define ESIGN_ROUTE_SECRET 4       /* the segment is moved out of the address before it is logged */
#define ESIGN_ROUTE_SECRET_QUERY 8 /* the query too */

/* A row of the route table. */
typedef struct {
    const char *path;    /* below the prefix: "login"; with a suffix, the text before the segment */
    const char *suffix;  /* the text after the segment, which is a challenge or token: ".png"; NULL:
                            `path` is the whole address */
    int properties;      /* ESIGN_ROUTE_… */
    esign_trust_e trust; /* needed before a screen is called */
    esign_screen_fn *get; /* NULL: 405 */
    esign_screen_fn *post;
} esign_route_t;

/* Made when the request is routed; lives in r->pool. */
struct esign_request_t {
    request_rec *r;
    const esign_runtime_t *runtime;
    const esign_config_t *config;
    const esign_route_t *routes; /* the table, ESIGN_PATHS rows */
    const esign_route_t *route;  /* the row of this address; NULL: no such page */
    const char *argument;        /* the challenge or token that stood in the path; secret memory */
    const char *report;   /* the query of a delivery report, secret memory; NULL: it is none */
    const char *language; /* "tr" or "en" */
    const char *address;  /* the client's */
    apr_time_t now;
    apr_table_t *form; /* the fields of a POST, secret memory */
    const char *body;  /* of a POST that is no form, secret memory */
    int form_refusal;  /* the status of a body that cannot be read; 0: none */
    int queued; /* a message that somebody waits for is in the transaction, and goes out behind its
                   commit */
    esign_throttle_seen_t counted,
        counted_network; /* what esign_limits_check has read of the address's counts */
    esign_database_t
        *database; /* of mod_dbd's pool, from esign_request_database to esign_request_release */
    esign_gate_t *turn; /* of its database, known since the first connection */

    /* Who, set by the route before a screen that asks for trust is called */
    esign_subscriber_t *subscriber;
    esign_trust_e trust;
    apr_time_t worded; /* when the word was shown, at the sign-in */
    apr_time_t proved; /* when the second factor was last shown; 0: not yet */
};

/* The portal's record of a request; NULL: the request is not for a page of the portal. */
esign_request_t *esign_request_of(request_rec *r);
void esign_request_set(request_rec *r, esign_request_t *q);

/* The configuration that holds for a request, of the portal or not; merged at the first call, and
 * again only if httpd has found another location for the request since. In r->pool. */
const esign_config_t *esign_request_config(request_rec *r);

/* This request's database connection, taken from the pool at the first call; NULL, logged, when
 * there is none. */
esign_database_t *esign_request_database(esign_request_t *q);

/* Gives it back: before a wait, before memcached is asked, and before the answer is written, for
 * who reads slowly must not keep it from others. The next esign_request_database takes one anew. */
void esign_request_release(esign_request_t *q);

/* esign_database_begin and _end on a connection of this request's, which may be another than
 * before; without one the beginning fails. All that a request writes is written between them. The
 * courier is told of what is waited for once it is committed. */
esign_result_t esign_request_begin(esign_request_t *q);
esign_result_t esign_request_end(esign_request_t *q, esign_result_t result);

/* Audits what happened beside the request's own transactions; a failure is logged. */
void esign_request_audit(esign_request_t *q, esign_audit_event_e event, apr_int64_t subscriber);

/* Queues a message of this portal, due at once, in the caller's transaction. */
esign_result_t esign_request_queue(esign_request_t *q, esign_outbox_kind_e kind,
                                   apr_table_t *values, apr_interval_time_t life);

/* The path of an address, prefix included. In r->pool. */
const char *esign_request_path(const esign_request_t *q, esign_path_e path);

/* The same with a segment: a challenge or token. */
const char *esign_request_path_of(const esign_request_t *q, esign_path_e path, const char *segment);

/* Whole seconds until `moment`, at least 1, as text. In r->pool. */
const char *esign_request_seconds(const esign_request_t *q, apr_time_t moment);

/* Logs a failure at error level with the request's own log. */
void esign_request_log(const esign_request_t *q, esign_result_t result);

/* Logs at info level, with the address, a refusal that anybody can bring about for nothing: such
 * ones are not in the audit trail, which costs a commit each. */
void esign_request_note(const esign_request_t *q, const char *what);

/* Logs that memcached failed. */
void esign_request_log_cache(const esign_request_t *q);

#endif
