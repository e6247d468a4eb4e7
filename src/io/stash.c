/* stash.c - see stash.h. Before a block stand its three lengths. Only this process reads it back,
 * on the machine that wrote it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/err.h"
#include "io/stash.h"

enum { LEVEL = 1 };

struct lengths {
    uint64_t head, body, packed;
};

struct stash {
    int fd;
    char *path;    // for messages: the file itself has no name
    uint64_t stored;
    off_t at;    // where the next block is read
    int with_body;
};

static int trouble(const struct stash *s, const char *what, struct err *err)
{
    return err_set(err, "%s: temporary file: %s: %s", s->path, what,
                   errno ? strerror(errno) : "cut short");
}

void stash_block_release(struct stash_block *b)
{
    buf_release(&b->head);
    buf_release(&b->body);
    buf_release(&b->packed);
    ZSTD_freeCCtx(b->pack);
    b->pack = NULL;
}

struct stash *stash_open(const char *dir, struct err *err)
{
    struct stash *s = xcalloc(1, sizeof(*s));
    char *name;

    if (!dir)
        dir = getenv("TMPDIR");
    if (!dir || !*dir)
        dir = "/tmp";
    s->path = xstrdup(dir);
    name = xasprintf("%s/switchyard-XXXXXX", dir);
    s->fd = mkstemp(name);
    if (s->fd >= 0)
        unlink(name);
    free(name);
    if (s->fd < 0) {
        trouble(s, "cannot be made", err);
        stash_close(s);
        return NULL;
    }
    return s;
}

int stash_pack(struct stash_block *b, struct err *err)
{
    size_t got;

    if (!b->pack && !(b->pack = ZSTD_createCCtx()))
        return err_set(err, "temporary file: zstd has no memory");
    buf_need(&b->packed, ZSTD_compressBound(b->body.n));
    got = ZSTD_compressCCtx(b->pack, b->packed.p, b->packed.cap, b->body.p, b->body.n, LEVEL);
    if (ZSTD_isError(got))
        return err_set(err, "temporary file: %s", ZSTD_getErrorName(got));
    b->packed.n = got;
    return 0;
}

static int write_all(struct stash *s, const void *p, size_t n, struct err *err)
{
    const char *at = p;

    while (n) {
        ssize_t done = write(s->fd, at, n);

        if (done < 0 && errno != EINTR)
            return trouble(s, "not written", err);
        if (done > 0) {
            at += done;
            n -= (size_t)done;
            s->stored += (uint64_t)done;
        }
    }
    return 0;
}

int stash_put(struct stash *s, const struct stash_block *b, struct err *err)
{
    struct lengths l = { b->head.n, b->body.n, b->packed.n };

    if (write_all(s, &l, sizeof(l), err) < 0 || write_all(s, b->head.p, b->head.n, err) < 0)
        return -1;
    return write_all(s, b->packed.p, b->packed.n, err);
}

void stash_rewind(struct stash *s, int with_body)
{
    s->at = 0;
    s->with_body = with_body;
}

static int read_all(struct stash *s, void *p, size_t n, struct err *err)
{
    char *at = p;

    while (n) {
        ssize_t got = pread(s->fd, at, n, s->at);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            errno = got ? errno : 0;
            return trouble(s, "not read", err);
        }
        at += got;
        n -= (size_t)got;
        s->at += got;
    }
    return 0;
}

int stash_next(struct stash *s, struct stash_block *b, struct err *err)
{
    struct lengths l;
    size_t got;

    buf_reset(&b->head);
    buf_reset(&b->body);
    if ((uint64_t)s->at == s->stored)
        return 0;
    if (read_all(s, &l, sizeof(l), err) < 0)
        return -1;
    buf_need(&b->head, l.head);
    if (read_all(s, b->head.p, l.head, err) < 0)
        return -1;
    b->head.n = l.head;
    if (!s->with_body) {
        s->at += (off_t)l.packed;
        return 1;
    }
    buf_need(&b->packed, l.packed);
    buf_need(&b->body, l.body);
    if (read_all(s, b->packed.p, l.packed, err) < 0)
        return -1;
    got = ZSTD_decompress(b->body.p, b->body.cap, b->packed.p, l.packed);
    if (ZSTD_isError(got) || got != l.body)
        return err_set(err, "%s: temporary file: damaged", s->path);
    b->body.n = got;
    return 1;
}

uint64_t stash_stored(const struct stash *s)
{
    return s->stored;
}

void stash_close(struct stash *s)
{
    if (!s)
        return;
    if (s->fd >= 0)
        close(s->fd);
    free(s->path);
    free(s);
}
