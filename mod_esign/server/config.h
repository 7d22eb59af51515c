/* SPDX-License-Identifier: Apache-2.0 */
/* config.h: the values of the directives, and how servers, locations and gateways inherit them. */
#ifndef ESIGN_SERVER_CONFIG_H
#define ESIGN_SERVER_CONFIG_H

#include <httpd.h>
#include <http_config.h>

#include <apr_tables.h>

/* Rows of the table of directives (directives.c), at most. */
#define ESIGN_DIRECTIVES_MAX 64

/* The challenges that EsignChallenge can offer: bits, in the order of its words. */
#define ESIGN_CHALLENGE_PICTURE 1
#define ESIGN_CHALLENGE_SOUND 2
#define ESIGN_CHALLENGE_WORK 4

/* The values of all directives. Each server has one such record, and so has each location and each
 * <EsignSMSGateway>; a directive writes to the record of the section that it is in. Texts and
 * arrays are in the configuration pool. A text without a value and without a default is NULL. */
typedef struct {
    /* 1 where a directive set the value, here or in a record that was merged into this one; by the
     * index of the directive's row in the table. */
    unsigned char set[ESIGN_DIRECTIVES_MAX];

    /* The portal and its address */
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
    apr_array_header_t *menu_links; /* const char *: label, URL, label, URL, … */

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
    int challenge; /* ESIGN_CHALLENGE_… bits */
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
    const char *sms_accepted; /* a regular expression, as the next two */
    const char *sms_delivered;
    const char *sms_undelivered;
    const char *sms_report_url;
    apr_interval_time_t sms_report_wait;
    apr_array_header_t *sms_gateways; /* const esign_config_t *: a record a <EsignSMSGateway> */
    const char *gateway_name;         /* of such a record; NULL in all others */
    int sms_connections;
    apr_interval_time_t delivery_timeout;
} esign_config_t;

/* The table of directives, ended by a row without a name; see directives.c. */
extern const command_rec esign_config_directives[];

/* The constructors and the merges of the module record. */
void *esign_config_create_server(apr_pool_t *p, server_rec *server);
void *esign_config_create_location(apr_pool_t *p, char *path);
void *esign_config_merge_server(apr_pool_t *p, void *base, void *over);
void *esign_config_merge_location(apr_pool_t *p, void *base, void *over);

/* The server's own values. */
const esign_config_t *esign_config_of_server(const server_rec *server);

/* The values for a request, in r->pool: its location's where they were set, else its server's. */
const esign_config_t *esign_config_of_request(const request_rec *r);

/* The SMS gateways of a server in their order, const esign_config_t *, in `p`: each section's
 * values where they were set, else the server's. A server without sections is one gateway. */
apr_array_header_t *esign_config_gateways(apr_pool_t *p, const esign_config_t *config);

/* Whether this server is a portal: EsignPublicURL is set there or in the main server. A main server
 * may hold directives for several virtual hosts without being a portal itself. */
int esign_config_is_portal(const esign_config_t *config);

/* Whether the configuration that httpd has read last contains any directive of mod_esign. */
int esign_config_directive_seen(void);

/* `httpd -t -D DUMP_ESIGN` prints the values of every server, one "Name value" a line. */
void esign_config_register_hooks(apr_pool_t *p);

#endif
