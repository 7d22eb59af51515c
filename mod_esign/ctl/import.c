/* SPDX-License-Identifier: Apache-2.0 */
/* import.c: reads the import file with libxml2's streaming reader. */
#include "import.h"

#include "core/secret.h"
#include "spool.h"

#include <apr_strings.h>

#include <libxml/xmlreader.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TEXT(x) ((const char *)(x))
#define OPTIONS                                                                      \
    (XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA | \
     XML_PARSE_BIG_LINES)

/* The file, and the errno of a failure to read it; 0: none. */
typedef struct {
    FILE *file;
    int error;
} source_t;

/* libxml2's read callback. It returns one line at most: libxml2 parses everything that it gets
 * before it reports the first element, and would give each element the last line of that. */
static int read_line(void *context, char *buffer, int length)
{
    source_t *source = context;
    int c, count = 0;
    while (count < length && (c = getc_unlocked(source->file)) != EOF) {
        buffer[count++] = (char)c;
        if (c == '\n')
            break;
    }
    if (ferror(source->file))
        source->error = errno;
    return count;
}

/* libxml2's first error. */
typedef struct {
    apr_pool_t *pool;
    xmlTextReaderPtr reader;
    const char *text;
    int line;
} xml_error_t;

static void keep_error(void *data, const char *message, xmlParserSeverities severity,
                       xmlTextReaderLocatorPtr locator)
{
    xml_error_t *error = data;
    /* The locator has the line of the surrounding element; the reader has that of the mistake. */
    (void)severity, (void)locator;
    if (error->text)
        return;
    error->text = apr_pstrndup(error->pool, message, strcspn(message, "\n"));
    error->line = xmlTextReaderGetParserLineNumber(error->reader);
}

/* Copies a value into memory that is wiped with `p`, and frees it; NULL for NULL. */
static const char *take_secret(apr_pool_t *p, xmlChar *value)
{
    if (!value)
        return NULL;
    const char *copy = esign_secret_copy(p, value, strlen(TEXT(value)));
    xmlFree(value);
    return copy;
}

/* Takes the text of an element without child elements, and wipes it in the tree. */
static const char *take_text(apr_pool_t *p, xmlNodePtr node)
{
    const char *text = take_secret(p, xmlNodeGetContent(node));
    for (xmlNodePtr child = node->children; child; child = child->next)
        if (child->type == XML_TEXT_NODE && child->content &&
            child->content != (xmlChar *)&child->properties)
            esign_secret_wipe(child->content, strlen(TEXT(child->content)));
    return text ? text : "";
}

/* An attribute or child element that an element may have, and where its text goes. A list of them
 * ends with a slot without a name. */
typedef struct {
    const char *name, **place;
    int needed;
} slot_t;

/* Fills the slots from the attributes. Returns the mistake, or NULL. An attribute without a slot is
 * refused, and so are, here and below, names in a namespace. */
static const char *fill_attributes(apr_pool_t *p, xmlNodePtr node, const slot_t *slots)
{
    for (xmlAttrPtr attribute = node->properties; attribute; attribute = attribute->next) {
        const slot_t *slot = slots;
        while (slot->name && (attribute->ns || strcmp(slot->name, TEXT(attribute->name)) != 0))
            slot++;
        if (!slot->name)
            return apr_psprintf(p, "<%s> has an attribute that is not known: %s", TEXT(node->name),
                                TEXT(attribute->name));
        *slot->place = take_secret(p, xmlGetNoNsProp(node, attribute->name));
    }
    for (const slot_t *slot = slots; slot->name; slot++)
        if (slot->needed && !*slot->place)
            return apr_psprintf(p, "<%s> needs the attribute %s", TEXT(node->name), slot->name);
    return NULL;
}

/* Fills the slot of a child element. Returns the mistake, or NULL. */
static const char *fill_child(apr_pool_t *p, xmlNodePtr child, const slot_t *slots)
{
    const slot_t *slot = slots;
    while (slot->name && (child->ns || strcmp(slot->name, TEXT(child->name)) != 0))
        slot++;
    if (!slot->name)
        return apr_psprintf(p, "the element <%s> is not known here", TEXT(child->name));
    if (*slot->place)
        return apr_psprintf(p, "the element <%s> stands twice", TEXT(child->name));
    if (child->properties || xmlFirstElementChild(child))
        return apr_psprintf(p, "the element <%s> holds a text, and no attribute or element",
                            TEXT(child->name));
    *slot->place = take_text(p, child);
    return NULL;
}

/* The next child element from `child` on; NULL: there is none. Elements may be separated by white
 * space, comments and processing instructions; any other text sets `*refusal`. */
static xmlNodePtr next_element(apr_pool_t *p, xmlNodePtr child, const char **refusal)
{
    for (; child && child->type != XML_ELEMENT_NODE; child = child->next)
        if (child->type == XML_TEXT_NODE && !xmlIsBlankNode(child))
            *refusal = apr_psprintf(p, "text cannot stand in <%s>, only in the elements below it",
                                    TEXT(child->parent->name));
    return child;
}

/* Refuses an element that lacks a necessary child element. */
static const char *find_missing(apr_pool_t *p, xmlNodePtr node, const slot_t *slots)
{
    for (; slots->name; slots++)
        if (slots->needed && !*slots->place)
            return apr_psprintf(p, "<%s> needs the element <%s>", TEXT(node->name), slots->name);
    return NULL;
}

/* A fingerprint in lower case, without "sha256:" and the colons that openssl writes between bytes.
 */
static const char *normalize_fingerprint(apr_pool_t *p, const char *written)
{
    static const char prefix[] = "sha256:";
    char *plain = apr_pstrdup(
             p, strncmp(written, prefix, strlen(prefix)) == 0 ? written + strlen(prefix) : written),
         *end = plain;
    for (const char *c = plain; *c; c++)
        if (*c != ':' || end == plain || (end - plain) % 2 != 0 || c[-1] == ':' || c[1] == '\0')
            *end++ = *c >= 'A' && *c <= 'F' ? (char)(*c - 'A' + 'a') : *c;
    *end = '\0';
    return plain;
}

static const char *read_card(apr_pool_t *p, xmlNodePtr node, esign_card_t *card)
{
    const slot_t attributes[] = {
        { "serial", &card->serial, 1 },           { "state", &card->state, 1 },
        { "not-before", &card->not_before, 1 },   { "not-after", &card->not_after, 1 },
        { "fingerprint", &card->fingerprint, 0 }, { NULL, NULL, 0 }
    };
    const slot_t children[] = { { "pin", &card->pin, 1 },
                                { "puk", &card->puk, 1 },
                                { NULL, NULL, 0 } };
    const char *refusal = fill_attributes(p, node, attributes);
    for (xmlNodePtr child = node->children;
         !refusal && (child = next_element(p, child, &refusal)) != NULL && !refusal;
         child = child->next)
        refusal = fill_child(p, child, children);
    if (card->fingerprint)
        card->fingerprint = normalize_fingerprint(p, card->fingerprint);
    return refusal ? refusal : find_missing(p, node, children);
}

static const char *read_subscriber(apr_pool_t *p, xmlNodePtr node, esign_application_t *a)
{
    const slot_t attributes[] = { { "national-id", &a->national_id, 1 },
                                  { "language", &a->language, 1 },
                                  { NULL, NULL, 0 } };
    const slot_t children[] = { { "name", &a->name, 1 },           { "email", &a->email, 1 },
                                { "phone", &a->phone, 1 },         { "security-word", &a->word, 0 },
                                { "word-hash", &a->word_hash, 0 }, { NULL, NULL, 0 } };
    apr_array_header_t *cards = apr_array_make(p, 2, sizeof(esign_card_t));
    const char *refusal = fill_attributes(p, node, attributes);
    for (xmlNodePtr child = node->children;
         !refusal && (child = next_element(p, child, &refusal)) != NULL && !refusal;
         child = child->next) {
        if (child->ns || strcmp(TEXT(child->name), "card") != 0) {
            refusal = fill_child(p, child, children);
            continue;
        }
        esign_card_t *card = apr_array_push(cards);
        memset(card, 0, sizeof(*card));
        refusal = read_card(p, child, card);
    }
    a->cards = cards;
    return refusal ? refusal : find_missing(p, node, children);
}

/* One import. */
typedef struct {
    const esign_registrar_t *registrar;
    esign_spool_t *spool; /* NULL: each subscriber is registered at once */
    esign_import_refused_fn *refused;
    void *baton;
    esign_import_count_t *count;
} import_t;

/* Registers a subscriber in a transaction of its own. */
static esign_result_t register_alone(const esign_registrar_t *registrar,
                                     const esign_application_t *ready, apr_pool_t *p)
{
    apr_int64_t id;
    esign_result_t result = esign_registrar_begin(registrar, p);
    if (esign_failed(result))
        return result;
    result = esign_registrar_add(registrar, ready, &id, p);
    return esign_database_end(registrar->database, result, p);
}

/* Judges one subscriber, then spools or registers it. APR_EINVAL and APR_EEXIST refuse this
 * subscriber; other failures end the import. */
static esign_result_t import_one(const import_t *import, xmlNodePtr node, long line, apr_pool_t *p)
{
    esign_application_t application = { 0 }, ready;
    if (node->ns || strcmp(TEXT(node->name), "subscriber") != 0)
        return esign_result_make(p, APR_EINVAL, "import", "the element <%s> is not known here",
                                 TEXT(node->name));
    const char *refusal = read_subscriber(p, node, &application);
    if (refusal)
        return esign_result_make(p, APR_EINVAL, "import", "%s", refusal);
    esign_result_t result = esign_registrar_prepare(import->registrar, &application, &ready, p);
    if (esign_failed(result))
        return result;
    return import->spool ? esign_spool_put(import->spool, line, &ready, p)
                         : register_alone(import->registrar, &ready, p);
}

/* Counts a subscriber as registered or refused, and reports a refusal. A failure that ends the
 * import is returned, in `p`. */
static esign_result_t count_subscriber(const import_t *import, long line, esign_result_t result,
                                       int registered, apr_pool_t *p)
{
    if (!esign_failed(result)) {
        import->count->registered += registered;
        return result;
    }
    if (result.status != APR_EINVAL && result.status != APR_EEXIST)
        return esign_result_make(p, result.status, result.problem, "line %ld: %s", line,
                                 result.detail);
    import->refused(import->baton, line, result.detail);
    import->count->refused++;
    return ESIGN_OK;
}

/* Imports the element that the reader has reached: a child of the root. */
static esign_result_t read_element(const import_t *import, xmlTextReaderPtr reader, apr_pool_t *p)
{
    long line = xmlTextReaderGetParserLineNumber(reader);
    apr_pool_t *one;
    apr_pool_create(&one, p);
    /* NULL: it is not well-formed, which the next step of the reader reports. */
    xmlNodePtr node = xmlTextReaderExpand(reader);
    esign_result_t result =
        node
            ? count_subscriber(import, line, import_one(import, node, line, one), !import->spool, p)
            : ESIGN_OK;
    apr_pool_destroy(one);
    return result;
}

/* What is wrong with the node that the reader has reached, outside of subscribers; NULL: nothing.
 */
static const char *judge_node(xmlTextReaderPtr reader)
{
    int depth = xmlTextReaderDepth(reader), type = xmlTextReaderNodeType(reader);
    if (type == XML_READER_TYPE_DOCUMENT_TYPE)
        return "a document type declaration cannot stand here";
    if (type == XML_READER_TYPE_ELEMENT && depth == 0) {
        xmlNodePtr root = xmlTextReaderCurrentNode(reader);
        if (root->ns || strcmp(TEXT(root->name), "subscribers") != 0)
            return "the root is not <subscribers>";
        if (root->properties)
            return "<subscribers> has no attributes";
    }
    if ((type == XML_READER_TYPE_TEXT || type == XML_READER_TYPE_CDATA ||
         type == XML_READER_TYPE_ENTITY_REFERENCE) &&
        depth == 1)
        return "text cannot stand between subscribers";
    return NULL;
}

/* The line of a node that the parser has already passed; 0: libxml2 has not recorded it. libxml2
 * records the last line of a text; this returns that of its last character that is not blank. */
static long line_of(xmlNodePtr node)
{
    long line = xmlGetLineNo(node);
    if (node->type == XML_TEXT_NODE)
        for (const char *start = TEXT(node->content), *c = start + strlen(start);
             c > start && strchr(" \t\r\n", c[-1]); c--)
            line -= c[-1] == '\n';
    return line < 0 ? 0 : line;
}

/* Reads the whole document. */
static esign_result_t read_document(const import_t *import, xmlTextReaderPtr reader, apr_pool_t *p)
{
    xml_error_t error = { .pool = p, .reader = reader };
    esign_result_t result = ESIGN_OK;
    xmlTextReaderSetErrorHandler(reader, keep_error, &error);
    int more = xmlTextReaderRead(reader);
    while (more == 1 && !esign_failed(result)) {
        const char *mistake = judge_node(reader);
        long line = mistake ? line_of(xmlTextReaderCurrentNode(reader)) : 0;
        if (mistake)
            return esign_result_make(p, APR_EGENERAL, "import", "%s%s",
                                     line ? apr_psprintf(p, "line %ld: ", line) : "", mistake);
        int element = xmlTextReaderNodeType(reader) == XML_READER_TYPE_ELEMENT &&
                      xmlTextReaderDepth(reader) == 1;
        if (element)
            result = read_element(import, reader, p);
        more = element ? xmlTextReaderNext(reader) : xmlTextReaderRead(reader);
    }
    if (more < 0 && !esign_failed(result))
        return esign_result_make(p, APR_EGENERAL, "import", "line %d: %s", error.line,
                                 error.text ? error.text : "not well-formed XML");
    return result;
}

/* Registers all subscribers of the spool in one transaction. */
static esign_result_t register_all(const import_t *import, apr_pool_t *p)
{
    esign_database_t *database = import->registrar->database;
    esign_application_t application;
    apr_int64_t id;
    long line = 1;
    apr_pool_t *one;
    apr_pool_create(&one, p);
    esign_result_t result = esign_spool_rewind(import->spool, p);
    if (!esign_failed(result))
        result = esign_registrar_begin(import->registrar, p);
    while (!esign_failed(result) && line) {
        apr_pool_clear(one);
        result = esign_spool_get(import->spool, &line, &application, one);
        if (esign_failed(result))
            result = esign_result_make(p, APR_EGENERAL, result.problem, "%s", result.detail);
        else if (line)
            result = count_subscriber(
                import, line, esign_registrar_add(import->registrar, &application, &id, one), 1, p);
    }
    apr_pool_destroy(one);
    /* One refusal rolls all back. */
    esign_result_t whole =
        esign_failed(result) || import->count->refused == 0
            ? result
            : esign_result_make(p, APR_EINVAL, "import", "a subscriber is refused");
    esign_result_t end = esign_database_end(database, whole, p);
    if (esign_failed(end))
        import->count->registered = 0;
    return esign_failed(whole) ? result : end;
}

static esign_result_t read_file(const import_t *import, const char *path, apr_pool_t *p)
{
    source_t source = { .file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re") };
    if (!source.file)
        return esign_result_make(p, errno, "import", "cannot be read: %s", strerror(errno));
    xmlTextReaderPtr reader = xmlReaderForIO(read_line, NULL, &source, NULL, NULL, OPTIONS);
    esign_result_t result = reader ? read_document(import, reader, p)
                                   : esign_result_make(p, APR_ENOMEM, "libxml2", "no memory");
    xmlFreeTextReader(reader);
    if (source.file != stdin)
        fclose(source.file);
    return source.error ? esign_result_make(p, source.error, "import", "cannot be read: %s",
                                            strerror(source.error))
                        : result;
}

esign_result_t esign_import_file(const esign_registrar_t *registrar, const char *path,
                                 int keep_going, esign_import_refused_fn *refused, void *baton,
                                 esign_import_count_t *count, apr_pool_t *p)
{
    import_t import = {
        .registrar = registrar, .refused = refused, .baton = baton, .count = count
    };
    *count = (esign_import_count_t){ 0 };
    esign_result_t result =
        keep_going ? ESIGN_OK : esign_spool_open(&import.spool, registrar->database->keyring, p);
    if (!esign_failed(result))
        result = read_file(&import, path, p);
    return esign_failed(result) || keep_going ? result : register_all(&import, p);
}
