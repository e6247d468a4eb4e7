/* The Switch layer of self-attention: reference vectors of another implementation, slopes of a
 * double-precision twin for hidden and linear experts, splitting and joining. */
#include "../comm/self.h"
#include "../nn/check.h"

#include "moe/layer.h"
#include "nn/ffn.h"

enum { E = 4, M = 16, F = 24, I = 16, N = 24, LENGTH = 6 };

/* [k, in, out] of the reference as [k, out, in] */
static float *weights(const char *file, const char *name, size_t k, size_t in, size_t out)
{
    float *x = golden(file, name, k * in * out), *y = xcalloc(k * in * out, sizeof(*y));
    size_t e, i, j;

    for (e = 0; e < k; e++)
        for (i = 0; i < in; i++)
            for (j = 0; j < out; j++)
                y[(e * out + j) * in + i] = x[(e * in + i) * out + j];
    free(x);
    return y;
}

struct all {
    float *router, *wi, *q, *kv;
};

static struct all read_all(const char *file, const char *prefix)
{
    const char *const name[] = { "router_kernel", "wi", "q_wo", "k_wo" };
    char *full[4];
    struct all w;
    int i;

    for (i = 0; i < 4; i++)
        full[i] = xasprintf("%s%s", prefix, name[i]);
    w.router = weights(file, full[0], 1, M, E);
    w.wi = weights(file, full[1], E, M, F);
    w.q = weights(file, full[2], E, F, I);
    w.kv = weights(file, full[3], E, F, I);
    for (i = 0; i < 4; i++)
        free(full[i]);
    return w;
}

static void free_all(struct all *w)
{
    free(w->router), free(w->wi), free(w->q), free(w->kv);
}

/* Two arrays [N, I] as one [N, 2 I]. */
static float *beside(float *a, float *b)
{
    float *y = xcalloc(2 * N * I, sizeof(*y));
    size_t i;

    for (i = 0; i < N; i++) {
        memcpy(y + 2 * i * I, a + i * I, I * sizeof(*y));
        memcpy(y + (2 * i + 1) * I, b + i * I, I * sizeof(*y));
    }
    free(a), free(b);
    return y;
}

static void test_reference(void **state)
{
    const char *in = "mesh_moe/inputs.safetensors",
               *file = "mesh_moe/experts_attention.safetensors";
    float *x = golden(in, "x", N * M), *want_dx = golden(file, "grad.x", N * M), y[2 * N * I];
    float *dy = beside(golden(in, "cotangent", N * I), golden(in, "cotangent2", N * I));
    float *want = beside(golden(file, "y", N * I), golden(file, "y2", N * I)), dx[N * M];
    float *loss = golden(file, "loss_times_coef", 1), zero[E * F * M] = { 0 },
          d_q[E * I * F] = { 0 };
    float d_kv[E * I * F] = { 0 }, d_router[E * M] = { 0 };
    struct all w = read_all(in, ""), g = read_all(file, "grad.");
    struct heads heads[E];
    struct heads_grad d_heads[E];
    struct moe_net net = { E, M, F, w.router, d_router, NULL, NULL, NULL, heads, d_heads, 2 * I };
    struct moe_work *work = moe_work_new();
    struct moe_layer *l = moe_layer_new(&net, self(), work, N, 1, 0);
    uint64_t number[N / LENGTH] = { 0, 1, 2, 3 };
    struct moe_call call = { .n = N, .length = LENGTH, .number = number, .gradient = 1 };
    double got_loss;
    int e;

    (void)state;
    for (e = 0; e < E; e++) {
        heads[e] =
            (struct heads){ M, F, I, w.wi + e * F * M, w.q + e * I * F, w.kv + e * I * F, 0 };
        d_heads[e] = (struct heads_grad){ zero + e * F * M, d_q + e * I * F, d_kv + e * I * F, 0 };
    }
    call.rule = (struct route_rule){
        .n_expert = E, .group_tokens = N, .capacity_factor = 1.25, .min_capacity = 1
    };
    call.aux_scale = 0.01;
    moe_layer_forward(l, &call, x, y);
    check_output(y, want, 2 * N * I);
    got_loss = 0.01 * moe_layer_sums(l)->aux;
    check_close(&got_loss, loss, 1, 1e-5, 1e-6);
    moe_layer_backward(l, &call, x, dy, dx);
    check_gradient(dx, want_dx, N * M);
    check_gradient(d_router, g.router, E * M);
    check_gradient(zero, g.wi, E * F * M);
    check_gradient(d_q, g.q, E * I * F);
    check_gradient(d_kv, g.kv, E * I * F);
    moe_layer_free(l);
    moe_work_free(work);
    free_all(&w), free_all(&g);
    free(x), free(want_dx), free(dy), free(want), free(loss);
}

/* A small expert in double: sum of y * dy. */
enum { n = 3, m = 6, f = 8, k = 4 };

struct twin {
    double *x, *wi, *q, *kv;
    const float *dy;
    const struct ffn_drop *drop;
};

static double total(void *ctx)
{
    const struct twin *t = ctx;
    size_t width = t->wi ? f : m, i, j, c;
    double sum = 0;

    for (i = 0; i < n; i++)
        for (j = 0; j < width; j++) {
            double h = t->wi ? 0 : t->x[i * m + j];

            for (c = 0; t->wi && c < m; c++)
                h += t->x[i * m + c] * t->wi[j * m + c];
            if (t->wi && h < 0)
                h = 0;
            if (t->drop)
                h *= (double)dropout_factor(t->drop->drop, t->drop->number[i], 0, j);
            for (c = 0; c < k; c++)
                sum += h * (t->dy[i * 2 * k + c] * t->q[c * width + j] +
                            t->dy[i * 2 * k + k + c] * t->kv[c * width + j]);
        }
    return sum;
}

static void check_slopes(struct twin *t, double *of, const float *got, size_t size)
{
    double *want = slopes(total, t, of, size);

    check_gradient(got, want, size);
    free(want);
}

static void check_expert(int hidden, const struct ffn_drop *drop)
{
    size_t width = hidden ? f : m;
    float *x = random_floats(n * m, 1, 1), *wi = random_floats(f * m, 2, 1), y[n * 2 * k];
    float *q = random_floats(k * width, 3, 1), *kv = random_floats(k * width, 4, 1);
    float *dy = random_floats(n * 2 * k, 5, 1), saved[n * f], work[n * f], dx[n * m];
    float d_wi[f * m] = { 0 }, d_q[k * f] = { 0 }, d_kv[k * f] = { 0 };
    struct heads h = { m, width, k, hidden ? wi : NULL, q, kv, 0 };
    struct heads_grad g = { hidden ? d_wi : NULL, d_q, d_kv, 0 };
    struct twin t = { doubles(x, n * m),
                      hidden ? doubles(wi, f * m) : NULL,
                      doubles(q, k * width),
                      doubles(kv, k * width),
                      dy,
                      drop };
    double sum = 0, want = total(&t);
    size_t i;

    assert_int_equal(heads_saved(&h, n), hidden ? n * f : 0);
    heads_forward(&h, drop, x, n, saved, y);
    for (i = 0; i < n * 2 * k; i++)
        sum += y[i] * dy[i];
    check_close(&sum, &want, 1, 1e-5, 1e-6);
    heads_backward(&h, drop, &g, x, dy, n, saved, work, dx);
    check_slopes(&t, t.x, dx, n * m);
    if (hidden)
        check_slopes(&t, t.wi, d_wi, f * m);
    check_slopes(&t, t.q, d_q, k * width);
    check_slopes(&t, t.kv, d_kv, k * width);
    free(x), free(wi), free(q), free(kv), free(dy), free(t.x), free(t.wi), free(t.q), free(t.kv);
}

static void test_slopes(void **state)
{
    static const uint64_t number[n] = { 4, 1, 9 };
    struct dropout drop = { .rate = 0.4, .key = 2, .per_element = 1 };
    struct ffn_drop rows = { .drop = &drop, .number = number, .length = 1 };

    (void)state;
    kernel_init();
    check_expert(1, NULL);
    check_expert(1, &rows);
    check_expert(0, NULL);
}

static void test_split(void **state)
{
    static const float y[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    static const struct heads_part all = { 2, 0, 2 }, second = { 2, 1, 1 };
    float query[4], key[4], dy[8];

    (void)state;
    heads_split(y, 2, &all, 0.5f, query, key);
    assert_true(query[0] == 0.5f && query[1] == 1 && query[2] == 2.5f && query[3] == 3);
    assert_true(key[0] == 3 && key[1] == 4 && key[2] == 7 && key[3] == 8);
    heads_join(query, key, key, 2, &all, 2.0f, dy);
    assert_true(dy[0] == 1 && dy[1] == 2 && dy[2] == 6 && dy[3] == 8);
    assert_true(dy[4] == 5 && dy[5] == 6 && dy[6] == 14 && dy[7] == 16);
    heads_split(y, 2, &second, 0.5f, query, key);
    assert_true(query[0] == 1 && query[1] == 3 && key[0] == 4 && key[1] == 8);
    heads_join(query, key, key, 2, &second, 2.0f, dy);
    assert_true(dy[0] == 0 && dy[1] == 2 && dy[2] == 0 && dy[3] == 8);
    assert_true(dy[4] == 0 && dy[5] == 6 && dy[6] == 0 && dy[7] == 16);
}

/* The same in bf16, of numbers that it has. */
static void test_split_half(void **state)
{
    static const float y[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    const struct heads_part second = { 2, 1, 1 };
    float room[4], dy[8], got[4];
    uint16_t query[2], key[2];

    (void)state;
    kernel_init();
    heads_split_half(y, 2, &second, 0.5f, room, query, key);
    kern.whole(got, query, 2);
    kern.whole(got + 2, key, 2);
    assert_true(got[0] == 1 && got[1] == 3 && got[2] == 4 && got[3] == 8);
    heads_join_half(query, key, query, 2, &second, 2.0f, room, dy);
    assert_true(dy[0] == 0 && dy[1] == 2 && dy[2] == 0 && dy[3] == 5);
    assert_true(dy[4] == 0 && dy[5] == 6 && dy[6] == 0 && dy[7] == 11);
}

/* The parts of two slices add up to the whole: y and dx; gradients are columns of the whole's. */
static void check_slices(int hidden)
{
    enum { N_SLICE = 2 };
    size_t width = hidden ? f : m, part = width / N_SLICE, s, i, j;
    float *x = random_floats(n * m, 1, 1), *wi = random_floats(f * m, 2, 1);
    float *q = random_floats(k * width, 3, 1), *kv = random_floats(k * width, 4, 1);
    float *dy = random_floats(n * 2 * k, 5, 1), saved[n * f], work[n * f];
    float y[n * 2 * k], dx[n * m], y_sum[n * 2 * k] = { 0 }, dx_sum[n * m] = { 0 };
    float d_wi[f * m] = { 0 }, d_q[k * f] = { 0 }, d_kv[k * f] = { 0 };
    struct heads h = { m, width, k, hidden ? wi : NULL, q, kv, 0 };
    struct heads_grad g = { hidden ? d_wi : NULL, d_q, d_kv, 0 };

    heads_forward(&h, NULL, x, n, saved, y);
    heads_backward(&h, NULL, &g, x, dy, n, saved, work, dx);
    for (s = 0; s < N_SLICE; s++) {
        float q_part[k * f], kv_part[k * f], y_part[n * 2 * k], dx_part[n * m];
        float g_wi[f * m] = { 0 }, g_q[k * f] = { 0 }, g_kv[k * f] = { 0 }, want[k * f];
        struct heads hs = {
            m, part, k, hidden ? wi + s * part * m : NULL, q_part, kv_part, s * part
        };
        struct heads_grad gs = { hidden ? g_wi : NULL, g_q, g_kv, 0 };

        for (i = 0; i < k; i++)
            for (j = 0; j < part; j++) {
                q_part[i * part + j] = q[i * width + s * part + j];
                kv_part[i * part + j] = kv[i * width + s * part + j];
            }
        heads_forward(&hs, NULL, x, n, saved, y_part);
        heads_backward(&hs, NULL, &gs, x, dy, n, saved, work, dx_part);
        for (i = 0; i < n * 2 * k; i++)
            y_sum[i] += y_part[i];
        for (i = 0; i < n * m; i++)
            dx_sum[i] += dx_part[i];
        for (i = 0; i < k * part; i++)
            want[i] = d_q[i / part * width + s * part + i % part];
        check_close(g_q, want, k * part, 1e-5, 1e-6);
        for (i = 0; i < k * part; i++)
            want[i] = d_kv[i / part * width + s * part + i % part];
        check_close(g_kv, want, k * part, 1e-5, 1e-6);
        if (hidden)
            check_close(g_wi, d_wi + s * part * m, part * m, 1e-5, 1e-6);
    }
    check_close(y_sum, y, n * 2 * k, 1e-5, 1e-6);
    check_close(dx_sum, dx, n * m, 1e-5, 1e-6);
    free(x), free(wi), free(q), free(kv), free(dy);
}

static void test_slices(void **state)
{
    (void)state;
    kernel_init();
    check_slices(1);
    check_slices(0);
}

TESTS("moe/heads", cmocka_unit_test(test_reference), cmocka_unit_test(test_slopes),
      cmocka_unit_test(test_split), cmocka_unit_test(test_split_half),
      cmocka_unit_test(test_slices))
