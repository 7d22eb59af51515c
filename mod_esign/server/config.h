/* SPDX-License-Identifier: Apache-2.0 */
/* config.h: what the directives say. */
#ifndef ESIGN_SERVER_CONFIG_H
#define ESIGN_SERVER_CONFIG_H

#include <httpd.h>
#include <http_config.h>

#include <apr_tables.h>

#define ESIGN_DIRECTIVES_MAX 64

/* Ways to show that a person is there; bits, in the order of EsignChallenge's words. */
#define ESIGN_CHALLENGE_PICTURE 1
#define ESIGN_CHALLENGE_SOUND 2
#define ESIGN_CHALLENGE_WORK 4

/* The values of all directives. One such record belongs to each server and one to each location;
 * which of them a directive writes to is where it stands. Texts and arrays are in the configuration
 * pool; a text that nobody set and that has no default is NULL. */
typedef struct {
    unsigned char set[ESIGN_DIRECTIVES_MAX]; /* by the directive's place in the table: 1 where this
                                                very record was given a value */

    /* The portal and where it stands */
    int enabled;
    int session;
    const char *prefix;
    const char *public_url;
    const char *organization;
    const char *home_url;
    const char *htdocs;
    const char *theme;
    int theme_reload;
    int require_tls;
    const char *certificate_url;
    apr_array_header_t *menu_links; /* const char *: label, URL, label, URL … */

    /* Keys and stores */
    const char *key_file;
    const char *memcached;
    int memcached_connections;
    const char *audit_log; /* "off", "syslog:FACILITY", "|PROGRAM …", "|$COMMAND" */

    /* Subscriber and word */
    const char *identity_number;
    const char *word_blocklist;
    int hash_memory; /* KiB */
    int hash_passes;
    int hash_slots;
    int hash_queue;
    apr_interval_time_t hash_patience;

    /* Lives and limits */
    apr_interval_time_t link_life;
    int code_digits;
    apr_interval_time_t code_life;
    apr_interval_time_t sms_pause;
    int sms_per_day;
    int mails_per_day;
    int sms_per_minute;
    int mails_per_minute;
    apr_interval_time_t outbox_keep;
    apr_interval_time_t session_idle;
    apr_interval_time_t session_life;
    apr_interval_time_t pin_shown;
    int challenge; /* ESIGN_CHALLENGE_… of what is offered */
    int work_number;
    int address_failures;
    int address_requests;
    apr_interval_time_t address_window;

    /* Delivery */
    const char *mail_url;
    const char *mail_from;
    const char *mail_reply_to;
    int mail_tls;
    const char *mail_user;
    const char *mail_password_file;
    const char *mail_ca_file;
    int mail_connections;
    const char *sms_name;
    const char *sms_url;
    const char *sms_method;
    apr_array_header_t *sms_headers; /* const char * */
    const char *sms_body;
    const char *sms_secret_file;
    const char *sms_ca_file;
    const char *sms_accepted; /* patterns */
    const char *sms_report_url;
    const char *sms_delivered, *sms_undelivered;
    apr_interval_time_t sms_report_wait;
    apr_array_header_t *sms_gateways; /* const esign_config_t *: what each <EsignSMSGateway> says,
                                         for esign_config_gateways */
    const char *gateway_name;         /* in such a record */
    int sms_connections;
    apr_interval_time_t delivery_timeout;
} esign_config_t;

extern const command_rec esign_config_directives[];

/* The module's four constructors. */
void *esign_config_create_server(apr_pool_t *p, server_rec *server);
void *esign_config_create_location(apr_pool_t *p, char *path);
void *esign_config_merge_server(apr_pool_t *p, void *base, void *over);
void *esign_config_merge_location(apr_pool_t *p, void *base, void *over);

/* The server's own values. */
const esign_config_t *esign_config_of_server(const server_rec *server);

/* What holds for a request: its location's values where they were set, its server's elsewhere. In
 * r->pool. */
const esign_config_t *esign_config_of_request(const request_rec *r);

/* The SMS gateways of a server in their order, const esign_config_t *: each section's values where
 * they were set, the server's elsewhere. A server without sections is one gateway itself. */
apr_array_header_t *esign_config_gateways(apr_pool_t *p, const esign_config_t *config);

/* Whether this server is a portal: its public URL is set there or in the main server, which may
 * also hold directives for several portals and be none itself. */
int esign_config_is_portal(const esign_config_t *config);

/* `httpd -t -D DUMP_ESIGN` prints every server's effective values, one "Name value" a line; checks
 * run at `httpd -t` too. */
void esign_config_register_hooks(apr_pool_t *p);

#endif
