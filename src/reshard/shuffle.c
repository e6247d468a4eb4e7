/* shuffle.c - all records in another order, and records in no order; see rewrite.h.
 *
 * The place that a record will have is known when it is read. Records are thrown into buckets, one
 * for each stretch of places that memory holds; a bucket is a list of chunks of one nameless file.
 * Then bucket after bucket is read, put in order and written.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "reshard/rewrite.h"
#include "shard/shard.h"
#include "spill/sort.h"
#include "spill/temp.h"

enum { CHUNK = 64 << 10, BUCKETS_MAX = 4096 };

struct head {    // of a record in a bucket; segment lengths and ids follow
    uint64_t place, doc;
    uint32_t n_segment, n_input, n_target, lang;    // lang: of `names`
    uint32_t has_target, size;                      // size: of it all, a multiple of 8
};

struct chunk {
    uint64_t at;
    size_t n;
};

struct bucket {
    struct buf open;    // of the last chunk
    struct chunk *chunk;
    size_t n_chunk, bytes;
};

struct shuffle {
    uint64_t n, key, seen;
    struct bucket *bucket;
    size_t n_bucket;
    struct temp file;
    char **name;    // languages
    size_t n_name;
};

static int flush(struct shuffle *s, struct bucket *b, struct err *err)
{
    b->chunk = xreallocarray(b->chunk, b->n_chunk + 1, sizeof(*b->chunk));
    b->chunk[b->n_chunk++] = (struct chunk){ s->file.size, b->open.n };
    b->bytes += b->open.n;
    if (temp_write(&s->file, b->open.p, b->open.n, err) < 0)
        return -1;
    buf_reset(&b->open);
    return 0;
}

static uint32_t name_number(struct shuffle *s, const char *name)
{
    size_t i = 0;

    while (i < s->n_name && strcmp(s->name[i], name) != 0)
        i++;
    if (i == s->n_name) {
        s->name = xreallocarray(s->name, s->n_name + 1, sizeof(*s->name));
        s->name[s->n_name++] = xstrdup(name);
    }
    return (uint32_t)i;
}

static int throw_one(void *ctx, const struct record *rec, struct err *err)
{
    static const unsigned char zeros[8];
    struct shuffle *s = ctx;
    const struct example_row *row = &rec->row;
    size_t words = 2 * row->n_segment + row->n_input + row->n_target;
    struct head h = { .place = rng_permute(s->key, s->n, s->seen++),
                      .doc = row->doc,
                      .n_segment = (uint32_t)row->n_segment,
                      .n_input = (uint32_t)row->n_input,
                      .n_target = (uint32_t)row->n_target,
                      .lang = name_number(s, rec->lang),
                      .has_target = (uint32_t)rec->has_target,
                      .size = (uint32_t)(sizeof(h) + 4 * words + 4 * (words & 1)) };
    size_t which = (size_t)((double)h.place / (double)s->n * (double)s->n_bucket);
    struct bucket *b = &s->bucket[which < s->n_bucket ? which : s->n_bucket - 1];

    buf_add(&b->open, &h, sizeof(h));
    buf_add(&b->open, row->segment_input, 4 * row->n_segment);
    buf_add(&b->open, row->segment_target, 4 * row->n_segment);
    buf_add(&b->open, row->input, 4 * row->n_input);
    buf_add(&b->open, row->target, 4 * row->n_target);
    buf_add(&b->open, zeros, 4 * (words & 1));
    return s->n_bucket > 1 && b->open.n >= CHUNK ? flush(s, b, err) : 0;
}

/* All of a bucket into b->open. */
static int gather(struct shuffle *s, struct bucket *b, struct err *err)
{
    size_t i, done = 0;

    if (s->n_bucket == 1)
        return 0;
    if (b->open.n && flush(s, b, err) < 0)
        return -1;
    buf_need(&b->open, b->bytes);
    for (i = 0; i < b->n_chunk; done += b->chunk[i++].n)
        if (temp_read(&s->file, b->chunk[i].at, b->open.p + done, b->chunk[i].n, err) < 0)
            return -1;
    b->open.n = done;
    return 0;
}

static int by_place(const void *a, const void *b)
{
    const struct head *x = *(const struct head *const *)a, *y = *(const struct head *const *)b;

    return (x->place > y->place) - (x->place < y->place);
}

static int write_one(struct shuffle *s, const struct head *h, struct record_writer *w,
                     struct err *err)
{
    const uint32_t *at = (const uint32_t *)(h + 1);
    struct record rec = { .lang = s->name[h->lang], .has_target = (int)h->has_target };

    rec.row = (struct example_row){ .segment_input = at,
                                    .segment_target = at + h->n_segment,
                                    .input = (const int32_t *)(at + 2 * (size_t)h->n_segment),
                                    .n_input = h->n_input,
                                    .n_target = h->n_target,
                                    .n_segment = h->n_segment,
                                    .doc = h->doc };
    rec.row.target = rec.row.input + h->n_input;
    rec.n_token = h->n_input + h->n_target;
    return record_write(w, &rec, err);
}

static int write_bucket(struct shuffle *s, struct bucket *b, struct record_writer *w,
                        struct err *err)
{
    const struct head **h;
    size_t n = 0, at, i;
    int bad = gather(s, b, err);

    for (at = 0; !bad && at < b->open.n; n++)
        at += ((const struct head *)(b->open.p + at))->size;
    h = xcalloc(n + 1, sizeof(*h));
    for (at = 0, i = 0; i < n; at += h[i++]->size)
        h[i] = (const struct head *)(b->open.p + at);
    qsort(h, n, sizeof(*h), by_place);
    for (i = 0; !bad && i < n; i++)
        bad = write_one(s, h[i], w, err);
    free(h);
    buf_release(&b->open);
    return bad;
}

static void release(struct shuffle *s)
{
    size_t i;

    for (i = 0; i < s->n_bucket; i++) {
        buf_release(&s->bucket[i].open);
        free(s->bucket[i].chunk);
    }
    for (i = 0; i < s->n_name; i++)
        free(s->name[i]);
    free(s->name);
    free(s->bucket);
    temp_release(&s->file);
}

/* Buckets that take half of mem each, for what they hold and its order. */
static size_t count_buckets(char *const *path, size_t mem, struct err *err)
{
    uint64_t bytes = 0;
    size_t n;

    for (; *path; path++) {
        struct shard_file *f = shard_file_open(*path, err);

        if (!f)
            return 0;
        bytes += 4 * shard_file_tokens(f) + (sizeof(struct head) + 24) * shard_file_records(f);
        shard_file_close(f);
    }
    n = (size_t)(bytes / (mem / 2 + 1)) + 1;
    return n > BUCKETS_MAX ? BUCKETS_MAX : n;
}

int rewrite_shuffle(char *const *path, const char *to, uint64_t seed, size_t mem, const char *dir,
                    struct err *err)
{
    struct shuffle s = { .key = rng_key(seed, "shuffle") };
    struct shard_header *h = rewrite_header(path, seed, &s.n, err);
    struct record_writer *w = NULL;
    size_t i;
    int bad = h ? 0 : -1;

    temp_init(&s.file, dir);
    if (!bad && (!(s.n_bucket = count_buckets(path, mem, err)) || !(w = record_create(to, h, err))))
        bad = -1;
    s.bucket = xcalloc(s.n_bucket + 1, sizeof(*s.bucket));
    bad = bad || rewrite_each(path, throw_one, &s, err);
    for (i = 0; !bad && i < s.n_bucket; i++)
        bad = write_bucket(&s, &s.bucket[i], w, err);
    release(&s);
    shard_header_free(h);
    if (!bad)
        return record_finish(w, err);
    record_abandon(w);
    return -1;
}

/* Comparing: the hashes of both, in order. */

enum { ENTRY = 24 };    // hash, document, number

struct census {
    struct sorter *sorter;
    uint64_t n;
};

static int count_one(void *ctx, const struct record *rec, struct err *err)
{
    struct census *c = ctx;
    unsigned char entry[ENTRY];
    uint64_t word[3] = { record_hash(rec), rec->row.doc, c->n++ };
    int i, k;

    for (i = 0; i < 3; i++)
        for (k = 0; k < 8; k++)
            entry[8 * i + k] = (unsigned char)(word[i] >> (56 - 8 * k));
    return sorter_add(c->sorter, entry, err);
}

static struct sorter *sorted(const char *path, size_t mem, const char *dir, struct err *err)
{
    char *copy = xstrdup(path), *list[] = { copy, NULL };
    struct census c = { sorter_new(ENTRY, mem, dir), 0 };

    if (rewrite_each(list, count_one, &c, err) || sorter_start(c.sorter, err)) {
        sorter_free(c.sorter);
        c.sorter = NULL;
    }
    free(copy);
    return c.sorter;
}

static uint64_t get(const unsigned char *p)
{
    uint64_t x = 0;
    int i;

    for (i = 0; i < 8; i++)
        x = x << 8 | p[i];
    return x;
}

int rewrite_diff(const char *a, const char *b, size_t mem, const char *dir,
                 int (*f)(void *ctx, const struct rewrite_odd *odd, struct err *err), void *ctx,
                 struct err *err)
{
    struct sorter *s[2] = { sorted(a, mem / 2, dir, err), NULL };
    const void *at[2];
    int got[2] = { -1, -1 }, i, order, odd = 0;

    if (s[0] && (s[1] = sorted(b, mem / 2, dir, err)))
        for (i = 0; i < 2; i++)
            got[i] = sorter_next(s[i], &at[i], err);
    while (got[0] >= 0 && got[1] >= 0 && (got[0] || got[1]) && odd >= 0) {
        order = !got[0] ? 1 : !got[1] ? -1 : memcmp(at[0], at[1], 16);
        i = order > 0;
        if (order) {
            struct rewrite_odd o = { i, get((const unsigned char *)at[i] + 16),
                                     get((const unsigned char *)at[i] + 8) };

            odd = f(ctx, &o, err) < 0 ? -1 : 1;
        } else if ((got[1] = sorter_next(s[1], &at[1], err)) < 0) {
            break;
        }
        got[i] = sorter_next(s[i], &at[i], err);
    }
    for (i = 0; i < 2; i++)
        sorter_free(s[i]);
    return got[0] < 0 || got[1] < 0 ? -1 : odd;
}
