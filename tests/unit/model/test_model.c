/* The whole network on one process: slopes of the total loss with dropout and jitter on, for
 * sizes that share no factor; microbatches, chunks of logits, memory. The numbers are held
 * against references in tests/golden. */
#include "../comm/self.h"
#include "../nn/check.h"

#include "model/net.h"
#include "seq/batch.h"
#include "shape/params.h"
#include <malloc.h>

enum { ROWS = 4, S = 7, T = 5 };

static struct config odd_config(int tied, int n_expert)
{
    struct config c = { .model_type = "switch_transformers",
                        .n_vocab = 37,
                        .d_model = 10,
                        .d_ff = 14,
                        .d_kv = 3,
                        .n_head = 5,
                        .n_block = { 2, 3 },
                        .n_expert = n_expert,
                        .gated = 1,
                        .tied = tied,
                        .n_bucket = 32,
                        .max_distance = 128,
                        .eps = 1e-6 };

    if (n_expert)
        c.sparse[ENCODER][1] = c.sparse[DECODER][0] = c.sparse[DECODER][2] = 1;
    return c;
}

/* Rows of one to three segments, most with padding at the end. */
static void fill(struct batch *b)
{
    int row, i;

    batch_init(b, ROWS, S, T);
    for (row = 0; row < ROWS; row++) {
        b->number[row] = (uint64_t)row + 100;
        for (i = 0; i < S - row; i++) {
            b->input[row * S + i] = 1 + (row * 11 + i * 5) % 36;
            b->input_segment[row * S + i] = 1 + i / 3;
        }
        for (i = 0; i < T - row % 3; i++) {
            int segment = 1 + i / 2;

            b->target[row * T + i] = 1 + (row * 7 + i * 3) % 36;
            b->target_segment[row * T + i] = segment;
            b->decoder[row * T + i] = i % 2 ? b->target[row * T + i - 1] : 0;
        }
    }
}

static struct run noisy_run(const struct batch *b)
{
    struct run run = { .train = 1,
                       .gradient = 1,
                       .group_rows = 2,
                       .capacity_factor = 1.25,
                       .min_capacity = 1,
                       .dropout = 0.2,
                       .expert_dropout = 0.4,
                       .jitter = 0.2,
                       .z_loss = 0.01,
                       .aux_loss = 0.3,
                       .router_z_loss = 0.05,
                       .seed = 5,
                       .step = 3 };

    run.n_target = (double)batch_targets(b);
    run.n_group[ENCODER] = run.n_group[DECODER] = b->n_row / run.group_rows;
    return run;
}

static double loss_of(struct model *m, const struct batch *b, const struct run *run)
{
    struct losses sums = { 0 };

    model_forward(m, b, run, &sums, NULL, NULL);
    return loss_total(&sums, &m->c, run);
}

/* Slope of the loss along direction d [n] of w, by five points. */
static double slope_along(struct model *m, const struct batch *b, const struct run *run, float *w,
                          const float *d, size_t n, double step)
{
    static const double weight[] = { 1, -8, 8, -1 };
    static const int place[] = { -2, -1, 1, 2 };
    float *old = xcalloc(n, sizeof(*old));
    double sum = 0;
    size_t i, k;

    memcpy(old, w, n * sizeof(*old));
    for (k = 0; k < 4; k++) {
        for (i = 0; i < n; i++)
            w[i] = (float)(old[i] + place[k] * step * d[i]);
        sum += weight[k] * loss_of(m, b, run);
    }
    memcpy(w, old, n * sizeof(*old));
    free(old);
    return sum / (12 * step);
}

struct variant {
    const char *name;
    int tied;    // and with it dropout by element, the mean of balance losses, the second loss
    enum route_kind router;
    enum explore explore;
    enum route_cap cap;
    unsigned char mixed;
    int d_ff_mixed;
    uint64_t seed;    // where the usual one has a draw that falls otherwise within the step; or 0
};

/* Every tensor's gradient against the slope of the loss along it and along a random direction.
 * A float32 loss of about 5 is good to 1e-6, so a slope with this step to about 1e-4. */
static void check_slopes(const struct variant *v)
{
    struct config c = odd_config(v->tied, 3);
    struct params *p;
    struct batch b;
    struct run run;
    struct model *m;
    size_t i, j;

    c.router = v->router;
    c.n_choice = 2;
    c.threshold = 0.4;
    c.mixed[ENCODER][0] = c.mixed[ENCODER][1] = c.mixed[DECODER][1] = v->mixed;
    c.d_ff_mixed = v->d_ff_mixed;
    p = params_new(&c, 0, c.n_expert, 1);
    params_init(p, &c, 11, 1.0);
    fill(&b);
    run = noisy_run(&b);
    run.dropout_per_element = run.aux_mean = run.second_loss = v->tied;
    run.explore = v->explore;
    run.seed = v->seed ? v->seed : run.seed;
    run.input_dropout = 0.3;
    run.cap = v->cap;
    m = model_new(&c, p, self(), ROWS, S, T, 1);
    loss_of(m, &b, &run);
    model_backward(m, &b, &run);
    run.gradient = 0;
    for (i = 0; i < p->n; i++) {
        struct param *x = &p->p[i];
        float *d = random_floats(x->n, i, 1.0);
        double along = 0, norm = 0, random = 0, got;

        for (j = 0; j < x->n; j++) {
            norm += (double)x->g[j] * x->g[j];
            random += (double)d[j] * d[j];
        }
        for (j = 0; j < x->n; j++) {    // half the gradient, half chance, of length about 1
            d[j] = (float)(0.5 * d[j] / sqrt(random) + (norm > 0 ? 0.5 * x->g[j] / sqrt(norm) : 0));
            along += (double)d[j] * x->g[j];
        }
        got = slope_along(m, &b, &run, x->w, d, x->n, 2e-3);
        if (!(fabs(got - along) <= 1e-4 + 5e-4 * fabs(along)))
            fail_msg("%s: %s: slope %.6g, gradient %.6g", v->name, x->name, got, along);
        free(d);
    }
    model_free(m);
    params_free(p);
    batch_release(&b);
}

static void test_slopes(void **state)
{
    static const struct variant variants[] = {
        { .name = "plain" },
        { .name = "tied, dropout by element, mean balance", .tied = 1 },
        { .name = "top2", .router = ROUTE_TOP2 },
        { .name = "top2, second loss", .router = ROUTE_TOP2, .tied = 1 },
        { .name = "ntlb", .router = ROUTE_NTLB },
        { .name = "sample", .explore = EXPLORE_SAMPLE },
        { .name = "sample, top2", .explore = EXPLORE_SAMPLE, .router = ROUTE_TOP2, .seed = 6 },
        { .name = "input dropout", .explore = EXPLORE_DROPOUT, .cap = CAP_ROUND },
        { .name = "dropless", .explore = EXPLORE_ARGMAX, .cap = CAP_NONE },
        { .name = "attention", .mixed = 1, .d_ff_mixed = 7 },
        { .name = "attention, linear, top2", .mixed = 1, .router = ROUTE_TOP2, .tied = 1 },
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(variants) / sizeof(variants[0]); i++)
        check_slopes(&variants[i]);
}

/* Gradients of one pass over two microbatches, and the bytes of the model. */
static size_t gradients(const struct config *c, struct params *p, int half, enum keep keep,
                        const struct run *how)
{
    struct batch b, other;
    struct run run;
    struct model *m;
    size_t bytes;

    params_init(p, c, 11, 1.0);
    if (half)
        params_add_half(p);
    fill(&b);
    fill(&other);
    other.n_row = 2;
    run = noisy_run(&b);
    if (how->n_target < 0)
        run.n_target = 0;
    run.fresh = how->fresh;
    m = model_new(c, p, self(), ROWS, S, T, keep);
    loss_of(m, &b, &run);
    model_backward(m, &b, &run);
    run.fresh = 0;
    loss_of(m, &other, &run);
    model_backward(m, &other, &run);
    bytes = model_bytes(m);
    model_free(m);
    batch_release(&b);
    batch_release(&other);
    return bytes;
}

/* Blocks that are made again in the backward pass: the same to the bit, in less memory. */
static void test_again(void **state)
{
    int k;

    (void)state;
    for (k = 0; k < 16; k++) {
        struct config c = odd_config(k & 1, k & 2 ? 3 : 0);
        struct params *a, *z;
        size_t i, bytes;

        c.gated = k & 1;
        if (c.n_expert && k & 4) {
            c.mixed[ENCODER][1] = c.mixed[DECODER][1] = c.mixed[DECODER][2] = 1;
            c.d_ff_mixed = 7;
        }
        a = params_new(&c, 0, c.n_expert, 1);
        z = params_new(&c, 0, c.n_expert, 1);
        bytes = gradients(&c, a, k >> 3, KEEP_ALL, &(struct run){ .fresh = 1 });
        assert_true(gradients(&c, z, k >> 3, KEEP_STREAM, &(struct run){ .fresh = 1 }) < bytes);
        for (i = 0; i < a->n; i++)
            if (memcmp(a->p[i].g, z->p[i].g, a->p[i].n * sizeof(float)) != 0)
                fail_msg("case %d: the gradient of %s is another", k, a->p[i].name);
        params_free(a);
        params_free(z);
    }
}

/* Into gradients that hold nothing of use, the same as into zeros; with no targets, too. */
static void test_fresh(void **state)
{
    int k;

    (void)state;
    for (k = 0; k < 16; k++) {
        struct config c = odd_config(k & 1, k & 2 ? 3 : 0);
        struct params *a = params_new(&c, 0, c.n_expert, 1);
        struct params *z = params_new(&c, 0, c.n_expert, 1);
        size_t i, j;

        for (i = 0; i < z->n; i++)
            for (j = 0; j < z->p[i].n; j++)
                z->p[i].g[j] = NAN;
        gradients(&c, a, k >> 3, KEEP_ALL, &(struct run){ .n_target = k & 4 ? -1 : 0 });
        gradients(&c, z, k >> 3, KEEP_ALL, &(struct run){ .n_target = k & 4 ? -1 : 0, .fresh = 1 });
        for (i = 0; i < a->n; i++)
            for (j = 0; j < a->p[i].n; j++)
                if (!(a->p[i].g[j] == z->p[i].g[j]))
                    fail_msg("case %d: gradient %zu of %s: %g, not %g", k, j, a->p[i].name,
                             (double)z->p[i].g[j], (double)a->p[i].g[j]);
        params_free(a);
        params_free(z);
    }
}

/* Rows [first, first + n) of b. */
static struct batch part(const struct batch *b, int first, int n)
{
    struct batch x = *b;

    x.n_row = n;
    x.input += first * S;
    x.input_segment += first * S;
    x.target += first * T;
    x.target_segment += first * T;
    x.decoder += first * T;
    x.number += first;
    return x;
}

static void test_microbatches(void **state)
{
    struct config c = odd_config(0, 3);
    struct params *whole = params_new(&c, 0, c.n_expert, 1);
    struct params *parts = params_new(&c, 0, c.n_expert, 1);
    struct losses a = { 0 }, z = { 0 };
    double row_ce[ROWS], row_n[ROWS], part_ce[ROWS], part_n[ROWS];
    struct batch b, half;
    struct run run;
    struct model *m;
    int i;

    (void)state;
    params_init(whole, &c, 11, 1.0);
    params_init(parts, &c, 11, 1.0);
    fill(&b);
    run = noisy_run(&b);
    m = model_new(&c, whole, self(), ROWS, S, T, 1);
    model_forward(m, &b, &run, &a, row_ce, row_n);
    model_backward(m, &b, &run);
    model_free(m);
    m = model_new(&c, parts, self(), ROWS + 1, S + 3, T + 1, 1);    // larger than what comes
    m->chunk = 3;
    for (i = 0; i < ROWS; i += 2) {
        half = part(&b, i, 2);
        model_forward(m, &half, &run, &z, part_ce + i, part_n + i);
        model_backward(m, &half, &run);
    }
    model_free(m);
    assert_true(a.n_target == z.n_target && a.n_target == run.n_target);
    assert_true(a.routed == z.routed && a.dropped == z.dropped && a.dropped > 0);
    assert_true(a.load_max == z.load_max && a.load_max >= a.load_mean);
    check_close(&a.ce, &z.ce, 1, 1e-5, 1e-6);
    check_close(&a.aux, &z.aux, 1, 1e-5, 1e-6);
    check_close(&a.router_z, &z.router_z, 1, 1e-5, 1e-6);
    check_close(row_ce, part_ce, ROWS, 1e-5, 1e-6);
    assert_memory_equal(row_n, part_n, sizeof(row_n));
    for (i = 0; i < (int)whole->n; i++)
        check_gradient(parts->p[i].g, whole->p[i].g, whole->p[i].n);
    params_free(whole);
    params_free(parts);
    batch_release(&b);
}

static void test_without_backward(void **state)
{
    struct config c = odd_config(1, 3);
    struct params *p = params_new(&c, 0, c.n_expert, 1);
    struct model *with, *without;
    struct model_view v;
    struct batch b;
    struct run run;
    double loss;

    (void)state;
    params_init(p, &c, 11, 1.0);
    fill(&b);
    run = noisy_run(&b);
    with = model_new(&c, p, self(), ROWS, S, T, 1);
    without = model_new(&c, p, self(), ROWS, S, T, 0);
    assert_true(model_bytes(without) < model_bytes(with));
    loss = loss_of(with, &b, &run);
    run.gradient = 0;
    assert_true(loss == loss_of(with, &b, &run));
    assert_true(loss == loss_of(without, &b, &run));
    assert_int_equal(model_look(without, "encoder_hidden_states.0", &v), 0);
    assert_int_equal(model_look(without, "logits", &v), 0);
    model_keep(without);
    assert_true(loss == loss_of(without, &b, &run));
    assert_int_equal(model_look(without, "decoder_hidden_states.2", &v), 1);
    assert_true(v.n_dim == 3 && v.dim[0] == ROWS && v.dim[1] == T && v.dim[2] == c.d_model);
    assert_int_equal(model_look(without, "logits", &v), 1);
    assert_int_equal(model_look(without, "decoder.block.0.slot", &v), 1);
    assert_true(v.i32 && v.n_dim == 2);
    assert_int_equal(model_look(without, "decoder.block.1.slot", &v), 0);
    assert_int_equal(model_look(without, "decoder.block.3.slot", &v), 0);
    assert_int_equal(model_look(without, "decoder_hidden_states.4", &v), 0);
    model_free(with);
    model_free(without);
    params_free(p);
    batch_release(&b);
}

/* After its first step a model takes no more memory. */
static void test_memory_is_steady(void **state)
{
    struct config c = odd_config(0, 3);
    struct params *p = params_new(&c, 0, c.n_expert, 1);
    size_t bytes, heap, i;
    struct batch b;
    struct run run;
    struct model *m;

    (void)state;
    params_init(p, &c, 11, 1.0);
    fill(&b);
    run = noisy_run(&b);
    m = model_new(&c, p, self(), ROWS, S, T, 1);
    loss_of(m, &b, &run);
    model_backward(m, &b, &run);
    bytes = model_bytes(m);
    heap = mallinfo2().uordblks;
    for (i = 0; i < p->size; i++)
        p->w[i] *= 1.3f;    // other routes
    for (run.step = 4; run.step < 9; run.step++) {
        loss_of(m, &b, &run);
        model_backward(m, &b, &run);
    }
    assert_int_equal(model_bytes(m), bytes);
    assert_int_equal(mallinfo2().uordblks, heap);
    model_free(m);
    params_free(p);
    batch_release(&b);
}

/* Rows of padding give nothing, and nothing that is not a number. */
static void test_padding(void **state)
{
    struct config c = odd_config(1, 3);
    struct params *p = params_new(&c, 0, c.n_expert, 1);
    struct batch b;
    struct run run;
    struct model *m;
    struct losses sums = { 0 };
    size_t i;

    (void)state;
    params_init(p, &c, 11, 1.0);
    fill(&b);
    run = noisy_run(&b);
    batch_clear(&b);
    m = model_new(&c, p, self(), ROWS, S, T, 1);
    model_forward(m, &b, &run, &sums, NULL, NULL);
    model_backward(m, &b, &run);
    assert_true(sums.ce == 0 && sums.n_target == 0 && sums.routed == 0);
    assert_true(loss_total(&sums, &c, &run) == 0);
    for (i = 0; i < p->size; i++)
        assert_true(p->g[i] == 0);
    model_free(m);
    params_free(p);
    batch_release(&b);
}

/* Where nothing is padded, dropped or packed, HF's rules and ours are the same. */
static void test_rules_agree(void **state)
{
    struct config c = odd_config(1, 3);
    struct params *p = params_new(&c, 0, c.n_expert, 0);
    struct batch b;
    struct run run = { .group_rows = 1,
                       .capacity_factor = 3,
                       .min_capacity = 1,
                       .n_target = 1,
                       .n_group = { ROWS, ROWS } };
    struct losses a = { 0 }, z = { 0 };
    struct model *m;
    int i;

    (void)state;
    c.expert_capacity = 64;
    params_init(p, &c, 11, 1.0);
    batch_init(&b, ROWS, S, T);
    for (i = 0; i < ROWS * S; i++) {
        b.input[i] = 1 + i % 36;
        b.input_segment[i] = 1;
    }
    for (i = 0; i < ROWS * T; i++) {
        b.target[i] = 1 + i % 36;
        b.target_segment[i] = 1;
        b.decoder[i] = i % T ? b.target[i - 1] : 0;
    }
    m = model_new(&c, p, self(), ROWS, S, T, 0);
    model_forward(m, &b, &run, &a, NULL, NULL);
    run.hf_compat = 1;
    model_forward(m, &b, &run, &z, NULL, NULL);
    assert_true(a.ce > 0 && a.dropped == 0);
    check_close(&a.ce, &z.ce, 1, 1e-5, 1e-6);
    model_free(m);
    params_free(p);
    batch_release(&b);
}

TESTS("model/model", cmocka_unit_test(test_slopes), cmocka_unit_test(test_again),
      cmocka_unit_test(test_fresh), cmocka_unit_test(test_microbatches),
      cmocka_unit_test(test_without_backward), cmocka_unit_test(test_memory_is_steady),
      cmocka_unit_test(test_padding), cmocka_unit_test(test_rules_agree))
