/* SPDX-License-Identifier: Apache-2.0 */
/* test_document.c: parsing a document that was written as text gives its elements and values. */
#include "render/document.h"
#include "render/render.h"
#include "suite.h"

static xmlDocPtr read_back(esign_document_t *document)
{
    esign_document_finish(document);
    CU_ASSERT_EQUAL(strlen(document->bytes), document->length);
    xmlDocPtr tree = esign_render_parse(document->bytes, document->length);
    CU_ASSERT_PTR_NOT_NULL_FATAL(tree);
    return tree;
}

static void test_nesting(void)
{
    esign_document_t *document = esign_document_new("page", pool);
    esign_document_attribute(document, "name", "x");
    int form = esign_document_element(document, 0, "form");
    int challenge = esign_document_element(document, form, "challenge");
    esign_document_element(document, challenge, "work");
    esign_document_element(document, form, "field");
    esign_document_attribute(document, "name", "word");
    esign_document_element(document, 0, "forgot");
    esign_document_text(document, "?");
    esign_document_finish(document);
    CU_ASSERT_STRING_EQUAL(document->bytes,
                           "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<page "
                           "name=\"x\"><form><challenge><work/></challenge>"
                           "<field name=\"word\"/></form><forgot>?</forgot></page>\n");
    CU_ASSERT_EQUAL(document->count, 0);
}

/* Every byte, alone and among others, becomes what esign_render_clean makes of it. */
static void test_values(void)
{
    for (int i = 1; i < 256 * 256; i++) {
        apr_pool_t *p;
        apr_pool_create(&p, pool);
        char text[] = { 'a', (char)(i & 0xff), (char)(i >> 8 ? i >> 8 : 'b'), 'c', '\0' };
        esign_document_t *document = esign_document_new("r", p);
        esign_document_attribute(document, "v", text);
        esign_document_element(document, 0, "e");
        esign_document_text(document, text);
        xmlDocPtr tree = read_back(document);
        xmlChar *value = xmlGetProp(tree->children, (const xmlChar *)"v"),
                *content = xmlNodeGetContent(tree->children);
        const char *clean = esign_render_clean(p, text);
        if (strcmp((const char *)value, clean) != 0 || strcmp((const char *)content, clean) != 0)
            CU_FAIL("a text has changed");
        xmlFree(value);
        xmlFree(content);
        xmlFreeDoc(tree);
        apr_pool_destroy(p);
    }
}

static void test_wide(void)
{
    static const char text[] = "Ç😀\xef\xbf\xbe\xef\xbf\xbf\xed\xa0\x80ş\xf0\x9f\x98";
    esign_document_t *document = esign_document_new("r", pool);
    esign_document_attribute(document, "v", text);
    xmlDocPtr tree = read_back(document);
    xmlChar *value = xmlGetProp(tree->children, (const xmlChar *)"v");
    CU_ASSERT_STRING_EQUAL(value, esign_render_clean(pool, text));
    xmlFree(value);
    xmlFreeDoc(tree);
}

/* Values longer than the buffer. */
static void test_long(void)
{
    char *text = apr_palloc(pool, 100001);
    memset(text, '"', 100000);
    text[100000] = '\0';
    esign_document_t *document = esign_document_new("r", pool);
    for (int i = 0; i < 3; i++) {
        esign_document_element(document, 0, "e");
        esign_document_attribute(document, "v", text);
    }
    xmlDocPtr tree = read_back(document);
    xmlChar *value = xmlGetProp(tree->children->last->prev, (const xmlChar *)"v");
    CU_ASSERT_STRING_EQUAL(value, text);
    xmlFree(value);
    xmlFreeDoc(tree);
}

static void test_copies(void)
{
    esign_document_t *document = esign_document_new("r", pool);
    esign_document_attribute(document, "~a", "abc-_.,:/?=*+ 09");
    esign_document_attribute(document, "~b", "");
    esign_document_element(document, 0, "e");
    esign_document_attribute(document, "~c", "Z");
    esign_document_element(document, 0, "f");
    esign_document_copied_text(document, "Şubat");
    CU_ASSERT_EQUAL_FATAL(document->count, 3);
    CU_ASSERT_EQUAL(strncmp(document->bytes + document->copies[2].at - 1, ">Şubat", 7), 0);
    CU_ASSERT_EQUAL(strncmp(document->bytes + document->copies[0].at, "abc-_.,:/?=*+ 09\"", 17), 0);
    CU_ASSERT_EQUAL(document->copies[0].length, 16);
    CU_ASSERT_EQUAL(strncmp(document->bytes + document->copies[1].at - 3, "c=\"Z\"", 5), 0);
}

/* With one value that output may escape otherwise, the document has no copied values. */
static void test_no_copies(void)
{
    static const char *const values[] = { "a&b", "a<", "'", "%", "a\tb", "\"", "a#", "a;" };
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
        esign_document_t *document = esign_document_new("r", pool);
        esign_document_attribute(document, "~a", "abc");
        esign_document_attribute(document, "~b", values[i]);
        esign_document_attribute(document, "~c", "abc");
        CU_ASSERT_EQUAL(document->count, -1);
    }
    esign_document_t *document = esign_document_new("r", pool);
    for (int i = 0; i <= ESIGN_DOCUMENT_COPIES; i++)
        esign_document_attribute(document, apr_psprintf(pool, "~a%d", i), "x");
    CU_ASSERT_EQUAL(document->count, -1);
}

int main(void)
{
    CU_TestInfo tests[] = { { "elements end where the next begins", test_nesting },
                            { "values and texts come back", test_values },
                            { "characters beyond ASCII", test_wide },
                            { "long values", test_long },
                            { "values to copy are found", test_copies },
                            { "values that cannot be copied unchanged", test_no_copies },
                            CU_TEST_INFO_NULL };
    return suite_run("document", tests);
}
