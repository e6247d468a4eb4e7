/* train.c - see train.h. */
#include <math.h>
#ifdef _OPENMP
#include <omp.h>
#endif
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/rng.h"
#include "langid/feature.h"
#include "langid/langid.h"
#include "learn/adam.h"
#include "learn/slot.h"
#include "learn/train.h"

enum {
    TELL_PIECES = 20000,
    MEASURE_MIN = 100,    // characters: mC4 asks for the language of no shorter text
    WARM_STEPS = 200,     // in which the rate rises, or a twentieth of all
};

static const double EMBED_START = 0.1, SURE = 0.9;

struct trainer {
    const struct train_options *o;
    struct langid *m;
    struct corpus *c;
    struct windows *windows;
    struct slot *slot;             // [batch]
    struct feature_room **room;    // [n_thread]
    int width, hidden, n_label;
    struct adam embed[LANGID_GROUP_MAX], hidden_w, hidden_b, out_w, out_b;
    float *cell;    // the numbers of all slots
    uint64_t key;
    int64_t step, n_step;
};

static int this_thread(void)
{
#ifdef _OPENMP
    return omp_get_thread_num();
#else
    return 0;
#endif
}

/* The gradients of row i of a layer, n wide, over the batch: sum of in(b)[i] * out(b). */
static void layer_row(const struct trainer *t, struct adam *a, int i, int n, int out_layer)
{
    float *grad = adam_grad(a, (size_t)i);
    int b, j;

    for (b = 0; b < t->o->batch; b++) {
        const struct slot *s = &t->slot[b];
        const float *out = out_layer ? s->p : s->dh;
        float in = out_layer ? s->h[i] : s->x[i];

        if (in != 0) {
#pragma omp simd
            for (j = 0; j < n; j++)
                grad[j] += in * out[j];
        }
    }
}

static void bias(const struct trainer *t, struct adam *a, int n, int out_layer)
{
    float *grad = adam_grad(a, 0);
    int b, j;

    for (b = 0; b < t->o->batch; b++)
        for (j = 0; j < n; j++)
            grad[j] += out_layer ? t->slot[b].p[j] : t->slot[b].dh[j];
}

/* The gradients of those embedding rows that are this part's. */
static void embed_part(struct trainer *t, unsigned part, unsigned n_part)
{
    const struct langid_shape *shape = &t->m->shape;
    int b, g, j, at = 0;
    size_t i;

    for (g = 0; g < shape->n_group; at += shape->group[g++].dim) {
        int dim = shape->group[g].dim;

        for (b = 0; b < t->o->batch; b++) {
            const struct slot *s = &t->slot[b];

            for (i = s->begin[g]; i < s->begin[g + 1]; i++)
                if (s->f[i].id % n_part == part) {
                    float *grad = adam_grad(&t->embed[g], s->f[i].id);

#pragma omp simd
                    for (j = 0; j < dim; j++)
                        grad[j] += s->f[i].weight * s->dx[at + j];
                }
        }
    }
}

static void learn_embed(struct trainer *t, double rate, unsigned part, unsigned n_part)
{
    int g;

    embed_part(t, part, n_part);
    for (g = 0; g < t->m->shape.n_group; g++)
        adam_step(&t->embed[g], t->m->embed[g], rate * t->o->embed_rate, part, n_part);
}

static void learn_layers(struct trainer *t, double rate)
{
    struct langid *m = t->m;
    int i;

    rate *= t->o->rate;
#pragma omp parallel for num_threads(t->o->n_thread) schedule(static)
    for (i = 0; i < t->width; i++)
        layer_row(t, &t->hidden_w, i, t->hidden, 0);
#pragma omp parallel for num_threads(t->o->n_thread) schedule(static)
    for (i = 0; i < t->hidden; i++)
        layer_row(t, &t->out_w, i, t->n_label, 1);
    bias(t, &t->hidden_b, t->hidden, 0);
    bias(t, &t->out_b, t->n_label, 1);
    adam_step(&t->hidden_w, m->hidden_w, rate, 0, 1);
    adam_step(&t->out_w, m->out_w, rate, 0, 1);
    adam_step(&t->hidden_b, m->hidden_b, rate, 0, 1);
    adam_step(&t->out_b, m->out_b, rate, 0, 1);
}

/* Whether the model is sure that what it has just seen is of another label. */
static int doubted(const struct trainer *t, const struct slot *s, int label)
{
    return s->p[label] < t->o->doubt && s->p[slot_answer(s, t->n_label)] > SURE;
}

static void one_step(struct trainer *t)
{
    double rate = 1 - (double)t->step / (double)t->n_step;
    double warm =
        (double)(t->step + 1) / (t->n_step < 20 * WARM_STEPS ? t->n_step / 20.0 : WARM_STEPS);
    int b, n_thread = t->o->n_thread;

    rate = warm < rate ? warm : rate;
#pragma omp parallel for num_threads(t->o->n_thread) schedule(static)
    for (b = 0; b < t->o->batch; b++) {
        struct slot *s = &t->slot[b];
        uint64_t i = (uint64_t)t->step * (uint64_t)t->o->batch + (uint64_t)b;
        struct rng drop = rng_at(t->key, i);
        int learn;

        s->label = windows_get(t->windows, i, &s->piece);
        slot_read(s, &t->m->shape, t->room[this_thread()], buf_bytes(&s->piece), &drop, t->o->drop);
        slot_forward(s, t->m);
        learn = t->step < t->n_step / 3 || !doubted(t, s, s->label);
        slot_backward(s, t->m, t->o->smooth, learn ? 1.0 / t->o->batch : 0);
    }
#pragma omp parallel for num_threads(t->o->n_thread) schedule(static)
    for (b = 0; b < n_thread; b++)
        learn_embed(t, rate, (unsigned)b, (unsigned)n_thread);
    learn_layers(t, rate);
}

static void each_slot_free(struct trainer *t)
{
    int b;

    for (b = 0; t->slot && b < t->o->batch; b++)
        slot_release(&t->slot[b]);
    free(t->slot);
    free(t->cell);
}

static void trainer_release(struct trainer *t)
{
    int i;

    each_slot_free(t);
    for (i = 0; i < t->m->shape.n_group; i++)
        adam_release(&t->embed[i]);
    adam_release(&t->hidden_w);
    adam_release(&t->hidden_b);
    adam_release(&t->out_w);
    adam_release(&t->out_b);
    for (i = 0; t->room && i < t->o->n_thread; i++)
        feature_room_free(t->room[i]);
    free(t->room);
    windows_free(t->windows);
}

/* n numbers around 0 with this deviation. */
static void scatter(float *to, size_t n, double deviation, uint64_t seed, const char *what,
                    int part)
{
    uint64_t key = rng_key(seed, what);
    size_t i;

    for (i = 0; i < n; i++)
        to[i] = (float)(deviation * rng_normal(key, (uint64_t)part, i, 1));
}

static void trainer_init(struct trainer *t)
{
    struct langid *m = t->m;
    size_t all = slot_cells(&m->shape);
    int i;

    for (i = 0; i < m->shape.n_group; i++) {
        const struct langid_group *g = &m->shape.group[i];

        adam_init(&t->embed[i], g->ids, (size_t)g->dim);
        scatter(m->embed[i], (size_t)g->ids * (size_t)g->dim, EMBED_START, t->o->seed, "embed", i);
    }
    adam_init(&t->hidden_w, (size_t)t->width, (size_t)t->hidden);
    adam_init(&t->hidden_b, 1, (size_t)t->hidden);
    adam_init(&t->out_w, (size_t)t->hidden, (size_t)t->n_label);
    adam_init(&t->out_b, 1, (size_t)t->n_label);
    scatter(m->hidden_w, (size_t)t->width * (size_t)t->hidden, sqrt(2.0 / t->width), t->o->seed,
            "hidden", 0);
    scatter(m->out_w, (size_t)t->hidden * (size_t)t->n_label, sqrt(1.0 / t->hidden), t->o->seed,
            "out", 0);
    t->slot = xcalloc((size_t)t->o->batch, sizeof(*t->slot));
    t->cell = xcalloc((size_t)t->o->batch * all, sizeof(*t->cell));
    for (i = 0; i < t->o->batch; i++)
        slot_init(&t->slot[i], &m->shape, t->cell + (size_t)i * all);
    t->room = xcalloc((size_t)t->o->n_thread, sizeof(struct feature_room *));
    for (i = 0; i < t->o->n_thread; i++)
        t->room[i] = feature_room_new(&m->shape);
    t->key = rng_key(t->o->seed, "drop");
    t->n_step = (t->o->n_piece + t->o->batch - 1) / t->o->batch;
}

/* Take those texts out that the model is sure to be of another label. */
static int64_t doubt(struct trainer *t)
{
    unsigned char *out = xcalloc(t->c->n + 1, 1);
    int64_t i, n = (int64_t)t->c->n, from, gone = 0;
    size_t keep = 0;

    for (from = 0; from < n; from += t->o->batch) {
        int64_t to = from + t->o->batch < n ? from + t->o->batch : n;

#pragma omp parallel for num_threads(t->o->n_thread) schedule(static)
        for (i = from; i < to; i++) {
            struct slot *s = &t->slot[i - from];

            slot_read(s, &t->m->shape, t->room[this_thread()], t->c->text[i].text, NULL, 0);
            slot_forward(s, t->m);
            out[i] = (unsigned char)doubted(t, s, t->c->text[i].label);
        }
    }
    for (i = 0; i < n; i++) {
        gone += out[i];
        if (!out[i])
            t->c->text[keep++] = t->c->text[i];
    }
    t->c->n = keep;
    free(out);
    return gone;
}

static int steps(struct trainer *t, struct train_result *result, struct err *err)
{
    const struct train_options *o = t->o;
    double loss = 0, right = 0;
    int b, n = 0;

    for (t->step = 0; t->step < t->n_step; t->step++) {
        if (o->doubt > 0 && t->step == t->n_step / 3) {
            result->n_doubted = doubt(t);
            windows_free(t->windows);
            t->windows = windows_new(t->c, &o->window, 0);
            if (!t->windows)
                return err_set(err, "no text is left to train on: all labels are doubted");
        }
        one_step(t);
        for (b = 0; b < o->batch; b++, n++) {
            loss += t->slot[b].loss;
            right += t->slot[b].right;
        }
        if (o->tell && (t->step + 1 == t->n_step || n >= TELL_PIECES)) {
            o->tell(o->ctx, (t->step + 1) * o->batch, loss / n, right / n);
            loss = right = n = 0;
        }
    }
    return 0;
}

/* The loss of n pieces, whose probabilities are p and labels are label, with logits divided by
 * temperature: log p is as good as a logit. */
static double loss_at(const float *p, const int *label, int64_t n, int n_label, double temperature)
{
    double loss = 0;
    int64_t i;
    int j;

    for (i = 0; i < n; i++, p += n_label) {
        double sum = 0;

        for (j = 0; j < n_label; j++)
            sum += pow(p[j] > 1e-30F ? p[j] : 1e-30, 1 / temperature);
        loss += log(sum) - log(p[label[i]] > 1e-30F ? p[label[i]] : 1e-30) / temperature;
    }
    return loss / (double)n;
}

/* The temperature of least loss, by halving a bracket around it: loss is convex in 1 / T. */
static double coolest(const float *p, const int *label, int64_t n, int n_label)
{
    double low = 0.25, high = 4;
    int i;

    for (i = 0; i < 20; i++) {
        double a = 1 / low, b = 1 / high, x = a - (a - b) / 3, y = a - (a - b) * 2 / 3;

        if (loss_at(p, label, n, n_label, 1 / x) < loss_at(p, label, n, n_label, 1 / y))
            high = 1 / y;
        else
            low = 1 / x;
    }
    return (low + high) / 2;
}

/* Make probabilities mean what they say on text that was held out. */
static void calibrate(struct trainer *t, struct train_result *result)
{
    struct langid *m = t->m;
    struct window_rule rule = t->o->window;
    int64_t n = t->o->n_measure, i, right = 0;
    int b, L = t->n_label, batch = t->o->batch;
    float *p;
    int *label;
    size_t j;

    rule.min = rule.min < MEASURE_MIN && MEASURE_MIN < rule.max ? MEASURE_MIN : rule.min;
    windows_free(t->windows);
    t->windows = windows_new(t->c, &rule, 1);
    if (!t->windows || !n)
        return;
    n = (n + batch - 1) / batch * batch;
    p = xreallocarray(NULL, (size_t)n * (size_t)L, sizeof(*p));
    label = xreallocarray(NULL, (size_t)n, sizeof(*label));
    for (i = 0; i < n; i += batch) {
#pragma omp parallel for num_threads(t->o->n_thread) schedule(static)
        for (b = 0; b < batch; b++) {
            struct slot *s = &t->slot[b];

            label[i + b] = windows_get(t->windows, (uint64_t)(i + b), &s->piece);
            slot_read(s, &t->m->shape, t->room[this_thread()], buf_bytes(&s->piece), NULL, 0);
            slot_forward(s, t->m);
            memcpy(p + (i + b) * L, s->p, (size_t)L * sizeof(*p));
        }
        for (b = 0; b < batch; b++)
            right += slot_answer(&t->slot[b], L) == label[i + b];
    }
    result->temperature = coolest(p, label, n, L);
    result->loss = loss_at(p, label, n, L, result->temperature);
    result->right = (double)right / (double)n;
    for (j = 0; j < (size_t)t->hidden * (size_t)L; j++)
        m->out_w[j] = (float)(m->out_w[j] / result->temperature);
    for (b = 0; b < L; b++)
        m->out_b[b] = (float)(m->out_b[b] / result->temperature);
    free(p);
    free(label);
}

struct langid *langid_train(struct corpus *c, const struct train_options *o,
                            struct train_result *result, struct err *err)
{
    struct trainer t = { .o = o, .c = c };
    struct langid_shape shape = o->shape;
    int i, bad;

    *result = (struct train_result){ .temperature = 1, .loss = NAN, .right = NAN };
    shape.n_label = c->n_label;
    t.windows = windows_new(c, &o->window, 0);
    if (!t.windows) {
        err_set(err, "no text to train on");
        return NULL;
    }
    t.m = langid_new(&shape, err);
    if (!t.m) {
        windows_free(t.windows);
        return NULL;
    }
    t.width = langid_width(&shape);
    t.hidden = shape.hidden;
    t.n_label = shape.n_label;
    for (i = 0; i < c->n_label; i++)
        t.m->label[i] = xstrdup(c->label[i]);
    trainer_init(&t);
    bad = steps(&t, result, err);
    if (!bad)
        calibrate(&t, result);
    trainer_release(&t);
    if (!bad)
        return t.m;
    langid_free(t.m);
    return NULL;
}
