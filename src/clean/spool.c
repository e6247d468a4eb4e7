/* spool.c - see spool.h. The file is blocks: two lengths of each part, heads and keys as they are
 * (keys do not compress), then the bodies, by zstd. Only this process reads it back, in the order
 * and on the machine that wrote it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/err.h"
#include "clean/spool.h"

enum { BLOCK = 1 << 20, LEVEL = 1 };

struct block {
    uint64_t heads, body, packed;    // bytes of each part; packed is the body as stored
};

struct spool {
    int fd;
    char *path;    // for messages: the file itself has no name
    ZSTD_CCtx *pack;
    ZSTD_DCtx *unpack;
    struct buf heads, body, packed;
    uint64_t n_page, stored;
    off_t at;                   // where the next block is read
    size_t head_at, body_at;    // in the block
    int with_text;
};

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
    s->pack = ZSTD_createCCtx();
    s->unpack = ZSTD_createDCtx();
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

static int flush(struct spool *s, struct err *err)
{
    struct block b = { s->heads.n, s->body.n, 0 };
    size_t got;

    if (!b.heads)
        return 0;
    buf_need(&s->packed, ZSTD_compressBound(s->body.n));
    got = ZSTD_compressCCtx(s->pack, s->packed.p, s->packed.cap, s->body.p, s->body.n, LEVEL);
    if (ZSTD_isError(got))
        return err_set(err, "%s: temporary file: %s", s->path, ZSTD_getErrorName(got));
    b.packed = got;
    if (write_all(s, &b, sizeof(b), err) < 0 || write_all(s, s->heads.p, s->heads.n, err) < 0 ||
        write_all(s, s->packed.p, got, err) < 0)
        return -1;
    buf_reset(&s->heads);
    buf_reset(&s->body);
    return 0;
}

int spool_put(struct spool *s, struct spool_page *p, struct err *err)
{
    int i;

    for (i = 0; i < SPOOL_STRINGS; i++) {
        p->head.len[i] = p->s[i].n;
        buf_add(&s->body, p->s[i].p, p->s[i].n);
    }
    buf_add(&s->heads, &p->head, sizeof(p->head));
    buf_add(&s->heads, p->keys, 16 * (size_t)p->head.n_key);
    s->n_page++;
    return s->heads.n + s->body.n >= BLOCK ? flush(s, err) : 0;
}

int spool_rewind(struct spool *s, int with_text, struct err *err)
{
    if (flush(s, err) < 0)
        return -1;
    s->at = 0;
    s->head_at = s->body_at = 0;
    s->with_text = with_text;
    return 0;
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

/* The next block: 1, 0 at the end, -1. */
static int load(struct spool *s, struct err *err)
{
    struct block b;
    size_t got;

    buf_reset(&s->heads);
    buf_reset(&s->body);
    s->head_at = s->body_at = 0;
    if ((uint64_t)s->at == s->stored)
        return 0;
    if (read_all(s, &b, sizeof(b), err) < 0)
        return -1;
    buf_need(&s->heads, b.heads);
    if (read_all(s, s->heads.p, b.heads, err) < 0)
        return -1;
    s->heads.n = b.heads;
    if (!s->with_text) {
        s->at += (off_t)b.packed;
        return 1;
    }
    buf_need(&s->packed, b.packed);
    buf_need(&s->body, b.body);
    if (read_all(s, s->packed.p, b.packed, err) < 0)
        return -1;
    got = ZSTD_decompressDCtx(s->unpack, s->body.p, s->body.cap, s->packed.p, b.packed);
    if (ZSTD_isError(got) || got != b.body)
        return err_set(err, "%s: temporary file: damaged", s->path);
    s->body.n = got;
    return 1;
}

int spool_next(struct spool *s, struct spool_page *p, struct err *err)
{
    int i, got;

    if (s->head_at == s->heads.n && (got = load(s, err)) <= 0)
        return got;
    memcpy(&p->head, s->heads.p + s->head_at, sizeof(p->head));
    p->keys = s->heads.p + s->head_at + sizeof(p->head);
    s->head_at += sizeof(p->head) + 16 * (size_t)p->head.n_key;
    for (i = 0; i < SPOOL_STRINGS; i++) {
        p->s[i] = (struct bytes){ NULL, 0 };
        if (s->with_text)
            p->s[i] = (struct bytes){ s->body.p + s->body_at, p->head.len[i] };
        s->body_at += p->head.len[i];
    }
    return 1;
}

uint64_t spool_pages(const struct spool *s)
{
    return s->n_page;
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
    ZSTD_freeCCtx(s->pack);
    ZSTD_freeDCtx(s->unpack);
    buf_release(&s->heads);
    buf_release(&s->body);
    buf_release(&s->packed);
    free(s->path);
    free(s);
}
