/* spool.c - see spool.h. A block is four lengths, the heads as they are, and the bodies, by zstd.
 * Only this process reads it back, in the order and on the machine that wrote it. */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/die.h"
#include "base/err.h"
#include "clean/spool.h"
#include "spill/temp.h"

enum { LEVEL = -3, KEEP_MAX = 8 << 20 };

struct lengths {
    uint64_t n_page, heads, body, packed;    // bytes of each part; packed is the body as stored
};

struct spool {
    struct temp file;
    uint64_t at;    // where the next block is read
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

struct spool *spool_open(const char *dir, struct err *err)
{
    struct spool *s = xcalloc(1, sizeof(*s));

    temp_init(&s->file, dir);
    if (temp_write(&s->file, NULL, 0, err) == 0)
        return s;
    spool_close(s);
    return NULL;
}

int spool_put(struct spool *s, const struct spool_block *b, struct err *err)
{
    struct lengths len = { b->n_page, b->heads.n, b->body_size, b->packed.n };

    if (!b->n_page)
        return 0;
    if (temp_write(&s->file, &len, sizeof(len), err) < 0 ||
        temp_write(&s->file, b->heads.p, b->heads.n, err) < 0)
        return -1;
    return temp_write(&s->file, b->packed.p, b->packed.n, err);
}

void spool_rewind(struct spool *s)
{
    s->at = 0;
}

static int take(struct spool *s, void *p, size_t n, struct err *err)
{
    s->at += n;
    return temp_read(&s->file, s->at - n, p, n, err);
}

int spool_get(struct spool *s, struct spool_block *b, struct err *err)
{
    struct lengths len;

    spool_block_reset(b);
    if (s->at == s->file.size)
        return 0;
    if (take(s, &len, sizeof(len), err) < 0)
        return -1;
    b->n_page = len.n_page;
    b->body_size = len.body;
    buf_need(&b->heads, len.heads);
    buf_need(&b->packed, len.packed);
    if (take(s, b->heads.p, len.heads, err) < 0 || take(s, b->packed.p, len.packed, err) < 0)
        return -1;
    b->heads.n = len.heads;
    b->packed.n = len.packed;
    return 1;
}

uint64_t spool_stored(const struct spool *s)
{
    return s->file.size;
}

void spool_close(struct spool *s)
{
    if (!s)
        return;
    temp_release(&s->file);
    free(s);
}
