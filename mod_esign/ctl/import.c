/* SPDX-License-Identifier: Apache-2.0 */
/* import.c: streams the import file. */
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

/* The file being read, and the errno that ended it. */
typedef struct {
    FILE *file;
    int error;
} source_t;

/* One line at most: libxml2 parses all that it is given before it tells of the first element, and
 * would name the last line of it. */
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

/* libxml2's first complaint. */
typedef struct {
    apr_pool_t *pool;
    xmlTextReaderPtr reader;
    const char *text;
    int line;
} complaint_t;

static void keep_complaint(void *data, const char *message, xmlParserSeverities severity,
                           xmlTextReaderLocatorPtr locator)
{
    complaint_t *complaint = data;
    (void)severity,
        (void)locator; /* the locator tells the line of the element around the mistake */
    if (complaint->text)
        return;
    complaint->text = apr_pstrndup(complaint->pool, message, strcspn(message, "\n"));
    complaint->line = xmlTextReaderGetParserLineNumber(complaint->reader);
}

/* Copies a value into the subscriber's pool. */
static const char *take_secret(apr_pool_t *p, xmlChar *value)
{
    if (!value)
        return NULL;
    const char *copy = esign_secret_copy(p, value, strlen(TEXT(value)));
    xmlFree(value);
    return copy;
}

/* The text of an element that holds nothing else. */
static const char *text_of(apr_pool_t *p, xmlNodePtr node)
{
    const char *text = take_secret(p, xmlNodeGetContent(node));
    for (xmlNodePtr child = node->children; child; child = child->next)
        if (child->type == XML_TEXT_NODE && child->content &&
            child->content != (xmlChar *)&child->properties)
            esign_secret_wipe(child->content, strlen(TEXT(child->content)));
    return text ? text : "";
}

/* Where each attribute or child element of an element goes. */
typedef struct {
    const char *name, **place;
    int needed;
} slot_t;

/* Fills the slots; what is none of them is refused by its name. Here and below, names of another
 * namespace are none of ours. */
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
    *slot->place = text_of(p, child);
    return NULL;
}

/* The next child element from `child` on. Between elements only white space, comments and
 * processing instructions may stand: others give `*refusal`. */
static xmlNodePtr next_element(apr_pool_t *p, xmlNodePtr child, const char **refusal)
{
    for (; child && child->type != XML_ELEMENT_NODE; child = child->next)
        if (child->type == XML_TEXT_NODE && !xmlIsBlankNode(child))
            *refusal = apr_psprintf(p, "text cannot stand in <%s>, only in the elements below it",
                                    TEXT(child->parent->name));
    return child;
}

static const char *find_missing(apr_pool_t *p, xmlNodePtr node, const slot_t *slots)
{
    for (; slots->name; slots++)
        if (slots->needed && !*slots->place)
            return apr_psprintf(p, "<%s> needs the element <%s>", TEXT(node->name), slots->name);
    return NULL;
}

/* Lower case, without the prefix and the colons that openssl writes between the bytes. */
static const char *plain_fingerprint(apr_pool_t *p, const char *written)
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
        card->fingerprint = plain_fingerprint(p, card->fingerprint);
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

/* One run. */
typedef struct {
    const esign_registrar_t *registrar;
    esign_spool_t *spool; /* NULL: each subscriber is registered at once */
    esign_import_refused_fn *refused;
    void *baton;
    esign_import_count_t *count;
} import_t;

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

/* One subscriber. APR_EINVAL and APR_EEXIST are refusals of this one, others end the import. */
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

/* Counts what became of the subscriber of `line`, when it was registered or refused; what ends the
 * import is given back, in `p`. */
static esign_result_t settle(const import_t *import, long line, esign_result_t result,
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

/* The reader stands on an element below the root: a subscriber, or a mistake. */
static esign_result_t read_element(const import_t *import, xmlTextReaderPtr reader, apr_pool_t *p)
{
    long line = xmlTextReaderGetParserLineNumber(reader);
    apr_pool_t *one;
    apr_pool_create(&one, p);
    /* NULL: it is not well-formed, which the next step of the reader tells. */
    xmlNodePtr node = xmlTextReaderExpand(reader);
    esign_result_t result =
        node ? settle(import, line, import_one(import, node, line, one), !import->spool, p)
             : ESIGN_OK;
    apr_pool_destroy(one);
    return result;
}

/* What cannot stand where the reader is, whatever the subscribers are; NULL when all is well. */
static const char *misplaced(xmlTextReaderPtr reader)
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

/* The line of a node that the reader tells of when the parser is past it; 0 when libxml2 does not
 * know. Of a text, the line of its last character that is not blank. */
static long line_of(xmlNodePtr node)
{
    long line = xmlGetLineNo(node);
    if (node->type == XML_TEXT_NODE)
        for (const char *start = TEXT(node->content), *c = start + strlen(start);
             c > start && strchr(" \t\r\n", c[-1]); c--)
            line -= c[-1] == '\n';
    return line < 0 ? 0 : line;
}

static esign_result_t read_all(const import_t *import, xmlTextReaderPtr reader, apr_pool_t *p)
{
    complaint_t complaint = { .pool = p, .reader = reader };
    esign_result_t result = ESIGN_OK;
    xmlTextReaderSetErrorHandler(reader, keep_complaint, &complaint);
    int more = xmlTextReaderRead(reader);
    while (more == 1 && !esign_failed(result)) {
        const char *mistake = misplaced(reader);
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
        return esign_result_make(p, APR_EGENERAL, "import", "line %d: %s", complaint.line,
                                 complaint.text ? complaint.text : "not well-formed XML");
    return result;
}

/* Everything of the spool in one transaction. */
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
            result = settle(import, line,
                            esign_registrar_add(import->registrar, &application, &id, one), 1, p);
    }
    apr_pool_destroy(one);
    /* One that is refused takes all others with it. */
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
    esign_result_t result = reader ? read_all(import, reader, p)
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
