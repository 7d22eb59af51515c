/* SPDX-License-Identifier: Apache-2.0 */
/* directives.c: the table of directives. A row gives a directive's name, member, default, bounds,
 * check, place and help text; a new directive is a member in config.h and a row here. */
#include "config.h"
#include "setting.h"
#include "value.h"

#include "core/defaults.h"

#include <stddef.h>

#define SETTING(kind_of_value, member, ...)                                        \
    ((void *)&(const esign_setting_t){ .kind = ESIGN_SETTING_##kind_of_value,      \
                                       .offset = offsetof(esign_config_t, member), \
                                       __VA_ARGS__ })
/* A directive with one argument. */
#define ONE(directive, where, help, ...) \
    AP_INIT_TAKE1(directive, esign_config_set_one, SETTING(__VA_ARGS__), where, help)
#define ON_OFF(directive, member, value, where, help)                                        \
    AP_INIT_FLAG(directive, esign_config_set_flag, SETTING(FLAG, member, .preset = (value)), \
                 where, help)
#define COUNT(directive, member, value, low, high, where, help) \
    ONE(directive, where, help, NUMBER, member, .preset = (value), .min = (low), .max = (high))
#define SECONDS(directive, member, value, low, high, where, help) \
    ONE(directive, where, help, DURATION, member, .preset = (value), .min = (low), .max = (high))
#define STRING(directive, member, value, judge, where, help) \
    ONE(directive, where, help, TEXT, member, .text = (value), .check = (judge))
#define CHOOSE(directive, member, value, list, where, help) \
    AP_INIT_TAKE_ARGV(directive, esign_config_set_choice,   \
                      SETTING(CHOICE, member, .preset = (value), .words = (list)), where, help)
/* Directives that are also allowed in <EsignSMSGateway>. */
#define GATEWAY_SECONDS(directive, member, value, low, high, help)                                 \
    ONE(directive, SERVER, help, DURATION, member, .preset = (value), .min = (low), .max = (high), \
        .gateway = 1)
#define GATEWAY_STRING(directive, member, value, judge, help) \
    ONE(directive, SERVER, help, TEXT, member, .text = (value), .check = (judge), .gateway = 1)
#define GATEWAY_LIST(directive, member, judge, help) \
    ONE(directive, SERVER, help, LIST, member, .check = (judge), .gateway = 1)

/* Places: the server configuration, locations, or both. */
#define SERVER RSRC_CONF
#define LOCATION ACCESS_CONF
#define BOTH (RSRC_CONF | ACCESS_CONF)

/* In seconds. */
#define MINUTE 60
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* In the order of the bits ESIGN_CHALLENGE_…. */
static const char *const challenges[] = { "picture", "sound", "work", NULL };

const command_rec esign_config_directives[] = {
    ON_OFF("Esign", enabled, 0, LOCATION, "On: the portal answers in this location"),
    ON_OFF("EsignSession", session, 0, LOCATION,
           "On: mod_session keeps this location's sessions in memcached, through mod_esign"),
    STRING("EsignPrefix", prefix, ESIGN_DEFAULT_PREFIX, esign_value_check_path, SERVER,
           "the URL path of the portal"),
    STRING("EsignPublicURL", public_url, NULL, esign_value_check_origin, SERVER,
           "scheme, host and port of the portal as browsers use them: https://portal.example.org"),
    STRING("EsignOrganization", organization, NULL, esign_value_check_line, SERVER,
           "the authority's name on pages and messages"),
    STRING("EsignHomeURL", home_url, "/", esign_value_check_link, BOTH,
           "URL or path of the authority's home page"),
    STRING("EsignHtdocs", htdocs, ESIGN_DEFAULT_HTDOCS, esign_value_check_file, SERVER,
           "folder with xsl/ and the message catalogues"),
    STRING("EsignTheme", theme, NULL, esign_value_check_file, SERVER,
           "folder whose stylesheets, texts, CSS and logo replace those of EsignHtdocs"),
    ON_OFF("EsignThemeReload", theme_reload, 0, SERVER,
           "On, for theme authors: reads stylesheets and texts again at each request"),
    ON_OFF("EsignRequireTLS", require_tls, 1, BOTH,
           "Off: also answers plain HTTP; only behind a proxy that terminates TLS"),
    STRING("EsignCertificateURL", certificate_url, NULL, esign_value_check_link, BOTH,
           "URL or path of sign-in with the card; pages show the link when it is set"),
    AP_INIT_TAKE2("EsignMenuLink", esign_config_set_pair,
                  SETTING(LIST, menu_links, .check = esign_value_check_link), BOTH,
                  "label and URL of another link on the operations menu; may be repeated"),

    STRING("EsignKeyFile", key_file, NULL, esign_value_check_file, SERVER,
           "key file, made by `esignctl key new`"),
    STRING("EsignMemcached", memcached, NULL, esign_value_check_memcached, SERVER,
           "libmemcached configuration string"),
    COUNT("EsignMemcachedConnections", memcached_connections, 0, 0, 1024, SERVER,
          "connections that a child opens at most; 0: one for each thread"),
    STRING("EsignAuditLog", audit_log, "off", esign_value_check_audit_log, SERVER,
           "destination of a copy of the audit trail: off, syslog[:FACILITY] or \"|PROGRAM …\""),

    STRING("EsignIdentityNumber", identity_number, ESIGN_DEFAULT_IDENTITY_NUMBER,
           esign_value_check_identity_number, SERVER,
           "scheme of identity numbers: tckn, or digits:MIN-MAX"),
    STRING("EsignWordBlocklist", word_blocklist, ESIGN_DEFAULT_BLOCKLIST, esign_value_check_file,
           SERVER, "file of words that nobody may choose, one a line"),
    COUNT("EsignHashMemory", hash_memory, ESIGN_HASH_MEMORY_MIN, ESIGN_HASH_MEMORY_MIN,
          ESIGN_HASH_MEMORY_MAX, SERVER, "Argon2id memory in KiB"),
    COUNT("EsignHashPasses", hash_passes, ESIGN_HASH_PASSES_MIN, ESIGN_HASH_PASSES_MIN,
          ESIGN_HASH_PASSES_MAX, SERVER, "Argon2id passes"),
    COUNT("EsignHashSlots", hash_slots, 2, 1, 256, SERVER,
          "hashes that may run at once on this node"),
    COUNT("EsignHashQueue", hash_queue, 64, 1, 1024, SERVER,
          "requests that may wait for a slot; more are refused"),
    SECONDS("EsignHashPatience", hash_patience, 10, 1, 60, SERVER, "longest wait for a slot"),

    SECONDS("EsignLinkLife", link_life, 30 * MINUTE, 5 * MINUTE, 24 * HOUR, SERVER,
            "lifetime of a mailed link"),
    COUNT("EsignCodeDigits", code_digits, 6, 6, 10, SERVER, "digits of the SMS code"),
    SECONDS("EsignCodeLife", code_life, 3 * MINUTE, MINUTE, 10 * MINUTE, SERVER,
            "lifetime of the SMS code"),
    SECONDS("EsignSMSPause", sms_pause, 60, 60, HOUR, SERVER,
            "shortest time between two SMS to a subscriber"),
    COUNT("EsignSMSPerDay", sms_per_day, 5, 1, 20, SERVER, "SMS to a subscriber in a day, at most"),
    COUNT("EsignMailsPerDay", mails_per_day, 10, 1, 100, SERVER,
          "reset mails to a subscriber in a day; after them one in half of EsignLinkLife"),
    COUNT("EsignSMSPerMinute", sms_per_minute, 3000, 0, 1000000, SERVER,
          "SMS that all nodes together send in a minute, at most; 0: no limit"),
    COUNT("EsignMailsPerMinute", mails_per_minute, 3000, 0, 1000000, SERVER,
          "mails that all nodes together send in a minute, at most; 0: no limit"),
    SECONDS("EsignOutboxKeep", outbox_keep, 90 * DAY, DAY, 3650 * DAY, SERVER,
            "time that an abandoned message stays in the outbox"),
    SECONDS("EsignSessionIdle", session_idle, 10 * MINUTE, MINUTE, HOUR, BOTH,
            "a session ends this long after its last request"),
    SECONDS("EsignSessionLife", session_life, HOUR, 5 * MINUTE, 24 * HOUR, BOTH,
            "a session ends this long after sign-in"),
    SECONDS("EsignPINShown", pin_shown, 60, 10, 5 * MINUTE, BOTH,
            "time after which the browser leaves the PIN page"),
    CHOOSE("EsignChallenge", challenge,
           ESIGN_CHALLENGE_PICTURE | ESIGN_CHALLENGE_SOUND | ESIGN_CHALLENGE_WORK, challenges,
           SERVER, "challenges against programs: one or more of picture, sound, work"),
    COUNT("EsignWorkNumber", work_number, 8000000, 10000, 100000000, SERVER,
          "highest number that a proof of work can have"),
    COUNT("EsignAddressFailures", address_failures, 300, 5, 100000, SERVER,
          "failed sign-ins from one address in the window, at most"),
    COUNT("EsignAddressRequests", address_requests, 300, 5, 100000, SERVER,
          "reset requests from one address in the window, at most"),
    SECONDS("EsignAddressWindow", address_window, 15 * MINUTE, MINUTE, 24 * HOUR, SERVER,
            "length of the sliding window of the two limits above"),

    STRING("EsignMail", mail_url, NULL, NULL, SERVER,
           "mail server: smtp://host[:port], smtps://host[:port], or sendmail:[/path]"),
    STRING("EsignMailFrom", mail_from, NULL, esign_value_check_email, SERVER, "sender's address"),
    STRING("EsignMailReplyTo", mail_reply_to, NULL, esign_value_check_email, SERVER,
           "Reply-To address"),
    ON_OFF("EsignMailTLS", mail_tls, 1, SERVER, "Off: also sends mail without STARTTLS"),
    STRING("EsignMailUser", mail_user, NULL, esign_value_check_line, SERVER,
           "user name for SMTP AUTH"),
    STRING("EsignMailPasswordFile", mail_password_file, NULL, esign_value_check_file, SERVER,
           "file with the password for SMTP AUTH"),
    STRING("EsignMailCAFile", mail_ca_file, NULL, esign_value_check_file, SERVER,
           "CA certificates to verify the SMTP server's with"),
    COUNT("EsignMailConnections", mail_connections, 4, 1, 64, SERVER,
          "mails that are sent at the same time, at most"),
    STRING("EsignSMSName", sms_name, NULL, esign_value_check_line, SERVER,
           "the authority's name in SMS, if EsignOrganization is too long for one message"),
    AP_INIT_RAW_ARGS("<EsignSMSGateway", esign_config_set_gateway, SETTING(SECTIONS, sms_gateways),
                     SERVER, "name of one of several SMS gateways; they are used in their order"),
    GATEWAY_STRING("EsignSMSURL", sms_url, NULL, NULL,
                   "URL of the SMS gateway; {number}, {digits}, {text}, {secret}, {basic}, "
                   "{report} are replaced"),
    GATEWAY_STRING("EsignSMSMethod", sms_method, "POST", esign_value_check_method, "GET or POST"),
    GATEWAY_LIST("EsignSMSHeader", sms_headers, esign_value_check_header,
                 "a request header, \"Name: value\"; may be repeated"),
    GATEWAY_STRING("EsignSMSBody", sms_body, NULL, NULL,
                   "request body, with the placeholders of EsignSMSURL"),
    GATEWAY_STRING("EsignSMSSecretFile", sms_secret_file, NULL, esign_value_check_file,
                   "file with the value of {secret}; it holds user:password if {basic} is used"),
    GATEWAY_STRING("EsignSMSCAFile", sms_ca_file, NULL, esign_value_check_file,
                   "CA certificates to verify the gateway's with"),
    GATEWAY_STRING(
        "EsignSMSAccepted", sms_accepted, NULL, esign_value_check_pattern,
        "regular expression that the answer matches if the gateway accepted the message"),
    GATEWAY_STRING("EsignSMSDelivered", sms_delivered, NULL, esign_value_check_pattern,
                   "regular expression that the report of a delivered message matches"),
    GATEWAY_STRING("EsignSMSUndelivered", sms_undelivered, NULL, esign_value_check_pattern,
                   "regular expression that the report of an undeliverable message matches"),
    GATEWAY_STRING("EsignSMSReportURL", sms_report_url, NULL, esign_value_check_http,
                   "URL at which the gateway reaches the portal's report/, if not EsignPublicURL"),
    GATEWAY_SECONDS("EsignSMSReportWait", sms_report_wait, 30, 5, 10 * MINUTE,
                    "time without a report after which the next gateway is tried"),
    COUNT("EsignSMSConnections", sms_connections, 4, 1, 64, SERVER,
          "SMS that are sent at the same time, at most"),
    GATEWAY_SECONDS("EsignDeliveryTimeout", delivery_timeout, 20, 1, 10 * MINUTE,
                    "longest time that sending one mail or SMS may take"),
    { NULL }
};

_Static_assert(sizeof(esign_config_directives) / sizeof(*esign_config_directives) <=
                   ESIGN_DIRECTIVES_MAX,
               "ESIGN_DIRECTIVES_MAX is too small");
