/* SPDX-License-Identifier: Apache-2.0 */
/* mailer.c: a queue, the threads that empty it, and the list of what they have done. */
#include "mailer.h"

#include "sendmail.h"
#include "smtp.h"

#include <apr_strings.h>

#include <pthread.h>
#include <signal.h>

#define WAKE_AT 16
/* How soon a thread that waits notices that it is to stop. */
#define SLICE apr_time_from_msec(50)

struct esign_mailer_t {
    const esign_smtp_t *smtp;
    void (*wake)(void *baton);
    void *baton;
    pthread_t *threads; /* `started` of them */
    int started;
    atomic_int stop;
    atomic_llong own, *lasted; /* the last mail that was sent: smtp->lasted, or own */
    pthread_mutex_t mutex;     /* of what follows */
    pthread_cond_t work;
    int idle;   /* threads that wait for work, or have been woken and not begun */
    int queued; /* mails that no thread has begun */
    esign_mail_job_t *queue, **queue_end;
    esign_mail_job_t *done; /* latest first */
    int unreaped;           /* of them */
};

/* Whoever waits behind a request must not tell from their own mail's delay whether it was a
 * registered person's. */
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

static void *work(void *data)
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
        /* While there is work left, the courier looks by itself now and then: being woken for each
         * mail would cost it more than the mail. */
        if (++mailer->unreaped >= WAKE_AT || !mailer->queue)
            mailer->wake(mailer->baton);
    }
    pthread_mutex_unlock(&mailer->mutex);
    esign_smtp_close(session);
    return NULL;
}

/* Signals are the main thread's. */
static int start_thread(esign_mailer_t *mailer)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int started = pthread_create(&mailer->threads[mailer->started], NULL, work, mailer) == 0;
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
    /* A mail behind one that hangs must not wait for the same thread. */
    int wanted = ++mailer->queued > mailer->idle && mailer->started < mailer->smtp->connections;
    pthread_cond_signal(&mailer->work);
    pthread_mutex_unlock(&mailer->mutex);
    /* A process that may have no more threads at all waits until it may. */
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

static apr_status_t destroy(void *data)
{
    esign_mailer_t *mailer = data;
    esign_mailer_stop(mailer);
    esign_mailer_join(mailer);
    pthread_cond_destroy(&mailer->work);
    pthread_mutex_destroy(&mailer->mutex);
    return APR_SUCCESS;
}

esign_result_t esign_mailer_create(esign_mailer_t **mailer, const esign_smtp_t *smtp,
                                   void (*wake)(void *baton), void *baton, apr_pool_t *p)
{
    esign_mailer_t *made = apr_pcalloc(p, sizeof(*made));
    made->smtp = smtp;
    made->lasted = smtp->lasted ? smtp->lasted : &made->own;
    made->wake = wake;
    made->baton = baton;
    made->threads = apr_pcalloc(p, sizeof(*made->threads) * (size_t)smtp->connections);
    made->queue_end = &made->queue;
    int error = pthread_mutex_init(&made->mutex, NULL);
    if (error == 0)
        error = pthread_cond_init(&made->work, NULL);
    if (error != 0)
        return esign_result_make(p, error, "mail", "no threads can be made for it");
    /* Before the subpools go: they hold what the threads work on. */
    apr_pool_pre_cleanup_register(p, made, destroy);
    *mailer = made;
    return ESIGN_OK;
}
