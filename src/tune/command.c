/* command.c - see command.h. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "tune/command.h"

extern char **environ;

enum { ANSWER_MAX = 256 };    // bytes of a number

static int start(const char *command, const char *input, int out, pid_t *child)
{
    char sh[] = "sh", c[] = "-c", *text = strdup(command), *argv[] = { sh, c, text, NULL };
    posix_spawn_file_actions_t act;
    int bad;

    posix_spawn_file_actions_init(&act);
    posix_spawn_file_actions_addopen(&act, STDIN_FILENO, input, O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&act, out, STDOUT_FILENO);
    bad = posix_spawnp(child, "sh", &act, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&act);
    free(text);
    return bad;
}

/* What fd holds, up to its end; at most size - 1 bytes of it are kept. */
static void read_all(int fd, char *to, size_t size)
{
    char rest[512];
    size_t n = 0;
    ssize_t got;

    while ((got = read(fd, rest, sizeof(rest))) > 0 || (got < 0 && errno == EINTR)) {
        size_t k = got > 0 ? (size_t)got : 0;

        k = k < size - 1 - n ? k : size - 1 - n;
        memcpy(to + n, rest, k);
        n += k;
    }
    to[n] = 0;
}

int command_number(const char *command, const char *input, double *to, struct err *err)
{
    char answer[ANSWER_MAX], *end;
    int fd[2], status, bad;
    pid_t child;

    if (pipe(fd) < 0)
        return err_set(err, "%s: %s", command, strerror(errno));
    fcntl(fd[0], F_SETFD, FD_CLOEXEC);
    fcntl(fd[1], F_SETFD, FD_CLOEXEC);
    bad = start(command, input, fd[1], &child);
    close(fd[1]);
    if (!bad)
        read_all(fd[0], answer, sizeof(answer));
    close(fd[0]);
    if (bad)
        return err_set(err, "%s: %s", command, strerror(bad));
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return err_set(err, "%s: failed (status %d)", command,
                       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    *to = strtod(answer, &end);
    if (end == answer || end[strspn(end, " \t\r\n")] || isinf(*to))    // nothing beats infinity
        return err_set(err, "%s: wrote '%.40s', not a number", command, answer);
    return 0;
}
