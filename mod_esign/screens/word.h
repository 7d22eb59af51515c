/* SPDX-License-Identifier: Apache-2.0 */
/* word.h: the two fields of a new security word, wherever they are asked. */
#ifndef ESIGN_SCREENS_WORD_H
#define ESIGN_SCREENS_WORD_H

#include "web/page.h"

esign_screen_fn esign_word_get, esign_word_post;

/* Sends the page `name` with the two fields for a subscriber's word, and one for the word of now
 * when it was shown long ago, posting to `path`; with what is wrong when `q` is a POST whose
 * fields were refused. */
int esign_word_page(esign_request_t *q, const esign_subscriber_t *subscriber, const char *name,
                    esign_path_e path, const char *field, const char *problem);

/* Judges the two fields for a subscriber. The normalized word, secret; NULL with `*field` and
 * `*problem` set when it is not acceptable. */
const char *esign_word_read(esign_request_t *q, const esign_subscriber_t *subscriber,
                            const char **field, const char **problem);

/* Changes the word, raises the epochs, writes `event` (an esign_audit_event_e) and queues its
 * notice, all or nothing. `link_epoch`: the link's; -1: it is the session that asks, of
 * subscriber->epoch. `*changed` 0: the link or session had died. */
esign_result_t esign_word_store(esign_request_t *q, const esign_subscriber_t *subscriber,
                                apr_int64_t link_epoch, const char *hash, int event, int *changed);

#endif
