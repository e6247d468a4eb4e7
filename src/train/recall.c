/* recall.c - see recall.h.
 *
 * A step's rows are read while it is filled, so that damage is found before any rank runs; only
 * the logits that the shard has are held. They are spread over the vocabulary a chunk of targets
 * at a time.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "comm/comm.h"
#include "seq/batch.h"
#include "shard/logits.h"
#include "train/recall.h"
#include "train/teacher.h"

enum { NONE = -1 };

struct recall {
    const char *path;
    struct logits_file *file;
    struct logits_facts facts;
    size_t n_row, n_target;    // of a microbatch
    size_t first_id, v;        // words of this rank's slice
    int64_t *first;            // [n_micro, n_row] of each row: its first target of those held
    int32_t *id;               // [n_held, k]
    float *logit, *held_rest;
    size_t n_held, cap;
    int64_t *of;        // [n_row, n_target] of this microbatch: which target of those held
    float *spread;      // [n, V]
    double *rest;       // [n]
    size_t n_spread;    // room for so many
};

static int check(const struct recall *r, const struct teacher_ask *ask,
                 const struct teacher_place *place, struct err *err)
{
    const struct logits_facts *f = &r->facts;

    if (f->vocab != place->n_vocab)
        return err_set(err, "%s: the teacher's vocab_size is %" PRId64 ", the student's %d",
                       r->path, f->vocab, place->n_vocab);
    if (strcmp(f->mixture, place->mixture) != 0)
        return err_set(err, "%s: of another mixture (%.12s..., now %.12s...)", r->path, f->mixture,
                       place->mixture);
    if (strcmp(f->vocab_sha256, place->vocab_sha256) != 0)
        return err_set(err, "%s: of another vocabulary", r->path);
    if (f->tau != ask->tau)
        return err_set(err, "%s: written with --tau %.15g, not %.15g", r->path, f->tau, ask->tau);
    if (f->first != 0)
        return err_set(err,
                       "%s: its first row is %" PRId64 ", not 0: a part, to be joined by cat(1)",
                       r->path, f->first);
    if (logits_file_rows(r->file) < place->n_all)
        return err_set(err, "%s: %" PRIu64 " rows, but %" PRIu64 " are needed", r->path,
                       logits_file_rows(r->file), place->n_all);
    return 0;
}

struct recall *recall_new(const struct teacher_ask *ask, const struct teacher_place *place,
                          struct err *err)
{
    const struct comm *slices = comm_axis(place->comm, AXIS_MODEL);
    struct recall *r = xcalloc(1, sizeof(*r));

    r->path = ask->cache;
    r->file = logits_file_open(ask->cache, err);
    if (!r->file)
        goto fail;
    r->facts = *logits_file_facts(r->file);
    if (check(r, ask, place, err) < 0)
        goto fail;
    r->v = (size_t)place->n_vocab / (size_t)comm_size(slices);
    r->first_id = r->v * (size_t)comm_rank(slices);
    r->n_row = (size_t)place->n_row;
    r->n_target = (size_t)place->n_target;
    r->first = xcalloc((size_t)place->n_micro * r->n_row, sizeof(*r->first));
    r->of = xcalloc(r->n_row * r->n_target, sizeof(*r->of));
    recall_clear(r);
    return r;

fail:
    recall_free(r);
    return NULL;
}

const char *recall_teacher(const struct recall *r)
{
    return r->facts.teacher;
}

int64_t recall_k(const struct recall *r)
{
    return r->facts.k;
}

void recall_clear(struct recall *r)
{
    r->n_held = 0;
}

static void make_room(struct recall *r, size_t n)
{
    size_t k = (size_t)r->facts.k;

    if (r->cap - r->n_held >= n)
        return;
    r->cap = 2 * r->cap + n;
    r->id = xreallocarray(r->id, r->cap * k, sizeof(*r->id));
    r->logit = xreallocarray(r->logit, r->cap * k, sizeof(*r->logit));
    r->held_rest = xreallocarray(r->held_rest, r->cap, sizeof(*r->held_rest));
}

/* How many targets of a row of a batch carry a loss. */
static size_t losses_of(const struct batch *b, int row)
{
    const int32_t *target = b->target + (size_t)row * (size_t)b->n_target;
    size_t n = 0;
    int i;

    for (i = 0; i < b->n_target; i++)
        n += target[i] > 0;
    return n;
}

int recall_fill(struct recall *r, int i, int row, uint64_t number, const struct batch *b,
                struct err *err)
{
    size_t k = (size_t)r->facts.k, need = losses_of(b, row);
    struct logits_row got;

    if (logits_file_at(r->file, number, &got, err) < 0)
        return -1;
    if (got.n != need)
        return err_set(err, "%s: row %" PRIu64 " has %" PRIu32 " targets, but %zu are learned from",
                       r->path, number, got.n, need);
    make_room(r, need);
    r->first[(size_t)i * r->n_row + (size_t)row] = (int64_t)r->n_held;
    if (need) {
        memcpy(r->id + r->n_held * k, got.id, need * k * sizeof(*got.id));
        memcpy(r->logit + r->n_held * k, got.logit, need * k * sizeof(*got.logit));
        memcpy(r->held_rest + r->n_held, got.rest, need * sizeof(*got.rest));
    }
    r->n_held += need;
    return 0;
}

void recall_look(struct recall *r, int i, const struct batch *b)
{
    size_t row, t, n_target = (size_t)b->n_target;

    for (row = 0; row < (size_t)b->n_row; row++) {
        int64_t at = r->first[(size_t)i * r->n_row + row];

        for (t = row * n_target; t < (row + 1) * n_target; t++)
            r->of[t] = b->target[t] > 0 ? at++ : NONE;
    }
}

const float *recall_logits(void *from, size_t at, size_t n, const double **rest)
{
    struct recall *r = from;
    size_t v = r->v, k = (size_t)r->facts.k, i;

    if (r->n_spread < n) {
        r->n_spread = n;
        r->spread = xreallocarray(r->spread, n * v, sizeof(*r->spread));
        r->rest = xreallocarray(r->rest, n, sizeof(*r->rest));
    }
#pragma omp parallel for schedule(static)
    for (i = 0; i < n; i++) {
        float *to = r->spread + i * v;
        size_t held = (size_t)r->of[at + i], j;

        if (r->of[at + i] == NONE)
            continue;
        for (j = 0; j < v; j++)
            to[j] = -INFINITY;
        for (j = 0; j < k; j++) {
            size_t id = (size_t)r->id[held * k + j];

            if (id >= r->first_id && id - r->first_id < v)
                to[id - r->first_id] = r->logit[held * k + j];
        }
        r->rest[i] = (double)r->held_rest[held];
    }
    *rest = r->rest;
    return r->spread;
}

void recall_free(struct recall *r)
{
    if (!r)
        return;
    logits_file_close(r->file);
    free(r->first);
    free(r->id);
    free(r->logit);
    free(r->held_rest);
    free(r->of);
    free(r->spread);
    free(r->rest);
    free(r);
}
