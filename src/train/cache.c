/* cache.c - see cache.h.
 *
 * Passes go round the ranks: each takes some rows, all run the teacher together, and rank 0 writes
 * what they found, in the order of the rows. Of slices of the teacher each finds the likeliest of
 * its own words, and the first one those of all.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/progress.h"
#include "comm/comm.h"
#include "loss/top.h"
#include "model/model.h"
#include "seq/batch.h"
#include "shard/logits.h"
#include "train/cache.h"

struct found {               // of one rank's rows, or on rank 0 of all ranks'
    int32_t *target, *id;    // [n], [n, k]
    float *logit, *rest;     // [n, k], [n]
};

struct caching {
    const struct cache_ask *ask;
    struct comm *comm, *data, *slices;
    struct mix *mix;
    struct teacher *teacher;
    struct logits_writer *out;    // on rank 0
    struct batch batch;
    size_t k, n;          // words of a target; targets of a rank's rows
    size_t v, k_slice;    // ids of a slice, and how many of a target it finds
    struct found own, all;
    struct found part, parts;    // of this slice; of all slices, on the first
    int32_t *row_id;             // of a row that is written, on rank 0
    float *row_logit, *row_rest;
    struct progress progress;
};

static int agree(struct caching *c, int rc)
{
    int64_t bad = rc < 0;

    comm_max_i64(c->comm, &bad, 1);
    return rc < 0 || bad ? -1 : 0;
}

/* Does this rank hear of what all slices have found? */
static int is_first(const struct caching *c)
{
    return comm_rank(c->slices) == 0;
}

/* Then all rows' come to one. */
static int is_root(const struct caching *c)
{
    return is_first(c) && comm_rank(c->data) == 0;
}

static struct found found_new(size_t n, size_t k)
{
    struct found f = { .target = xcalloc(n, sizeof(int32_t)), .rest = xcalloc(n, sizeof(float)) };

    f.id = xcalloc(n * k, sizeof(*f.id));
    f.logit = xcalloc(n * k, sizeof(*f.logit));
    return f;
}

static void found_free(struct found *f)
{
    free(f->target);
    free(f->id);
    free(f->logit);
    free(f->rest);
}

static int call_teacher(struct caching *c, struct err *err)
{
    const struct cache_ask *a = c->ask;
    struct teacher_place place = { .comm = c->comm, .n_row = (int)a->micro_rows, .n_micro = 1 };
    const char *sha = mix_vocab_sha256(c->mix);
    int vocab;

    place.n_input = mix_inputs(c->mix);
    place.n_target = mix_targets(c->mix);
    place.group_rows = (int)a->group_rows;
    place.min_capacity = (int)a->min_capacity;
    place.cap = a->cap;
    place.mixture = mix_fingerprint(c->mix);
    place.vocab_sha256 = sha ? sha : "";
    c->teacher = teacher_new(&a->teacher, &place, err);
    if (!c->teacher)
        return -1;
    vocab = teacher_vocab(c->teacher);
    if (mix_vocab(c->mix) > vocab)
        return err_set(err, "%s: ids up to %" PRId64 ", but the teacher's vocab_size is %d",
                       a->train, mix_vocab(c->mix) - 1, vocab);
    c->k = (size_t)(a->k < vocab ? a->k : vocab);
    if ((int64_t)c->k > logits_most(vocab, place.n_target))
        return err_set(err, "-k %zu is too much for rows of %d targets: %" PRId64 " at most", c->k,
                       place.n_target, logits_most(vocab, place.n_target));
    c->v = (size_t)vocab / (size_t)comm_size(c->slices);
    c->k_slice = c->k < c->v ? c->k : c->v;
    return 0;
}

static int open_all(struct caching *c, struct err *err)
{
    const struct cache_ask *a = c->ask;

    c->mix = mix_open(a->train, err);
    if (!c->mix)
        return -1;
    if (mix_rows(c->mix) && mix_rows(c->mix) < (uint64_t)(a->first + a->n_all))
        return err_set(err, "%s: %" PRIu64 " rows, but %" PRId64 " are needed: use mix-langs(1)",
                       a->train, mix_rows(c->mix), a->first + a->n_all);
    return call_teacher(c, err);
}

static int create(struct caching *c, struct err *err)
{
    const char *sha = mix_vocab_sha256(c->mix);
    struct logits_facts f = { .vocab = teacher_vocab(c->teacher), .tau = c->ask->teacher.tau };

    f.targets = mix_targets(c->mix);
    f.k = (int64_t)c->k;
    f.group_rows = c->ask->group_rows;
    f.first = c->ask->first;
    f.teacher = teacher_fingerprint(c->teacher);    // of all ranks
    f.mixture = mix_fingerprint(c->mix);
    f.vocab_sha256 = sha ? sha : "";
    if (!is_root(c))
        return 0;
    c->out = logits_create(c->ask->out, &f, opt_line(), err);
    return c->out ? 0 : -1;
}

static void make_room(struct caching *c)
{
    size_t size = (size_t)comm_size(c->data), n_target = (size_t)mix_targets(c->mix);
    size_t n_slice = (size_t)comm_size(c->slices);

    batch_init(&c->batch, (int)c->ask->micro_rows, mix_inputs(c->mix), (int)n_target);
    c->n = (size_t)c->ask->micro_rows * n_target;
    c->own = found_new(c->n, c->k);
    if (n_slice > 1)
        c->part = found_new(c->n, c->k_slice);
    if (n_slice > 1 && is_first(c))
        c->parts = found_new(n_slice * c->n, c->k_slice);
    if (!is_root(c))
        return;
    c->all = found_new(c->n * size, c->k);
    c->row_id = xcalloc(n_target * c->k, sizeof(*c->row_id));
    c->row_logit = xcalloc(n_target * c->k, sizeof(*c->row_logit));
    c->row_rest = xcalloc(n_target, sizeof(*c->row_rest));
}

static int start(struct caching *c, struct err *err)
{
    if (agree(c, open_all(c, err)) < 0 || agree(c, create(c, err)) < 0)
        return -1;
    make_room(c);
    return 0;
}

static void gather_one(struct comm *comm, const void *own, void *all, size_t bytes)
{
    size_t size = (size_t)comm_size(comm), *n_of = xcalloc(size, sizeof(*n_of)), i;

    for (i = 0; i < size; i++)
        n_of[i] = bytes;
    comm_gather(comm, own, bytes, all, n_of, 0);
    free(n_of);
}

static void gather(struct comm *comm, const struct found *own, const struct found *all, size_t n,
                   size_t k)
{
    gather_one(comm, own->id, all->id, n * k * sizeof(int32_t));
    gather_one(comm, own->logit, all->logit, n * k * sizeof(float));
    gather_one(comm, own->rest, all->rest, n * sizeof(float));
}

/* The words of all slices to the first one. */
static void merge(struct caching *c, double tau)
{
    struct top_parts from = { (size_t)comm_size(c->slices), c->k_slice, c->parts.id, c->parts.logit,
                              c->parts.rest };
    size_t i, first = (size_t)comm_rank(c->slices) * c->v;

    for (i = 0; i < c->n * c->k_slice; i++)
        c->part.id[i] += (int32_t)first;
    gather(c->slices, &c->part, &c->parts, c->n, c->k_slice);
    if (is_first(c))
        top_merge(&from, c->own.target, c->n, c->k, tau, c->own.id, c->own.logit, c->own.rest);
}

/* What the teacher says of this rank's rows. */
static void find(struct caching *c)
{
    const struct soft_target *soft = teacher_target(c->teacher);
    size_t at, n, chunk = teacher_chunk(c->teacher), k = c->k_slice;
    struct found *to = comm_size(c->slices) > 1 ? &c->part : &c->own;
    const double *rest;

    teacher_look(c->teacher, 0, &c->batch);
    memcpy(c->own.target, c->batch.target, c->n * sizeof(*c->own.target));
    for (at = 0; at < c->n; at += n) {
        n = c->n - at < chunk ? c->n - at : chunk;
        top_rows(soft->logits(soft->from, at, n, &rest), c->own.target + at, n, c->v, k, soft->tau,
                 to->id + at * k, to->logit + at * k, to->rest + at);
    }
    if (to == &c->part)
        merge(c, soft->tau);
    if (!is_first(c))
        return;
    gather_one(c->data, c->own.target, c->all.target, c->n * sizeof(int32_t));
    gather(c->data, &c->own, &c->all, c->n, c->k);
}

/* Targets [at, at + n_target) of all are a row. */
static int put_row(struct caching *c, size_t at, size_t n_target, struct err *err)
{
    struct logits_row row = { 0, c->row_id, c->row_logit, c->row_rest };
    size_t end = at + n_target, k = c->k;

    for (; at < end; at++) {
        if (c->all.target[at] <= 0)
            continue;
        memcpy(c->row_id + row.n * k, c->all.id + at * k, k * sizeof(*c->row_id));
        memcpy(c->row_logit + row.n * k, c->all.logit + at * k, k * sizeof(*c->row_logit));
        c->row_rest[row.n++] = c->all.rest[at];
    }
    return logits_write(c->out, &row, err);
}

/* Rows [first, first + micro_rows) of those asked for, of this rank, as far as there are any. */
static int fill(struct caching *c, uint64_t first, struct err *err)
{
    uint64_t i, end = (uint64_t)c->ask->n_all;

    batch_clear(&c->batch);
    for (i = 0; i < (uint64_t)c->batch.n_row && first + i < end; i++)
        if (mix_fill(c->mix, (uint64_t)c->ask->first + first + i, &c->batch, (int)i, err) < 0)
            return -1;
    return 0;
}

/* The rows from first on, as many as all ranks take. */
static int pass(struct caching *c, uint64_t first, uint64_t n, struct err *err)
{
    uint64_t i, mine = first + (uint64_t)comm_rank(c->data) * (uint64_t)c->batch.n_row;
    size_t n_target = (size_t)c->batch.n_target;
    int rc = agree(c, fill(c, mine, err));
    int64_t stop = *c->ask->stop;

    if (rc < 0)
        return -1;
    comm_max_i64(c->comm, &stop, 1);
    if (stop)
        return comm_rank(c->comm) ? -1 : err_set(err, "stopped: %s is not written", c->ask->out);
    find(c);
    for (i = 0; c->out && rc == 0 && i < n; i++)
        rc = put_row(c, (size_t)i * n_target, n_target, err);
    progress_show(&c->progress, first + n, 0);
    return agree(c, rc);
}

static void finish(struct caching *c)
{
    progress_end(&c->progress);
    logits_abandon(c->out);
    if (c->own.target)
        batch_release(&c->batch);
    found_free(&c->own);
    found_free(&c->all);
    found_free(&c->part);
    found_free(&c->parts);
    free(c->row_id);
    free(c->row_logit);
    free(c->row_rest);
    teacher_free(c->teacher);
    mix_close(c->mix);
}

int cache_write(const struct cache_ask *ask, struct comm *comm, struct err *err)
{
    struct caching c = { .ask = ask, .comm = comm };
    uint64_t end = (uint64_t)ask->n_all, n, first;
    int rc;

    err->msg[0] = 0;
    c.data = comm_axis(comm, AXIS_DATA);
    c.slices = comm_axis(comm, AXIS_MODEL);
    n = (uint64_t)ask->micro_rows * (uint64_t)comm_size(c.data);
    progress_init(&c.progress, "rows", end, ask->quiet || comm_rank(comm) != 0);
    rc = start(&c, err);
    for (first = 0; rc == 0 && first < end; first += n)
        rc = pass(&c, first, end - first < n ? end - first : n, err);
    if (rc == 0 && c.out) {
        rc = logits_finish(c.out, err);
        c.out = NULL;
    }
    rc = agree(&c, rc);
    finish(&c);
    return rc;
}
