/* SPDX-License-Identifier: Apache-2.0 */
/* sendmail.c: starts the sendmail command, writes the mail to it, and waits for its end. */
#include "sendmail.h"

#include "core/secret.h"

#include <apr_strings.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define SCHEME "sendmail:"
#define DEFAULT_COMMAND "/usr/sbin/sendmail"

/* How often the command's end is looked for. Its output does not show that: a child that it leaves
 * may keep the output open. */
#define TICK_MS 10

typedef struct {
    pid_t pid;
    int in, out;      /* our ends of the pipes to and from it; -1: closed */
    const char *next; /* of the mail: the part that has not been written */
    apr_size_t left;
    char said[512]; /* the beginning of its output */
    apr_size_t length;
} command_t;

const char *esign_sendmail_command(const char *url)
{
    if (strncmp(url, SCHEME, strlen(SCHEME)) != 0)
        return NULL;
    return url[strlen(SCHEME)] ? url + strlen(SCHEME) : DEFAULT_COMMAND;
}

static void close_end(int *file)
{
    if (*file >= 0)
        close(*file);
    *file = -1;
}

/* Starts the program with these pipes. posix_spawn runs no code of this process in the child, so
 * locks that other threads hold do not matter. Returns an errno. */
static int spawn_command(command_t *command, const char *path, const char *from, const int in[2],
                         const int out[2])
{
    char *const arguments[] = { (char *)path, "-t", "-i", "-f", (char *)from, NULL };
    char *const environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", NULL };
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int error = posix_spawn_file_actions_init(&files);
    if (error != 0)
        return error;
    if ((error = posix_spawnattr_init(&attributes)) == 0) {
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                  POSIX_SPAWN_SETPGROUP);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setsigdefault(&attributes, &all);
        posix_spawn_file_actions_adddup2(&files, in[0], 0);
        posix_spawn_file_actions_adddup2(&files, out[1], 1);
        posix_spawn_file_actions_adddup2(&files, out[1], 2);
        posix_spawn_file_actions_addclosefrom_np(&files, 3);
        error = posix_spawn(&command->pid, path, &files, &attributes, arguments, environment);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&files);
    return error;
}

/* Makes the pipes and starts the program. Returns an errno. */
static int start_command(command_t *command, const char *path, const char *from)
{
    int in[2], out[2], error;
    if (pipe2(in, O_CLOEXEC) != 0)
        return errno;
    if (pipe2(out, O_CLOEXEC) != 0) {
        error = errno;
        close(in[0]), close(in[1]);
        return error;
    }
    command->in = in[1];
    command->out = out[0];
    fcntl(command->in, F_SETFL, O_NONBLOCK);
    fcntl(command->out, F_SETFL, O_NONBLOCK);
    error = spawn_command(command, path, from, in, out);
    close(in[0]), close(out[1]);
    return error;
}

/* Writes a piece of the mail, with the line ends that a local program expects. 0: the pipe takes no
 * more at present, or ever. */
static int write_piece(command_t *command)
{
    char piece[4096];
    apr_size_t size = 0;
    const char *at = command->next, *end = command->next + command->left;
    for (; at < end && size < sizeof(piece); at++)
        if (*at != '\r')
            piece[size++] = *at;
    ssize_t written = write(command->in, piece, size);
    esign_secret_wipe(piece, size);
    if (written < 0) {
        /* The command has ended; its exit status will say why. */
        if (errno != EAGAIN && errno != EINTR)
            close_end(&command->in);
        return 0;
    }
    for (ssize_t i = 0; command->next < end && (i < written || *command->next == '\r');
         command->next++)
        i += *command->next != '\r';
    command->left = (apr_size_t)(end - command->next);
    return written == (ssize_t)size;
}

static void write_mail(command_t *command)
{
    while (command->left > 0 && write_piece(command))
        ;
    if (command->left == 0)
        close_end(&command->in);
}

static void read_output(command_t *command)
{
    char bytes[1024];
    ssize_t got;
    while ((got = read(command->out, bytes, sizeof(bytes))) > 0) {
        apr_size_t room = sizeof(command->said) - 1 - command->length,
                   kept = (apr_size_t)got < room ? (apr_size_t)got : room;
        memcpy(command->said + command->length, bytes, kept);
        command->length += kept;
    }
    if (got == 0)
        close_end(&command->out);
}

/* Kills the command with its process group, and waits for its end. */
static void kill_command(const command_t *command)
{
    kill(-command->pid, SIGKILL);
    while (waitpid(command->pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* How the command ended where it has no exit status. */
enum {
    KILLED = -1,     /* it took too long, or the process ends */
    TAKEN = -2,      /* another part of this process waited for it */
    LEASE_LOST = -3, /* killed before it had the whole mail: the lease's deadline passed */
};

/* Writes the mail and reads the output until the command has ended. Returns its status as waitpid
 * gives it, or one of the above. */
static int run_command(command_t *command, const esign_lease_t *lease, apr_time_t until,
                       const atomic_int *stop)
{
    for (;;) {
        int status = 0, lost = command->in >= 0 && !esign_lease_held(lease);
        pid_t ended = waitpid(command->pid, &status, WNOHANG);
        if (ended == 0 && (lost || esign_clock() >= until || *stop)) {
            kill_command(command);
            return lost ? LEASE_LOST : KILLED;
        }
        if (command->out >= 0)
            read_output(command);
        if (ended != 0)
            return ended == command->pid ? status : TAKEN;
        if (command->in >= 0)
            write_mail(command);
        struct pollfd files[] = { { .fd = command->in, .events = POLLOUT },
                                  { .fd = command->out, .events = POLLIN } };
        poll(files, 2, TICK_MS);
    }
}

/* The outcome of an exit status (<sysexits.h>). Any other status is a fault of the command, or of
 * what this mail does to it. */
static esign_transfer_outcome_e outcome_of(int code)
{
    switch (code) {
    case EX_OK:
        return ESIGN_TRANSFER_SENT;
    case EX_TEMPFAIL:
        return ESIGN_TRANSFER_LATER;
    case EX_DATAERR:
    case EX_NOUSER:
    case EX_NOHOST:
        return ESIGN_TRANSFER_NEVER;
    default:
        return ESIGN_TRANSFER_UNANSWERED;
    }
}

static void judge_end(const command_t *command, int status, const atomic_int *stop,
                      esign_mail_job_t *job)
{
    const char *said = command->said + strspn(command->said, " \r\n");
    int length = (int)strcspn(said, "\r\n");
    job->outcome = *stop ? ESIGN_TRANSFER_UNREACHABLE : ESIGN_TRANSFER_UNANSWERED;
    if (status == KILLED)
        apr_snprintf(job->words, sizeof(job->words), "%s, and was killed",
                     *stop ? "sendmail had not ended when httpd did"
                           : "sendmail did not end in time");
    else if (status < 0)
        apr_cpystrn(job->words, "another part of httpd took sendmail's exit status",
                    sizeof(job->words));
    else if (WIFSIGNALED(status))
        apr_snprintf(job->words, sizeof(job->words), "sendmail ended by signal %d",
                     WTERMSIG(status));
    else if (WEXITSTATUS(status) == EX_OK && command->left > 0)
        apr_cpystrn(job->words, "sendmail ended before it had read the whole mail",
                    sizeof(job->words));
    else {
        job->outcome = outcome_of(WEXITSTATUS(status));
        apr_snprintf(job->words, sizeof(job->words), "sendmail ended with status %d%s%.*s",
                     WEXITSTATUS(status), length ? ": " : "", length, said);
    }
}

void esign_sendmail_run(const esign_smtp_t *smtp, esign_mail_job_t *job, const atomic_int *stop)
{
    const char *path = esign_sendmail_command(smtp->url);
    command_t command = { .pid = -1, .in = -1, .out = -1, .next = job->bytes, .left = job->length };
    int error = start_command(&command, path, smtp->from);
    if (error == 0) {
        int status = run_command(&command, job->lease, esign_clock() + smtp->timeout, stop);
        if (status == LEASE_LOST)
            esign_mail_job_lost(job);
        else
            judge_end(&command, status, stop, job);
    } else {
        job->outcome = ESIGN_TRANSFER_UNREACHABLE;
        apr_snprintf(job->words, sizeof(job->words), "%s cannot be started: %s", path,
                     strerrordesc_np(error));
    }
    close_end(&command.in);
    close_end(&command.out);
}
