/* SPDX-License-Identifier: Apache-2.0 */
/* esignctl.c: the main program of esignctl: reads the command line and runs one command. */
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

/* One command. */
typedef struct {
    const char *words;   /* "key new" */
    const char *options; /* "max= keep-going": one with "=" takes a value */
    const char *usage, *help;
    int least, most; /* numbers of arguments */
    esign_command_fn *run;
} row_t;

/* The highest number of arguments of commands that take a list. */
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

/* Finds the command at the beginning of the command line; `*used` is how many words it has. NULL:
 * there is no such command. */
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

typedef enum { OPTION_UNKNOWN, OPTION_FLAG, OPTION_VALUED } option_e;

/* Whether a command has an option, and whether the option takes a value. */
static option_e option_of(const row_t *row, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = row->options; *at; at += strspn(at, " ")) {
        size_t size = strcspn(at, " ");
        int valued = at[size - 1] == '=';
        if (size - (size_t)valued == length && strncmp(at, name, length) == 0)
            return valued ? OPTION_VALUED : OPTION_FLAG;
        at += size;
    }
    return OPTION_UNKNOWN;
}

/* A command line, parsed. */
typedef struct {
    apr_array_header_t *words; /* const char *: the command and its arguments */
    apr_table_t *options;      /* of the command */
    apr_table_t *general;      /* options that every command has */
} line_t;

/* Stores the option `given`. `*value` is the next word, or NULL at the end of the line; an option
 * that takes the word as its value sets it to NULL. Returns an exit code. */
static int take_option(line_t *line, const char *given, const char **value, apr_pool_t *p)
{
    static const row_t general = { .options = "config= help version" };
    const char *name = given + 2;
    int used;
    option_e kind = option_of(&general, name);
    apr_table_t *table = kind == OPTION_UNKNOWN ? line->options : line->general;
    const row_t *row = kind == OPTION_UNKNOWN ? find_command(line->words, &used, p) : NULL;
    if (row)
        kind = option_of(row, name);
    if (kind == OPTION_UNKNOWN)
        return esign_command_fail(ESIGN_EXIT_USAGE, "%s: no such option here; see esignctl --help",
                                  given);
    if (kind == OPTION_VALUED && !*value)
        return esign_command_fail(ESIGN_EXIT_USAGE, "%s needs a value", given);
    apr_table_set(table, name, kind == OPTION_VALUED ? *value : "");
    if (kind == OPTION_VALUED)
        *value = NULL;
    return ESIGN_EXIT_OK;
}

/* Separates words from options. After "--" there are only words. Returns an exit code. */
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

/* Forbids core files, because keys, words and PINs are in this process. */
static void forbid_core(void)
{
    struct rlimit none = { 0, 0 };
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
}

/* Opens /dev/null for each closed standard file, so that the database does not get its descriptor.
 * It opens standard output for reading and standard input for writing: then a write still fails,
 * and a form counts as not printed. */
static void fill_standard_files(void)
{
    for (int file = 0; file < 3; file++)
        if (fcntl(file, F_GETFD) < 0 && open("/dev/null", file == 0 ? O_WRONLY : O_RDONLY) < 0)
            return;
}

int main(int argc, const char *const *argv, const char *const *environment)
{
    apr_pool_t *p;
    forbid_core();
    fill_standard_files();
    /* Files that this process makes, such as a new SQLite database, are their owner's alone. */
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
