/* command.c - see command.h. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/progress.h"
#include "tune/command.h"

extern char **environ;

enum { ANSWER_MAX = 256 };    // bytes of a number
enum { PAUSE_MS = 20 };       // between looks at a child that has said all it will

struct job {
    pid_t child;    // the first of a process group of its own
    int out;        // what it writes
    double end;     // seconds of the clock, 0: none
    char answer[ANSWER_MAX];
    int status;
};

/* In a process group of its own, so that all it has begun can be ended with it. */
static int start(const char *command, const char *input, int out, pid_t *child)
{
    char sh[] = "sh", c[] = "-c", *text = strdup(command), *argv[] = { sh, c, text, NULL };
    posix_spawn_file_actions_t act;
    posix_spawnattr_t attr;
    int bad;

    posix_spawn_file_actions_init(&act);
    posix_spawn_file_actions_addopen(&act, STDIN_FILENO, input, O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&act, out, STDOUT_FILENO);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP);
    bad = posix_spawnp(child, "sh", &act, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&act);
    free(text);
    return bad;
}

/* Milliseconds left, at most a minute; -1: it may take for ever. */
static int left(const struct job *j)
{
    double s = j->end - clock_seconds();

    if (j->end <= 0)
        return -1;
    return s <= 0 ? 0 : s >= 60 ? 60000 : (int)(s * 1000) + 1;
}

/* What it writes, up to the end; at most ANSWER_MAX - 1 bytes of it are kept. -1: out of time. */
static int read_all(struct job *j)
{
    struct pollfd p = { .fd = j->out, .events = POLLIN };
    char rest[512];
    size_t n = 0;
    ssize_t got = 1;

    while (got > 0 || (got < 0 && errno == EINTR)) {
        int ms = left(j);
        size_t k;

        if (ms == 0)
            return -1;
        if (poll(&p, 1, ms) <= 0)
            continue;
        if ((got = read(j->out, rest, sizeof(rest))) <= 0)
            continue;
        k = ANSWER_MAX - 1 - n;
        k = k < (size_t)got ? k : (size_t)got;
        memcpy(j->answer + n, rest, k);
        n += k;
    }
    j->answer[n] = 0;
    return 0;
}

/* Its status, once it has ended. -1: out of time. It may have closed its output and live on. */
static int wait_for(struct job *j)
{
    pid_t got;

    for (;;) {
        got = waitpid(j->child, &j->status, j->end > 0 ? WNOHANG : 0);
        if (got == j->child || (got < 0 && errno != EINTR))
            return 0;
        if (left(j) == 0)
            return -1;
        if (got == 0)
            poll(NULL, 0, PAUSE_MS);
    }
}

static void end_all(struct job *j)
{
    kill(-j->child, SIGKILL);
    while (waitpid(j->child, &j->status, 0) < 0 && errno == EINTR)
        ;
}

static int number(const char *command, const char *answer, double *to, struct err *err)
{
    char *end;

    *to = strtod(answer, &end);
    if (end == answer || end[strspn(end, " \t\r\n")] || isinf(*to))    // nothing beats infinity
        return err_set(err, "%s: wrote '%.40s', not a number", command, answer);
    return 0;
}

int command_number(const char *command, const char *input, double limit, double *to,
                   struct err *err)
{
    struct job j = { .end = limit > 0 ? clock_seconds() + limit : 0 };
    int fd[2], bad, late;

    if (pipe(fd) < 0)
        return err_set(err, "%s: %s", command, strerror(errno));
    fcntl(fd[0], F_SETFD, FD_CLOEXEC);
    fcntl(fd[1], F_SETFD, FD_CLOEXEC);
    j.out = fd[0];
    bad = start(command, input, fd[1], &j.child);
    close(fd[1]);
    late = !bad && (read_all(&j) < 0 || wait_for(&j) < 0);
    if (late)
        end_all(&j);
    close(fd[0]);
    if (bad)
        return err_set(err, "%s: %s", command, strerror(bad));
    if (late)
        return err_set(err, "%s: not done after %g seconds, ended (see --metric-timeout)", command,
                       limit);
    if (!WIFEXITED(j.status) || WEXITSTATUS(j.status) != 0)
        return err_set(err, "%s: failed (status %d)", command,
                       WIFEXITED(j.status) ? WEXITSTATUS(j.status) : 128 + WTERMSIG(j.status));
    return number(command, j.answer, to, err);
}
