/* SPDX-License-Identifier: Apache-2.0 */
/* gateway.c: whose turn it is, and references of delivery reports. */
#include "gateway.h"

#include "core/seal.h"

#include <apr_strings.h>

#include <string.h>

/* The place that a reference is sealed to. */
#define PLACE "sms report"

int esign_gateway_reports(const esign_sms_gateway_t *gateway)
{
    return gateway->delivered != NULL;
}

static int is_done(apr_int64_t done, int gateway)
{
    return (done >> gateway & 1) != 0;
}

/* How many of the gateways are not asked again. */
static int count_done(int count, apr_int64_t done)
{
    int found = 0;
    for (int i = 0; i < count; i++)
        found += is_done(done, i);
    return found;
}

/* A gateway that is done has used one attempt. The other attempts go round the gateways that are
 * left. */
int esign_gateway_turn(int count, apr_int64_t done, int attempts)
{
    int gone = count_done(count, done), left = count - gone, turns = attempts - 1 - gone;
    if (left == 0)
        return ESIGN_GATEWAY_NONE;
    int place = turns > 0 ? turns % left : 0;
    for (int i = 0; i < count; i++)
        if (!is_done(done, i) && place-- == 0)
            return i;
    return ESIGN_GATEWAY_NONE;
}

int esign_gateway_round_over(int count, apr_int64_t done, int attempts)
{
    int gone = count_done(count, done), left = count - gone, turns = attempts - gone;
    return left > 0 && turns > 0 && turns % left == 0;
}

esign_result_t esign_gateway_reference(const esign_keyring_t *keyring, apr_int64_t message,
                                       int gateway, const char **reference, apr_pool_t *p)
{
    unsigned char bytes[sizeof(message) + 1];
    memcpy(bytes, &message, sizeof(message));
    bytes[sizeof(message)] = (unsigned char)gateway;
    return esign_seal(keyring, ESIGN_KEY_REPORT, PLACE, bytes, sizeof(bytes), reference, p);
}

int esign_gateway_referred(const esign_keyring_t *keyring, const char *reference,
                           apr_int64_t *message, int *gateway, apr_pool_t *p)
{
    char *bytes;
    apr_size_t length;
    if (esign_failed(
            esign_unseal(keyring, ESIGN_KEY_REPORT, PLACE, reference, &bytes, &length, p)) ||
        length != sizeof(*message) + 1)
        return 0;
    memcpy(message, bytes, sizeof(*message));
    *gateway = (unsigned char)bytes[sizeof(*message)];
    return 1;
}

esign_report_e esign_gateway_judge(const esign_sms_gateway_t *gateway, const char *text,
                                   apr_size_t length)
{
    if (gateway->delivered && esign_pattern_found(gateway->delivered, text, length))
        return ESIGN_REPORT_DELIVERED;
    return gateway->undelivered && esign_pattern_found(gateway->undelivered, text, length)
               ? ESIGN_REPORT_UNDELIVERED
               : ESIGN_REPORT_UNDECIDED;
}
