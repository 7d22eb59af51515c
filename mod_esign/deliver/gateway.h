/* SPDX-License-Identifier: Apache-2.0 */
/* gateway.h: SMS gateways in their order, which of them is the next for a code, and what a delivery
 * report says. */
#ifndef ESIGN_DELIVER_GATEWAY_H
#define ESIGN_DELIVER_GATEWAY_H

#include "core/keyring.h"
#include "core/pattern.h"

#include <apr_tables.h>
#include <apr_time.h>

#define ESIGN_GATEWAYS_MAX 8
#define ESIGN_GATEWAY_NONE (-1)

/* An HTTP gateway. {number} {digits} {text} {secret} {basic} {report} in URL, headers and body are
 * filled in: percent-encoded in the URL and in a form body, JSON-escaped in a body whose
 * Content-Type is application/json. A header cannot hold {text}, which has two lines. */
typedef struct {
    const char *name;                  /* for the log */
    const char *url;                   /* https://, or http:// to this machine */
    const char *method;                /* GET or POST */
    const apr_array_header_t *headers; /* const char *, "Name: value" */
    const char *body;                  /* NULL with GET */
    const char *secret;                /* secret memory; NULL: none */
    const char *ca_file;
    apr_interval_time_t timeout;
    const esign_pattern_t
        *accepted; /* what the text of an answer of 2xx must show; NULL: the status tells */
    const char *report_url; /* what stands before a report's reference, for {report} */
    const esign_pattern_t *delivered,
        *undelivered;                /* what a report must show; NULL: it never says so */
    apr_interval_time_t report_wait; /* after this without a report the next gateway has its turn */
} esign_sms_gateway_t;

/* Whether the gateway tells what became of a message. */
int esign_gateway_reports(const esign_sms_gateway_t *gateway);

/* The gateway whose turn it is, of `count`: each has one turn, in their order, before any has its
 * second, and so on round and round; those that are done with the code, whose bits stand in `done`,
 * are left out. `attempts`: turns taken so far, this one included. ESIGN_GATEWAY_NONE: all are
 * done. */
int esign_gateway_turn(int count, apr_int64_t done, int attempts);

/* Whether all others have had their turn when this one, which leads nowhere and after which `done`
 * holds, is over: then comes a pause. */
int esign_gateway_round_over(int count, apr_int64_t done, int attempts);

/* The reference of a message handed to a gateway, for the address of its report: sealed, so that
 * nobody else can make one, and it tells nothing. */
esign_result_t esign_gateway_reference(const esign_keyring_t *keyring, apr_int64_t message,
                                       int gateway, const char **reference, apr_pool_t *p);

/* What such a reference stands for; 0: none of ours. */
int esign_gateway_referred(const esign_keyring_t *keyring, const char *reference,
                           apr_int64_t *message, int *gateway, apr_pool_t *p);

typedef enum {
    ESIGN_REPORT_UNDECIDED, /* still on its way, or words that no pattern knows */
    ESIGN_REPORT_DELIVERED,
    ESIGN_REPORT_UNDELIVERED
} esign_report_e;

/* What a report's text says. */
esign_report_e esign_gateway_judge(const esign_sms_gateway_t *gateway, const char *text,
                                   apr_size_t length);

#endif
