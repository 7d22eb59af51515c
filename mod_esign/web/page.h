/* SPDX-License-Identifier: Apache-2.0 */
/* page.h: answers with a page. A page is written as XML; a client that does not ask for XML gets
 * HTML. */
#ifndef ESIGN_WEB_PAGE_H
#define ESIGN_WEB_PAGE_H

#include "request.h"

#include "render/document.h"

/* A page being written, in the order that htdocs/xsl/page.rng requires. In r->pool, wiped with it.
 */
typedef struct {
    esign_request_t *q;
    esign_document_t *document;
    int status; /* of the answer */
    int secret; /* set by the screen: the page must not pass through other modules' buffers */
} esign_page_t;

/* Begins the page `name` ("login"). The page cache keeps what is rendered (render/page_cache.h).
 * Therefore each value of one person, or of one moment, has to be marked as copied: see ~ below. */
esign_page_t *esign_page_new(esign_request_t *q, const char *name, int status);

/* Adds the problem whose text in the catalogue is problem.CODE. `field` NULL: it concerns no field.
 * `argument`: what fills {1} in the text; NULL: nothing does. */
void esign_page_problem(esign_page_t *page, const char *field, const char *code,
                        const char *argument);

/* Adds a child of element `parent` (0: the root) and returns its number. Attributes follow as name,
 * value, …, NULL. One whose value is NULL is left out. A ~ before the name marks the value as
 * copied: stylesheets copy it without looking at it (render/document.h). */
int esign_page_element(esign_page_t *page, int parent, const char *name, ...)
    __attribute__((sentinel));

/* Adds an element for a form that is sent to `path`. It carries the mark of `subscriber` (mark.h);
 * NULL: it carries none. */
int esign_page_form(esign_page_t *page, const char *name, esign_path_e path,
                    const esign_subscriber_t *subscriber);

/* Adds text to the element that was added last; the second one's is marked as copied. */
void esign_page_text(esign_page_t *page, const char *text);
void esign_page_copied_text(esign_page_t *page, const char *text);

/* A time, or a date (`date_only`), as the page's language writes it, in r->pool. */
const char *esign_page_time(const esign_page_t *page, apr_time_t time, int date_only);

/* Sends the page, and gives the database connection back before that. OK, or an HTTP status if the
 * page cannot be rendered, which is logged. */
int esign_page_send(esign_page_t *page);

/* Answers 303 to an address of the portal. */
int esign_page_redirect(esign_request_t *q, esign_path_e path);

/* Each of these sends a page that explains a refusal and links to where the visitor can go on. */
int esign_page_link_dead(esign_request_t *q); /* 410: a mailed link */
int esign_page_expired(esign_request_t *q);   /* 403: no session */
/* 409: the form was made for another subscriber; the page links to `path`. */
int esign_page_other_tab(esign_request_t *q, esign_path_e path);
int esign_page_not_found(esign_request_t *q);           /* 404 */
int esign_page_method(esign_request_t *q);              /* 405 */
int esign_page_cross_site(esign_request_t *q);          /* 403 */
int esign_page_insecure(esign_request_t *q);            /* 403: no TLS */
int esign_page_invalid(esign_request_t *q, int status); /* `status`: a body that cannot be read */
int esign_page_busy(esign_request_t *q);                /* 503, Retry-After */
int esign_page_unavailable(esign_request_t *q);         /* 503, Retry-After: a service is down */
int esign_page_failed(esign_request_t *q, esign_result_t result); /* the same, and logs `result` */

/* Sets the headers that each answer in the portal's location has, a page or not (OWASP Secure
 * Headers Project). */
void esign_page_headers(request_rec *r, const esign_config_t *config);

#endif
