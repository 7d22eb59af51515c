/* SPDX-License-Identifier: Apache-2.0 */
/* config.c: the table of directives, and the one setter, default and merge that work on all of
 * them. */
#include "config.h"

#include "value.h"

#include "deliver/gateway.h"

#include <http_core.h>
#include <http_log.h>

#include <apr_cstr.h>
#include <apr_strings.h>

#include <stddef.h>

extern module AP_MODULE_DECLARE_DATA esign_module;
APLOG_USE_MODULE(esign);

typedef enum { SWITCH, NUMBER, DURATION, TEXT, LIST, CHOICE, SECTIONS } kind_e;

/* What a directive's row knows beside its name. */
typedef struct {
    kind_e kind;
    size_t offset; /* of its member in esign_config_t */
    apr_int64_t
        otherwise;        /* default of a flag or number; seconds of a duration; bits of a choice */
    apr_int64_t min, max; /* of a number; seconds of a duration */
    const char *text;     /* default of a text */
    esign_config_check_fn *check;
    const char *const *words; /* of a choice, one a bit from the lowest; ended by NULL */
    int gateway;              /* 1: may stand in <EsignSMSGateway>, and holds for one gateway */
} setting_t;

static const char *set_value(cmd_parms *cmd, void *location, const char *value, const char *second);
static const char *set_one(cmd_parms *cmd, void *location, const char *value);
static const char *set_flag(cmd_parms *cmd, void *location, int on);
static const char *set_choice(cmd_parms *cmd, void *location, int count, char *const words[]);
static const char *set_gateway(cmd_parms *cmd, void *location, const char *line);
static esign_config_t *create(apr_pool_t *p);

#define SETTING(...) ((void *)&(const setting_t){ __VA_ARGS__ })
#define MEMBER(name) .offset = offsetof(esign_config_t, name)
#define ON_OFF(directive, name, preset, where, help) \
    AP_INIT_FLAG(directive, set_flag,                \
                 SETTING(SWITCH, MEMBER(name), .otherwise = preset, .max = 1), where, help)
#define COUNT(directive, name, preset, least, most, where, help)                                 \
    AP_INIT_TAKE1(directive, set_one,                                                            \
                  SETTING(NUMBER, MEMBER(name), .otherwise = preset, .min = least, .max = most), \
                  where, help)
#define SECONDS(directive, name, preset, least, most, where, help)                                 \
    AP_INIT_TAKE1(directive, set_one,                                                              \
                  SETTING(DURATION, MEMBER(name), .otherwise = preset, .min = least, .max = most), \
                  where, help)
#define STRING(directive, name, preset, judge, where, help)                                        \
    AP_INIT_TAKE1(directive, set_one, SETTING(TEXT, MEMBER(name), .text = preset, .check = judge), \
                  where, help)
/* Of an SMS gateway. */
#define GATEWAY_STRING(directive, name, preset, judge, help)                                 \
    AP_INIT_TAKE1(directive, set_one,                                                        \
                  SETTING(TEXT, MEMBER(name), .text = preset, .check = judge, .gateway = 1), \
                  SERVER, help)
#define GATEWAY_SECONDS(directive, name, preset, least, most, help)                               \
    AP_INIT_TAKE1(directive, set_one,                                                             \
                  SETTING(DURATION, MEMBER(name), .otherwise = preset, .min = least, .max = most, \
                          .gateway = 1),                                                          \
                  SERVER, help)
#define CHOOSE(directive, name, preset, list, where, help)                                      \
    AP_INIT_TAKE_ARGV(directive, set_choice,                                                    \
                      SETTING(CHOICE, MEMBER(name), .otherwise = preset, .words = list), where, \
                      help)

#define SERVER RSRC_CONF
#define LOCATION ACCESS_CONF
#define BOTH (RSRC_CONF | ACCESS_CONF)

#define MINUTE 60
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static const char *const challenges[] = { "picture", "sound", "work", NULL };

const command_rec esign_config_directives[] = {
    ON_OFF("Esign", enabled, 0, LOCATION, "On: the portal answers in this location"),
    ON_OFF("EsignSession", session, 0, LOCATION,
           "On: mod_session keeps this location's sessions in memcached, through mod_esign"),
    STRING("EsignPrefix", prefix, "/esign", esign_config_check_path, SERVER,
           "the URL path below which the portal stands"),
    STRING("EsignPublicURL", public_url, NULL, esign_config_check_origin, SERVER,
           "scheme, host and port as people reach them: https://portal.example.org"),
    STRING("EsignOrganization", organization, NULL, esign_config_check_line, SERVER,
           "the authority's name on pages and messages"),
    STRING("EsignHomeURL", home_url, "/", esign_config_check_link, BOTH,
           "where the authority's home page is"),
    STRING("EsignHtdocs", htdocs, ESIGN_HTDOCS, esign_config_check_file, SERVER,
           "folder with xsl/ and the message catalogues"),
    STRING("EsignTheme", theme, NULL, esign_config_check_file, SERVER,
           "folder whose stylesheets, texts, CSS and logo stand before those of EsignHtdocs"),
    ON_OFF("EsignThemeReload", theme_reload, 0, SERVER,
           "On, for theme authors: stylesheets and texts are read anew at each request"),
    ON_OFF("EsignRequireTLS", require_tls, 1, BOTH, "Off only behind a proxy that ends TLS"),
    STRING("EsignCertificateURL", certificate_url, NULL, esign_config_check_link, BOTH,
           "where sign-in with the card stands; its link is shown when this is set"),
    AP_INIT_TAKE2("EsignMenuLink", set_value,
                  SETTING(LIST, MEMBER(menu_links), .check = esign_config_check_link), BOTH,
                  "label and URL of a further link on the operations menu"),

    STRING("EsignKeyFile", key_file, NULL, esign_config_check_file, SERVER,
           "the key file that esignctl key new made"),
    STRING("EsignMemcached", memcached, NULL, esign_config_check_memcached, SERVER,
           "libmemcached configuration string"),
    COUNT("EsignMemcachedConnections", memcached_connections, 0, 0, 1024, SERVER,
          "connections of a child at most; 0: one a thread"),
    STRING("EsignAuditLog", audit_log, "off", esign_config_check_audit_log, SERVER,
           "where a copy of the audit trail goes: off, syslog[:FACILITY] or \"|PROGRAM …\""),

    STRING("EsignIdentityNumber", identity_number, "tckn", esign_config_check_identity_number,
           SERVER, "tckn, or digits:MIN-MAX"),
    STRING("EsignWordBlocklist", word_blocklist, ESIGN_BLOCKLIST, esign_config_check_file, SERVER,
           "file of refused words, one a line"),
    COUNT("EsignHashMemory", hash_memory, 19456, 19456, 1048576, SERVER, "Argon2id memory in KiB"),
    COUNT("EsignHashPasses", hash_passes, 2, 2, 16, SERVER, "Argon2id passes"),
    COUNT("EsignHashSlots", hash_slots, 2, 1, 256, SERVER, "hashes at once on this node"),
    COUNT("EsignHashQueue", hash_queue, 64, 1, 1024, SERVER, "requests that may wait for a hash"),
    SECONDS("EsignHashPatience", hash_patience, 10, 1, 60, SERVER, "longest wait for a hash"),

    SECONDS("EsignLinkLife", link_life, 30 * MINUTE, 5 * MINUTE, 24 * HOUR, SERVER,
            "life of a mailed link"),
    COUNT("EsignCodeDigits", code_digits, 6, 6, 10, SERVER, "digits of the SMS code"),
    SECONDS("EsignCodeLife", code_life, 3 * MINUTE, MINUTE, 10 * MINUTE, SERVER,
            "life of the SMS code"),
    SECONDS("EsignSMSPause", sms_pause, 60, 60, HOUR, SERVER,
            "pause between two SMS to a subscriber"),
    COUNT("EsignSMSPerDay", sms_per_day, 5, 1, 20, SERVER, "SMS to a subscriber in a day"),
    COUNT("EsignMailsPerDay", mails_per_day, 10, 1, 100, SERVER,
          "reset mails to a subscriber in a day; beyond them one in half a link's life"),
    COUNT("EsignSMSPerMinute", sms_per_minute, 3000, 0, 1000000, SERVER,
          "SMS of the portal in a minute, over all nodes; 0: no ceiling"),
    COUNT("EsignMailsPerMinute", mails_per_minute, 3000, 0, 1000000, SERVER,
          "mails of the portal in a minute, over all nodes; 0: no ceiling"),
    SECONDS("EsignOutboxKeep", outbox_keep, 90 * DAY, DAY, 3650 * DAY, SERVER,
            "how long a message that was given up stays in the outbox"),
    SECONDS("EsignSessionIdle", session_idle, 10 * MINUTE, MINUTE, HOUR, BOTH,
            "a session ends this long after the last request"),
    SECONDS("EsignSessionLife", session_life, HOUR, 5 * MINUTE, 24 * HOUR, BOTH,
            "a session ends this long after sign-in"),
    SECONDS("EsignPINShown", pin_shown, 60, 10, 5 * MINUTE, BOTH,
            "the PIN page leaves the screen after this"),
    CHOOSE("EsignChallenge", challenge,
           ESIGN_CHALLENGE_PICTURE | ESIGN_CHALLENGE_SOUND | ESIGN_CHALLENGE_WORK, challenges,
           SERVER, "one or more of picture, sound, work: ways to show that a person is there"),
    COUNT("EsignWorkNumber", work_number, 8000000, 10000, 100000000, SERVER,
          "highest number that the proof of work looks for"),
    COUNT("EsignAddressFailures", address_failures, 300, 5, 100000, SERVER,
          "failed sign-ins from an address in the window"),
    COUNT("EsignAddressRequests", address_requests, 300, 5, 100000, SERVER,
          "reset requests from an address in the window"),
    SECONDS("EsignAddressWindow", address_window, 15 * MINUTE, MINUTE, 24 * HOUR, SERVER,
            "the sliding window of both"),

    STRING("EsignMail", mail_url, NULL, NULL, SERVER,
           "mail server: smtp://host[:port], smtps://host[:port], or sendmail:[/path]"),
    STRING("EsignMailFrom", mail_from, NULL, esign_config_check_email, SERVER, "sender address"),
    STRING("EsignMailReplyTo", mail_reply_to, NULL, esign_config_check_email, SERVER,
           "Reply-To address"),
    ON_OFF("EsignMailTLS", mail_tls, 1, SERVER, "Off: mail also goes without STARTTLS"),
    STRING("EsignMailUser", mail_user, NULL, esign_config_check_line, SERVER,
           "user name for SMTP AUTH"),
    STRING("EsignMailPasswordFile", mail_password_file, NULL, esign_config_check_file, SERVER,
           "file with the password for SMTP AUTH"),
    STRING("EsignMailCAFile", mail_ca_file, NULL, esign_config_check_file, SERVER,
           "certificates that the SMTP server's is checked against"),
    COUNT("EsignMailConnections", mail_connections, 4, 1, 64, SERVER, "mails under way at once"),
    STRING("EsignSMSName", sms_name, NULL, esign_config_check_line, SERVER,
           "the authority's name in an SMS, where EsignOrganization is too long for one message"),
    AP_INIT_RAW_ARGS("<EsignSMSGateway", set_gateway, SETTING(SECTIONS, MEMBER(sms_gateways)),
                     SERVER, "one of several SMS gateways, in their order: its name"),
    GATEWAY_STRING("EsignSMSURL", sms_url, NULL, NULL,
                   "URL of the SMS gateway; {number}, {digits}, {text}, {secret}, {basic}, "
                   "{report} are filled in"),
    GATEWAY_STRING("EsignSMSMethod", sms_method, "POST", esign_config_check_method, "GET or POST"),
    AP_INIT_TAKE1(
        "EsignSMSHeader", set_one,
        SETTING(LIST, MEMBER(sms_headers), .check = esign_config_check_header, .gateway = 1),
        SERVER, "a request header, \"Name: value\""),
    GATEWAY_STRING("EsignSMSBody", sms_body, NULL, NULL, "request body; the same are filled in"),
    GATEWAY_STRING("EsignSMSSecretFile", sms_secret_file, NULL, esign_config_check_file,
                   "file with what {secret} stands for; user:password where {basic} is used"),
    GATEWAY_STRING("EsignSMSCAFile", sms_ca_file, NULL, esign_config_check_file,
                   "certificates that the gateway's is checked against"),
    GATEWAY_STRING("EsignSMSAccepted", sms_accepted, NULL, esign_config_check_pattern,
                   "pattern that the text of the gateway's answer shows when it took the message"),
    GATEWAY_STRING("EsignSMSDelivered", sms_delivered, NULL, esign_config_check_pattern,
                   "pattern that a report of a delivered message shows"),
    GATEWAY_STRING("EsignSMSUndelivered", sms_undelivered, NULL, esign_config_check_pattern,
                   "pattern that a report of a message that will not be delivered shows"),
    GATEWAY_STRING("EsignSMSReportURL", sms_report_url, NULL, esign_config_check_http,
                   "where the gateway reaches the portal's report/, when not at EsignPublicURL"),
    GATEWAY_SECONDS("EsignSMSReportWait", sms_report_wait, 30, 5, 10 * MINUTE,
                    "without a report the next gateway is tried after this"),
    COUNT("EsignSMSConnections", sms_connections, 4, 1, 64, SERVER, "SMS under way at once"),
    GATEWAY_SECONDS("EsignDeliveryTimeout", delivery_timeout, 20, 1, 10 * MINUTE,
                    "longest time for one mail or SMS"),
    { NULL }
};

_Static_assert(sizeof(esign_config_directives) / sizeof(*esign_config_directives) <=
                   ESIGN_DIRECTIVES_MAX,
               "ESIGN_DIRECTIVES_MAX is too small");

static const setting_t *setting_of(const command_rec *directive)
{
    return directive->cmd_data;
}

static size_t size_of(kind_e kind)
{
    switch (kind) {
    case SWITCH:
    case NUMBER:
    case CHOICE:
        return sizeof(int);
    case DURATION:
        return sizeof(apr_interval_time_t);
    default:
        return sizeof(void *);
    }
}

static void *member(const esign_config_t *config, const setting_t *setting)
{
    return (char *)config + setting->offset;
}

/* Whether this configuration has a directive of ours anywhere. */
static int spoken;

/* The record that a directive writes to, with its set flag raised. */
static esign_config_t *record_of(cmd_parms *cmd, void *location)
{
    spoken = 1;
    esign_config_t *config = cmd->path != NULL
                                 ? location
                                 : ap_get_module_config(cmd->server->module_config, &esign_module);
    config->set[cmd->cmd - esign_config_directives] = 1;
    return config;
}

static const char *set_flag(cmd_parms *cmd, void *location, int on)
{
    *(int *)member(record_of(cmd, location), setting_of(cmd->cmd)) = on;
    return NULL;
}

/* A plain number, or with s, min, h, d for a duration; the result in the setting's unit (seconds).
 */
static const char *set_number(cmd_parms *cmd, void *location, const char *value)
{
    const setting_t *setting = setting_of(cmd->cmd);
    char *end;
    apr_int64_t number = apr_strtoi64(value, &end, 10), unit = 1;
    if (setting->kind == DURATION && end != value) {
        unit = *end == '\0' || strcmp(end, "s") == 0 ? 1
               : strcmp(end, "min") == 0             ? MINUTE
               : strcmp(end, "h") == 0               ? HOUR
               : strcmp(end, "d") == 0               ? DAY
                                                     : 0;
        end = unit ? end + strlen(end) : end;
    }
    if (end == value || *end != '\0' || number < 0 || number > APR_INT32_MAX)
        return apr_psprintf(
            cmd->pool, "%s: '%s' is not a number%s", cmd->cmd->name, value,
            setting->kind == DURATION ? " of seconds (or with s, min, h or d behind it)" : "");
    number *= unit;
    if (number < setting->min || number > setting->max)
        return apr_psprintf(cmd->pool,
                            "%s: %s is out of bounds: write a value from %" APR_INT64_T_FMT
                            " to %" APR_INT64_T_FMT "%s",
                            cmd->cmd->name, value, setting->min, setting->max,
                            setting->kind == DURATION ? " seconds" : "");
    void *place = member(record_of(cmd, location), setting);
    if (setting->kind == DURATION)
        *(apr_interval_time_t *)place = apr_time_from_sec(number);
    else
        *(int *)place = (int)number;
    return NULL;
}

static const char *set_value(cmd_parms *cmd, void *location, const char *value, const char *second)
{
    const setting_t *setting = setting_of(cmd->cmd);
    if (setting->kind == NUMBER || setting->kind == DURATION)
        return set_number(cmd, location, value);
    const char *text = second ? second : value;
    const char *refusal = setting->check ? setting->check(cmd->pool, &text) : NULL;
    if (refusal)
        return apr_psprintf(cmd->pool, "%s: %s", cmd->cmd->name, refusal);
    void *place = member(record_of(cmd, location), setting);
    if (setting->kind == TEXT) {
        *(const char **)place = text;
        return NULL;
    }
    apr_array_header_t **list = place;
    if (!*list)
        *list = apr_array_make(cmd->pool, 4, sizeof(const char *));
    if (second)
        APR_ARRAY_PUSH(*list, const char *) = value;
    APR_ARRAY_PUSH(*list, const char *) = text;
    return NULL;
}

static const char *set_one(cmd_parms *cmd, void *location, const char *value)
{
    return set_value(cmd, location, value, NULL);
}

/* The bit that a word chooses; 0 for none, with all words in `*known`. */
static int bit_of(apr_pool_t *p, const setting_t *setting, const char *word, const char **known)
{
    *known = setting->words[0];
    for (int bit = 0; setting->words[bit]; bit++) {
        if (word && strcmp(word, setting->words[bit]) == 0)
            return 1 << bit;
        if (bit > 0)
            *known = apr_pstrcat(p, *known, ", ", setting->words[bit], NULL);
    }
    return 0;
}

static const char *set_choice(cmd_parms *cmd, void *location, int count, char *const words[])
{
    const setting_t *setting = setting_of(cmd->cmd);
    const char *known;
    int chosen = 0;
    for (int i = 0; i < count || !chosen; i++) {
        int bit = bit_of(cmd->pool, setting, i < count ? words[i] : NULL, &known);
        if (!bit)
            return i < count ? apr_psprintf(cmd->pool, "%s: '%s' is none of %s", cmd->cmd->name,
                                            words[i], known)
                             : apr_psprintf(cmd->pool, "%s: write one or more of %s",
                                            cmd->cmd->name, known);
        chosen |= bit;
    }
    *(int *)member(record_of(cmd, location), setting) = chosen;
    return NULL;
}

/* The first directive of a section that has no place there; NULL: there is none. */
static const char *stranger(const ap_directive_t *first)
{
    for (; first; first = first->next) {
        const command_rec *d = esign_config_directives;
        while (d->name &&
               (!setting_of(d)->gateway || apr_cstr_casecmp(d->name, first->directive) != 0))
            d++;
        if (!d->name)
            return first->directive;
    }
    return NULL;
}

/* A section is a record of its own, of which esign_config_gateways knows what was set. Its
 * directives find it as those of a location do. */
static const char *set_gateway(cmd_parms *cmd, void *location, const char *line)
{
    const char *end = strrchr(line, '>'), *outer = cmd->path;
    const char *text = end ? apr_pstrmemdup(cmd->pool, line, (apr_size_t)(end - line)) : line;
    const char *name = ap_getword_conf(cmd->pool, &text),
               *alien = stranger(cmd->directive->first_child);
    if (!end || !*name || *text || esign_config_check_line(cmd->pool, &name))
        return "<EsignSMSGateway>: write one name, as in <EsignSMSGateway first>";
    if (alien)
        return apr_psprintf(cmd->pool,
                            "<EsignSMSGateway %s>: %s cannot stand there: write it outside", name,
                            alien);
    apr_array_header_t **gateways =
        (apr_array_header_t **)member(record_of(cmd, location), setting_of(cmd->cmd));
    if (!*gateways)
        *gateways = apr_array_make(cmd->pool, 2, sizeof(const esign_config_t *));
    for (int i = 0; i < (*gateways)->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(*gateways, i, const esign_config_t *)->gateway_name, name) == 0)
            return apr_psprintf(cmd->pool, "<EsignSMSGateway %s> stands twice: write another name",
                                name);
    if ((*gateways)->nelts == ESIGN_GATEWAYS_MAX)
        return apr_psprintf(cmd->pool, "<EsignSMSGateway %s> is one too many: write %d at most",
                            name, ESIGN_GATEWAYS_MAX);
    ap_conf_vector_t *section = ap_create_per_dir_config(cmd->pool);
    esign_config_t *gateway = create(cmd->pool);
    ap_set_module_config(section, &esign_module, gateway);
    gateway->gateway_name = name;
    cmd->path = (char *)name;
    const char *refusal = ap_walk_config(cmd->directive->first_child, cmd, section);
    cmd->path = (char *)outer;
    APR_ARRAY_PUSH(*gateways, const esign_config_t *) = gateway;
    return refusal;
}

static esign_config_t *create(apr_pool_t *p)
{
    esign_config_t *config = apr_pcalloc(p, sizeof(*config));
    for (const command_rec *d = esign_config_directives; d->name; d++) {
        const setting_t *setting = setting_of(d);
        void *place = member(config, setting);
        if (setting->kind == DURATION)
            *(apr_interval_time_t *)place = apr_time_from_sec(setting->otherwise);
        else if (setting->kind == TEXT)
            *(const char **)place = setting->text;
        else if (setting->kind != LIST && setting->kind != SECTIONS)
            *(int *)place = (int)setting->otherwise;
    }
    return config;
}

/* `over` where it was set, `base` elsewhere. A list that was set replaces the whole list. */
static esign_config_t *merge(apr_pool_t *p, const esign_config_t *base, const esign_config_t *over)
{
    esign_config_t *config = apr_pmemdup(p, base, sizeof(*base));
    for (const command_rec *d = esign_config_directives; d->name; d++) {
        size_t i = (size_t)(d - esign_config_directives);
        const setting_t *setting = setting_of(d);
        if (over->set[i])
            memcpy(member(config, setting), member(over, setting), size_of(setting->kind));
        config->set[i] = base->set[i] || over->set[i];
    }
    return config;
}

void *esign_config_create_server(apr_pool_t *p, server_rec *server)
{
    /* The main server's is the first of a configuration. */
    if (!server->is_virtual)
        spoken = 0;
    return create(p);
}

void *esign_config_create_location(apr_pool_t *p, char *path)
{
    (void)path;
    return create(p);
}

void *esign_config_merge_server(apr_pool_t *p, void *base, void *over)
{
    return merge(p, base, over);
}

void *esign_config_merge_location(apr_pool_t *p, void *base, void *over)
{
    return merge(p, base, over);
}

const esign_config_t *esign_config_of_server(const server_rec *server)
{
    return ap_get_module_config(server->module_config, &esign_module);
}

const esign_config_t *esign_config_of_request(const request_rec *r)
{
    return merge(r->pool, esign_config_of_server(r->server),
                 ap_get_module_config(r->per_dir_config, &esign_module));
}

apr_array_header_t *esign_config_gateways(apr_pool_t *p, const esign_config_t *config)
{
    apr_array_header_t *gateways = apr_array_make(p, 2, sizeof(const esign_config_t *));
    for (int i = 0; config->sms_gateways && i < config->sms_gateways->nelts; i++) {
        const esign_config_t *section =
            APR_ARRAY_IDX(config->sms_gateways, i, const esign_config_t *);
        esign_config_t *gateway = merge(p, config, section);
        gateway->gateway_name = section->gateway_name;
        APR_ARRAY_PUSH(gateways, const esign_config_t *) = gateway;
    }
    if (gateways->nelts == 0)
        APR_ARRAY_PUSH(gateways, const esign_config_t *) = config;
    return gateways;
}

int esign_config_is_portal(const esign_config_t *config)
{
    return config->public_url != NULL;
}

static void dump_one(apr_file_t *out, const command_rec *directive, const esign_config_t *config)
{
    const setting_t *setting = setting_of(directive);
    const void *place = member(config, setting);
    switch (setting->kind) {
    case SWITCH:
        apr_file_printf(out, "    %s %s\n", directive->name, *(const int *)place ? "On" : "Off");
        break;
    case NUMBER:
        apr_file_printf(out, "    %s %d\n", directive->name, *(const int *)place);
        break;
    case DURATION:
        apr_file_printf(out, "    %s %" APR_INT64_T_FMT "\n", directive->name,
                        apr_time_sec(*(const apr_interval_time_t *)place));
        break;
    case TEXT:
        apr_file_printf(out, "    %s \"%s\"\n", directive->name,
                        *(const char *const *)place ? *(const char *const *)place : "");
        break;
    case CHOICE:
        apr_file_printf(out, "    %s", directive->name);
        for (int bit = 0; setting->words[bit]; bit++)
            if (*(const int *)place & 1 << bit)
                apr_file_printf(out, " %s", setting->words[bit]);
        apr_file_printf(out, "\n");
        break;
    case LIST: {
        const apr_array_header_t *list = *(apr_array_header_t *const *)place;
        apr_file_printf(out, "    %s", directive->name);
        for (int i = 0; list && i < list->nelts; i++)
            apr_file_printf(out, " \"%s\"", APR_ARRAY_IDX(list, i, const char *));
        apr_file_printf(out, "\n");
        break;
    }
    case SECTIONS:
        break;
    }
}

/* Each gateway with what holds for it. */
static void dump_gateways(apr_pool_t *p, apr_file_t *out, const esign_config_t *config,
                          const char *server)
{
    const apr_array_header_t *gateways = esign_config_gateways(p, config);
    for (int i = 0; config->sms_gateways && i < gateways->nelts; i++) {
        const esign_config_t *gateway = APR_ARRAY_IDX(gateways, i, const esign_config_t *);
        apr_file_printf(out, "mod_esign SMS gateway %s in %s\n", gateway->gateway_name, server);
        for (const command_rec *d = esign_config_directives; d->name; d++)
            if (setting_of(d)->gateway)
                dump_one(out, d, gateway);
    }
}

static void dump(apr_pool_t *p, server_rec *server)
{
    apr_file_t *out;
    if (!ap_exists_config_define("DUMP_ESIGN") || apr_file_open_stdout(&out, p) != APR_SUCCESS)
        return;
    for (server_rec *s = server; s; s = s->next) {
        const char *name = apr_psprintf(
            p, "%s:%d", s->server_hostname ? s->server_hostname : "the main server", s->port);
        apr_file_printf(out, "mod_esign in %s\n", name);
        for (const command_rec *d = esign_config_directives; d->name; d++)
            dump_one(out, d, esign_config_of_server(s));
        dump_gateways(p, out, esign_config_of_server(s), name);
    }
}

static int check(apr_pool_t *p, apr_pool_t *log, apr_pool_t *temporary, server_rec *server)
{
    int portals = 0;
    (void)p, (void)log;
    for (server_rec *s = server; s; s = s->next) {
        const esign_config_t *config = esign_config_of_server(s);
        int portal = esign_config_is_portal(config);
        const char *refusal = portal ? esign_config_check_all(temporary, config) : NULL;
        portals += portal;
        if (!portal && spoken && !portals && !s->next)
            refusal = "EsignPublicURL is missing: write the address as people reach the portal, "
                      "for example https://portal.example.org";
        if (refusal) {
            ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_CRIT, 0, s, "mod_esign, %s: %s",
                         s->is_virtual ? apr_psprintf(temporary, "virtual host %s",
                                                      s->server_hostname ? s->server_hostname
                                                                         : "without a name")
                                       : "main server",
                         refusal);
            return HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    return OK;
}

void esign_config_register_hooks(apr_pool_t *p)
{
    (void)p;
    ap_hook_check_config(check, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_test_config(dump, NULL, NULL, APR_HOOK_MIDDLE);
}
