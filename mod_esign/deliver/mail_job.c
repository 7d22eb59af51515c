/* SPDX-License-Identifier: Apache-2.0 */
/* mail_job.c: ends mails that were not begun. */
#include "mail_job.h"

#include <apr_strings.h>

void esign_mail_job_return(esign_mail_job_t *job, const char *why)
{
    job->outcome = ESIGN_TRANSFER_UNTRIED;
    apr_cpystrn(job->words, why, sizeof(job->words));
}

void esign_mail_job_lost(esign_mail_job_t *job)
{
    esign_mail_job_return(job, ESIGN_LEASE_LOST);
}
