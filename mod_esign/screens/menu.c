/* SPDX-License-Identifier: Apache-2.0 */
/* menu.c: the operations menu: the portal's own operations, then the administrator's links. */
#include "menu.h"

#include "web/page.h"

int esign_menu_get(esign_request_t *q)
{
    esign_page_t *page = esign_page_new(q, "menu", HTTP_OK);
    const apr_array_header_t *links = q->config->menu_links;
    esign_page_element(page, 0, "pin", "href", esign_request_path(q, ESIGN_PATH_PIN), NULL);
    esign_page_element(page, 0, "word", "href", esign_request_path(q, ESIGN_PATH_WORD), NULL);
    esign_page_element(page, 0, "activity", "href", esign_request_path(q, ESIGN_PATH_ACTIVITY),
                       NULL);
    for (int i = 0; links && i + 1 < links->nelts; i += 2)
        esign_page_element(page, 0, "link", "href", APR_ARRAY_IDX(links, i + 1, const char *),
                           "label", APR_ARRAY_IDX(links, i, const char *), NULL);
    return esign_page_send(page);
}
