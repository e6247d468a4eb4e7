/* ReLU and GEGLU networks against a double-precision twin and its slopes; GELU against reference
 * vectors; dropout of the hidden units. */
#include "check.h"

#include "kernel/kernel.h"
#include "nn/dropout.h"
#include "nn/ffn.h"

static void test_gelu_reference(void **state)
{
    const char *file = "ops/ops.safetensors";
    float *x = golden(file, "gelu.x", 64), *dy = golden(file, "gelu.dy", 64);
    float *want_y = golden(file, "gelu.y", 64), *want_dx = golden(file, "gelu.dx", 64), y[64],
          dx[64];
    int i;

    (void)state;
    kernel_init();
    for (i = 0; i < 64; i++) {
        y[i] = gelu(x[i]);
        dx[i] = dy[i] * gelu_slope(x[i]);
    }
    check_output(y, want_y, 64);
    check_gradient(dx, want_dx, 64);
    free(x), free(dy), free(want_y), free(want_dx);
}

enum { N = 6, M = 7, F = 11, LENGTH = 3 };

struct net {
    double *x, *wi, *wi_1, *wo, *c;
    const struct ffn_drop *drop;
};

static double activation(const struct net *f, double u, double v)
{
    if (!f->wi_1)
        return u > 0 ? u : 0;
    return 0.5 * u * (1 + tanh(0.79788456080286536 * (u + 0.044715 * u * u * u))) * v;
}

static double total(void *ctx)    // sum of c y
{
    struct net *f = ctx;
    double sum = 0, u, v, h;
    int i, j, k;

    for (i = 0; i < N; i++)
        for (j = 0; j < F; j++) {
            for (k = 0, u = v = 0; k < M; k++) {
                u += f->x[i * M + k] * f->wi[j * M + k];
                v += f->wi_1 ? f->x[i * M + k] * f->wi_1[j * M + k] : 0;
            }
            h = activation(f, u, v);
            if (f->drop)
                h *= dropout_factor(f->drop->drop, f->drop->number[i / f->drop->length],
                                    i % f->drop->length, f->drop->first + j);
            for (k = 0; k < M; k++)
                sum += f->c[i * M + k] * h * f->wo[k * F + j];
        }
    return sum;
}

static void check_slopes(struct net *net, double *x, const float *got, size_t n)
{
    double *want = slopes(total, net, x, n);

    check_gradient(got, want, n);
    free(want);
}

static void check_net(int gated, const struct ffn_drop *drop)
{
    float *x = random_floats(N * M, 1, 2), *wi = random_floats(F * M, 2, 1);
    float *wi_1 = random_floats(F * M, 3, 1), *wo = random_floats(M * F, 4, 1);
    float *dy = random_floats(N * M, 5, 1), y[N * M], dx[N * M], work[2 * N * F], saved[3 * N * F];
    float dwi[F * M] = { 0 }, dwi_1[F * M] = { 0 }, dwo[M * F] = { 0 };
    struct ffn f = { M, F, wi, gated ? wi_1 : NULL, wo };
    struct ffn_grad g = { dwi, dwi_1, dwo, 0 };
    struct net net = { doubles(x, N * M),  doubles(wi, F * M), gated ? doubles(wi_1, F * M) : NULL,
                       doubles(wo, M * F), doubles(dy, N * M), drop };
    double got = 0, want = total(&net);
    int i;

    assert_int_equal(ffn_saved(&f, N), (gated ? 3 : 1) * N * F);
    ffn_forward(&f, drop, x, N, saved, y);
    ffn_backward(&f, drop, &g, x, dy, N, saved, work, dx);
    for (i = 0; i < N * M; i++)
        got += (double)y[i] * dy[i];
    check_close(&got, &want, 1, 5e-5, 1e-5);
    check_slopes(&net, net.x, dx, N * M);
    check_slopes(&net, net.wi, dwi, F * M);
    check_slopes(&net, net.wo, dwo, M * F);
    if (gated)
        check_slopes(&net, net.wi_1, dwi_1, F * M);
    ffn_backward(&f, drop, &(struct ffn_grad){ 0 }, x, dy, N, saved, work, y);    // input alone
    assert_memory_equal(y, dx, sizeof(dx));
    ffn_forward(&f, drop, x, 0, saved, y);
    ffn_backward(&f, drop, &g, x, dy, 0, saved, work, dx);
    free(x), free(wi), free(wi_1), free(wo), free(dy);
    free(net.x), free(net.wi), free(net.wi_1), free(net.wo), free(net.c);
}

static void test_slopes(void **state)
{
    static const uint64_t number[N] = { 3, 9, 11, 12, 13, 14 };
    struct dropout shared = { 0.3, 77, 0 }, each = { 0.4, 78, 1 }, none = { 0, 79, 0 };
    int gated;

    (void)state;
    kernel_init();
    for (gated = 0; gated < 2; gated++) {
        check_net(gated, NULL);
        check_net(gated, &(struct ffn_drop){ &none, number, LENGTH, 0 });
        check_net(gated, &(struct ffn_drop){ &shared, number, LENGTH, 0 });
        check_net(gated, &(struct ffn_drop){ &each, number, LENGTH, 5 });
        check_net(gated, &(struct ffn_drop){ &each, number, 1, 0 });
    }
}

TESTS("nn/ffn", cmocka_unit_test(test_gelu_reference), cmocka_unit_test(test_slopes))
