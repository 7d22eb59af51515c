/* SPDX-License-Identifier: Apache-2.0 */
/* page.h: answering with a page: first its XML, then, unless the client asked for that, HTML. */
#ifndef ESIGN_WEB_PAGE_H
#define ESIGN_WEB_PAGE_H

#include "request.h"

#include "render/document.h"

/* A page being made, as htdocs/xsl/page.rng describes it: its elements are written in their order.
 * It is wiped with r->pool. */
typedef struct {
    esign_request_t *q;
    esign_document_t *document;
    int status;
    int common; /* but for the values that are only copied it is nobody's in particular: what it was
                   rendered to is kept for the next */
    int secret; /* set by the screen: what it shows is for nobody's buffer */
} esign_page_t;

/* `common`: a page whose values that are a person's, or differ each time, are all marked as copied.
 */
esign_page_t *esign_page_new(esign_request_t *q, const char *name, int status);
esign_page_t *esign_page_common(esign_request_t *q, const char *name, int status);

/* What is wrong: a catalogue key problem.CODE, at a field (NULL: none of them), with at most one
 * argument (NULL: none). */
void esign_page_problem(esign_page_t *page, const char *field, const char *code,
                        const char *argument);

/* A child of `parent` (0: the root) with attributes given as name, value, … NULL; an attribute
 * whose value is NULL is left out. A name with ~ before it: stylesheets only copy the value
 * (core/document.h). */
int esign_page_element(esign_page_t *page, int parent, const char *name, ...)
    __attribute__((sentinel));

/* An element for a form that is sent to `path`: `subscriber`'s, and nobody else's (NULL:
 * anybody's). */
int esign_page_form(esign_page_t *page, const char *name, esign_path_e path,
                    const esign_subscriber_t *subscriber);

/* Text of the element that began last; one that stylesheets only copy. */
void esign_page_text(esign_page_t *page, const char *text);
void esign_page_copied_text(esign_page_t *page, const char *text);

/* A moment, or a day (`date_only`), as the page's language writes it: stylesheets can copy that. */
const char *esign_page_time(const esign_page_t *page, apr_time_t time, int date_only);

/* Sends the page. */
int esign_page_send(esign_page_t *page);

/* 303 to an address of the portal. */
int esign_page_redirect(esign_request_t *q, esign_path_e path);

/* Pages that only say how to go on. */
int esign_page_link_dead(esign_request_t *q); /* 410 */
int esign_page_expired(esign_request_t *q);   /* 403: no session */
/* 409: a form of somebody else; `path` is where this person goes on. */
int esign_page_other_tab(esign_request_t *q, esign_path_e path);
int esign_page_not_found(esign_request_t *q);  /* 404 */
int esign_page_method(esign_request_t *q);     /* 405 */
int esign_page_cross_site(esign_request_t *q); /* 403 */
int esign_page_insecure(esign_request_t *q);   /* 403 */
int esign_page_invalid(esign_request_t *q, int status);
int esign_page_busy(esign_request_t *q);        /* 503, Retry-After */
int esign_page_unavailable(esign_request_t *q); /* 503: a part is down */
int esign_page_failed(esign_request_t *q,
                      esign_result_t result); /* the same, and the failure is logged */

/* The headers that every answer in the portal's location carries (OWASP Secure Headers); `r` need
 * not be a page. */
void esign_page_headers(request_rec *r, const esign_config_t *config);

#endif
