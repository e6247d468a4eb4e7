/* temp.c - see temp.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "spill/temp.h"

static int trouble(const struct temp *t, const char *what, struct err *err)
{
    return err_set(err, "%s: temporary file: %s: %s", t->dir, what,
                   errno ? strerror(errno) : "cut short");
}

void temp_init(struct temp *t, const char *dir)
{
    if (!dir)
        dir = getenv("TMPDIR");
    *t = (struct temp){ .fd = -1, .dir = xstrdup(dir && *dir ? dir : "/tmp") };
}

static int make(struct temp *t, struct err *err)
{
    char *name = xasprintf("%s/switchyard-XXXXXX", t->dir);

    t->fd = mkstemp(name);
    if (t->fd >= 0)
        unlink(name);
    free(name);
    return t->fd >= 0 ? 0 : trouble(t, "cannot be made", err);
}

int temp_write(struct temp *t, const void *p, size_t n, struct err *err)
{
    const unsigned char *at = p;

    if (t->fd < 0 && make(t, err) < 0)
        return -1;
    while (n) {
        ssize_t done = write(t->fd, at, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return trouble(t, "not written", err);
        at += done;
        n -= (size_t)done;
        t->size += (uint64_t)done;
    }
    return 0;
}

int temp_read(const struct temp *t, uint64_t at, void *p, size_t n, struct err *err)
{
    unsigned char *to = p;

    while (n) {
        ssize_t got = pread(t->fd, to, n, (off_t)at);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            errno = got ? errno : 0;
            return trouble(t, "not read", err);
        }
        to += got;
        n -= (size_t)got;
        at += (uint64_t)got;
    }
    return 0;
}

void temp_release(struct temp *t)
{
    if (t->fd >= 0)
        close(t->fd);
    free(t->dir);
    *t = (struct temp){ .fd = -1 };
}
