/* score.c - see score.h.
 *
 * The text of an example is gone once it is a row of numbers for each measure. A measure of
 * groups has a row for each group instead, kept at its least or best.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/rng.h"
#include "score/lexicon.h"
#include "score/measure.h"
#include "score/score.h"
#include "score/trials.h"

struct rows {    // of one measure
    const struct measure *measure;
    struct buf number;    // double [n][width]
    struct buf lang;      // uint32_t [n]
    size_t n;
};

struct score {
    struct measure_how *how;
    struct rows *rows;
    size_t n_measure, n_example;
    struct lexicon *lang, *group;    // a group is its language, a NUL and its name
    struct buf said;                 // uint64_t by group: hash of its first prediction
    struct buf key;
    char **tag;         // by language, sorted by order
    uint32_t *order;    // languages by tag
    struct score_value *value;
    size_t n_value;
};

struct score *score_new(struct measure_how *how, const struct measure *const *measure, size_t n)
{
    struct score *s = xcalloc(1, sizeof(*s));

    s->how = how;
    s->lang = lexicon_new();
    s->group = lexicon_new();
    s->rows = xcalloc(n, sizeof(*s->rows));
    for (; s->n_measure < n; s->n_measure++)
        s->rows[s->n_measure].measure = measure[s->n_measure];
    return s;
}

static double *row_at(const struct rows *r, size_t i)
{
    return (double *)(void *)r->number.p + i * r->measure->width;
}

static void row_add(struct rows *r, const double *row, uint32_t lang)
{
    buf_add(&r->number, row, r->measure->width * sizeof(*row));
    buf_add(&r->lang, &lang, sizeof(lang));
    r->n++;
}

/* The number of p's group; is_new says whether p is its first. -1: p has none. */
static int64_t group_of(struct score *s, const struct trial *p, int *is_new, struct err *err)
{
    size_t n = lexicon_size(s->group);
    uint32_t group;

    if (!p->group.n)
        return err_set(err, "no group, which this metric needs");
    buf_reset(&s->key);
    buf_add(&s->key, p->lang.p, p->lang.n);
    buf_add_byte(&s->key, 0);
    buf_add(&s->key, p->group.p, p->group.n);
    group = lexicon_add(s->group, buf_bytes(&s->key));
    *is_new = group == n;
    if (*is_new) {
        uint64_t hash = hash_xx64(p->prediction.p, p->prediction.n, 0);

        buf_add(&s->said, &hash, sizeof(hash));
    }
    return group;
}

static int is_other(const struct score *s, size_t group, const struct trial *p)
{
    return ((const uint64_t *)(const void *)s->said.p)[group] !=
           hash_xx64(p->prediction.p, p->prediction.n, 0);
}

int score_add(struct score *s, const struct trial *p, struct err *err)
{
    uint32_t lang = lexicon_add(s->lang, p->lang);
    double row[MEASURE_WIDTH];
    int64_t group = -1;
    int is_new = 0;
    size_t i;

    for (i = 0; i < s->n_measure; i++) {
        struct rows *r = &s->rows[i];
        double *old;

        if (r->measure->row(s->how, p, row, err) < 0)
            return -1;
        if (r->measure->group && group < 0 && (group = group_of(s, p, &is_new, err)) < 0)
            return -1;
        if (!r->measure->group || is_new) {
            row_add(r, row, lang);
            continue;
        }
        if (r->measure->group == MEASURE_BEST && is_other(s, (size_t)group, p))
            return err_set(err, "group '%.*s': another prediction than before",
                           (int)(p->group.n < 80 ? p->group.n : 80), (const char *)p->group.p);
        old = row_at(r, (size_t)group);
        if (r->measure->group == MEASURE_BEST ? *old < *row : *old > *row)
            *old = *row;
    }
    s->n_example++;
    return 0;
}

size_t score_examples(const struct score *s)
{
    return s->n_example;
}

static size_t rows_of(const struct rows *r, int64_t lang, size_t *pick)
{
    const uint32_t *of = (const uint32_t *)(const void *)r->lang.p;
    size_t i, n = 0;

    for (i = 0; i < r->n; i++)
        if (lang < 0 || of[i] == lang)
            pick[n++] = i;
    return n;
}

static int number_order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The quantile q of n sorted numbers, a straight line between two of them. */
static double quantile(const double *x, size_t n, double q)
{
    double at = q * (double)(n - 1);
    size_t i = (size_t)at;

    return i + 1 < n ? x[i] + (at - (double)i) * (x[i + 1] - x[i]) : x[n - 1];
}

/* From resamples' scores, in any order; those that are not defined are left out. */
static void interval(double *sample, size_t n, double confidence, struct score_value *v)
{
    size_t i, kept = 0;

    for (i = 0; i < n; i++)
        if (!isnan(sample[i]))
            sample[kept++] = sample[i];
    if (!kept)
        return;
    qsort(sample, kept, sizeof(*sample), number_order);
    v->low = quantile(sample, kept, 0.5 - confidence / 200);
    v->high = quantile(sample, kept, 0.5 + confidence / 200);
}

/* Scores of n_sample resamples of the n picked rows; work has room for n. */
static void resample(const struct score *s, const struct rows *r, const size_t *pick, size_t n,
                     size_t *work, uint64_t key, size_t n_sample, double *sample)
{
    size_t b, i;

    for (b = 0; b < n_sample; b++) {
        struct rng rng = rng_at(key, b);

        for (i = 0; i < n; i++)
            work[i] = pick[rng_below(&rng, n)];
        sample[b] = r->measure->value(s->how, row_at(r, 0), work, n);
    }
}

struct job {    // what a measure's scores are computed with
    size_t *pick, *work;
    double *sample, *mean;    // [n_sample]
    size_t n_sample;
    uint64_t seed;
    double confidence;
};

static struct score_value *value_add(struct score *s, const struct rows *r, const char *lang)
{
    struct score_value *v = &s->value[s->n_value++];

    *v = (struct score_value){ r->measure, lang, 0, NAN, NAN, NAN };
    return v;
}

static double value_of(struct score *s, const struct rows *r, int64_t lang, const char *tag,
                       struct job *job)
{
    struct score_value *v = value_add(s, r, tag);
    char *purpose = xasprintf("bootstrap %s%s", lang < 0 ? "" : "language ", tag);
    size_t b;

    v->n = rows_of(r, lang, job->pick);
    v->score = r->measure->value(s->how, row_at(r, 0), job->pick, v->n);
    resample(s, r, job->pick, v->n, job->work, rng_key(job->seed, purpose), job->n_sample,
             job->sample);
    for (b = 0; b < job->n_sample; b++)
        job->mean[b] += job->sample[b] / (double)lexicon_size(s->lang);
    interval(job->sample, job->n_sample, job->confidence, v);
    free(purpose);
    return v->score;
}

static void compute(struct score *s, const struct rows *r, struct job *job)
{
    size_t n_lang = lexicon_size(s->lang), i;
    struct score_value *v;
    double sum = 0;

    memset(job->mean, 0, job->n_sample * sizeof(*job->mean));
    for (i = 0; i < n_lang; i++)
        if (n_lang > 1 || *s->tag[s->order[i]])
            sum += value_of(s, r, s->order[i], s->tag[s->order[i]], job);
    if (n_lang > 1) {
        v = value_add(s, r, "mean");
        v->n = n_lang;
        v->score = sum / (double)n_lang;
        interval(job->mean, job->n_sample, job->confidence, v);
    }
    value_of(s, r, -1, "all", job);
}

static void languages_sort(struct score *s)
{
    size_t n = lexicon_size(s->lang), i, j;

    s->tag = xcalloc(n + 1, sizeof(*s->tag));
    s->order = xcalloc(n + 1, sizeof(*s->order));
    for (i = 0; i < n; i++) {
        struct bytes tag = lexicon_text(s->lang, i);

        s->tag[i] = xstrndup(tag.n ? (const char *)tag.p : "", tag.n);
        for (j = i; j && strcmp(s->tag[s->order[j - 1]], s->tag[i]) > 0; j--)
            s->order[j] = s->order[j - 1];
        s->order[j] = (uint32_t)i;
    }
}

void score_compute(struct score *s, size_t n_sample, uint64_t seed, double confidence)
{
    struct job job = { .n_sample = n_sample, .seed = seed, .confidence = confidence };
    size_t i;

    languages_sort(s);
    s->value = xcalloc(s->n_measure * (lexicon_size(s->lang) + 2), sizeof(*s->value));
    job.pick = xcalloc(s->n_example + 1, sizeof(*job.pick));
    job.work = xcalloc(s->n_example + 1, sizeof(*job.work));
    job.sample = xcalloc(n_sample + 1, sizeof(*job.sample));
    job.mean = xcalloc(n_sample + 1, sizeof(*job.mean));
    for (i = 0; i < s->n_measure; i++)
        compute(s, &s->rows[i], &job);
    free(job.pick);
    free(job.work);
    free(job.sample);
    free(job.mean);
}

int score_get(const struct score *s, size_t i, struct score_value *v)
{
    if (i >= s->n_value)
        return 0;
    *v = s->value[i];
    return 1;
}

void score_free(struct score *s)
{
    size_t i;

    if (!s)
        return;
    for (i = 0; i < s->n_measure; i++) {
        buf_release(&s->rows[i].number);
        buf_release(&s->rows[i].lang);
    }
    for (i = 0; s->tag && i < lexicon_size(s->lang); i++)
        free(s->tag[i]);
    free(s->tag);
    free(s->order);
    free(s->value);
    free(s->rows);
    lexicon_free(s->lang);
    lexicon_free(s->group);
    buf_release(&s->said);
    buf_release(&s->key);
    free(s);
}
