/* Networks with bf16 products against those of ffn.h on the same numbers, which are bf16 from the
 * start: what differs is that hidden activations and their gradients are rounded, each by at most
 * 2^-8 of itself. Slopes of GELU are taken at rounded places, so twice that and once more. */
#include "check.h"

#include "kernel/kernel.h"
#include "nn/dropout.h"
#include "nn/ffn.h"
#include "nn/ffn16.h"
#include "nn/linear.h"

enum { N = 6, M = 10, F = 37, LENGTH = 3 };

struct part {    // a matrix in bf16 and the same as floats
    float *f;
    uint16_t *half;
};

static struct part random_part(size_t n, uint64_t key, double size)
{
    struct part p = { random_floats(n, key, size), xcalloc(n, sizeof(uint16_t)) };

    kern.half(p.half, p.f, n);
    kern.whole(p.f, p.half, n);
    return p;
}

static void free_part(struct part *p)
{
    free(p->f), free(p->half);
}

static void check_near(const float *got, const float *want, size_t n, double bound)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (!(fabs((double)got[i] - want[i]) <= bound))
            fail_msg("[%zu]: %g, not %g by %g", i, (double)got[i], (double)want[i], bound);
}

static double most(const float *x, size_t n)
{
    double top = 0;
    size_t i;

    for (i = 0; i < n; i++)
        top = fmax(top, fabs((double)x[i]));
    return top;
}

static void check_net(int gated, const struct ffn_drop *drop)
{
    struct part x = random_part(N * M, 1, 2), wi = random_part(F * M, 2, 1);
    struct part wi_1 = random_part(F * M, 3, 1), wo = random_part(M * F, 4, 1);
    struct part dy = random_part(N * M, 5, 1);
    struct ffn f = { M, F, wi.f, gated ? wi_1.f : NULL, wo.f };
    struct ffn16 half = { M, F, wi.half, gated ? wi_1.half : NULL, wo.half };
    float y[2][N * M], dx[2][N * M], work[2 * N * F], saved[2][3 * N * F] = { { 0 } };
    float dwi[2][F * M] = { { 0 } }, dwi_1[2][F * M] = { { 0 } }, dwo[2][M * F] = { { 0 } };
    struct ffn_grad g[2] = { { dwi[0], dwi_1[0], dwo[0], 0 }, { dwi[1], dwi_1[1], dwo[1], 0 } };
    double unit = 0x1p-8, h, d;

    ffn_forward(&f, drop, x.f, N, saved[0], y[0]);
    ffn_backward(&f, drop, &g[0], x.f, dy.f, N, saved[0], work, dx[0]);
    h = most(saved[0], N * F);
    d = fmax(most(work, N * F), gated ? most(work + N * F, N * F) : 0);
    ffn16_forward(&half, drop, x.half, N, saved[1], work, y[1]);
    ffn16_backward(&half, drop, &g[1], x.half, dy.half, N, saved[1], work, dx[1]);

    assert_int_equal(ffn16_saved(&half, N), (gated ? 3 : 1) * N * F / 2);
    check_near(y[1], y[0], N * M, unit * F * h);
    check_near(dwo[1], dwo[0], M * F, unit * N * h);
    unit *= gated ? 3 : 1;
    check_near(dx[1], dx[0], N * M, unit * F * d * (gated ? 2 : 1));
    check_near(dwi[1], dwi[0], F * M, unit * N * d * 2);
    if (gated)
        check_near(dwi_1[1], dwi_1[0], F * M, unit * N * d * 2);
    free_part(&x), free_part(&wi), free_part(&wi_1), free_part(&wo), free_part(&dy);
}

static void test_near(void **state)
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
        check_net(gated, &(struct ffn_drop){ &each, number, 1, 0 });
    }
}

static void test_rows(void **state)
{
    float *x = random_floats(5 * 7, 1, 1);
    uint16_t to[5 * 7], *here;
    int i;

    (void)state;
    kernel_init();
    rows_half(to, x, 5, 7);
    here = rows_half_here(x, 5, 7);
    for (i = 0; i < 5; i++)
        assert_memory_equal(to + 7 * i, here + 14 * i, 7 * sizeof(*to));
    free(x);
}

TESTS("nn/ffn16", cmocka_unit_test(test_near), cmocka_unit_test(test_rows))
