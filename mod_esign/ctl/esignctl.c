/* SPDX-License-Identifier: Apache-2.0 */
/* esignctl.c: the administrator's command: reads the command line and calls what it names. */
#include "command.h"

#include "core/defaults.h"
#include "render/render.h"

#include <apr_general.h>
#include <apr_strings.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* One command: its words, its options ("max=" takes a value), how many arguments, and what it says
 * of itself. */
typedef struct {
    const char *words, *options, *usage, *help;
    int least, most;
    esign_command_fn *run;
} row_t;

#define MANY 10000

static const row_t commands[] = {
    { "key new", "", "[FILE]",
      "Writes a new key file with one random key (default: EsignKeyFile). Never overwrites one.", 0,
      1, esign_command_key_new },
    { "key add", "", "",
      "Adds a random key to the key file. It opens what is sealed under it and seals nothing until "
      "`key rotate`.",
      0, 0, esign_command_key_add },
    { "key list", "", "",
      "Lists the keys of the file, how many rows need each, and which running httpd has which.", 0,
      0, esign_command_key_list },
    { "key rotate", "", "",
      "Makes the added key the active one and re-seals all rows under it, while the portal runs. "
      "Can be stopped and run again.",
      0, 0, esign_command_key_rotate },
    { "key retire", "", "ID",
      "Takes a key out of the key file when nothing needs it: no row, no running httpd, and no "
      "link or session from before its reload.",
      1, 1, esign_command_key_retire },
    { "db init", "", "", "Creates the tables in the database.", 0, 0, esign_command_db_init },
    { "db upgrade", "", "", "Raises an older schema to this program's version.", 0, 0,
      esign_command_db_upgrade },
    { "subscriber import", "keep-going", "FILE [--keep-going]",
      "Registers the subscribers of an XML file (-: standard input). All or nothing, unless "
      "--keep-going: then each one stands for itself.",
      1, 1, esign_command_subscriber_import },
    { "subscriber show", "", "ID",
      "Shows what is kept of a subscriber, secrets aside. ID: the national id, or #ROW.", 1, 1,
      esign_command_subscriber_show },
    { "subscriber open", "", "ID", "Lifts a closure and a wait after too many failures.", 1, 1,
      esign_command_subscriber_open },
    { "subscriber close", "", "ID",
      "Keeps a subscriber out until `subscriber open`, and ends all sessions and unused links.", 1,
      1, esign_command_subscriber_close },
    { "form", "name= email= phone= language= word-file=",
      "ID --name NAME --email ADDRESS --phone +NUMBER [--language tr|en] [--word-file FILE]",
      "Registers a subscriber and prints the application form as HTML. The security word is read "
      "from FILE (-: standard input), or made up.",
      1, 1, esign_command_form },
    { "captcha answer", "", "CHALLENGE",
      "Prints a picture's answer (-: one challenge a line from standard input).", 1, 1,
      esign_command_captcha_answer },
    { "outbox list", "max=", "[--max N]",
      "Lists the messages that wait or were given up, the oldest 1000 unless --max says how many.",
      0, 0, esign_command_outbox_list },
    { "outbox show", "", "MESSAGE",
      "Shows what is known of a message; never what it says. MESSAGE: its id in the list.", 1, 1,
      esign_command_outbox_show },
    { "outbox retry", "", "MESSAGE…",
      "Makes messages due at once, those that were given up too, until they expire. A code that "
      "was given up is gone.",
      1, MANY, esign_command_outbox_retry },
    { "outbox drop", "", "MESSAGE…", "Ends messages unsent; each is written into the audit trail.",
      1, MANY, esign_command_outbox_drop },
    { "audit list", "subscriber= max=", "[--subscriber ID] [--max N]",
      "Lists the latest events, newest first.", 0, 0, esign_command_audit_list },
    { "audit verify", "expect=", "[--expect POSITION:HASH]",
      "Looks for rows that were changed, removed, moved or inserted, and tells where the chain "
      "ends. --expect: an end told earlier, which must still be there.",
      0, 0, esign_command_audit_verify },
    { "audit export",
      "since= until= subscriber=", "[--since TIME] [--until TIME] [--subscriber ID]",
      "Prints the chained events as lines of JSON, in their order. TIME: 2026-11-24 or "
      "2026-11-24T14:07:05Z, UTC; --until is left out itself.",
      0, 0, esign_command_audit_export },
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

static int print_command(const row_t *row)
{
    printf("  esignctl %s%s%s\n      %s\n", row->words, *row->usage ? " " : "", row->usage,
           row->help);
    return ESIGN_EXIT_OK;
}

static int print_help(void)
{
    puts("esignctl: the administrator's command of mod_esign\n\nUsage: esignctl [--config FILE] "
         "COMMAND …\n\nCommands:");
    for (size_t i = 0; i < COMMANDS; i++)
        print_command(&commands[i]);
    puts("\nOptions:\n  --config FILE   settings (default: " ESIGN_DEFAULT_SETTINGS
         ")\n  --help          this text, or a command's\n  --version\n\n"
         "Keys, passwords and security words are read from files, never from the command line.\n\n"
         "Exit codes: 0 done; 1 refused, not found, or not whole; 2 the command line is wrong; 3 "
         "settings, key file, database or standard output cannot be used.");
    return ESIGN_EXIT_OK;
}

/* The row whose words begin the arguments; `*used` of them. */
static const row_t *find_command(const apr_array_header_t *words, int *used, apr_pool_t *p)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        const char *said = words->nelts > 0 ? APR_ARRAY_IDX(words, 0, const char *) : "";
        *used = strchr(commands[i].words, ' ') ? 2 : 1;
        if (*used == 2 && words->nelts > 1)
            said = apr_pstrcat(p, said, " ", APR_ARRAY_IDX(words, 1, const char *), NULL);
        if (strcmp(said, commands[i].words) == 0)
            return &commands[i];
    }
    return NULL;
}

/* How a row knows an option: 0 not, 1 without a value, 2 with one. */
static int option_kind(const row_t *row, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = row->options; *at; at += strspn(at, " ")) {
        size_t size = strcspn(at, " ");
        int valued = at[size - 1] == '=';
        if (size - (size_t)valued == length && strncmp(at, name, length) == 0)
            return valued ? 2 : 1;
        at += size;
    }
    return 0;
}

typedef struct {
    apr_array_header_t *words;
    apr_table_t *options, *general; /* the command's; those of every command */
} line_t;

/* Takes the option `given`; `*value` is what stands behind it, NULL at the end of the line, and is
 * set to NULL when the option takes it. */
static int take_option(line_t *line, const char *given, const char **value, apr_pool_t *p)
{
    static const row_t general = { .options = "config= help version" };
    const char *name = given + 2;
    int used, ours = option_kind(&general, name);
    const row_t *row = ours ? &general : find_command(line->words, &used, p);
    int kind = row ? option_kind(row, name) : 0;
    if (kind == 0)
        return esign_command_fail(ESIGN_EXIT_USAGE, "%s: no such option here; see esignctl --help",
                                  given);
    if (kind == 2 && !*value)
        return esign_command_fail(ESIGN_EXIT_USAGE, "%s needs a value", given);
    apr_table_set(ours ? line->general : line->options, name, kind == 2 ? *value : "");
    if (kind == 2)
        *value = NULL;
    return ESIGN_EXIT_OK;
}

/* Parts words from options; behind "--" all are words. */
static int parse(line_t *line, int argc, const char *const *argv, apr_pool_t *p)
{
    int words_only = 0;
    for (int i = 1; i < argc; i++) {
        const char *next = i + 1 < argc ? argv[i + 1] : NULL, *value = next;
        if (words_only || strncmp(argv[i], "--", 2) != 0) {
            APR_ARRAY_PUSH(line->words, const char *) = argv[i];
            continue;
        }
        if (argv[i][2] == '\0') {
            words_only = 1;
            continue;
        }
        int code = take_option(line, argv[i], &value, p);
        if (code != ESIGN_EXIT_OK)
            return code;
        i += value != next;
    }
    return ESIGN_EXIT_OK;
}

static int run(int argc, const char *const *argv, apr_pool_t *p)
{
    line_t line = { .words = apr_array_make(p, 4, sizeof(const char *)),
                    .options = apr_table_make(p, 4),
                    .general = apr_table_make(p, 4) };
    int used, code = parse(&line, argc, argv, p);
    if (code != ESIGN_EXIT_OK)
        return code;
    const row_t *row = find_command(line.words, &used, p);
    const char *config = apr_table_get(line.general, "config");
    if (apr_table_get(line.general, "version"))
        return puts("esignctl " ESIGN_VERSION) < 0;
    if (apr_table_get(line.general, "help"))
        return row ? print_command(row) : print_help();
    if (!row)
        return esign_command_fail(ESIGN_EXIT_USAGE, "%s; see esignctl --help",
                                  line.words->nelts ? "no such command" : "a command is missing");
    apr_array_header_t *arguments = apr_array_make(p, 2, sizeof(const char *));
    for (int i = used; i < line.words->nelts; i++)
        APR_ARRAY_PUSH(arguments, const char *) = APR_ARRAY_IDX(line.words, i, const char *);
    if (arguments->nelts < row->least || arguments->nelts > row->most)
        return esign_command_fail(ESIGN_EXIT_USAGE, "usage: esignctl %s %s", row->words,
                                  row->usage);
    esign_settings_t settings;
    esign_result_t result =
        esign_settings_read(&settings, config ? config : ESIGN_DEFAULT_SETTINGS, p);
    if (esign_failed(result))
        return esign_command_fail(ESIGN_EXIT_ENVIRONMENT, "%s", result.detail);
    esign_command_t command = {
        .settings = &settings, .arguments = arguments, .options = line.options, .pool = p
    };
    return row->run(&command);
}

/* Keys, words and PINs pass through this process: it leaves no core file. */
static void forbid_core(void)
{
    struct rlimit none = { 0, 0 };
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
}

/* What is closed is opened on nothing, the wrong way round: else the database would become standard
 * output, and a form written there would count as printed. */
static void hold_standard_files(void)
{
    for (int file = 0; file < 3; file++)
        if (fcntl(file, F_GETFD) < 0 && open("/dev/null", file == 0 ? O_WRONLY : O_RDONLY) < 0)
            return;
}

int main(int argc, const char *const *argv, const char *const *environment)
{
    apr_pool_t *p;
    forbid_core();
    hold_standard_files();
    /* Whatever opens an SQLite database that is not there makes the file: for its owner alone. */
    umask(077);
    apr_app_initialize(&argc, &argv, &environment);
    apr_pool_create(&p, NULL);
    esign_result_t result = esign_render_init(p);
    int code = esign_failed(result) ? esign_command_fail_result(result) : run(argc, argv, p);
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == ESIGN_EXIT_OK)
        code = esign_command_fail(ESIGN_EXIT_ENVIRONMENT,
                                  "standard output cannot be written; what the command did stands");
    apr_pool_destroy(p);
    apr_terminate();
    return code;
}
