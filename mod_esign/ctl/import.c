/* SPDX-License-Identifier: Apache-2.0 */
/* import.c: streams the import file. */
#include "ctl/import.h"

#include "core/secret.h"

#include <apr_strings.h>

#include <libxml/xmlreader.h>

#include <string.h>

#define TEXT(x) ((const char *)(x))
#define OPTIONS (XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA)

/* libxml2's first complaint. */
typedef struct {
    apr_pool_t *pool;
    const char *text;
    int line;
} complaint_t;

static void keep_complaint(void *data, const char *message, xmlParserSeverities severity, xmlTextReaderLocatorPtr locator)
{
    complaint_t *complaint = data;
    (void)severity;
    if (complaint->text)
        return;
    complaint->text = apr_pstrndup(complaint->pool, message, strcspn(message, "\n"));
    complaint->line = xmlTextReaderLocatorLineNumber(locator);
}

/* Copies a value into the subscriber's pool and overwrites libxml2's own. */
static const char *take_secret(apr_pool_t *p, xmlChar *value)
{
    if (!value)
        return NULL;
    const char *copy = esign_secret_copy(p, value, strlen(TEXT(value)));
    esign_secret_wipe(value, strlen(TEXT(value)));
    xmlFree(value);
    return copy;
}

static const char *text_of(apr_pool_t *p, xmlNodePtr node)
{
    const char *text = take_secret(p, xmlNodeGetContent(node));
    for (xmlNodePtr child = node->children; child; child = child->next)
        if (child->type == XML_TEXT_NODE && child->content && child->content != (xmlChar *)&child->properties)
            esign_secret_wipe(child->content, strlen(TEXT(child->content)));
    return text;
}

/* Where each attribute or child element of an element goes. */
typedef struct {
    const char *name, **place;
} slot_t;

/* Fills the slots; what is none of them is refused by its name. */
static const char *fill_attributes(apr_pool_t *p, xmlNodePtr node, const slot_t *slots)
{
    for (xmlAttrPtr attribute = node->properties; attribute; attribute = attribute->next) {
        const slot_t *slot = slots;
        while (slot->name && strcmp(slot->name, TEXT(attribute->name)) != 0)
            slot++;
        if (!slot->name)
            return apr_psprintf(p, "<%s> has an attribute that is not known: %s", TEXT(node->name), TEXT(attribute->name));
        *slot->place = take_secret(p, xmlGetNoNsProp(node, attribute->name));
    }
    return NULL;
}

static const char *fill_child(apr_pool_t *p, xmlNodePtr child, const slot_t *slots)
{
    const slot_t *slot = slots;
    while (slot->name && strcmp(slot->name, TEXT(child->name)) != 0)
        slot++;
    if (!slot->name)
        return apr_psprintf(p, "the element <%s> is not known here", TEXT(child->name));
    if (*slot->place)
        return apr_psprintf(p, "the element <%s> stands twice", TEXT(child->name));
    *slot->place = text_of(p, child);
    return NULL;
}

static const char *plain_fingerprint(apr_pool_t *p, const char *written)
{
    static const char prefix[] = "sha256:";
    char *plain = apr_pstrdup(p, strncmp(written, prefix, strlen(prefix)) == 0 ? written + strlen(prefix) : written), *end = plain;
    for (const char *c = plain; *c; c++)
        if (*c != ':')
            *end++ = *c >= 'A' && *c <= 'F' ? (char)(*c - 'A' + 'a') : *c;
    *end = '\0';
    return plain;
}

static const char *read_card(apr_pool_t *p, xmlNodePtr node, esign_card_t *card)
{
    const slot_t attributes[] = { { "serial", &card->serial }, { "state", &card->state }, { "not-before", &card->not_before },
                                  { "not-after", &card->not_after }, { "fingerprint", &card->fingerprint }, { NULL, NULL } };
    const slot_t children[] = { { "pin", &card->pin }, { "puk", &card->puk }, { NULL, NULL } };
    const char *refusal = fill_attributes(p, node, attributes);
    for (xmlNodePtr child = node->children; child && !refusal; child = child->next)
        if (child->type == XML_ELEMENT_NODE)
            refusal = fill_child(p, child, children);
    if (!refusal && card->fingerprint)
        card->fingerprint = plain_fingerprint(p, card->fingerprint);
    return refusal;
}

static const char *read_subscriber(apr_pool_t *p, xmlNodePtr node, esign_application_t *a)
{
    const slot_t attributes[] = { { "national-id", &a->national_id }, { "language", &a->language }, { NULL, NULL } };
    const slot_t children[] = { { "name", &a->name }, { "email", &a->email }, { "phone", &a->phone }, { "security-word", &a->word },
                                { "word-hash", &a->word_hash }, { NULL, NULL } };
    apr_array_header_t *cards = apr_array_make(p, 2, sizeof(esign_card_t));
    const char *refusal = fill_attributes(p, node, attributes);
    for (xmlNodePtr child = node->children; child && !refusal; child = child->next) {
        if (child->type != XML_ELEMENT_NODE)
            continue;
        if (strcmp(TEXT(child->name), "card") != 0) {
            refusal = fill_child(p, child, children);
            continue;
        }
        esign_card_t *card = apr_array_push(cards);
        memset(card, 0, sizeof(*card));
        refusal = read_card(p, child, card);
    }
    a->cards = cards;
    return refusal;
}

/* One subscriber. APR_EINVAL and APR_EEXIST are refusals of this one, others end the import. */
static esign_result_t import_one(const esign_registrar_t *registrar, xmlNodePtr node, int own_transaction, apr_pool_t *p)
{
    esign_application_t application = { 0 };
    apr_int64_t id;
    const char *refusal = read_subscriber(p, node, &application);
    if (refusal)
        return esign_result_make(p, APR_EINVAL, "import", "%s", refusal);
    esign_result_t result = own_transaction ? esign_database_begin(registrar->database, p) : ESIGN_OK;
    if (esign_failed(result))
        return result;
    result = esign_registrar_add(registrar, &application, &id, p);
    esign_result_t end = own_transaction ? esign_database_end(registrar->database, !esign_failed(result), p) : ESIGN_OK;
    return esign_failed(result) ? result : end;
}

static int is_refusal(esign_result_t result)
{
    return result.status == APR_EINVAL || result.status == APR_EEXIST;
}

/* The reader stands on an element below the root: a subscriber, or a mistake. 1: go on. */
static esign_result_t read_element(const esign_registrar_t *registrar, xmlTextReaderPtr reader, int keep_going, esign_import_refused_fn *refused, void *baton,
                                   esign_import_count_t *count, apr_pool_t *p)
{
    int line = xmlTextReaderGetParserLineNumber(reader);
    const char *name = TEXT(xmlTextReaderConstName(reader));
    apr_pool_t *one;
    apr_pool_create(&one, p);
    xmlNodePtr node = xmlTextReaderExpand(reader);
    esign_result_t result = ESIGN_OK;
    if (node)
        result = strcmp(name, "subscriber") == 0 ? import_one(registrar, node, keep_going, one)
                                                 : esign_result_make(one, APR_EINVAL, "import", "the element <%s> is not known here", name);
    count->registered += node && !esign_failed(result);
    if (is_refusal(result)) {
        refused(baton, line, result.detail);
        count->refused++;
        result = ESIGN_OK;
    } else if (esign_failed(result)) {
        result = esign_result_make(p, result.status, result.problem, "line %d: %s", line, result.detail);
    }
    apr_pool_destroy(one);
    return result;
}

static esign_result_t read_all(const esign_registrar_t *registrar, xmlTextReaderPtr reader, int keep_going, esign_import_refused_fn *refused, void *baton,
                               esign_import_count_t *count, apr_pool_t *p)
{
    complaint_t complaint = { .pool = p };
    esign_result_t result = ESIGN_OK;
    xmlTextReaderSetErrorHandler(reader, keep_complaint, &complaint);
    int more = xmlTextReaderRead(reader);
    while (more == 1 && !esign_failed(result)) {
        int depth = xmlTextReaderDepth(reader), type = xmlTextReaderNodeType(reader);
        if (type == XML_READER_TYPE_DOCUMENT_TYPE)
            return esign_result_make(p, APR_EGENERAL, "import", "line %d: a document type declaration cannot stand here", xmlTextReaderGetParserLineNumber(reader));
        if (type == XML_READER_TYPE_ELEMENT && depth == 0 && strcmp(TEXT(xmlTextReaderConstName(reader)), "subscribers") != 0)
            return esign_result_make(p, APR_EGENERAL, "import", "the root is not <subscribers>");
        int element = type == XML_READER_TYPE_ELEMENT && depth == 1;
        if (element)
            result = read_element(registrar, reader, keep_going, refused, baton, count, p);
        more = element ? xmlTextReaderNext(reader) : xmlTextReaderRead(reader);
    }
    if (more < 0 && !esign_failed(result))
        return esign_result_make(p, APR_EGENERAL, "import", "line %d: %s", complaint.line, complaint.text ? complaint.text : "not well-formed XML");
    return result;
}

esign_result_t esign_import_file(const esign_registrar_t *registrar, const char *path, int keep_going, esign_import_refused_fn *refused, void *baton,
                                 esign_import_count_t *count, apr_pool_t *p)
{
    xmlTextReaderPtr reader = strcmp(path, "-") == 0 ? xmlReaderForFd(0, "standard input", NULL, OPTIONS) : xmlReaderForFile(path, NULL, OPTIONS);
    *count = (esign_import_count_t){ 0 };
    if (!reader)
        return esign_result_make(p, APR_ENOENT, "import", "%s cannot be read", path);
    /* The transaction of the whole file begins by a write of its first subscriber. */
    esign_result_t result = keep_going ? ESIGN_OK : esign_database_begin(registrar->database, p);
    if (!esign_failed(result))
        result = read_all(registrar, reader, keep_going, refused, baton, count, p);
    xmlFreeTextReader(reader);
    if (keep_going)
        return result;
    int commit = !esign_failed(result) && count->refused == 0;
    esign_result_t end = esign_database_end(registrar->database, commit, p);
    if (!commit)
        count->registered = 0;
    return esign_failed(result) ? result : end;
}
