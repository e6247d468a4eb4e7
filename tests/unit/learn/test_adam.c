/* test_adam.c - Adam against its definition, row by row. */
#include "../test.h"

#include <math.h>

#include "learn/adam.h"

/* One number's Adam, as the paper's algorithm 1 has it. */
struct plain {
    double w, m, v;
    int t;
};

static void plain_step(struct plain *p, double g, double rate)
{
    p->t++;
    p->m = 0.9 * p->m + 0.1 * g;
    p->v = 0.999 * p->v + 0.001 * g * g;
    p->w -= rate * (p->m / (1 - pow(0.9, p->t))) / (sqrt(p->v / (1 - pow(0.999, p->t))) + 1e-8);
}

static void test_rows_and_parts(void **state)
{
    enum { ROW = 5, WIDTH = 3, STEP = 300 };
    struct plain want[ROW * WIDTH] = { 0 };
    float w[ROW * WIDTH] = { 0 };
    struct adam a;
    int step, r, j;

    (void)state;
    adam_init(&a, ROW, WIDTH);
    for (step = 0; step < STEP; step++) {
        for (r = 0; r < ROW; r++) {
            float *g = adam_grad(&a, 0);

            if (r && (step + r) % r)    // row r has a gradient every r-th step
                continue;
            g = adam_grad(&a, (size_t)r);
            for (j = 0; j < WIDTH; j++) {
                double grad = sin(step + 7 * r + j) + (r == 2);

                assert_true(g[j] == 0);
                g[j] += (float)grad;
                plain_step(&want[r * WIDTH + j], grad, 0.01);
            }
        }
        adam_step(&a, w, 0.01, 0, 2);
        adam_step(&a, w, 0.01, 1, 2);
    }
    for (r = 0; r < ROW * WIDTH; r++)
        assert_true(fabs(w[r] - want[r].w) < 1e-3 * (1 + fabs(want[r].w)));
    adam_release(&a);
}

static void test_untouched_rows_stay(void **state)
{
    float w[4] = { 1, 2, 3, 4 };
    struct adam a;

    (void)state;
    adam_init(&a, 2, 2);
    adam_grad(&a, 1)[0] = 5;
    adam_step(&a, w, 0.5, 0, 1);
    assert_true(w[0] == 1 && w[1] == 2);
    assert_true(fabsf(w[2] - 2.5F) < 1e-5F);    // the first step is as long as the rate
    assert_true(w[3] == 4);
    adam_step(&a, w, 0.5, 0, 1);
    assert_true(fabsf(w[2] - 2.5F) < 1e-5F);
    adam_release(&a);
}

TESTS("learn/adam", cmocka_unit_test(test_rows_and_parts),
      cmocka_unit_test(test_untouched_rows_stay))
