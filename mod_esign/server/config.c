/* SPDX-License-Identifier: Apache-2.0 */
/* config.c: sets, defaults, merges and prints the values of all directives, as their rows in the
 * table (directives.c) say. */
#include "config.h"

#include "setting.h"
#include "value.h"

#include "deliver/gateway.h"

#include <http_core.h>

#include <apr_cstr.h>
#include <apr_strings.h>

extern module AP_MODULE_DECLARE_DATA esign_module;

/* Whether the configuration contains a directive of mod_esign. */
static int directive_seen;

static const esign_setting_t *setting_of(const command_rec *directive)
{
    return directive->cmd_data;
}

static size_t size_of(esign_setting_e kind)
{
    switch (kind) {
    case ESIGN_SETTING_FLAG:
    case ESIGN_SETTING_NUMBER:
    case ESIGN_SETTING_CHOICE:
        return sizeof(int);
    case ESIGN_SETTING_DURATION:
        return sizeof(apr_interval_time_t);
    default:
        return sizeof(void *);
    }
}

static void *member_of(const esign_config_t *config, const esign_setting_t *setting)
{
    return (char *)config + setting->offset;
}

/* A record with the defaults. */
static esign_config_t *create_config(apr_pool_t *p)
{
    esign_config_t *config = apr_pcalloc(p, sizeof(*config));
    for (const command_rec *d = esign_config_directives; d->name; d++) {
        const esign_setting_t *setting = setting_of(d);
        void *member = member_of(config, setting);
        if (setting->kind == ESIGN_SETTING_DURATION)
            *(apr_interval_time_t *)member = apr_time_from_sec(setting->preset);
        else if (setting->kind == ESIGN_SETTING_TEXT)
            *(const char **)member = setting->text;
        else if (setting->kind != ESIGN_SETTING_LIST && setting->kind != ESIGN_SETTING_SECTIONS)
            *(int *)member = (int)setting->preset;
    }
    return config;
}

/* The values of `over` where they were set, else those of `base`. A list replaces the whole list.
 */
static esign_config_t *merge_configs(apr_pool_t *p, const esign_config_t *base,
                                     const esign_config_t *over)
{
    esign_config_t *config = apr_pmemdup(p, base, sizeof(*base));
    for (const command_rec *d = esign_config_directives; d->name; d++) {
        size_t i = (size_t)(d - esign_config_directives);
        const esign_setting_t *setting = setting_of(d);
        if (over->set[i])
            memcpy(member_of(config, setting), member_of(over, setting), size_of(setting->kind));
        config->set[i] = base->set[i] || over->set[i];
    }
    return config;
}

/* The member that a directive writes, marked as set. cmd->path is NULL outside of sections. */
static void *set_member(cmd_parms *cmd, void *location)
{
    directive_seen = 1;
    esign_config_t *config =
        cmd->path ? location : ap_get_module_config(cmd->server->module_config, &esign_module);
    config->set[cmd->cmd - esign_config_directives] = 1;
    return member_of(config, setting_of(cmd->cmd));
}

const char *esign_config_set_flag(cmd_parms *cmd, void *location, int on)
{
    *(int *)set_member(cmd, location) = on;
    return NULL;
}

/* The seconds in a unit of time; 0: the unit is unknown. */
static apr_int64_t unit_of(const char *name)
{
    static const struct {
        const char *name;
        apr_int64_t seconds;
    } units[] = { { "", 1 }, { "s", 1 }, { "min", 60 }, { "h", 3600 }, { "d", 86400 } };
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
        if (strcmp(name, units[i].name) == 0)
            return units[i].seconds;
    return 0;
}

/* Reads a number, or a duration in seconds or with a unit. */
static const char *set_number(cmd_parms *cmd, void *location, const char *value)
{
    const esign_setting_t *setting = setting_of(cmd->cmd);
    int duration = setting->kind == ESIGN_SETTING_DURATION;
    char *end;
    apr_int64_t number = apr_strtoi64(value, &end, 10);
    apr_int64_t unit = duration ? unit_of(end) : *end == '\0';
    if (end == value || !unit || number < 0 || number > APR_INT32_MAX)
        return apr_psprintf(cmd->pool, "%s: '%s' is not a number%s", cmd->cmd->name, value,
                            duration ? " of seconds (or with s, min, h or d behind it)" : "");
    number *= unit;
    if (number < setting->min || number > setting->max)
        return apr_psprintf(cmd->pool,
                            "%s: %s is out of bounds: write a value from %" APR_INT64_T_FMT
                            " to %" APR_INT64_T_FMT "%s",
                            cmd->cmd->name, value, setting->min, setting->max,
                            duration ? " seconds" : "");
    void *member = set_member(cmd, location);
    if (duration)
        *(apr_interval_time_t *)member = apr_time_from_sec(number);
    else
        *(int *)member = (int)number;
    return NULL;
}

/* Replaces `*value` by its full form. Returns the mistake with the directive's name, or NULL. */
static const char *check_value(cmd_parms *cmd, const char **value)
{
    const esign_setting_t *setting = setting_of(cmd->cmd);
    const char *refusal = setting->check ? setting->check(cmd->pool, value) : NULL;
    return refusal ? apr_psprintf(cmd->pool, "%s: %s", cmd->cmd->name, refusal) : NULL;
}

static apr_array_header_t *set_list(cmd_parms *cmd, void *location)
{
    apr_array_header_t **list = set_member(cmd, location);
    if (!*list)
        *list = apr_array_make(cmd->pool, 4, sizeof(const char *));
    return *list;
}

const char *esign_config_set_one(cmd_parms *cmd, void *location, const char *value)
{
    esign_setting_e kind = setting_of(cmd->cmd)->kind;
    if (kind == ESIGN_SETTING_NUMBER || kind == ESIGN_SETTING_DURATION)
        return set_number(cmd, location, value);
    const char *refusal = check_value(cmd, &value);
    if (refusal)
        return refusal;
    if (kind == ESIGN_SETTING_LIST)
        APR_ARRAY_PUSH(set_list(cmd, location), const char *) = value;
    else
        *(const char **)set_member(cmd, location) = value;
    return NULL;
}

const char *esign_config_set_pair(cmd_parms *cmd, void *location, const char *first,
                                  const char *second)
{
    const char *refusal = check_value(cmd, &second);
    if (refusal)
        return refusal;
    apr_array_header_t *list = set_list(cmd, location);
    APR_ARRAY_PUSH(list, const char *) = first;
    APR_ARRAY_PUSH(list, const char *) = second;
    return NULL;
}

/* The bit of a word; 0: the choice does not have it. */
static int bit_of(const char *const *words, const char *word)
{
    for (int bit = 0; words[bit]; bit++)
        if (strcmp(word, words[bit]) == 0)
            return 1 << bit;
    return 0;
}

/* "picture, sound, work" */
static const char *join_words(apr_pool_t *p, const char *const *words)
{
    const char *all = words[0];
    for (int i = 1; words[i]; i++)
        all = apr_pstrcat(p, all, ", ", words[i], NULL);
    return all;
}

const char *esign_config_set_choice(cmd_parms *cmd, void *location, int count, char *const words[])
{
    const char *const *known = setting_of(cmd->cmd)->words;
    int chosen = 0;
    for (int i = 0; i < count; i++) {
        int bit = bit_of(known, words[i]);
        if (!bit)
            return apr_psprintf(cmd->pool, "%s: '%s' is none of %s", cmd->cmd->name, words[i],
                                join_words(cmd->pool, known));
        chosen |= bit;
    }
    if (!chosen)
        return apr_psprintf(cmd->pool, "%s: write one or more of %s", cmd->cmd->name,
                            join_words(cmd->pool, known));
    *(int *)set_member(cmd, location) = chosen;
    return NULL;
}

/* The first directive that is not allowed in <EsignSMSGateway>; NULL: all are. */
static const char *find_misplaced(const ap_directive_t *first)
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

/* Adds an empty record for a section, or says why it cannot be. */
static const char *add_gateway(cmd_parms *cmd, void *location, const char *name,
                               esign_config_t **gateway)
{
    apr_array_header_t **list = set_member(cmd, location);
    if (!*list)
        *list = apr_array_make(cmd->pool, 2, sizeof(const esign_config_t *));
    for (int i = 0; i < (*list)->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(*list, i, const esign_config_t *)->gateway_name, name) == 0)
            return apr_psprintf(cmd->pool, "<EsignSMSGateway %s> stands twice: write another name",
                                name);
    if ((*list)->nelts == ESIGN_GATEWAYS_MAX)
        return apr_psprintf(cmd->pool, "<EsignSMSGateway %s> is one too many: write %d at most",
                            name, ESIGN_GATEWAYS_MAX);
    *gateway = create_config(cmd->pool);
    (*gateway)->gateway_name = name;
    APR_ARRAY_PUSH(*list, const esign_config_t *) = *gateway;
    return NULL;
}

/* Reads a section into a record of its own. Its directives are walked like those of a location:
 * with a path, and with that record as the location's. */
const char *esign_config_set_gateway(cmd_parms *cmd, void *location, const char *line)
{
    const char *end = strrchr(line, '>');
    const char *text = end ? apr_pstrmemdup(cmd->pool, line, (apr_size_t)(end - line)) : line;
    const char *name = ap_getword_conf(cmd->pool, &text);
    const char *misplaced = find_misplaced(cmd->directive->first_child);
    esign_config_t *gateway = NULL;
    if (!end || !*name || *text || esign_value_check_line(cmd->pool, &name))
        return "<EsignSMSGateway>: write one name, as in <EsignSMSGateway first>";
    if (misplaced)
        return apr_psprintf(cmd->pool,
                            "<EsignSMSGateway %s>: %s cannot stand there: write it outside", name,
                            misplaced);
    const char *refusal = add_gateway(cmd, location, name, &gateway);
    if (refusal)
        return refusal;
    char *outer = cmd->path;
    ap_conf_vector_t *section = ap_create_per_dir_config(cmd->pool);
    ap_set_module_config(section, &esign_module, gateway);
    cmd->path = apr_pstrdup(cmd->pool, name);
    refusal = ap_walk_config(cmd->directive->first_child, cmd, section);
    cmd->path = outer;
    return refusal;
}

void *esign_config_create_server(apr_pool_t *p, server_rec *server)
{
    /* The main server's record is the first of each configuration. */
    if (!server->is_virtual)
        directive_seen = 0;
    return create_config(p);
}

void *esign_config_create_location(apr_pool_t *p, char *path)
{
    (void)path;
    return create_config(p);
}

void *esign_config_merge_server(apr_pool_t *p, void *base, void *over)
{
    return merge_configs(p, base, over);
}

/* Whether no directive gave the record a value. */
static int is_unset(const esign_config_t *config)
{
    static const unsigned char none[ESIGN_DIRECTIVES_MAX];
    return memcmp(config->set, none, sizeof(none)) == 0;
}

/* httpd calls this twice a request. The same sections then give the same record, which lets
 * esign_request_config see that nothing has changed. */
void *esign_config_merge_location(apr_pool_t *p, void *base, void *over)
{
    if (is_unset(base))
        return over;
    return is_unset(over) ? base : merge_configs(p, base, over);
}

const esign_config_t *esign_config_of_server(const server_rec *server)
{
    return ap_get_module_config(server->module_config, &esign_module);
}

const esign_config_t *esign_config_of_request(const request_rec *r)
{
    return merge_configs(r->pool, esign_config_of_server(r->server),
                         ap_get_module_config(r->per_dir_config, &esign_module));
}

apr_array_header_t *esign_config_gateways(apr_pool_t *p, const esign_config_t *config)
{
    apr_array_header_t *gateways = apr_array_make(p, 2, sizeof(const esign_config_t *));
    for (int i = 0; config->sms_gateways && i < config->sms_gateways->nelts; i++) {
        const esign_config_t *section =
            APR_ARRAY_IDX(config->sms_gateways, i, const esign_config_t *);
        esign_config_t *gateway = merge_configs(p, config, section);
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

int esign_config_directive_seen(void)
{
    return directive_seen;
}

static void dump_value(apr_file_t *out, const command_rec *directive, const esign_config_t *config)
{
    const esign_setting_t *setting = setting_of(directive);
    const void *member = member_of(config, setting);
    if (setting->kind == ESIGN_SETTING_SECTIONS)
        return;
    apr_file_printf(out, "    %s", directive->name);
    switch (setting->kind) {
    case ESIGN_SETTING_FLAG:
        apr_file_printf(out, " %s", *(const int *)member ? "On" : "Off");
        break;
    case ESIGN_SETTING_NUMBER:
        apr_file_printf(out, " %d", *(const int *)member);
        break;
    case ESIGN_SETTING_DURATION:
        apr_file_printf(out, " %" APR_INT64_T_FMT,
                        apr_time_sec(*(const apr_interval_time_t *)member));
        break;
    case ESIGN_SETTING_TEXT: {
        const char *text = *(const char *const *)member;
        apr_file_printf(out, " \"%s\"", text ? text : "");
        break;
    }
    case ESIGN_SETTING_CHOICE:
        for (int bit = 0; setting->words[bit]; bit++)
            if (*(const int *)member & 1 << bit)
                apr_file_printf(out, " %s", setting->words[bit]);
        break;
    default: {
        const apr_array_header_t *list = *(apr_array_header_t *const *)member;
        for (int i = 0; list && i < list->nelts; i++)
            apr_file_printf(out, " \"%s\"", APR_ARRAY_IDX(list, i, const char *));
    }
    }
    apr_file_printf(out, "\n");
}

/* Prints the values of each gateway that has a section. */
static void dump_gateways(apr_pool_t *p, apr_file_t *out, const esign_config_t *config,
                          const char *server)
{
    const apr_array_header_t *gateways = esign_config_gateways(p, config);
    for (int i = 0; config->sms_gateways && i < gateways->nelts; i++) {
        const esign_config_t *gateway = APR_ARRAY_IDX(gateways, i, const esign_config_t *);
        apr_file_printf(out, "mod_esign SMS gateway %s in %s\n", gateway->gateway_name, server);
        for (const command_rec *d = esign_config_directives; d->name; d++)
            if (setting_of(d)->gateway)
                dump_value(out, d, gateway);
    }
}

static void dump_servers(apr_pool_t *p, server_rec *server)
{
    apr_file_t *out;
    if (!ap_exists_config_define("DUMP_ESIGN") || apr_file_open_stdout(&out, p) != APR_SUCCESS)
        return;
    for (server_rec *s = server; s; s = s->next) {
        const char *name = apr_psprintf(
            p, "%s:%d", s->server_hostname ? s->server_hostname : "the main server", s->port);
        apr_file_printf(out, "mod_esign in %s\n", name);
        for (const command_rec *d = esign_config_directives; d->name; d++)
            dump_value(out, d, esign_config_of_server(s));
        dump_gateways(p, out, esign_config_of_server(s), name);
    }
}

void esign_config_register_hooks(apr_pool_t *p)
{
    (void)p;
    ap_hook_test_config(dump_servers, NULL, NULL, APR_HOOK_MIDDLE);
}
