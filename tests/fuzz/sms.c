/* SPDX-License-Identifier: Apache-2.0 */
/* sms.c: the gateway's templates and the values filled into them, an SMS's size, and texts cleaned
 * for XML. */
#include "fuzz.h"

#include "core/sms_size.h"
#include "deliver/template.h"
#include "render/render.h"

#include <unistr.h>

/* What a receiver reads of a percent-encoded text. */
static const char *unpercent(const char *text, apr_pool_t *p)
{
    char *clear = apr_pstrdup(p, text), *end = clear;
    for (; *text; text++) {
        unsigned int byte = (unsigned char)*text;
        if (*text == '%') {
            HOLDS(sscanf(text + 1, "%2X", &byte) == 1);
            text += 2;
        }
        *end++ = (char)byte;
    }
    *end = '\0';
    return clear;
}

static void fill(const char *pattern, const char *value, apr_pool_t *p)
{
    const esign_template_values_t values = { .number = "+905551234567",
                                             .text = value,
                                             .secret = NULL };
    int found = 0;
    int known = !esign_failed(esign_template_check(p, pattern, &found));
    const char *raw = esign_template_fill(p, pattern, &values, ESIGN_TEMPLATE_RAW);
    if (known && found == 0)
        HOLDS(strcmp(raw, pattern) == 0);
    HOLDS(!(found & ESIGN_TEMPLATE_HAS_TEXT) || strstr(raw, value));
    HOLDS(strcmp(esign_template_fill(p, "{text}", &values, ESIGN_TEMPLATE_RAW), value) == 0);
    const char *percent = esign_template_fill(p, "{text}", &values, ESIGN_TEMPLATE_PERCENT);
    HOLDS(strspn(percent, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%") ==
              strlen(percent) &&
          strcmp(unpercent(percent, p), value) == 0);
    const char *json = esign_template_fill(p, "{text}", &values, ESIGN_TEMPLATE_JSON);
    for (const char *c = json; *c; c++) {
        HOLDS((unsigned char)*c >= ' ' && *c != '"');
        if (*c == '\\') {
            HOLDS(c[1] == '"' || c[1] == '\\' || c[1] == 'u');
            c++;
        }
    }
    esign_template_escape(pattern);
}

/* As text and as attribute, in a document that is well-formed when the value is what XML can hold.
 */
static void xml(const char *value, apr_pool_t *p)
{
    const char *clean = esign_render_clean(p, value);
    const esign_template_values_t values = { .number = "+1", .text = clean, .secret = clean };
    HOLDS(fuzz_clean(clean, "\t\n\r\x7f") && strcmp(esign_render_clean(p, clean), clean) == 0 &&
          strlen(clean) <= 3 * strlen(value));
    const char *document = esign_template_fill(p, "<a b=\"{text}\" c='{secret}'>{text}</a>",
                                               &values, ESIGN_TEMPLATE_XML);
    xmlDocPtr parsed = esign_render_parse(document, strlen(document));
    HOLDS(parsed != NULL && xmlChildElementCount((xmlNodePtr)parsed) == 1);
    xmlNodePtr root = xmlDocGetRootElement(parsed);
    xmlChar *content = xmlNodeGetContent(root);
    HOLDS(xmlChildElementCount(root) == 0 && root->properties && root->properties->next &&
          !root->properties->next->next);
    if (!strchr(clean, '\r')) /* which XML reads as a line feed */
        HOLDS(strcmp((const char *)content, clean) == 0);
    xmlFree(content);
    xmlFreeDoc(parsed);
}

static void size_of(const char *text)
{
    esign_sms_size_t size = esign_sms_size(text);
    size_t utf16 = 0, length = strlen(text);
    HOLDS(size.room == (size.alphabet == ESIGN_SMS_DEFAULT   ? 160
                        : size.alphabet == ESIGN_SMS_TURKISH ? 155
                                                             : 70) &&
          size.units >= 0);
    if (u8_check((const uint8_t *)text, length) != NULL)
        return;
    size_t points = u8_mbsnlen((const uint8_t *)text, length);
    free(u8_to_u16((const uint8_t *)text, length, NULL, &utf16));
    if (size.alphabet == ESIGN_SMS_UCS2)
        HOLDS((size_t)size.units == utf16);
    else
        HOLDS((size_t)size.units >= points && (size_t)size.units <= 2 * points && utf16 == points);
}

void fuzz_one(const char *data, apr_size_t size, apr_pool_t *p)
{
    fuzz_rest_t rest = { data, size };
    const char *pattern = fuzz_line(&rest, p), *value = fuzz_text(&rest, p);
    fuzz_libraries();
    fill(pattern, value, p);
    xml(value, p);
    size_of(value);
    xmlDocPtr outside = esign_render_parse(data ? data : "", size);
    HOLDS(!outside || (!outside->intSubset && xmlDocGetRootElement(outside) != NULL));
    xmlFreeDoc(outside);
}
