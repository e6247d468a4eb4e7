/* The router: reference vectors, slopes of a double-precision twin, capacity, groups, padding. */
#include "../nn/check.h"

#include "kernel/kernel.h"
#include "moe/router.h"

#define RULE(e, size, factor, least, fixed, padding)                                               \
    {                                                                                              \
        .n_expert = e, .group_tokens = size, .capacity_factor = factor, .min_capacity = least,     \
        .fixed_capacity = fixed, .route_padding = padding                                          \
    }

#define INPUT(x, y, pad, count, width)                                                             \
    (&(struct route_input){ .a = x, .w = y, .segment = pad, .n = count, .m = width })

struct arrays {
    struct route r;
    float *d_logits, *da, *dw;
};

static struct arrays arrays_new(size_t n, size_t n_expert, size_t m)
{
    return (struct arrays){
        .r = { xcalloc(n * n_expert, 4), xcalloc(n * n_expert, 4), xcalloc(n, 4), xcalloc(n, 4),
               xcalloc(n, 4), xcalloc(n, 4) },
        .d_logits = xcalloc(n * n_expert, 4),
        .da = xcalloc(n * m, 4),
        .dw = xcalloc(n_expert * m, 4),
    };
}

static void arrays_free(struct arrays *x)
{
    free(x->r.logits), free(x->r.probs), free(x->r.expert), free(x->r.slot), free(x->r.kept);
    free(x->r.gate), free(x->d_logits), free(x->da), free(x->dw);
}

static void test_reference(void **state)
{
    const char *file = "ops/ops.safetensors";
    float *x = golden(file, "router.x", 384), *w = golden(file, "router.w", 64);
    float *d_gate = golden(file, "router.dgate", 24), *gate = golden(file, "router.gate", 24);
    float *logits = golden(file, "router.logits", 96), *probs = golden(file, "router.probs", 96);
    float *dx = golden(file, "router.dx", 384), *dw = golden(file, "router.dw", 64);
    float *aux = golden(file, "router.aux", 1), *z = golden(file, "router.z", 1);
    int32_t *top = golden(file, "router.top", 24);
    struct route_rule rule = RULE(4, 24, 4.0, 1, 0, 0);
    struct arrays a = arrays_new(24, 4, 16);
    struct route_sums sums;

    (void)state;
    kernel_init();
    route_forward(&rule, INPUT(x, w, NULL, 24, 16), &a.r, &sums);
    route_backward(&rule, INPUT(x, w, NULL, 24, 16), &a.r, d_gate, 0.01, 0.001, a.d_logits, a.da,
                   a.dw);
    check_output(a.r.logits, logits, 96);
    check_output(a.r.probs, probs, 96);
    check_output(a.r.gate, gate, 24);
    assert_memory_equal(a.r.expert, top, 24 * sizeof(*top));
    check_close(&sums.aux, aux, 1, 1e-5, 1e-6);
    check_close(&sums.z, z, 1, 1e-5, 1e-6);
    assert_true(sums.routed == 24 && sums.dropped == 0);
    check_gradient(a.da, dx, 384);
    check_gradient(a.dw, dw, 64);
    arrays_free(&a);
    free(x), free(w), free(d_gate), free(gate), free(logits), free(probs), free(dx), free(dw);
    free(aux), free(z), free(top);
}

static void test_capacity(void **state)
{
    static const struct {
        struct route_rule rule;
        int want;
    } cases[] = {
        { RULE(4, 24, 1.25, 1, 0, 0), 7 },   { RULE(4, 24, 1.0, 1, 0, 0), 6 },
        { RULE(4, 6, 1.25, 4, 0, 0), 4 },    { RULE(128, 1024, 1.25, 4, 0, 0), 10 },
        { RULE(128, 512, 0.5, 4, 0, 0), 4 }, { RULE(2, 10, 5.0, 4, 0, 0), 10 },
        { RULE(1, 3, 2.0, 4, 0, 0), 4 },     { RULE(4, 24, 1.25, 1, 64, 0), 64 },
        { RULE(3, 10, 1.0, 1, 0, 0), 3 },    { RULE(8, 1 << 30, 1e9, 4, 0, 0), 1 << 30 },
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(route_capacity(&cases[i].rule), cases[i].want);
}

/* Groups of 10 tokens, 3 experts, real and padded. The twin works in double. */
enum { N = 50, SG = 10, E = 3, M = 7 };

struct net {
    const struct route_rule *rule;
    double *a, *w, *d_gate, aux_scale, z_scale, aux, z;
    const int32_t *segment, *expert;
};

static void token(const struct net *f, int i, double *p, double *log_z)
{
    double sum = 0;
    int e, j;

    for (e = 0; e < E; e++) {
        double h = 0;

        for (j = 0; j < M; j++)
            h += f->a[i * M + j] * f->w[e * M + j];
        sum += p[e] = exp(h);
    }
    for (e = 0; e < E; e++)
        p[e] /= sum;
    *log_z = log(sum);
}

static double total(void *ctx)    // with the choice of experts, and so f, held fixed
{
    struct net *net = ctx;
    double sum = 0;
    int g, i, e;

    net->aux = net->z = 0;
    for (g = 0; g < N; g += SG) {
        double f[E] = { 0 }, share[E] = { 0 }, n = 0, z = 0, aux = 0, p[E], log_z;

        for (i = g; i < g + SG; i++) {
            if (net->segment[i] == 0 && !net->rule->route_padding)
                continue;
            token(net, i, p, &log_z);
            sum += net->d_gate[i] * p[net->expert[i]];
            f[net->expert[i]]++;
            n++;
            z += log_z * log_z;
            for (e = 0; e < E; e++)
                share[e] += p[e];
        }
        for (e = 0; n > 0 && e < E; e++)
            aux += E * (f[e] / n) * (share[e] / n);
        net->aux += aux;
        net->z += n > 0 ? z / n : 0;
    }
    return sum + net->aux_scale * net->aux + net->z_scale * net->z;
}

static void check_slopes(struct net *net, double *x, const float *got, size_t n)
{
    double *want = slopes(total, net, x, n);

    check_gradient(got, want, n);
    free(want);
}

/* Choice, slots and drops by the words of the contract. */
static void check_routes(const struct route_rule *rule, const struct route *r,
                         const int32_t *segment, const struct route_sums *sums)
{
    uint64_t routed = 0, dropped = 0, load_max = 0;
    int g, i, e;

    for (g = 0; g < N; g += SG) {
        int count[E] = { 0 }, most = 0;

        for (i = g; i < g + SG; i++) {
            const float *p = r->probs + i * E;
            int best = 0;

            if (segment[i] == 0 && !rule->route_padding) {
                assert_true(r->expert[i] == -1 && r->slot[i] == -1 && !r->kept[i] &&
                            r->gate[i] == 0);
                continue;
            }
            for (e = 1; e < E; e++)
                best = p[e] > p[best] ? e : best;
            assert_int_equal(r->expert[i], best);
            assert_int_equal(r->slot[i], count[best]);
            assert_int_equal(r->kept[i], count[best] < route_capacity(rule));
            assert_true(r->gate[i] == p[best]);
            count[best]++;
            routed++;
            dropped += !r->kept[i];
            most = count[best] > most ? count[best] : most;
        }
        load_max += (uint64_t)most;
    }
    assert_true(sums->routed == routed && sums->dropped == dropped && sums->load_max == load_max);
}

static void check_rule(const struct route_rule *rule)
{
    float *a = random_floats(N * M, 1, 1), *w = random_floats(E * M, 2, 1),
          *d_gate = random_floats(N, 3, 1);
    struct arrays x = arrays_new(N, E, M);
    struct net net = { rule, doubles(a, N * M), doubles(w, E * M), NULL, 0.3, 0.2, 0, 0,
                       NULL, x.r.expert };
    int32_t segment[N];
    struct route_sums sums;
    double *start;
    int i;

    for (i = 0; i < N; i++)
        segment[i] = i < SG ? 0 : i % 10 < 7;    // the first group is all padding
    memset(x.r.slot, 7, N * 4), memset(x.r.expert, 7, N * 4);
    route_forward(rule, INPUT(a, w, segment, N, M), &x.r, &sums);
    check_routes(rule, &x.r, segment, &sums);
    for (i = 0; i < N; i++)
        if (!x.r.kept[i])
            d_gate[i] = 0;
    net.d_gate = doubles(d_gate, N);
    net.segment = segment;
    for (i = 0; i < E * M; i++)
        x.dw[i] = (float)i;
    start = doubles(x.dw, E * M);
    route_backward(rule, INPUT(a, w, segment, N, M), &x.r, d_gate, 0.3, 0.2, x.d_logits, x.da,
                   x.dw);
    for (i = 0; i < E * M; i++)
        x.dw[i] -= (float)start[i];
    total(&net);
    check_close(&sums.aux, &net.aux, 1, 1e-5, 1e-6);
    check_close(&sums.z, &net.z, 1, 1e-5, 1e-6);
    check_slopes(&net, net.a, x.da, N * M);
    check_slopes(&net, net.w, x.dw, E * M);
    arrays_free(&x);
    free(a), free(w), free(d_gate), free(start), free(net.a), free(net.w), free(net.d_gate);
}

static void test_slopes(void **state)
{
    (void)state;
    kernel_init();
    check_rule(&(struct route_rule)RULE(E, SG, 1.0, 1, 0, 0));
    check_rule(&(struct route_rule)RULE(E, SG, 2.0, 4, 0, 0));
    check_rule(&(struct route_rule)RULE(E, SG, 1.0, 1, 2, 1));    // hf-compat
}

/* Ties go to the lowest expert; no tokens at all; threads change nothing. */
static void test_edges(void **state)
{
    enum { BIG = 60, EB = 70, SB = 12 };
    struct route_rule tie = RULE(3, 4, 1.0, 1, 0, 0), rule = RULE(EB, SB, 1.25, 1, 0, 0);
    float a[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, w[6] = { 0 }, *x = random_floats(BIG * M, 1, 1);
    float *wx = random_floats(EB * M, 2, 2), *d_gate = random_floats(BIG, 3, 1);
    struct arrays t = arrays_new(4, 3, 2), one = arrays_new(BIG, EB, M),
                  two = arrays_new(BIG, EB, M);
    struct route_sums sums, again;
    int i;

    (void)state;
    kernel_init();
    route_forward(&tie, INPUT(a, w, NULL, 4, 2), &t.r, &sums);
    for (i = 0; i < 4; i++)
        assert_true(t.r.expert[i] == 0 && t.r.slot[i] == i && t.r.kept[i] == (i < 1));
    assert_true(fabs(sums.aux - 1) < 1e-6 && sums.dropped == 3 && sums.load_max == 4);
    route_forward(&tie, INPUT(a, w, NULL, 0, 2), &t.r, &sums);
    assert_true(sums.aux == 0 && sums.routed == 0);
    route_backward(&tie, INPUT(a, w, NULL, 0, 2), &t.r, NULL, 1, 1, t.d_logits, t.da, t.dw);
    route_forward(&rule, INPUT(x, wx, NULL, BIG, M), &one.r, &sums);
    route_backward(&rule, INPUT(x, wx, NULL, BIG, M), &one.r, d_gate, 1, 1, one.d_logits, one.da,
                   one.dw);
    omp_set_num_threads(4);
    route_forward(&rule, INPUT(x, wx, NULL, BIG, M), &two.r, &again);
    route_backward(&rule, INPUT(x, wx, NULL, BIG, M), &two.r, d_gate, 1, 1, two.d_logits, two.da,
                   two.dw);
    omp_set_num_threads(1);
    assert_memory_equal(&sums, &again, sizeof(sums));
    assert_memory_equal(one.r.slot, two.r.slot, BIG * sizeof(int32_t));
    assert_memory_equal(one.da, two.da, BIG * M * sizeof(float));
    assert_memory_equal(one.dw, two.dw, EB * M * sizeof(float));
    arrays_free(&t), arrays_free(&one), arrays_free(&two);
    free(x), free(wx), free(d_gate);
}

TESTS("moe/router", cmocka_unit_test(test_reference), cmocka_unit_test(test_capacity),
      cmocka_unit_test(test_slopes), cmocka_unit_test(test_edges))
