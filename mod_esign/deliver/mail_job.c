/* SPDX-License-Identifier: Apache-2.0 */
/* mail_job.c: makes jobs, and ends jobs that were not begun. */
#include "mail_job.h"

#include "core/secret.h"

#include <apr_strings.h>

esign_mail_job_t *esign_mail_job_create(apr_int64_t id, const esign_lease_t *lease,
                                        apr_pool_t *parent)
{
    apr_pool_t *p;
    apr_pool_create(&p, parent);
    esign_mail_job_t *job = esign_secret_alloc(p, sizeof(*job));
    job->pool = p;
    job->id = id;
    job->to = "";
    job->lease = lease;
    return job;
}

void esign_mail_job_return(esign_mail_job_t *job, const char *why)
{
    job->outcome = ESIGN_TRANSFER_UNTRIED;
    apr_cpystrn(job->words, why, sizeof(job->words));
}

void esign_mail_job_lost(esign_mail_job_t *job)
{
    esign_mail_job_return(job, ESIGN_LEASE_LOST);
}
