/* SPDX-License-Identifier: Apache-2.0 */
/* mailer.c: a queue of mails, the threads that send them, and the list of mails that are done. */
#include "mailer.h"

#include "sendmail.h"
#include "smtp.h"

#include <apr_strings.h>

#include <pthread.h>
#include <signal.h>

#define WAKE_UP_AT 16
/* How soon a thread that keeps a mail's place notices that it is to stop. */
#define SLICE apr_time_from_msec(50)

struct esign_mailer_t {
    const esign_smtp_t *smtp;
    void (*wake_up)(void *baton);
    void *baton;
    pthread_t *threads; /* `started` of them */
    int started;
    atomic_int stop;
    /* How long the last mail that was sent took, microseconds: smtp->lasted, or `own`. */
    atomic_llong own, *lasted;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t work;
    int idle;   /* threads that wait for work, or were woken and have not begun */
    int queued; /* mails that no thread has begun */
    esign_mail_job_t *queue, **queue_end;
    esign_mail_job_t *done; /* not reaped; the latest first */
    int unreaped;           /* how many these are */
};

/* Takes as long as the last mail did. Requests wait in one queue: without this, the delay of a mail
 * would show whether the number of the request before it is registered. */
static void keep_place(const esign_mailer_t *mailer, esign_mail_job_t *job)
{
    apr_time_t until = esign_clock() + *mailer->lasted;
    for (apr_time_t now; !mailer->stop && (now = esign_clock()) < until;)
        apr_sleep(until - now < SLICE ? until - now : SLICE);
    job->outcome = ESIGN_TRANSFER_SENT;
    if (mailer->stop)
        esign_mail_job_return(job, "the process ended");
}

static void send_one(const esign_mailer_t *mailer, esign_smtp_session_t **session,
                     esign_mail_job_t *job)
{
    if (!esign_lease_held(job->lease))
        esign_mail_job_lost(job);
    else if (!job->bytes)
        keep_place(mailer, job);
    else if (esign_sendmail_command(mailer->smtp->url))
        esign_sendmail_run(mailer->smtp, job, &mailer->stop);
    else
        esign_smtp_send(session, mailer->smtp, job, &mailer->stop);
}

/* A thread: sends mails until it is stopped. */
static void *send_mails(void *data)
{
    esign_mailer_t *mailer = data;
    esign_smtp_session_t *session = NULL;
    pthread_setname_np(pthread_self(), "esign mail");
    pthread_mutex_lock(&mailer->mutex);
    for (;;) {
        while (!mailer->queue && !mailer->stop) {
            mailer->idle++;
            pthread_cond_wait(&mailer->work, &mailer->mutex);
            mailer->idle--;
        }
        esign_mail_job_t *job = mailer->queue;
        if (mailer->stop)
            break;
        if (!(mailer->queue = job->next))
            mailer->queue_end = &mailer->queue;
        mailer->queued--;
        pthread_mutex_unlock(&mailer->mutex);
        apr_time_t began = esign_clock();
        send_one(mailer, &session, job);
        if (job->bytes && job->outcome == ESIGN_TRANSFER_SENT)
            *mailer->lasted = esign_clock() - began;
        pthread_mutex_lock(&mailer->mutex);
        job->next = mailer->done;
        mailer->done = job;
        /* While there is work the courier looks by itself now and then: to be woken up for each
         * mail would cost it more than the mail. */
        if (++mailer->unreaped >= WAKE_UP_AT || !mailer->queue)
            mailer->wake_up(mailer->baton);
    }
    pthread_mutex_unlock(&mailer->mutex);
    esign_smtp_close(session);
    return NULL;
}

/* 1: a thread was started. It blocks all signals, which are the main thread's to handle. */
static int start_thread(esign_mailer_t *mailer)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int started = pthread_create(&mailer->threads[mailer->started], NULL, send_mails, mailer) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    mailer->started += started;
    return started;
}

void esign_mailer_submit(esign_mailer_t *mailer, esign_mail_job_t *job)
{
    pthread_mutex_lock(&mailer->mutex);
    job->next = NULL;
    *mailer->queue_end = job;
    mailer->queue_end = &job->next;
    /* A mail must not wait for a thread whose mail hangs. */
    int wanted = ++mailer->queued > mailer->idle && mailer->started < mailer->smtp->connections;
    pthread_cond_signal(&mailer->work);
    pthread_mutex_unlock(&mailer->mutex);
    /* Where not even one thread can be started, the mails go back to be tried later. */
    if (wanted && !start_thread(mailer) && mailer->started == 0)
        esign_mailer_recall(mailer);
}

int esign_mailer_done(esign_mailer_t *mailer)
{
    pthread_mutex_lock(&mailer->mutex);
    int done = mailer->unreaped;
    pthread_mutex_unlock(&mailer->mutex);
    return done;
}

esign_mail_job_t *esign_mailer_reap(esign_mailer_t *mailer)
{
    pthread_mutex_lock(&mailer->mutex);
    esign_mail_job_t *job = mailer->done;
    if (job) {
        mailer->done = job->next;
        mailer->unreaped--;
    }
    pthread_mutex_unlock(&mailer->mutex);
    return job;
}

void esign_mailer_recall(esign_mailer_t *mailer)
{
    pthread_mutex_lock(&mailer->mutex);
    while (mailer->queue) {
        esign_mail_job_t *job = mailer->queue;
        mailer->queue = job->next;
        esign_mail_job_return(job, "no connection was free for it");
        job->next = mailer->done;
        mailer->done = job;
        mailer->unreaped++;
    }
    mailer->queued = 0;
    mailer->queue_end = &mailer->queue;
    pthread_mutex_unlock(&mailer->mutex);
}

void esign_mailer_stop(esign_mailer_t *mailer)
{
    esign_mailer_recall(mailer);
    pthread_mutex_lock(&mailer->mutex);
    mailer->stop = 1;
    pthread_cond_broadcast(&mailer->work);
    pthread_mutex_unlock(&mailer->mutex);
}

void esign_mailer_join(esign_mailer_t *mailer)
{
    while (mailer->started > 0)
        pthread_join(mailer->threads[--mailer->started], NULL);
}

static apr_status_t destroy_mailer(void *data)
{
    esign_mailer_t *mailer = data;
    esign_mailer_stop(mailer);
    esign_mailer_join(mailer);
    pthread_cond_destroy(&mailer->work);
    pthread_mutex_destroy(&mailer->mutex);
    return APR_SUCCESS;
}

esign_result_t esign_mailer_create(esign_mailer_t **mailer, const esign_smtp_t *smtp,
                                   void (*wake_up)(void *baton), void *baton, apr_pool_t *p)
{
    esign_mailer_t *made = apr_pcalloc(p, sizeof(*made));
    made->smtp = smtp;
    made->lasted = smtp->lasted ? smtp->lasted : &made->own;
    made->wake_up = wake_up;
    made->baton = baton;
    made->threads = apr_pcalloc(p, sizeof(*made->threads) * (size_t)smtp->connections);
    made->queue_end = &made->queue;
    int error = pthread_mutex_init(&made->mutex, NULL);
    if (error == 0)
        error = pthread_cond_init(&made->work, NULL);
    if (error != 0)
        return esign_result_make(p, error, "mail", "its threads cannot be created");
    /* Before the pools of the jobs, which the threads use, are destroyed. */
    apr_pool_pre_cleanup_register(p, made, destroy_mailer);
    *mailer = made;
    return ESIGN_OK;
}
