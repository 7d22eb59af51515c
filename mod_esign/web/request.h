/* SPDX-License-Identifier: Apache-2.0 */
/* request.h: the record of one request to the portal, and what every screen does with it. */
#ifndef ESIGN_WEB_REQUEST_H
#define ESIGN_WEB_REQUEST_H

#include "server/runtime.h"

#include "audit/trail.h"
#include "cache/throttle.h"
#include "store/outbox.h"
#include "store/subscriber.h"

#include <httpd.h>

/* How far the sender of a request has proved who they are. */
typedef enum {
    ESIGN_TRUST_NONE,
    ESIGN_TRUST_WORD, /* number and word */
    ESIGN_TRUST_CODE  /* and the SMS code */
} esign_trust_e;

/* The portal's addresses: indices of the route table (screens/table.c), whose rows are compared
 * with an address in this order. */
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

/* The folder below the prefix with files that httpd itself serves. */
#define ESIGN_STATIC "static"

typedef struct esign_request_t esign_request_t;

/* Answers a request: returns OK, with r->status set, or DONE. A screen returns no error status,
 * because httpd would then send a page of its own. */
typedef int esign_screen_fn(esign_request_t *q);

/* Properties of a row; bits. */
#define ESIGN_ROUTE_SESSION 1      /* the page reads the session */
#define ESIGN_ROUTE_PLAIN_BODY 2   /* a POST may have any body, not only a form */
#define ESIGN_ROUTE_SECRET 4       /* the segment is moved out of the address before it is logged */
#define ESIGN_ROUTE_SECRET_QUERY 8 /* and so is the query */

/* A row of the route table. `path` is the address below the prefix ("login"). If `suffix` is not
 * NULL, the address is `path`, a segment with a challenge or token, then `suffix` (".png"). */
typedef struct {
    const char *path;
    const char *suffix;
    int properties;       /* ESIGN_ROUTE_… */
    esign_trust_e trust;  /* less than this leads to the step that is missing */
    esign_screen_fn *get; /* NULL: 405 */
    esign_screen_fn *post;
} esign_route_t;

/* Made when httpd has read the request; in r->pool. */
struct esign_request_t {
    request_rec *r;
    const esign_runtime_t *runtime;
    const esign_config_t *config;
    const esign_route_t *routes; /* the table, ESIGN_PATHS rows */
    const esign_route_t *route;  /* the row of this address; NULL: there is none */
    const char *argument;        /* the segment of the address; secret memory */
    const char *report;          /* the query of a delivery report; secret memory; NULL: none */
    const char *language;        /* of the answer: "tr" or "en" */
    const char *address;         /* the client's IP address */
    apr_time_t now;              /* when the request, or its body, had been read */
    apr_table_t *form;           /* the fields of a POST; secret memory */
    const char *body;            /* of a POST that is not a form; secret memory */
    int form_refusal;            /* the status for a body that cannot be read; 0: none */

    /* What esign_limits_check has read, for esign_limits_count */
    esign_throttle_seen_t counted, counted_network;

    /* From mod_dbd's pool; lent until esign_request_release */
    esign_database_t *database;
    esign_gate_t *write_gate; /* of its database; NULL: none, or no connection was taken yet */
    int wake_courier;         /* the transaction queued a message that its reader waits for */

    /* Who sends it; web/session sets these before a screen that needs trust is called */
    esign_subscriber_t *subscriber;
    esign_trust_e trust;
    apr_time_t word_time; /* when the word was accepted, at the sign-in */
    apr_time_t code_time; /* when a code was last accepted; 0: none yet */
};

/* The record of a request; NULL: the request is not for a page of the portal. */
esign_request_t *esign_request_of(request_rec *r);

/* Makes `q` the record of a request; NULL: it turned out not to be for a page of the portal. */
void esign_request_set(request_rec *r, esign_request_t *q);

/* The configuration that holds for a request of the portal or any other, in r->pool. It is merged
 * at the first call. It is merged again only if httpd has found another location for the request
 * since. */
const esign_config_t *esign_request_config(request_rec *r);

/* The request's database connection, taken from mod_dbd's pool at the first call. NULL, logged: the
 * database cannot be reached. */
esign_database_t *esign_request_database(esign_request_t *q);

/* Gives the connection back, if there is one; the next esign_request_database takes another. Called
 * before each wait for the hash gate, memcached or a client that reads slowly. */
void esign_request_release(esign_request_t *q);

/* Begin and end the transaction in which a request writes: esign_database_begin and _end. Beginning
 * may change q->database, and fails without a connection. After a commit the courier is woken if
 * somebody waits for a message that was queued. */
esign_result_t esign_request_begin(esign_request_t *q);
esign_result_t esign_request_end(esign_request_t *q, esign_result_t result);

/* Audits an event in a transaction of its own. A failure is logged. */
void esign_request_audit(esign_request_t *q, esign_audit_event_e event, apr_int64_t subscriber);

/* Queues a message of this portal in the caller's transaction. It is due at once and expires after
 * `life`. `values` gets the portal's own values. */
esign_result_t esign_request_queue(esign_request_t *q, esign_outbox_kind_e kind,
                                   apr_table_t *values, apr_interval_time_t life);

/* The path of an address, prefix included. In r->pool. */
const char *esign_request_path(const esign_request_t *q, esign_path_e path);

/* The path of an address that has a segment. In r->pool. */
const char *esign_request_path_of(const esign_request_t *q, esign_path_e path, const char *segment);

/* The seconds until `moment`, rounded up, at least 1, as text in r->pool. */
const char *esign_request_seconds(const esign_request_t *q, apr_time_t moment);

/* Logs a failure at error level. */
void esign_request_log(const esign_request_t *q, esign_result_t result);

/* Logs a refusal, with the client's address, at info level. For refusals that anybody can cause at
 * no cost: the audit trail would need a commit for each. */
void esign_request_log_refusal(const esign_request_t *q, const char *what);

/* Logs at error level that memcached failed. */
void esign_request_log_cache(const esign_request_t *q);

#endif
