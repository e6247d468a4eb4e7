/* spool.c - see spool.h. A block is four lengths, the heads as they are, and the bodies, by zstd.
 * Only this process reads it back, in the order and on the machine that wrote it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/die.h"
#include "base/err.h"
#include "clean/spool.h"

enum { LEVEL = -3, KEEP_MAX = 8 << 20 };

struct lengths {
    uint64_t n_page, heads, body, packed;    // bytes of each part; packed is the body as stored
};

struct spool {
    int fd;
    char *path;    // for messages: the file itself has no name
    uint64_t stored;
    off_t at;    // where the next block is read
};

void spool_block_add(struct spool_block *b, struct spool_page *p)
{
    int i;

    for (i = 0; i < SPOOL_STRINGS; i++) {
        p->head.len[i] = p->s[i].n;
        buf_add(&b->body, p->s[i].p, p->s[i].n);
    }
    buf_add(&b->heads, &p->head, sizeof(p->head));
    b->n_page++;
}

void spool_block_pack(struct spool_block *b)
{
    size_t got;

    buf_need(&b->packed, ZSTD_compressBound(b->body.n));
    got = ZSTD_compress(b->packed.p, b->packed.cap, b->body.p, b->body.n, LEVEL);
    if (ZSTD_isError(got))
        die("zstd: %s", ZSTD_getErrorName(got));    // there is room, so it is out of memory
    b->packed.n = got;
    b->body_size = b->body.n;
    buf_trim(&b->body, KEEP_MAX);
}

int spool_block_unpack(struct spool_block *b, struct err *err)
{
    size_t got;

    buf_need(&b->body, b->body_size);
    got = ZSTD_decompress(b->body.p, b->body.cap, b->packed.p, b->packed.n);
    if (ZSTD_isError(got) || got != b->body_size)
        return err_set(err, "temporary file: damaged");
    b->body.n = got;
    buf_trim(&b->packed, KEEP_MAX);
    b->head_at = b->body_at = 0;
    return 0;
}

int spool_block_next(struct spool_block *b, struct spool_page *p)
{
    int i;

    if (b->head_at == b->heads.n)
        return 0;
    memcpy(&p->head, b->heads.p + b->head_at, sizeof(p->head));
    b->head_at += sizeof(p->head);
    for (i = 0; i < SPOOL_STRINGS; i++) {
        p->s[i] = (struct bytes){ b->body.p + b->body_at, p->head.len[i] };
        b->body_at += p->head.len[i];
    }
    return 1;
}

void spool_block_reset(struct spool_block *b)
{
    buf_trim(&b->heads, KEEP_MAX);
    buf_trim(&b->body, KEEP_MAX);
    buf_trim(&b->packed, KEEP_MAX);
    b->n_page = 0;
    b->head_at = b->body_at = 0;
}

void spool_block_release(struct spool_block *b)
{
    buf_release(&b->heads);
    buf_release(&b->body);
    buf_release(&b->packed);
}

static int trouble(struct spool *s, const char *what, struct err *err)
{
    return err_set(err, "%s: temporary file: %s: %s", s->path, what,
                   errno ? strerror(errno) : "cut short");
}

struct spool *spool_open(const char *dir, struct err *err)
{
    struct spool *s = xcalloc(1, sizeof(*s));
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
        spool_close(s);
        return NULL;
    }
    return s;
}

static int write_all(struct spool *s, const void *p, size_t n, struct err *err)
{
    const char *at = p;

    s->stored += n;
    while (n) {
        ssize_t done = write(s->fd, at, n);

        if (done < 0 && errno != EINTR)
            return trouble(s, "not written", err);
        if (done > 0) {
            at += done;
            n -= (size_t)done;
        }
    }
    return 0;
}

int spool_put(struct spool *s, const struct spool_block *b, struct err *err)
{
    struct lengths len = { b->n_page, b->heads.n, b->body_size, b->packed.n };

    if (!b->n_page)
        return 0;
    if (write_all(s, &len, sizeof(len), err) < 0 || write_all(s, b->heads.p, b->heads.n, err) < 0 ||
        write_all(s, b->packed.p, b->packed.n, err) < 0)
        return -1;
    return 0;
}

void spool_rewind(struct spool *s)
{
    s->at = 0;
}

static int read_all(struct spool *s, void *p, size_t n, struct err *err)
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

int spool_get(struct spool *s, struct spool_block *b, struct err *err)
{
    struct lengths len;

    spool_block_reset(b);
    if ((uint64_t)s->at == s->stored)
        return 0;
    if (read_all(s, &len, sizeof(len), err) < 0)
        return -1;
    b->n_page = len.n_page;
    b->body_size = len.body;
    buf_need(&b->heads, len.heads);
    buf_need(&b->packed, len.packed);
    if (read_all(s, b->heads.p, len.heads, err) < 0 ||
        read_all(s, b->packed.p, len.packed, err) < 0)
        return -1;
    b->heads.n = len.heads;
    b->packed.n = len.packed;
    return 1;
}

uint64_t spool_stored(const struct spool *s)
{
    return s->stored;
}

void spool_close(struct spool *s)
{
    if (!s)
        return;
    if (s->fd >= 0)
        close(s->fd);
    free(s->path);
    free(s);
}
