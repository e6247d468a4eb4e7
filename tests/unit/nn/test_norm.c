/* RMSNorm: reference vectors, slopes, padding. */
#include "check.h"

#include "kernel/kernel.h"
#include "nn/norm.h"

static void test_reference(void **state)
{
    const char *file = "ops/ops.safetensors";
    float *x = golden(file, "rmsnorm.x", 160), *w = golden(file, "rmsnorm.w", 32);
    float *dy = golden(file, "rmsnorm.dy", 160), *want_y = golden(file, "rmsnorm.y", 160);
    float *want_dx = golden(file, "rmsnorm.dx", 160), *want_dw = golden(file, "rmsnorm.dw", 32);
    float y[160], dx[160] = { 0 }, dw[32] = { 0 }, r[5];

    (void)state;
    kernel_init();
    norm_forward(y, r, x, w, NULL, 5, 32, 1e-6f);
    norm_backward(dx, NULL, dw, dy, x, w, r, NULL, 5, 32);
    check_output(y, want_y, 160);
    check_gradient(dx, want_dx, 160);
    check_gradient(dw, want_dw, 32);
    free(x), free(w), free(dy), free(want_y), free(want_dx), free(want_dw);
}

enum { N = 301, M = 131 };    // more than a block of tokens, more than two of columns

struct net {
    double *x, *w, *c;
    const int32_t *segment;
};

/* sum of c y over one token's y, or over all. */
static double token_sum(const struct net *f, int i)
{
    double ss = 0, sum = 0;
    int j;

    if (f->segment[i] == 0)
        return 0;
    for (j = 0; j < M; j++)
        ss += f->x[i * M + j] * f->x[i * M + j];
    for (j = 0; j < M; j++)
        sum += f->c[i * M + j] * f->x[i * M + j] * f->w[j] / sqrt(ss / M + 1e-3);
    return sum;
}

static double all_sum(void *ctx)
{
    double sum = 0;
    int i;

    for (i = 0; i < N; i++)
        sum += token_sum(ctx, i);
    return sum;
}

struct one {
    struct net *net;
    int i;
};

static double one_sum(void *ctx)
{
    struct one *o = ctx;

    return token_sum(o->net, o->i);
}

static void test_slopes(void **state)
{
    float *x = random_floats(N * M, 1, 2), *w = random_floats(M, 2, 2),
          *dy = random_floats(N * M, 3, 1);
    float *y = xcalloc(N * M, sizeof(float)), *dx = random_floats(N * M, 4, 1),
          *dw = random_floats(M, 5, 1);
    double *was_dx = doubles(dx, N * M), *was_dw = doubles(dw, M), *slope;
    struct net net = { doubles(x, N * M), doubles(w, M), doubles(dy, N * M), NULL };
    int32_t segment[N];
    float r[N];
    int i, j;

    (void)state;
    kernel_init();
    for (i = 0; i < N; i++)
        segment[i] = i % 7 == 3 ? 0 : 1 + i / 50;
    net.segment = segment;
    norm_forward(y, r, x, w, segment, N, M, 1e-3f);
    norm_backward(dx, NULL, dw, dy, x, w, r, segment, N, M);
    for (i = 0; i < N; i++) {
        double got = 0, want = token_sum(&net, i);

        for (j = 0; j < M; j++)
            got += (double)y[i * M + j] * dy[i * M + j];
        check_close(&got, &want, 1, 5e-5, 1e-5);
        slope = slopes(one_sum, &(struct one){ &net, i }, net.x + i * M, M);
        for (j = 0; j < M; j++)
            slope[j] += was_dx[i * M + j];
        check_gradient(dx + i * M, slope, M);
        free(slope);
    }
    slope = slopes(all_sum, &net, net.w, M);
    for (j = 0; j < M; j++)
        slope[j] += was_dw[j];
    check_gradient(dw, slope, M);
    free(slope), free(was_dx), free(was_dw), free(net.x), free(net.w), free(net.c);
    free(x), free(w), free(dy), free(y), free(dx), free(dw);
}

static void test_padding_and_nothing(void **state)
{
    float x[6] = { 1, NAN, 3, 0, 0, 0 }, w[3] = { 1, 2, 3 }, y[6] = { 7, 7, 7, 7, 7, 7 }, r[2];
    float dx[6] = { 1, 2, 3, 4, 5, 6 }, dw[3] = { 1, 2, 3 }, dy[6] = { NAN, 1, 1, 1, 1, 1 };
    int32_t segment[2] = { 0, 0 };
    int i;

    (void)state;
    kernel_init();
    norm_forward(y, r, x, w, segment, 2, 3, 1e-6f);
    norm_backward(dx, NULL, dw, dy, x, w, r, segment, 2, 3);
    for (i = 0; i < 6; i++)
        assert_true(y[i] == 0 && dx[i] == i + 1);
    for (i = 0; i < 3; i++)
        assert_true(dw[i] == i + 1);
    norm_forward(y, r, x + 3, w, NULL, 1, 3, 1e-6f);    // all zero, not padding
    assert_true(y[0] == 0 && fabsf(r[0] - 1000) < 1e-2f);
    norm_forward(NULL, NULL, NULL, w, NULL, 0, 3, 1e-6f);
    norm_backward(NULL, NULL, dw, NULL, NULL, w, NULL, NULL, 0, 3);
}

/* In one go as step by step, to the bit; width: more than is rounded at a time. */
static void check_in_one_go(size_t n, size_t m, int adds, const int32_t *segment)
{
    float *x = random_floats(n * m, 1, 2), *add = random_floats(n * m, 2, 2),
          *w = random_floats(m, 3, 2), *y = xcalloc(n * m, sizeof(*y)),
          *got = xcalloc(n * m, sizeof(*got)), *sum = xcalloc(n * m, sizeof(*sum));
    uint16_t *half = xcalloc(n * m, sizeof(*half)), *got_half = xcalloc(n * m, sizeof(*half));
    float r[N], got_r[N];
    size_t i;

    for (i = 0; i < n * m; i++)
        sum[i] = x[i] + (adds ? add[i] : 0);
    norm_forward(y, r, sum, w, segment, n, m, 1e-6f);
    kern.half(half, y, n * m);
    norm_add_forward(NULL, got_half, got_r, x, adds ? add : NULL, w, segment, n, m, 1e-6f);
    assert_memory_equal(x, sum, n * m * sizeof(*x));
    assert_memory_equal(got_half, half, n * m * sizeof(*half));
    assert_memory_equal(got_r, r, n * sizeof(*r));
    memset(got_half, 0, n * m * sizeof(*half));
    norm_add_forward(got, got_half, got_r, x, NULL, w, segment, n, m, 1e-6f);
    assert_memory_equal(got, y, n * m * sizeof(*y));
    assert_memory_equal(got_half, half, n * m * sizeof(*half));
    norm_backward(x, got_half, y, add, got, w, r, segment, n, m);
    kern.half(half, x, n * m);
    assert_memory_equal(got_half, half, n * m * sizeof(*half));
    free(x), free(add), free(w), free(y), free(got), free(sum), free(half), free(got_half);
}

static void test_in_one_go(void **state)
{
    int32_t segment[N];
    int i;

    (void)state;
    kernel_init();
    for (i = 0; i < N; i++)
        segment[i] = i % 5;
    check_in_one_go(N, M, 1, segment);
    check_in_one_go(3, 2100, 1, NULL);
    check_in_one_go(3, 2100, 0, segment);
}

TESTS("nn/norm", cmocka_unit_test(test_in_one_go), cmocka_unit_test(test_reference),
      cmocka_unit_test(test_slopes), cmocka_unit_test(test_padding_and_nothing))
