/* evaluate.c - see evaluate.h. */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"
#include "comm/comm.h"
#include "model/model.h"
#include "seq/batch.h"
#include "shape/config.h"
#include "train/evaluate.h"

struct eval_set {
    struct mix **mix;
    int n;
    const char **lang;    // all tags, sorted, each once
    int n_lang;
};

static int add_file(struct eval_set *s, const char *path, struct err *err)
{
    struct mix *mix = mix_open(path, err);

    if (!mix)
        return -1;
    s->mix = xreallocarray(s->mix, (size_t)s->n + 1, sizeof(struct mix *));
    s->mix[s->n++] = mix;
    if (mix_rows(mix) == 0 && mix_n_tag(mix) != 1)
        return err_set(err, "%s: a mixture has no end: an example shard is needed", path);
    return 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int add_folder(struct eval_set *s, const char *path, struct err *err)
{
    DIR *d = opendir(path);
    struct dirent *e;
    char **name = NULL;
    size_t n = 0, i;
    int rc = 0;

    if (!d)
        return err_set(err, "%s: %s", path, strerror(errno));
    while ((e = readdir(d)) != NULL) {
        size_t len = strlen(e->d_name);

        if (len < 4 || strcmp(e->d_name + len - 3, ".ex") != 0)
            continue;
        name = xreallocarray(name, n + 1, sizeof(*name));
        name[n++] = xasprintf("%s/%s", path, e->d_name);
    }
    closedir(d);
    if (n)
        qsort(name, n, sizeof(*name), by_text);
    else
        rc = err_set(err, "%s: no file *.ex in it", path);
    for (i = 0; i < n; i++) {
        if (rc == 0)
            rc = add_file(s, name[i], err);
        free(name[i]);
    }
    free(name);
    return rc;
}

/* All languages of all shards, in order of their tags. */
static void list_languages(struct eval_set *s)
{
    int i, k, n = 0;

    for (i = 0; i < s->n; i++)
        n += mix_n_tag(s->mix[i]);
    s->lang = xmalloc((size_t)n * sizeof(*s->lang));
    n = 0;
    for (i = 0; i < s->n; i++)
        for (k = 0; k < mix_n_tag(s->mix[i]); k++)
            s->lang[n++] = mix_tag_name(s->mix[i], k);
    if (n)
        qsort(s->lang, (size_t)n, sizeof(*s->lang), by_text);
    for (i = 0; i < n; i++)
        if (i == 0 || strcmp(s->lang[s->n_lang - 1], s->lang[i]) != 0)
            s->lang[s->n_lang++] = s->lang[i];
}

struct eval_set *eval_open(const char *const *path, int n, struct err *err)
{
    struct eval_set *s = xcalloc(1, sizeof(*s));
    struct stat st;
    int i, rc = 0;

    for (i = 0; i < n && rc == 0; i++)
        rc = stat(path[i], &st) == 0 && S_ISDIR(st.st_mode) ? add_folder(s, path[i], err)
                                                            : add_file(s, path[i], err);
    if (rc < 0) {
        eval_close(s);
        return NULL;
    }
    list_languages(s);
    return s;
}

int eval_inputs(const struct eval_set *s)
{
    int i, most = 1;

    for (i = 0; i < s->n; i++)
        if (mix_inputs(s->mix[i]) > most)
            most = mix_inputs(s->mix[i]);
    return most;
}

int eval_targets(const struct eval_set *s)
{
    int i, most = 1;

    for (i = 0; i < s->n; i++)
        if (mix_targets(s->mix[i]) > most)
            most = mix_targets(s->mix[i]);
    return most;
}

long long eval_vocab(const struct eval_set *s)
{
    long long most = 0;
    int i;

    for (i = 0; i < s->n; i++)
        if (mix_vocab(s->mix[i]) > most)
            most = mix_vocab(s->mix[i]);
    return most;
}

void eval_close(struct eval_set *s)
{
    int i;

    if (!s)
        return;
    for (i = 0; i < s->n; i++)
        mix_close(s->mix[i]);
    free(s->mix);
    free(s->lang);
    free(s);
}

static int lang_number(const struct eval_set *s, const char *tag)
{
    const char *const *at = bsearch(&tag, s->lang, (size_t)s->n_lang, sizeof(*s->lang), by_text);

    return (int)(at - (const char *const *)s->lang);
}

/* What the router did in one sparse layer, by the language of the row. Of more choices than one,
 * the first counts. sparse: number of the block, -1 in self-attention, whose experts are in no
 * table. lang [B]; -1: no row. */
static void count_block(const struct model *m, const char *block, const struct batch *b,
                        const int *lang, struct evaluation *e, int sparse)
{
    struct model_view index = { 0 }, kept = { 0 }, probs = { 0 };
    char name[96];
    int64_t row, at, k, n_expert = e->n_expert, n_choice;

    snprintf(name, sizeof(name), "%s.expert_index", block);
    model_look(m, name, &index);
    snprintf(name, sizeof(name), "%s.kept", block);
    model_look(m, name, &kept);
    snprintf(name, sizeof(name), "%s.router_probs", block);
    model_look(m, name, &probs);
    n_choice = index.n_dim == 3 ? index.dim[2] : 1;
    for (row = 0; row < b->n_row; row++)
        for (at = row * index.dim[1]; lang[row] >= 0 && at < (row + 1) * index.dim[1]; at++) {
            struct eval_sums *s = &e->sums[lang[row]];
            const int32_t *expert = index.i32 + at * n_choice, *taken = kept.i32 + at * n_choice;

            if (*expert < 0)
                continue;
            s->routed++;
            for (k = 0; k < n_choice && !taken[k]; k++)
                ;
            s->dropped += k == n_choice;
            for (k = 0; k < n_expert; k++) {
                double p = (double)probs.f32[at * n_expert + k];

                s->entropy -= p > 0 ? p * log(p) : 0;
            }
            if (sparse >= 0)
                e->chosen[((int64_t)lang[row] * e->n_sparse + sparse) * n_expert + *expert]++;
        }
}

static void count_routes(const struct model *m, const struct config *c, const struct batch *b,
                         const int *lang, struct evaluation *e)
{
    static const char *const stack_name[] = { "encoder", "decoder" };
    int stack, i, sparse = 0;
    char block[64];

    for (stack = 0; stack < 2; stack++)
        for (i = 0; i < c->n_block[stack]; i++) {
            snprintf(block, sizeof(block), "%s.block.%d.attention", stack_name[stack], i);
            if (c->mixed[stack][i])
                count_block(m, block, b, lang, e, -1);
            snprintf(block, sizeof(block), "%s.block.%d", stack_name[stack], i);
            if (c->sparse[stack][i])
                count_block(m, block, b, lang, e, sparse++);
        }
}

struct pass {    // what one shard's forward passes need
    struct batch batch;
    int *lang;                      // [B]
    double *row_ce, *row_target;    // [B]
};

/* Rows [first, ...) of a shard, as many as fit and are there (none: all padding). */
static int fill(const struct eval_set *s, struct mix *mix, uint64_t first, struct pass *p,
                struct err *err)
{
    int i;

    batch_clear(&p->batch);
    for (i = 0; i < p->batch.n_row; i++)
        p->lang[i] = -1;
    for (i = 0; i < p->batch.n_row && first + (uint64_t)i < mix_rows(mix); i++) {
        if (mix_fill(mix, first + (uint64_t)i, &p->batch, i, err) < 0)
            return -1;
        p->lang[i] = lang_number(s, mix_tag_name(mix, p->batch.tag[i]));
    }
    return 0;
}

static void add_rows(const struct pass *p, struct evaluation *e)
{
    int i;

    for (i = 0; i < p->batch.n_row; i++)
        if (p->lang[i] >= 0) {
            struct eval_sums *s = &e->sums[p->lang[i]];

            s->rows++;
            s->targets += p->row_target[i];
            s->ce += p->row_ce[i];
        }
}

/* One shard: passes go round the ranks of data, and all make equally many. */
static int run_shard(const struct eval_set *s, struct mix *mix, struct model *m,
                     const struct config *c, struct comm *data, const struct run *run,
                     struct pass *p, struct evaluation *e, struct err *err)
{
    uint64_t rows = (uint64_t)p->batch.n_row, round = rows * (uint64_t)comm_size(data), first;
    struct losses sums = { 0 };
    int rc = 0;

    for (first = 0; first < mix_rows(mix); first += round) {
        if (rc == 0)
            rc = fill(s, mix, first + rows * (uint64_t)comm_rank(data), p, err);
        model_forward(m, &p->batch, run, &sums, p->row_ce, p->row_target);
        add_rows(p, e);
        count_routes(m, c, &p->batch, p->lang, e);
    }
    return rc;
}

/* Over ranks, and for all languages together. */
static void gather(struct evaluation *e, struct comm *data)
{
    size_t per = (size_t)e->n_sparse * (size_t)e->n_expert, n = (size_t)e->n_lang, i, k;

    comm_sum_f64(data, (double *)e->sums, n * N_EVAL_SUMS);
    comm_sum_f64(data, e->chosen, n * per);
    for (i = 0; i < n; i++) {
        for (k = 0; k < N_EVAL_SUMS; k++)
            ((double *)&e->sums[n])[k] += ((double *)&e->sums[i])[k];
        for (k = 0; k < per; k++)
            e->chosen[n * per + k] += e->chosen[i * per + k];
    }
}

static void evaluation_init(struct evaluation *e, const struct eval_set *s, const struct config *c)
{
    int stack, i;

    *e = (struct evaluation){ .n_lang = s->n_lang, .lang = s->lang, .n_expert = c->n_expert };
    for (stack = 0; stack < 2; stack++)
        for (i = 0; i < c->n_block[stack]; i++)
            e->n_sparse += c->sparse[stack][i];
    e->sums = xcalloc((size_t)e->n_lang + 1, sizeof(*e->sums));
    e->chosen = xcalloc(((size_t)e->n_lang + 1) * (size_t)e->n_sparse * (size_t)e->n_expert,
                        sizeof(*e->chosen));
}

int evaluate(struct eval_set *s, struct model *m, const struct config *c, struct comm *comm,
             const struct eval_rule *rule, struct evaluation *e, struct err *err)
{
    struct run run = { .group_rows = rule->group_rows, .hf_compat = rule->hf_compat };
    struct comm *data = comm_axis(comm, AXIS_DATA);
    size_t rows = (size_t)rule->micro_rows;
    int64_t bad = 0;
    int i;

    err->msg[0] = 0;
    run.capacity_factor = rule->capacity_factor;
    run.min_capacity = rule->min_capacity;
    run.cap = (enum route_cap)rule->cap;
    run.router_bf16 = rule->router_bf16;
    run.n_target = run.n_group[ENCODER] = run.n_group[DECODER] = 1;    // only losses use them
    evaluation_init(e, s, c);
    for (i = 0; i < s->n; i++) {
        struct pass p = { .lang = xcalloc(rows, sizeof(int)) };

        p.row_ce = xcalloc(rows, sizeof(double));
        p.row_target = xcalloc(rows, sizeof(double));
        batch_init(&p.batch, rule->micro_rows, mix_inputs(s->mix[i]), mix_targets(s->mix[i]));
        bad |= run_shard(s, s->mix[i], m, c, data, &run, &p, e, err) < 0;
        batch_release(&p.batch);
        free(p.lang);
        free(p.row_ce);
        free(p.row_target);
    }
    gather(e, data);
    comm_max_i64(comm, &bad, 1);
    return bad ? -1 : 0;
}

void evaluation_release(struct evaluation *e)
{
    free(e->sums);
    free(e->chosen);
    *e = (struct evaluation){ 0 };
}
