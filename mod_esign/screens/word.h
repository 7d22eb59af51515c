/* SPDX-License-Identifier: Apache-2.0 */
/* word.h: the form for a new security word: of a mailed link, and of a signed-in subscriber. */
#ifndef ESIGN_SCREENS_WORD_H
#define ESIGN_SCREENS_WORD_H

#include "web/page.h"

esign_screen_fn esign_word_get, esign_word_post;

/* Sends the page `name` with the form for the subscriber's new word, which is sent to `path`. A
 * signed-in subscriber whose word was not given lately has to give the old one too. `problem` NULL:
 * none; else its code, of `field`, after a POST that was refused. */
int esign_word_page(esign_request_t *q, const esign_subscriber_t *subscriber, const char *name,
                    esign_path_e path, const char *field, const char *problem);

/* Judges both fields of the new word. The normalized word, wiped with r->pool; NULL, with `*field`
 * and `*problem` set: it is not acceptable. */
const char *esign_word_read(esign_request_t *q, const esign_subscriber_t *subscriber,
                            const char **field, const char **problem);

/* Stores the hash of a new word, raises the epochs, audits `event` and queues its notice, in one
 * transaction. `link_epoch`: of the link; -1: the session asks, whose epoch is subscriber->epoch.
 * `*changed` 0: link or session had ended, and nothing was stored. */
esign_result_t esign_word_store(esign_request_t *q, const esign_subscriber_t *subscriber,
                                apr_int64_t link_epoch, const char *hash, esign_audit_event_e event,
                                int *changed);

#endif
