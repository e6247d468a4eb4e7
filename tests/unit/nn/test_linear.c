/* y = x W^T and its gradients, against plain loops in double. */
#include "check.h"

#include "kernel/kernel.h"
#include "nn/gemm16.h"
#include "nn/linear.h"

enum { N = 7, IN = 13, OUT = 5 };

static void test_both_ways(void **state)
{
    float *x = random_floats(N * IN, 1, 1), *w = random_floats(OUT * IN, 2, 1);
    float *dy = random_floats(N * OUT, 3, 1), *dw = random_floats(OUT * IN, 4, 1);
    float *dx = random_floats(N * IN, 5, 1), y[N * OUT];
    double want_y[N * OUT] = { 0 }, *want_dw = doubles(dw, OUT * IN),
                      *more_dx = doubles(dx, N * IN);
    double want_dx[N * IN] = { 0 };
    int i, j, k;

    (void)state;
    for (i = 0; i < N; i++)
        for (j = 0; j < OUT; j++)
            for (k = 0; k < IN; k++) {
                want_y[i * OUT + j] += (double)x[i * IN + k] * w[j * IN + k];
                want_dx[i * IN + k] += (double)dy[i * OUT + j] * w[j * IN + k];
                want_dw[j * IN + k] += (double)dy[i * OUT + j] * x[i * IN + k];
            }
    for (i = 0; i < N * IN; i++)
        more_dx[i] += want_dx[i];
    linear_forward(y, x, w, N, IN, OUT);
    check_output(y, want_y, N * OUT);
    linear_backward(dx, 1, dw, dy, x, w, N, IN, OUT);
    check_gradient(dx, more_dx, N * IN);
    check_gradient(dw, want_dw, OUT * IN);
    linear_backward(dx, 0, NULL, dy, x, w, N, IN, OUT);
    check_gradient(dx, want_dx, N * IN);
    linear_backward(NULL, 0, dw, dy, x, w, 0, IN, OUT);
    check_gradient(dw, want_dw, OUT * IN);
    free(x), free(w), free(dy), free(dw), free(dx), free(want_dw), free(more_dx);
}

/* Outputs in bf16 are those in float, rounded. */
static void test_halves(void **state)
{
    enum { ROWS = 70, WIDE = 96, HIGH = 64 };
    float *f = random_floats(ROWS * WIDE, 1, 1), y[ROWS * WIDE], room[ROWS * WIDE];
    float dw[HIGH * WIDE] = { 0 }, more[HIGH * WIDE] = { 0 };
    uint16_t x[ROWS * WIDE], w[HIGH * WIDE], dy[ROWS * HIGH], want[ROWS * WIDE], got[ROWS * WIDE];
    int way;

    (void)state;
    kernel_init();
    rows_half(x, f, ROWS, WIDE);
    rows_half(w, f + 1, HIGH, WIDE);
    rows_half(dy, f + 2, ROWS, HIGH);
    for (way = GEMM16_BEST; way <= GEMM16_PLAIN; way++) {
        gemm16_by((enum gemm16_way)way);
        linear16_forward(y, x, w, ROWS, WIDE, HIGH);
        rows_half(want, y, ROWS, HIGH);
        linear16_forward_half(got, room, x, w, ROWS, WIDE, HIGH);
        assert_memory_equal(got, want, ROWS * HIGH * sizeof(*got));
        linear16_backward(y, 0, dw, dy, HIGH, x, w, ROWS, WIDE, HIGH);
        rows_half(want, y, ROWS, WIDE);
        linear16_backward_half(got, room, 0, more, dy, HIGH, x, w, ROWS, WIDE, HIGH);
        assert_memory_equal(got, want, ROWS * WIDE * sizeof(*got));
        assert_memory_equal(more, dw, sizeof(dw));
    }
    gemm16_by(GEMM16_BEST);
    free(f);
}

TESTS("nn/linear", cmocka_unit_test(test_halves), cmocka_unit_test(test_both_ways))
