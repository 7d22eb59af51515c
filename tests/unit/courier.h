/* SPDX-License-Identifier: Apache-2.0 */
/* courier.h: a courier over a database, a memcached, a fake transport and clocks that a test sets.
 */
#ifndef ESIGN_TESTS_COURIER_H
#define ESIGN_TESTS_COURIER_H

#include "fake_transport.h"

#include "cache/code.h"
#include "deliver/courier.h"
#include "memcached.h"
#include "render/stylesheet.h"
#include "tables.h"

#define SECOND APR_USEC_PER_SEC
#define PHONE "+905551234567"
#define EMAIL "ayse@example.org"
#define NUMBER "10000000146"

/* Of the running test. */
static apr_time_t wall, steady; /* the two clocks */
static esign_database_t *database;
static esign_courier_t *courier;
static esign_courier_options_t options;
static esign_smtp_t smtp;
static apr_array_header_t *gateways;
static const char *log_text; /* what the courier logged, "LEVEL TEXT\n" */
static apr_int64_t subscriber_id;
static void (*while_making)(void); /* is called while a message is made; NULL: nothing */

/* Of the suite. */
static const esign_render_t *render;

static inline apr_time_t now_by_wall(void)
{
    return wall;
}

static inline apr_time_t now_by_steady(void)
{
    return steady;
}

static inline void advance(apr_interval_time_t time)
{
    wall += time;
    steady += time;
}

static inline int not_stopping(void *baton)
{
    (void)baton;
    return 0;
}

static inline void set_render(void *baton, const char *url, esign_message_context_t *context,
                              apr_pool_t *p)
{
    (void)baton, (void)url, (void)p;
    context->render = render;
    if (while_making)
        while_making();
}

static inline void note_line(void *baton, int level, apr_status_t status, const char *text)
{
    (void)baton, (void)status;
    log_text = apr_psprintf(pool, "%s%d %s\n", log_text, level, text);
}

/* How often the log has a text. */
static inline int logged(const char *text)
{
    int count = 0;
    for (const char *at = log_text; (at = strstr(at, text)) != NULL; at += strlen(text))
        count++;
    return count;
}

static inline apr_int64_t add_subscriber(const char *national_id)
{
    esign_subscriber_t subscriber = { .national_id = national_id,
                                      .name = "Ayşe Yılmaz",
                                      .email = EMAIL,
                                      .phone = PHONE,
                                      .language = "en" };
    CU_ASSERT_FATAL(!esign_failed(esign_subscriber_add(database, &subscriber, NULL, pool)));
    return subscriber.id;
}

/* A gateway; `delivered`: what its reports show, NULL: it sends none. */
static inline void add_gateway(const char *name, const char *delivered)
{
    esign_sms_gateway_t *gateway = apr_array_push(gateways);
    const esign_pattern_t *pattern = NULL;
    if (delivered)
        OK(esign_pattern_compile(&pattern, delivered, pool));
    *gateway =
        (esign_sms_gateway_t){ .name = name,
                               .url = apr_pstrcat(pool, "https://", name, ".example.org/", NULL),
                               .delivered = pattern,
                               .report_url = "https://portal.example.org/esign/report",
                               .report_wait = 60 * SECOND };
}

/* A database with one subscriber, and what a courier needs; the test may change `options` before it
 * calls courier_make. */
static inline void courier_prepare(void)
{
    fake_reset();
    /* At the start of a minute, so that ceilings count from nothing. */
    wall = apr_time_now() / (60 * SECOND) * (60 * SECOND);
    steady = 1000 * SECOND;
    log_text = "";
    while_making = NULL;
    database = tables_new();
    subscriber_id = add_subscriber(NUMBER);
    gateways = apr_array_make(pool, 2, sizeof(esign_sms_gateway_t));
    smtp = (esign_smtp_t){ .url = "smtp://mx.example.org", .connections = 2 };
    options = (esign_courier_options_t){ .message = { .organization = "Authority",
                                                      .url = "https://portal.example.org/esign" },
                                         .smtp = &smtp,
                                         .gateways = gateways,
                                         .keyring = scratch_keyring(SCRATCH_KEY_1),
                                         .cache = memcached_client(SCRATCH_KEY_1, ""),
                                         .sms_at_once = 4,
                                         .link_life = 600 * SECOND,
                                         .mails_per_day = 5,
                                         .keep = 7200 * SECOND,
                                         .now = now_by_wall,
                                         .clock = now_by_steady,
                                         .stopping = not_stopping,
                                         .render = set_render,
                                         .log = note_line };
    OK(esign_meter_create(&options.meter, pool));
}

static inline void courier_make(void)
{
    CU_ASSERT_FATAL(!esign_failed(esign_courier_create(&courier, &options, pool)));
}

/* A courier without ceilings; `first` and `second`: its gateways, NULL: none. */
static inline void courier_begin(const char *first, const char *second)
{
    courier_prepare();
    if (first)
        add_gateway(first, NULL);
    if (second)
        add_gateway(second, NULL);
    courier_make();
}

/* Rounds until nothing is to be written any more; the last one's result. */
static inline esign_result_t round_with(esign_database_t *with)
{
    esign_result_t result = ESIGN_OK;
    for (int i = 0; i < 2; i++) {
        apr_pool_t *p;
        apr_pool_create(&p, pool);
        result = esign_courier_round(courier, with, 1, p);
        result.detail = apr_pstrdup(pool, result.detail);
        apr_pool_destroy(p);
        advance(60000);
    }
    return result;
}

static inline void round_now(void)
{
    OK(round_with(database));
}

/* Queues a message that lives for an hour; `name` and `value`: one more of its values. Returns the
 * row's id. */
static inline apr_int64_t queue(esign_outbox_kind_e kind, const char *name, const char *value)
{
    apr_table_t *values = apr_table_make(pool, 6);
    apr_table_setn(values, "address", "192.0.2.1");
    apr_table_setn(values, "subscriber", apr_psprintf(pool, "%" APR_INT64_T_FMT, subscriber_id));
    apr_table_setn(values, "event", "signed-in");
    apr_table_setn(values, "code", "739154");
    apr_table_setn(values, name, value);
    OK(esign_outbox_add(database, kind, values, wall, wall + 3600 * SECOND, pool));
    return tables_number(database, "SELECT id FROM outbox ORDER BY rowid DESC LIMIT 1");
}

static inline apr_int64_t queue_notice(void)
{
    return queue(ESIGN_OUTBOX_NOTICE, "time", "1795529225000000");
}

static inline apr_int64_t queue_request(const char *national_id)
{
    return queue(ESIGN_OUTBOX_RESET_REQUEST, "national-id", national_id);
}

/* A code that somebody waits for, in a new session. */
static inline apr_int64_t queue_code(void)
{
    const esign_code_policy_t policy = { .digits = 6, .life = 3600 * SECOND, .tries = 3, .key = 1 };
    const char *id = NULL;
    esign_session_record_t record;
    esign_code_session_t session = { .cache = options.cache,
                                     .record = &record,
                                     .limits = { 3600 * SECOND, 3600 * SECOND } };
    esign_code_t code;
    int resent;
    CU_ASSERT_EQUAL_FATAL(
        esign_session_store_create(options.cache, "content", &session.limits, 0, wall, &id, pool),
        ESIGN_CACHE_DONE);
    session.key = esign_session_store_key(id, pool);
    CU_ASSERT_EQUAL_FATAL(
        esign_session_store_load(options.cache, session.key, &session.limits, wall, &record, pool),
        ESIGN_CACHE_DONE);
    CU_ASSERT_EQUAL_FATAL(esign_code_issue(&session, &policy, wall, &code, &resent, pool),
                          ESIGN_CACHE_DONE);
    return queue(ESIGN_OUTBOX_CODE, "session", session.key);
}

/* The row; NULL: it is gone. */
static inline const esign_outbox_message_t *row_of(apr_int64_t id)
{
    const esign_outbox_message_t *row = NULL;
    OK(esign_outbox_get(database, id, &row, pool));
    return row;
}

static inline int rows(void)
{
    return (int)tables_number(database, "SELECT count(*) FROM outbox");
}

/* How many rows of the audit trail an event has. */
static inline int audited(const char *event)
{
    return (int)tables_number(
        database, apr_psprintf(pool, "SELECT count(*) FROM audit WHERE event = '%s'", event));
}

/* Whether a time is `least` to `most` seconds after the wall clock's. */
static inline int is_due_in(apr_time_t due, double least, double most)
{
    return due >= wall + (apr_time_t)(least * SECOND) && due <= wall + (apr_time_t)(most * SECOND);
}

/* memcached_suite with the stylesheets. */
static inline int courier_suite(const char *name, CU_TestInfo *tests)
{
    apr_pool_t *whole;
    apr_initialize();
    apr_pool_create(&whole, NULL);
    if (esign_failed(esign_render_init(whole)) ||
        esign_failed(esign_render_load(&render, ESIGN_TEST_HTDOCS, NULL, whole)))
        return EXIT_FAILURE;
    int status = memcached_suite(name, tests);
    apr_pool_destroy(whole);
    return status;
}

#endif
