/* teacher.c - see teacher.h: a teacher in memory. One who spoke before is in recall.c. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/rng.h"
#include "checkpoint/folder.h"
#include "checkpoint/weights.h"
#include "comm/comm.h"
#include "model/model.h"
#include "shape/config.h"
#include "shape/params.h"
#include "shape/slice.h"
#include "train/loop.h"
#include "train/recall.h"
#include "train/state.h"
#include "train/teacher.h"

#define CAPACITY 2.0    // as in evaluation

struct teacher {
    struct comm *comm;
    struct soft_target target;
    struct config config;    // of one in memory
    struct params *params;
    struct model *model;
    struct run run;
    struct recall *recall;    // or one who spoke before
    char fingerprint[17];
    char *name;
};

static const float *think(void *from, size_t at, size_t n, const double **rest)
{
    struct teacher *t = from;

    *rest = NULL;
    return model_logits(t->model, at, n);
}

static int load(struct teacher *t, const char *path, const struct teacher_place *place,
                struct err *err)
{
    struct params_part part;

    if (config_read(&t->config, path, err) < 0)
        return -1;
    if (place->n_vocab && t->config.n_vocab != place->n_vocab)
        return err_set(err, "%s: the teacher's vocab_size is %d, the student's %d", path,
                       t->config.n_vocab, place->n_vocab);
    part = slice_part(&t->config, place->comm);
    t->params = params_new_part(&t->config, &part, 0);
    return weights_read(t->params, &t->config, path, err);
}

static int begin_in_memory(struct teacher *t, const struct teacher_ask *ask,
                           const struct teacher_place *place, struct err *err)
{
    char *path = folder_find(ask->model, err);
    int rc = path ? load(t, path, place, err) : -1;

    free(path);
    if (rc < 0)
        return -1;
    t->model = model_new(&t->config, t->params, place->comm, place->n_row, place->n_input,
                         place->n_target, 0);
    t->run = (struct run){ .group_rows = place->group_rows, .capacity_factor = CAPACITY };
    t->run.min_capacity = place->min_capacity;
    t->run.cap = (enum route_cap)place->cap;
    t->run.n_target = t->run.n_group[ENCODER] = t->run.n_group[DECODER] = 1;    // for losses alone
    t->target.logits = think;
    t->target.from = t;
    return 0;
}

struct teacher *teacher_new(const struct teacher_ask *ask, const struct teacher_place *place,
                            struct err *err)
{
    struct teacher *t = xcalloc(1, sizeof(*t));
    int rc;

    t->comm = place->comm;
    t->target.share = ask->share;
    t->target.tau = ask->tau;
    if (ask->cache) {
        t->recall = recall_new(ask, place, err);
        rc = t->recall ? 0 : -1;
        t->target.logits = recall_logits;
        t->target.from = t->recall;
    } else {
        rc = begin_in_memory(t, ask, place, err);
    }
    if (rc == 0)
        return t;
    teacher_free(t);
    return NULL;
}

struct teacher *teacher_for(const struct trainer *t, const struct teacher_ask *ask,
                            const struct state_facts *facts, uint64_t n_all, struct err *err)
{
    struct teacher_place place = { .comm = t->comm, .n_all = n_all };

    place.n_row = t->micro[0].n_row;
    place.n_input = t->micro[0].n_input;
    place.n_target = t->micro[0].n_target;
    place.n_micro = t->n_micro;
    place.group_rows = (int)t->rule.group_rows;
    place.min_capacity = (int)t->rule.min_capacity;
    place.cap = t->rule.cap;
    place.n_vocab = t->config.n_vocab;
    place.mixture = facts->mixture;
    place.vocab_sha256 = facts->vocab_sha256;
    return teacher_new(ask, &place, err);
}

/* A sum over all numbers, each hashed with the name of its tensor and its place there, so that
 * ranks add what they hold, whatever the slices: of whole tensors those along with slice 0. */
static uint64_t digest(const struct params *p, const struct comm *slices, size_t from, size_t end)
{
    uint64_t sum = 0;
    size_t i, j;

    for (i = from; i < end; i++) {
        const struct param *x = &p->p[i];
        uint64_t key = hash_xx64(x->name, strlen(x->name), 0);

        if (!slice_is_part(x) && comm_rank(slices) != 0)
            continue;
#pragma omp parallel for schedule(static) reduction(+ : sum)
        for (j = 0; j < x->n; j++) {
            uint32_t bits;

            memcpy(&bits, x->w + j, sizeof(bits));
            sum += rng_u64(key, slice_index(x, j), bits);
        }
    }
    return sum;
}

/* Rank 0 of the data adds what all ranks share; of those that hold the same experts the first. */
static void find_fingerprint(struct teacher *t)
{
    const struct comm *slices = comm_axis(t->comm, AXIS_MODEL);
    const struct params *p = t->params;
    int shares = comm_rank(comm_axis(t->comm, AXIS_DATA)) == 0;
    int experts = comm_rank(comm_axis(t->comm, AXIS_REPLICA)) == 0;
    uint64_t sum = digest(p, slices, shares ? 0 : p->n_shared, experts ? p->n : p->n_shared);
    double lane[4];    // of 16 bits: their sums are exact
    int i;

    for (i = 0; i < 4; i++)
        lane[i] = (double)(sum >> 16 * i & 0xffff);
    comm_sum_f64(t->comm, lane, 4);
    for (i = 0, sum = 0; i < 4; i++)
        sum += (uint64_t)lane[i] << 16 * i;
    snprintf(t->fingerprint, sizeof(t->fingerprint), "%016" PRIx64, sum);
}

const char *teacher_fingerprint(struct teacher *t)
{
    if (t->recall)
        return recall_teacher(t->recall);
    if (!t->fingerprint[0])
        find_fingerprint(t);
    return t->fingerprint;
}

const char *teacher_name(struct teacher *t)
{
    char top[32] = "";

    if (t->name)
        return t->name;
    if (t->recall)
        snprintf(top, sizeof(top), " top %lld", (long long)recall_k(t->recall));
    t->name = xasprintf("%s%s share %.15g tau %.15g", teacher_fingerprint(t), top, t->target.share,
                        t->target.tau);
    return t->name;
}

void teacher_clear(struct teacher *t)
{
    if (t->recall)
        recall_clear(t->recall);
}

int teacher_fill(struct teacher *t, int i, int row, uint64_t number, const struct batch *b,
                 struct err *err)
{
    return t->recall ? recall_fill(t->recall, i, row, number, b, err) : 0;
}

void teacher_look(struct teacher *t, int i, const struct batch *b)
{
    if (t->recall)
        recall_look(t->recall, i, b);
    else
        model_forward_hidden(t->model, b, &t->run);
}

const struct soft_target *teacher_target(const struct teacher *t)
{
    return &t->target;
}

int teacher_vocab(const struct teacher *t)
{
    return t->config.n_vocab;
}

size_t teacher_chunk(const struct teacher *t)
{
    return model_chunk(t->model);
}

void teacher_free(struct teacher *t)
{
    if (!t)
        return;
    model_free(t->model);
    params_free(t->params);
    recall_free(t->recall);
    free(t->name);
    free(t);
}
