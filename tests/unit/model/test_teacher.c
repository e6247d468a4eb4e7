/* A model taught by another, logits a chunk at a time, against the formula on logits kept whole;
 * and slopes of that loss. */
#include "../comm/self.h"
#include "../nn/check.h"

#include "model/net.h"
#include "seq/batch.h"
#include "shape/params.h"

enum { ROWS = 4, S = 7, T = 5, V = 37 };

static struct config shape(int tied, int n_expert)
{
    struct config c = { .model_type = "switch_transformers", .tied = tied, .gated = 1 };

    c.n_vocab = V, c.d_model = 10, c.d_ff = 14, c.d_kv = 3, c.n_head = 5;
    c.n_block[ENCODER] = c.n_block[DECODER] = 2;
    c.n_bucket = 32, c.max_distance = 128, c.eps = 1e-6;
    c.n_expert = n_expert;
    c.sparse[ENCODER][1] = c.sparse[DECODER][1] = n_expert > 0;
    return c;
}

static void fill(struct batch *b)
{
    int row, i;

    batch_init(b, ROWS, S, T);
    for (row = 0; row < ROWS; row++) {
        b->number[row] = (uint64_t)row + 100;
        for (i = 0; i < S - row; i++) {
            b->input[row * S + i] = 1 + (row * 11 + i * 5) % 36;
            b->input_segment[row * S + i] = 1;
        }
        for (i = 0; i < T - row % 3; i++) {
            b->target[row * T + i] = 1 + (row * 7 + i * 3) % 36;
            b->target_segment[row * T + i] = 1;
            b->decoder[row * T + i] = i ? b->target[row * T + i - 1] : 0;
        }
    }
}

struct lesson {
    struct config c[2];    // student's, teacher's
    struct params *p[2];
    struct model *student, *teacher;
    struct batch b;
    struct run run, quiet;
    struct soft_target soft;
};

static const float *teach(void *from, size_t at, size_t n, const double **rest)
{
    *rest = NULL;
    return model_logits(from, at, n);
}

static void prepare(struct lesson *l, int tied, double share, double tau, size_t chunk)
{
    int i;

    fill(&l->b);
    for (i = 0; i < 2; i++) {
        l->c[i] = shape(tied, i ? 3 : 0);
        l->p[i] = params_new(&l->c[i], 0, l->c[i].n_expert, !i);
        params_init(l->p[i], &l->c[i], 11 + (uint64_t)i, 1.0);
    }
    l->student = model_new(&l->c[0], l->p[0], self(), ROWS, S, T, 1);
    l->teacher = model_new(&l->c[1], l->p[1], self(), ROWS, S, T, 0);
    assert_int_equal(model_chunk(l->student), model_chunk(l->teacher));
    l->student->chunk = l->teacher->chunk = chunk;
    l->soft = (struct soft_target){ share, tau, teach, l->teacher };
    l->quiet = (struct run){ .group_rows = 2, .capacity_factor = 2, .min_capacity = 1 };
    l->quiet.n_target = l->quiet.n_group[ENCODER] = l->quiet.n_group[DECODER] = 1;
    l->run = (struct run){ .train = 1, .gradient = 1, .group_rows = 2, .dropout = 0.2 };
    l->run.n_target = (double)batch_targets(&l->b);
    l->run.n_group[ENCODER] = l->run.n_group[DECODER] = 2;
    l->run.z_loss = 0.01;
    l->run.seed = 5;
    l->run.soft = &l->soft;
}

static void release(struct lesson *l)
{
    model_free(l->student);
    model_free(l->teacher);
    params_free(l->p[0]);
    params_free(l->p[1]);
    batch_release(&l->b);
}

static double loss_of(struct lesson *l)
{
    struct losses sums = { 0 };

    model_forward_hidden(l->teacher, &l->b, &l->quiet);
    model_forward(l->student, &l->b, &l->run, &sums, NULL, NULL);
    return loss_total(&sums, &l->c[0], &l->run);
}

static double log_sum(const float *x, double tau)
{
    double sum = 0;
    int i;

    for (i = 0; i < V; i++)
        sum += exp((double)x[i] / tau);
    return log(sum);
}

static double formula(const struct lesson *l, const float *x, const float *t)
{
    double f = l->soft.share, tau = l->soft.tau, sum = 0;
    int i, k;

    for (i = 0; i < ROWS * T; i++, x += V, t += V) {
        double log_z = log_sum(x, 1), soft_log_z = log_sum(x, tau), log_t = log_sum(t, tau);
        double soft = l->run.z_loss * soft_log_z * soft_log_z;

        if (l->b.target[i] <= 0)
            continue;
        for (k = 0; k < V; k++)
            soft -= exp(t[k] / tau - log_t) * (x[k] / tau - soft_log_z);
        sum += (1 - f) * (log_z - (double)x[l->b.target[i]] + l->run.z_loss * log_z * log_z) +
               f * tau * tau * soft;
    }
    return sum / l->run.n_target;
}

static void check_formula(int tied, double share, double tau)
{
    struct model_view v[2];
    struct losses sums = { 0 };
    struct lesson l;
    double got, want;

    prepare(&l, tied, share, tau, 3);
    model_keep(l.student);
    model_keep(l.teacher);
    got = loss_of(&l);
    model_forward(l.teacher, &l.b, &l.quiet, &sums, NULL, NULL);
    assert_true(model_look(l.student, "logits", &v[0]) && model_look(l.teacher, "logits", &v[1]));
    want = formula(&l, v[0].f32, v[1].f32);
    check_close(&got, &want, 1, 1e-6, 1e-6);
    release(&l);
}

static void test_formula(void **state)
{
    (void)state;
    check_formula(0, 0.25, 1);
    check_formula(1, 0.25, 2);
    check_formula(0, 1, 1);
}

/* Along each tensor's gradient and a random direction, by five points. */
static void check_slope(struct lesson *l, struct param *x, uint64_t key)
{
    static const double weight[] = { 1, -8, 8, -1 };
    static const int place[] = { -2, -1, 1, 2 };
    float *d = random_floats(x->n, key, 1.0), *old = xcalloc(x->n, sizeof(*old));
    double along = 0, norm = 0, got = 0, step = 2e-3;
    size_t j, k;

    memcpy(old, x->w, x->n * sizeof(*old));
    for (j = 0; j < x->n; j++)
        norm += (double)x->g[j] * (double)x->g[j];
    for (j = 0; j < x->n; j++) {
        d[j] = (float)(0.5 * d[j] / sqrt((double)x->n) +
                       (norm > 0 ? 0.5 * (double)x->g[j] / sqrt(norm) : 0));
        along += (double)d[j] * (double)x->g[j];
    }
    for (k = 0; k < 4; k++) {
        for (j = 0; j < x->n; j++)
            x->w[j] = (float)((double)old[j] + place[k] * step * (double)d[j]);
        got += weight[k] * loss_of(l) / (12 * step);
    }
    memcpy(x->w, old, x->n * sizeof(*old));
    if (!(fabs(got - along) <= 1e-4 + 5e-4 * fabs(along)))
        fail_msg("%s: slope %.6g, gradient %.6g", x->name, got, along);
    free(d), free(old);
}

static void test_slopes(void **state)
{
    struct lesson l;
    size_t i;

    (void)state;
    prepare(&l, 1, 0.6, 1.5, 7);
    loss_of(&l);
    model_backward(l.student, &l.b, &l.run);
    l.run.gradient = 0;
    for (i = 0; i < l.p[0]->n; i++)
        check_slope(&l, &l.p[0]->p[i], i);
    release(&l);
}

/* With no share of the teacher's, the gradient is that of a run without one. */
static void test_no_share(void **state)
{
    struct lesson l;
    size_t n, i;
    double with;
    float *g;

    (void)state;
    prepare(&l, 0, 0, 1, 20);
    n = l.p[0]->size;
    g = xcalloc(n, sizeof(*g));
    with = loss_of(&l);
    model_backward(l.student, &l.b, &l.run);
    memcpy(g, l.p[0]->g, n * sizeof(*g));
    memset(l.p[0]->g, 0, n * sizeof(*g));
    l.run.soft = NULL;
    assert_true(fabs(with - loss_of(&l)) < 1e-6);
    model_backward(l.student, &l.b, &l.run);
    for (i = 0; i < n; i++)
        assert_true(fabsf(g[i] - l.p[0]->g[i]) <= 1e-6f + 1e-5f * fabsf(g[i]));
    free(g);
    release(&l);
}

TESTS("model/teacher", cmocka_unit_test(test_formula), cmocka_unit_test(test_slopes),
      cmocka_unit_test(test_no_share))
