/* SPDX-License-Identifier: Apache-2.0 */
/* send.h: sends the body of an answer, past buffers of other modules if it is secret. */
#ifndef ESIGN_WEB_SEND_H
#define ESIGN_WEB_SEND_H

#include <httpd.h>

/* Answers with `length` bytes in one brigade to its end: only then httpd's own filter answers the
 * ranges that Safari asks a sound in. `secret`: mod_ssl gets the bytes themselves, in secret memory
 * of r->pool, and copies them nowhere but into the ciphertext. */
void esign_send_bytes(request_rec *r, const char *bytes, apr_size_t length, int secret);

#endif
