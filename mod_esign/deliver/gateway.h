/* SPDX-License-Identifier: Apache-2.0 */
/* gateway.h: SMS gateways, which of them is asked next to send a code, and what a delivery report
 * says. */
#ifndef ESIGN_DELIVER_GATEWAY_H
#define ESIGN_DELIVER_GATEWAY_H

#include "core/keyring.h"
#include "core/pattern.h"

#include <apr_tables.h>
#include <apr_time.h>

#define ESIGN_GATEWAYS_MAX 8
#define ESIGN_GATEWAY_NONE (-1)

/* An HTTP gateway, as the directives describe it. URL, headers and body are templates (template.h).
 * Strings live as long as the configuration. */
typedef struct {
    const char *name;                  /* for the log */
    const char *url;                   /* https://, or http:// to this machine */
    const char *method;                /* "GET" or "POST" */
    const apr_array_header_t *headers; /* const char *, "Name: value"; NULL: none */
    const char *body;                  /* NULL with GET */
    const char *secret;                /* secret memory; NULL: none */
    const char *ca_file;               /* CA certificates in PEM; NULL: the system's */
    apr_interval_time_t timeout;       /* of one SMS */
    /* What an answer of status 2xx must show for the SMS to be accepted; NULL: the status is
     * enough. */
    const esign_pattern_t *accepted;
    const char *report_url; /* {report} is this, a slash and a reference */
    /* What a delivery report must show; NULL: the gateway sends none, or never says so. */
    const esign_pattern_t *delivered, *undelivered;
    apr_interval_time_t
        report_wait; /* the next gateway is asked after this long without a report */
} esign_sms_gateway_t;

/* 1: the gateway sends delivery reports. */
int esign_gateway_reports(const esign_sms_gateway_t *gateway);

/* Gateways take turns with a code: each of the `count` has one, in their order, before any has its
 * second, and so on. A gateway that is not to be asked again, whose bit in `done` is set, has no
 * more turns. `attempts`: turns taken, including this one. Returns the gateway, or
 * ESIGN_GATEWAY_NONE when all are done. */
int esign_gateway_turn(int count, apr_int64_t done, int attempts);

/* 1: with this attempt all others have had their turn too, so that a pause follows. `done` is what
 * it is after the attempt. */
int esign_gateway_round_over(int count, apr_int64_t done, int attempts);

/* Makes the reference by which a gateway's report names its message. It is
 * sealed: nobody else can make one, and it shows nothing. `message`: the row's id. */
esign_result_t esign_gateway_reference(const esign_keyring_t *keyring, apr_int64_t message,
                                       int gateway, const char **reference, apr_pool_t *p);

/* Opens a reference. 0: it was not made by esign_gateway_reference. */
int esign_gateway_referred(const esign_keyring_t *keyring, const char *reference,
                           apr_int64_t *message, int *gateway, apr_pool_t *p);

typedef enum {
    ESIGN_REPORT_UNDECIDED, /* neither pattern is found: the message may still be on its way */
    ESIGN_REPORT_DELIVERED,
    ESIGN_REPORT_UNDELIVERED
} esign_report_e;

/* What a report's text says. */
esign_report_e esign_gateway_judge(const esign_sms_gateway_t *gateway, const char *text,
                                   apr_size_t length);

#endif
