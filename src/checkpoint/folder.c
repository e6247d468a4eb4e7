/* folder.c - see folder.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "checkpoint/folder.h"

#define STEP "step-"
#define PART ".part"

char *folder_step(const char *dir, uint64_t step, int part)
{
    return xasprintf("%s/" STEP "%08" PRIu64 "%s", dir, step, part ? PART : "");
}

/* Is name "step-" and digits, then end? */
static int parse(const char *name, const char *end, uint64_t *step)
{
    char *stop;

    if (strncmp(name, STEP, strlen(STEP)) != 0 || name[strlen(STEP)] < '0' ||
        name[strlen(STEP)] > '9')
        return 0;
    *step = strtoull(name + strlen(STEP), &stop, 10);
    return strcmp(stop, end) == 0;
}

static int has(const char *dir, const char *file)
{
    char *path = xasprintf("%s/%s", dir, file);
    int there = access(path, F_OK) == 0;

    free(path);
    return there;
}

static int newest_first(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x < y) - (x > y);
}

long folder_list(const char *dir, uint64_t **step, struct err *err)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    uint64_t s;
    size_t n = 0;

    *step = NULL;
    if (!d) {
        err_set(err, "%s: %s", dir, strerror(errno));
        return -1;
    }
    while ((e = readdir(d)) != NULL) {
        char *path;

        if (!parse(e->d_name, "", &s))
            continue;
        path = xasprintf("%s/%s", dir, e->d_name);
        if (has(path, "state.json")) {
            *step = xreallocarray(*step, n + 1, sizeof(**step));
            (*step)[n++] = s;
        }
        free(path);
    }
    closedir(d);
    if (n)
        qsort(*step, n, sizeof(**step), newest_first);
    return (long)n;
}

char *folder_find(const char *path, struct err *err)
{
    uint64_t *step;
    char *found = NULL;
    long n;

    if (has(path, "config.json"))
        return xstrdup(path);
    n = folder_list(path, &step, err);
    if (n > 0)
        found = folder_step(path, step[0], 0);
    else if (n == 0)
        err_set(err, "%s: no checkpoint in it", path);
    free(step);
    return found;
}

int folder_make(const char *path, struct err *err)
{
    char *copy = xstrdup(path), *at;
    int rc = 0;

    for (at = copy + 1; rc == 0; at++)
        if (*at == '/' || !*at) {
            char was = *at;

            *at = 0;
            if (mkdir(copy, 0777) < 0 && errno != EEXIST)
                rc = err_set(err, "%s: %s", copy, strerror(errno));
            *at = was;
            if (!was)
                break;
        }
    free(copy);
    return rc;
}

int folder_sync(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

    if (fd < 0 || (fsync(fd) < 0 && errno != EINVAL))    // EINVAL: a file system that cannot
        rc = err_set(err, "%s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return rc;
}

int folder_remove(const char *path, struct err *err)
{
    char *state = xasprintf("%s/state.json", path);
    DIR *d = opendir(path);
    struct dirent *e;
    int rc = 0;

    unlink(state);    // from here on it is not whole
    free(state);
    while (d && (e = readdir(d)) != NULL) {
        char *file;

        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        file = xasprintf("%s/%s", path, e->d_name);
        if (unlink(file) < 0)
            rc = err_set(err, "%s: %s", file, strerror(errno));
        free(file);
    }
    if (d)
        closedir(d);
    if (rc == 0 && rmdir(path) < 0)
        rc = err_set(err, "%s: %s", path, strerror(errno));
    return rc;
}

int folder_clear_parts(const char *dir, struct err *err)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    uint64_t step;
    int rc = 0;

    if (!d)
        return err_set(err, "%s: %s", dir, strerror(errno));
    while (rc == 0 && (e = readdir(d)) != NULL)
        if (parse(e->d_name, PART, &step)) {
            char *path = xasprintf("%s/%s", dir, e->d_name);

            rc = folder_remove(path, err);
            free(path);
        }
    closedir(d);
    return rc;
}

/* Under the name of a part first: if this is killed, the next run removes the rest. */
static int discard(const char *dir, uint64_t step, struct err *err)
{
    char *whole = folder_step(dir, step, 0), *part = folder_step(dir, step, 1);
    int rc = 0;

    if (rename(whole, part) < 0)
        rc = err_set(err, "%s: %s", whole, strerror(errno));
    else
        rc = folder_remove(part, err);
    free(whole);
    free(part);
    return rc;
}

int folder_forget(const char *dir, uint64_t after, struct err *err)
{
    uint64_t *step;
    long n = folder_list(dir, &step, err), i;
    int rc = n < 0 ? -1 : 0;

    for (i = 0; rc == 0 && i < n && step[i] > after; i++)
        rc = discard(dir, step[i], err);
    free(step);
    return rc;
}

int folder_prune(const char *dir, size_t keep, uint64_t spare, struct err *err)
{
    uint64_t *step;
    long n = folder_list(dir, &step, err), i;
    int rc = n < 0 ? -1 : 0;

    for (i = (long)keep; rc == 0 && i < n; i++)
        rc = step[i] == spare ? 0 : discard(dir, step[i], err);
    free(step);
    return rc;
}
