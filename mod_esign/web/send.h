/* SPDX-License-Identifier: Apache-2.0 */
/* send.h: sends the body of an answer, past buffers of other modules if it is secret. */
#ifndef ESIGN_WEB_SEND_H
#define ESIGN_WEB_SEND_H

#include <httpd.h>

/* Sends `length` bytes as the whole body of the answer, in one brigade that ends it. Only such a
 * body passes httpd's BYTERANGE filter, and Safari asks for a sound in ranges. `secret`: mod_ssl
 * encrypts the bytes from where they are, secret memory of r->pool, and copies them into no buffer
 * of its own. */
void esign_send_bytes(request_rec *r, const char *bytes, apr_size_t length, int secret);

#endif
