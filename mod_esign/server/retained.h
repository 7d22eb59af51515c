/* SPDX-License-Identifier: Apache-2.0 */
/* retained.h: objects of the node that outlive reloads, because children of the old configuration
 * still use them while the next one starts. httpd's retained data (ap_retained_data_create) keeps
 * them; each is made by the first configuration that needs it. */
#ifndef ESIGN_SERVER_RETAINED_H
#define ESIGN_SERVER_RETAINED_H

#include "config.h"

#include "ipc/gate.h"
#include "ipc/meter.h"

#include <stdatomic.h>

/* Finds or makes the gates and the wakeup. Called in post_config, by a portal's configuration: the
 * hash gate gets the size in the first one, and each one's user and group may enter the gates. */
esign_result_t esign_retained_make(const esign_config_t *config, apr_pool_t *process,
                                   apr_pool_t *p);

/* The gate for Argon2id. */
esign_gate_t *esign_retained_hash_gate(void);

/* The gate that writers of an SQLite database pass one at a time, in order of arrival. */
esign_gate_t *esign_retained_write_gate(void);

/* The wakeup (ipc/wakeup.h) that signals the courier's child that a message was queued. */
int esign_retained_wakeup(void);

/* Finds or makes the meter of the portal at this URL. */
esign_result_t esign_retained_meter(esign_meter_t **meter, const char *portal_url,
                                    apr_pool_t *process, apr_pool_t *p);

/* Finds or makes the figure for how long the last mail to a mail server took, in microseconds, in
 * shared memory (deliver/mailer.c). */
esign_result_t esign_retained_mail_time(atomic_llong **time, const char *mail_url, apr_pool_t *p);

/* Registers pre_config. */
void esign_retained_register_hooks(apr_pool_t *p);

#endif
