/* copy.c - see copy.h. */
#include "reshard/copy.h"
#include "base/err.h"
#include "shard/shard.h"

static int begin(struct copy *c, const struct shard_header *h, struct err *err)
{
    c->segments++;
    if (c->to && c->w)
        return shard_begin(c->w, h, err);
    if (c->to)
        c->w = shard_create(c->to, h, err);
    return c->to && !c->w ? -1 : 0;
}

static int put_block(struct copy *c, const struct shard_block *b, uint64_t n_token, struct err *err)
{
    c->blocks++;
    c->records += b->n_record;
    c->tokens += n_token;
    progress_show(c->progress, c->records, shard_reader_offset(c->in.shard));
    return c->to ? shard_write_packed(c->w, b, n_token, err) : 0;
}

int copy_shard(struct copy *c, const char *path, int skip, void (*tell)(const char *, ...),
               struct err *err)
{
    struct shard_block b;
    struct err why;
    uint64_t n_token;
    int got = 0;

    if (lenient_open(&c->in, path, skip, tell) < 0)
        return -1;
    while (!c->failed && (got = lenient_step(&c->in, &b, &n_token)) > 0) {
        if (got == SHARD_BEGUN)
            c->failed = begin(c, shard_reader_header(c->in.shard), &why);
        else if (got == SHARD_DATA)
            c->failed = put_block(c, &b, n_token, &why);
    }
    progress_end(c->progress);
    if (c->failed)
        return err_set(err, "%s: %.400s", shard_reader_path(c->in.shard), why.msg);
    return got;
}
