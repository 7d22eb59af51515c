/* SPDX-License-Identifier: Apache-2.0 */
/* row.c: makes and checks seals of audit rows, and makes their chain values and lines. */
#include "row.h"

#include "core/base64.h"
#include "core/digest.h"
#include "core/secret.h"
#include "event.h"
#include "store/subscriber.h"

#include <apr_strings.h>

#include <stdarg.h>
#include <string.h>
#include <unistr.h>

/* The most bytes of a text that a line shows, counted before they are escaped. Host names and
 * addresses are shorter. */
#define TEXT_MAX 256
#define LONGEST_ESCAPE 6

#define MAC_SIZE (ESIGN_BASE64_URL_LENGTH(ESIGN_DIGEST_SIZE) + 1)

const char *esign_audit_encode(apr_pool_t *p, ...)
{
    va_list texts;
    apr_size_t size = 1;
    va_start(texts, p);
    for (const char *text; (text = va_arg(texts, const char *)) != NULL;)
        size += strlen(text) + 21;
    va_end(texts);
    char *encoded = apr_palloc(p, size), *end = encoded;
    *end = '\0';
    va_start(texts, p);
    for (const char *text; (text = va_arg(texts, const char *)) != NULL;)
        end += apr_snprintf(end, size - (apr_size_t)(end - encoded), "%" APR_SIZE_T_FMT ":%s",
                            strlen(text), text);
    va_end(texts);
    return encoded;
}

static void make_mac(const unsigned char *key, const char *covered, char mac[MAC_SIZE])
{
    unsigned char bytes[ESIGN_DIGEST_SIZE];
    esign_digest_hmac(key, covered, strlen(covered), bytes);
    esign_base64_url_write(mac, bytes, sizeof(bytes));
}

const char *esign_audit_seal(const esign_keyring_t *keyring, const char *covered, apr_pool_t *p)
{
    int id = esign_keyring_active(keyring);
    char mac[MAC_SIZE];
    make_mac(esign_keyring_key(keyring, ESIGN_KEY_AUDIT, id), covered, mac);
    return apr_psprintf(p, "%d.%s", id, mac);
}

int esign_audit_seal_key_id(const char *seal)
{
    size_t digits = strspn(seal, "0123456789");
    return digits >= 1 && digits <= 3 && *seal != '0' && seal[digits] == '.' ? (int)apr_atoi64(seal)
                                                                             : 0;
}

esign_audit_verdict_e esign_audit_judge(const esign_keyring_t *keyring, const char *seal,
                                        const char *covered)
{
    char mac[MAC_SIZE];
    int id = esign_audit_seal_key_id(seal);
    const unsigned char *key = id ? esign_keyring_key(keyring, ESIGN_KEY_AUDIT, id) : NULL;
    if (!id)
        return ESIGN_AUDIT_FORGED;
    if (!key)
        return ESIGN_AUDIT_NO_KEY;
    make_mac(key, covered, mac);
    const char *given = strchr(seal, '.') + 1;
    return strlen(given) == strlen(mac) && esign_secret_equal(given, mac, strlen(mac))
               ? ESIGN_AUDIT_SOUND
               : ESIGN_AUDIT_FORGED;
}

esign_audit_row_t esign_audit_row_read(const char *const *columns)
{
    enum { ID, TIME, NODE, EVENT, SUBSCRIBER, ADDRESS, POSITION, CHAIN, SEAL };
#define TEXT(column) (columns[column] ? columns[column] : "")
    int kept_out = !columns[POSITION] && columns[CHAIN];
    return (esign_audit_row_t){ .id = esign_database_number(columns, ID),
                                .time = esign_database_number(columns, TIME),
                                .node = TEXT(NODE),
                                .event = TEXT(EVENT),
                                .subscriber = esign_database_number(columns, SUBSCRIBER),
                                .address = TEXT(ADDRESS),
                                .position =
                                    kept_out ? -1 : esign_database_number(columns, POSITION),
                                .chain = TEXT(CHAIN),
                                .seal = TEXT(SEAL) };
#undef TEXT
}

static const char *decimal(apr_int64_t number, apr_pool_t *p)
{
    return apr_psprintf(p, "%" APR_INT64_T_FMT, number);
}

/* The text that the seal covers. */
static const char *covered_by_seal(const esign_audit_row_t *row, apr_pool_t *p)
{
    int chained = row->position > 0;
    return esign_audit_encode(p, chained ? "audit row" : "audit entry",
                              chained ? decimal(row->position, p) : "", chained ? row->chain : "",
                              decimal(row->id, p), decimal(row->time, p), row->node, row->event,
                              decimal(row->subscriber, p), row->address, NULL);
}

const char *esign_audit_row_seal(const esign_keyring_t *keyring, const esign_audit_row_t *row,
                                 apr_pool_t *p)
{
    return esign_audit_seal(keyring, covered_by_seal(row, p), p);
}

esign_audit_verdict_e esign_audit_row_judge(const esign_keyring_t *keyring,
                                            const esign_audit_row_t *row, apr_pool_t *p)
{
    return esign_audit_judge(keyring, row->seal, covered_by_seal(row, p));
}

const char *esign_audit_row_chain(const char *before, const esign_audit_row_t *row, apr_pool_t *p)
{
    unsigned char digest[ESIGN_DIGEST_SIZE];
    const char *content = esign_audit_encode(
        p, before, decimal(row->position, p), decimal(row->id, p), decimal(row->time, p), row->node,
        row->event, decimal(row->subscriber, p), row->address, NULL);
    esign_digest_sha256(content, strlen(content), digest);
    return esign_base64_url_encode(p, digest, sizeof(digest));
}

/* A JSON string of the first TEXT_MAX bytes of a text, which may be forged. Control characters,
 * those of C1 and line separators included, are escaped, so that a terminal can show the line.
 * Bytes that are not UTF-8 become U+FFFD. */
static const char *quote_json(const char *text, apr_pool_t *p)
{
    char *quoted = apr_palloc(p, TEXT_MAX * LONGEST_ESCAPE + 3), *end = quoted;
    const uint8_t *at = (const uint8_t *)text, *last = at + strnlen(text, TEXT_MAX);
    *end++ = '"';
    while (at < last) {
        ucs4_t c;
        int length = u8_mbtouc(&c, at, (size_t)(last - at)); /* U+FFFD for an invalid byte */
        if (c == '"' || c == '\\')
            end += apr_snprintf(end, 3, "\\%c", (int)c);
        else if (c < ' ' || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || c == 0xfffd)
            end += apr_snprintf(end, LONGEST_ESCAPE + 1, "\\u%04x", c);
        else
            end += u8_uctomb((uint8_t *)end, c, 4);
        at += length;
    }
    memcpy(end, "\"", 2);
    return quoted;
}

static const char *utc_of(apr_time_t time, apr_pool_t *p)
{
    apr_time_exp_t t;
    apr_time_exp_gmt(&t, time);
    return apr_psprintf(p, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", t.tm_year + 1900, t.tm_mon + 1,
                        t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, t.tm_usec);
}

/* The line, whatever its length: four texts of TEXT_MAX bytes could exceed ESIGN_AUDIT_LINE_MAX
 * when each byte is escaped. */
static const char *line_of(const esign_audit_row_t *row, const char *problem, const char *node,
                           const char *address, apr_pool_t *p)
{
    const char *who = row->subscriber == ESIGN_SUBSCRIBER_NONE
                          ? "null"
                          : apr_psprintf(p, "\"%" APR_INT64_T_FMT "\"", row->subscriber);
    return apr_psprintf(p,
                        "{\"position\":%" APR_INT64_T_FMT
                        ",\"time\":\"%s\",\"node\":%s,\"event\":%s,\"result\":\"%"
                        "s\",\"subscriber\":%s,\"address\":%s,"
                        "\"id\":\"%" APR_INT64_T_FMT "\",\"chain\":%s%s%s}\n",
                        row->position, utc_of(row->time, p), quote_json(node, p),
                        quote_json(row->event, p), esign_event_result(row->event), who,
                        quote_json(address, p), row->id, quote_json(row->chain, p),
                        problem ? ",\"problem\":" : "", problem ? quote_json(problem, p) : "");
}

const char *esign_audit_row_line(const esign_audit_row_t *row, const char *problem, apr_pool_t *p)
{
    const char *line = line_of(row, problem, row->node, row->address, p);
    esign_audit_row_t bare = *row;
    bare.event = bare.chain = "";
    return strlen(line) <= ESIGN_AUDIT_LINE_MAX
               ? line
               : line_of(&bare, "changed: its texts are too long for a line", "", "", p);
}

const char *esign_audit_gap_line(apr_int64_t first, apr_int64_t last, apr_pool_t *p)
{
    return apr_psprintf(p,
                        "{\"position\":%" APR_INT64_T_FMT ",\"to\":%" APR_INT64_T_FMT
                        ",\"problem\":\"removed\"}\n",
                        first, last);
}
