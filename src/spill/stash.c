/* stash.c - see stash.h. Before a block stand its three lengths. Only this process reads it back,
 * on the machine that wrote it. */
#include <stdlib.h>
#include <zstd.h>

#include "base/err.h"
#include "spill/stash.h"
#include "spill/temp.h"

enum { LEVEL = 1 };

struct lengths {
    uint64_t head, body, packed;
};

struct stash {
    struct temp file;
    uint64_t at;    // where the next block is read
    int with_body;
};

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

    temp_init(&s->file, dir);
    if (temp_write(&s->file, NULL, 0, err) == 0)
        return s;
    stash_close(s);
    return NULL;
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

int stash_put(struct stash *s, const struct stash_block *b, struct err *err)
{
    struct lengths l = { b->head.n, b->body.n, b->packed.n };

    if (temp_write(&s->file, &l, sizeof(l), err) < 0 ||
        temp_write(&s->file, b->head.p, b->head.n, err) < 0)
        return -1;
    return temp_write(&s->file, b->packed.p, b->packed.n, err);
}

void stash_rewind(struct stash *s, int with_body)
{
    s->at = 0;
    s->with_body = with_body;
}

static int take(struct stash *s, void *p, size_t n, struct err *err)
{
    s->at += n;
    return temp_read(&s->file, s->at - n, p, n, err);
}

int stash_next(struct stash *s, struct stash_block *b, struct err *err)
{
    struct lengths l;
    size_t got;

    buf_reset(&b->head);
    buf_reset(&b->body);
    if (s->at == s->file.size)
        return 0;
    if (take(s, &l, sizeof(l), err) < 0)
        return -1;
    buf_need(&b->head, l.head);
    if (take(s, b->head.p, l.head, err) < 0)
        return -1;
    b->head.n = l.head;
    if (!s->with_body) {
        s->at += l.packed;
        return 1;
    }
    buf_need(&b->packed, l.packed);
    buf_need(&b->body, l.body);
    if (take(s, b->packed.p, l.packed, err) < 0)
        return -1;
    got = ZSTD_decompress(b->body.p, b->body.cap, b->packed.p, l.packed);
    if (ZSTD_isError(got) || got != l.body)
        return err_set(err, "%s: temporary file: damaged", s->file.dir);
    b->body.n = got;
    return 1;
}

uint64_t stash_stored(const struct stash *s)
{
    return s->file.size;
}

void stash_close(struct stash *s)
{
    if (!s)
        return;
    temp_release(&s->file);
    free(s);
}
