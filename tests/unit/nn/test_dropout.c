/* Masks: a function of key and place alone, shared over the length or not, with the right rate. */
#include "check.h"

#include "kernel/kernel.h"
#include "nn/dropout.h"

enum { ROW = 3, LENGTH = 5, WIDTH = 1337 };

static const uint64_t number[ROW] = { 4, 1ull << 40, 7 };

static float *ones(void)
{
    float *x = xcalloc(ROW * LENGTH * WIDTH, sizeof(*x));
    int i;

    for (i = 0; i < ROW * LENGTH * WIDTH; i++)
        x[i] = 1;
    return x;
}

static void check_factors(const struct dropout *d, uint64_t first)
{
    float *x = ones(), f[77], alone;
    int row, t, i;

    dropout_apply_from(d, x, number, ROW, LENGTH, WIDTH, first);
    for (row = 0; row < ROW; row++)
        for (t = 0; t < LENGTH; t++) {
            for (i = 0; i < WIDTH; i++) {
                alone = dropout_factor(d, number[row], t, first + i);
                assert_true(x[(row * LENGTH + t) * WIDTH + i] == alone);
                if (!d->per_element)
                    assert_true(alone == x[row * LENGTH * WIDTH + i]);
            }
            dropout_factors(d, number[row], t, first + 3, 77, f);
            assert_memory_equal(f, x + (row * LENGTH + t) * WIDTH + 3, sizeof(f));
        }
    free(x);
}

static void test_factor_is_apply(void **state)
{
    (void)state;
    kernel_init();
    check_factors(&(struct dropout){ 0.1, 5, 0 }, 0);
    check_factors(&(struct dropout){ 0.4, 5, 1 }, 0);
    check_factors(&(struct dropout){ 0.4, 5, 0 }, 1001);    // a slice that starts inside a pair
    check_factors(&(struct dropout){ 0.4, 5, 1 }, 512);
}

/* The share dropped lies within 5 deviations of a fair coin's; what is kept keeps the mean. Rows,
 * positions, keys and neighbours are independent: two masks agree as often as chance would. */
static void test_rate(void **state)
{
    static const double rates[] = { 0.1, 0.4, 0.9 };
    double n = 200000, dropped, both, p;
    struct dropout d = { 0, 9, 1 }, other = { 0, 10, 1 };
    size_t r;
    int i;

    (void)state;
    for (r = 0; r < 3; r++) {
        p = d.rate = other.rate = rates[r];
        for (i = 0, dropped = both = 0; i < n; i++) {
            float f = dropout_factor(&d, i % 7, i / 700, i % 700);

            assert_true(f == 0 || f == (float)(1 / (1 - p)));
            dropped += f == 0;
            both += f == 0 && dropout_factor(&d, i % 7, i / 700, i % 700 ^ 1) == 0;
            both += f == 0 && dropout_factor(&d, i % 7, i / 700 + 1000, i % 700) == 0;
            both += f == 0 && dropout_factor(&d, i % 7 + 7, i / 700, i % 700) == 0;
            both += f == 0 && dropout_factor(&other, i % 7, i / 700, i % 700) == 0;
        }
        assert_true(fabs(dropped - n * p) < 5 * sqrt(n * p * (1 - p)));
        assert_true(fabs(both - 4 * n * p * p) < 20 * sqrt(n * p * p * (1 - p * p)));
    }
}

static void test_threads_and_nothing(void **state)
{
    struct dropout d = { 0.3, 5, 1 }, none = { 0, 5, 0 };
    float *x = ones(), *y = ones(), *z = ones();

    (void)state;
    kernel_init();
    omp_set_num_threads(1);
    dropout_apply(&d, x, number, ROW, LENGTH, WIDTH);
    omp_set_num_threads(3);
    dropout_apply(&d, y, number, ROW, LENGTH, WIDTH);
    omp_set_num_threads(1);
    assert_memory_equal(x, y, ROW * LENGTH * WIDTH * sizeof(float));
    dropout_apply(&none, z, number, ROW, LENGTH, WIDTH);
    dropout_apply(&d, z, number, 0, LENGTH, WIDTH);
    dropout_apply(&d, z, number, ROW, 0, WIDTH);
    free(y), y = ones();
    assert_memory_equal(z, y, ROW * LENGTH * WIDTH * sizeof(float));
    assert_true(dropout_factor(&none, 1, 2, 3) == 1);
    free(x), free(y), free(z);
}

TESTS("nn/dropout", cmocka_unit_test(test_factor_is_apply), cmocka_unit_test(test_rate),
      cmocka_unit_test(test_threads_and_nothing))
