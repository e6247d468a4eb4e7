/* logits_read.c - see logits.h: rows of a shard of logits by number. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "shard/columns.h"
#include "shard/logits.h"
#include "shard/shard.h"

struct held {    // a block, checked
    struct logits_facts facts;
    uint64_t n_row;     // 0: none is
    uint64_t *start;    // [n_row + 1] the first target of each row
    int32_t *id;
    float *logit, *rest;
};

struct logits_file {
    struct shard_file *in;
    uint64_t first;    // row of the block
    struct held held;
};

struct logits_reader {
    struct shard_reader *in;
    uint64_t i;
    struct held held;
};

static const char *text(const struct shard_header *h, const char *key)
{
    const char *s = shard_header_get(h, key);

    return s ? s : "";
}

static int read_facts(struct logits_facts *f, const struct shard_header *h, struct err *err)
{
    const char *kind = shard_header_get(h, "kind");

    if (strcmp(kind, "logits") != 0)
        return err_set(err, "a shard of %.100s, not of logits", kind);
    f->vocab = header_vocab(h, err);
    f->targets = shard_header_int(h, "targets", -1);
    f->k = shard_header_int(h, "k", -1);
    f->group_rows = shard_header_int(h, "group_rows", -1);
    f->first = shard_header_int(h, "first", -1);
    f->tau = strtod(text(h, "tau"), NULL);
    f->teacher = text(h, "teacher");
    f->mixture = text(h, "mixture");
    f->vocab_sha256 = text(h, "vocab.sha256");
    if (f->vocab < 0)
        return -1;
    if (f->targets < 1 || f->targets > SHARD_PAYLOAD_MAX / 8 || f->k < 1 ||
        f->k > logits_most(f->vocab, f->targets) || f->group_rows < 1 || f->first < 0)
        return err_set(err, "header: targets=, k=, group_rows= or first= is not what it can be");
    if (!(f->tau > 0) || !isfinite(f->tau) || !*f->teacher || !*f->mixture)
        return err_set(err, "header: tau=, teacher= or mixture= is missing");
    return 0;
}

/* Four planes of bytes, low ones first. */
static const char *get_floats(const struct column *c, uint64_t n, float *to)
{
    const unsigned char *p;
    uint64_t i;

    if (!c || c->width != 4 || c->data.n != n * 4)
        return "a column of numbers is missing or has a wrong size";
    p = c->data.p;
    for (i = 0; i < n; i++) {
        uint32_t u = p[i] | (uint32_t)p[n + i] << 8 | (uint32_t)p[2 * n + i] << 16 |
                     (uint32_t)p[3 * n + i] << 24;

        memcpy(to + i, &u, sizeof(u));
    }
    return NULL;
}

/* Ids of a target rise, logits are numbers, and so is the rest if there is one. */
static const char *check_values(const struct held *f, uint64_t n)
{
    uint64_t k = (uint64_t)f->facts.k, i, j;

    for (i = 0; i < n; i++) {
        for (j = 0; j < k; j++) {
            if (j && f->id[i * k + j] <= f->id[i * k + j - 1])
                return "ids of a target do not rise";
            if (!isfinite(f->logit[i * k + j]))
                return "a logit is not a number";
        }
        if (!isfinite(f->rest[i]) && f->rest[i] != -INFINITY)
            return "what the rest has is not a number";
    }
    return NULL;
}

static const char *find_starts(struct held *f, const struct column *length, uint32_t n_row)
{
    uint32_t *n = xreallocarray(NULL, (size_t)n_row + 1, sizeof(*n)), i;
    const char *trouble;
    uint64_t sum;

    f->start = xreallocarray(f->start, (size_t)n_row + 1, sizeof(*f->start));
    trouble = column_lengths(length, n_row, n, &sum);
    f->start[0] = 0;
    for (i = 0; !trouble && i < n_row; i++) {
        if (n[i] > f->facts.targets)
            trouble = "a row has more targets than the header says";
        f->start[i + 1] = f->start[i] + n[i];
    }
    free(n);
    return trouble;
}

/* NULL, or what is wrong with a block. */
static const char *parse(struct held *f, struct bytes payload, uint32_t n_row)
{
    uint64_t k = (uint64_t)f->facts.k, n;
    const struct column *id;
    struct columns c;
    const char *trouble = columns_parse(&c, payload);

    f->n_row = 0;
    if (!trouble && n_row > payload.n)
        trouble = "more rows than bytes";
    if (!trouble)
        trouble = find_starts(f, columns_find(&c, COLUMN_LENGTH), n_row);
    if (trouble)
        return trouble;
    n = f->start[n_row];
    if (n > payload.n)
        return "more targets than bytes";
    id = columns_find(&c, COLUMN_ID);
    trouble = column_check_ids(id, n * k, f->facts.vocab);
    if (trouble)
        return trouble;
    f->id = xreallocarray(f->id, n * k + 1, sizeof(*f->id));
    f->logit = xreallocarray(f->logit, n * k + 1, sizeof(*f->logit));
    f->rest = xreallocarray(f->rest, n + 1, sizeof(*f->rest));
    column_ids(id, 0, n * k, f->id);
    trouble = get_floats(columns_find(&c, COLUMN_LOGIT), n * k, f->logit);
    if (!trouble)
        trouble = get_floats(columns_find(&c, COLUMN_REST), n, f->rest);
    if (!trouble)
        trouble = check_values(f, n);
    f->n_row = trouble ? 0 : n_row;
    return trouble;
}

static struct logits_row row_of(const struct held *f, uint64_t i)
{
    uint64_t from = f->start[i], k = (uint64_t)f->facts.k;

    return (struct logits_row){ (uint32_t)(f->start[i + 1] - from), f->id + from * k,
                                f->logit + from * k, f->rest + from };
}

static void release(struct held *f)
{
    free(f->start);
    free(f->id);
    free(f->logit);
    free(f->rest);
}

/* Do segments go on where others end, in all but their vocabulary, which shard_file looks at? */
static int check_segments(const struct logits_file *f, struct err *err)
{
    const struct logits_facts *a = &f->held.facts;
    uint64_t i, next = (uint64_t)a->first;

    for (i = 0; i < shard_file_segments(f->in); i++) {
        const struct shard_header *h = shard_file_segment_header(f->in, i);
        struct shard_segment segment;
        struct logits_facts b;
        struct err why;

        if (read_facts(&b, h, &why) < 0)
            return err_set(err, "%s: segment %" PRIu64 ": %s", shard_file_path(f->in), i, why.msg);
        if (a->k != b.k || a->tau != b.tau || a->targets != b.targets ||
            a->group_rows != b.group_rows || strcmp(a->teacher, b.teacher) != 0 ||
            strcmp(a->mixture, b.mixture) != 0)
            return err_set(err, "%s: segment %" PRIu64 ": of another teacher, mixture, k or tau",
                           shard_file_path(f->in), i);
        if ((uint64_t)b.first != next)
            return err_set(err,
                           "%s: segment %" PRIu64 ": its first row is %" PRId64 ", not %" PRIu64,
                           shard_file_path(f->in), i, b.first, next);
        shard_file_segment(f->in, i, &segment);
        next += segment.records;
    }
    return 0;
}

struct logits_file *logits_file_open(const char *path, struct err *err)
{
    struct logits_file *f = xcalloc(1, sizeof(*f));
    struct err why;

    f->in = shard_file_open(path, err);
    if (!f->in)
        goto fail;
    if (read_facts(&f->held.facts, shard_file_header(f->in), &why) < 0) {
        err_set(err, "%s: %s", path, why.msg);
        goto fail;
    }
    if (check_segments(f, err) < 0)
        goto fail;
    return f;

fail:
    logits_file_close(f);
    return NULL;
}

const struct logits_facts *logits_file_facts(const struct logits_file *f)
{
    return &f->held.facts;
}

uint64_t logits_file_rows(const struct logits_file *f)
{
    return shard_file_records(f->in);
}

static int hold(struct logits_file *f, uint64_t row, struct err *err)
{
    uint64_t first, i = shard_file_find(f->in, row, &first);
    struct shard_block b;
    const char *trouble;

    f->held.n_row = 0;
    if (shard_file_block(f->in, i, &b, err) < 0)
        return -1;
    trouble = parse(&f->held, b.payload, b.n_record);
    if (trouble)
        return err_set(err, "%s: byte %" PRIu64 ": %s", shard_file_path(f->in), b.file_offset,
                       trouble);
    f->first = first;
    return 0;
}

int logits_file_at(struct logits_file *f, uint64_t n, struct logits_row *row, struct err *err)
{
    if (n >= logits_file_rows(f))
        return err_set(err, "%s: no row %" PRIu64 ": there are %" PRIu64, shard_file_path(f->in), n,
                       logits_file_rows(f));
    if ((n < f->first || n - f->first >= f->held.n_row) && hold(f, n, err) < 0)
        return -1;
    *row = row_of(&f->held, n - f->first);
    return 0;
}

void logits_file_close(struct logits_file *f)
{
    if (!f)
        return;
    shard_file_close(f->in);
    release(&f->held);
    free(f);
}

static int on_segment(struct logits_reader *r, struct err *err)
{
    struct err why;

    if (read_facts(&r->held.facts, shard_reader_header(r->in), &why) < 0)
        return err_set(err, "%s: segment %" PRIu64 ": %s", shard_reader_path(r->in),
                       shard_reader_segment(r->in)->number, why.msg);
    return 0;
}

struct logits_reader *logits_adopt(struct shard_reader *in, struct err *err)
{
    struct logits_reader *r = xcalloc(1, sizeof(*r));

    r->in = in;
    if (on_segment(r, err) < 0) {
        logits_close(r);
        return NULL;
    }
    return r;
}

const struct shard_reader *logits_shard(const struct logits_reader *r)
{
    return r->in;
}

const struct logits_facts *logits_reader_facts(const struct logits_reader *r)
{
    return &r->held.facts;
}

int logits_step(struct logits_reader *r, struct shard_block *b, uint64_t *n_token, struct err *err)
{
    int got = shard_step(r->in, b, err);
    const char *trouble;

    r->i = r->held.n_row = 0;
    if (got == SHARD_BEGUN && on_segment(r, err) < 0)
        return -1;
    if (got != SHARD_DATA)
        return got;
    trouble = parse(&r->held, b->payload, b->n_record);
    if (trouble)
        return shard_damage(r->in, err, trouble);
    *n_token = r->held.start[b->n_record];
    shard_count(r->in, *n_token);
    return SHARD_DATA;
}

int logits_next(struct logits_reader *r, struct logits_row *row, struct err *err)
{
    while (r->i == r->held.n_row) {
        struct shard_block b;
        uint64_t n_token;
        int got = logits_step(r, &b, &n_token, err);

        if (got <= 0)
            return got;
    }
    *row = row_of(&r->held, r->i++);
    return 1;
}

int logits_resync(struct logits_reader *r, uint64_t *skipped, struct err *err)
{
    return shard_resync(r->in, skipped, err);
}

void logits_close(struct logits_reader *r)
{
    if (!r)
        return;
    shard_close(r->in);
    release(&r->held);
    free(r);
}
