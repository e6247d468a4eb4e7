/* Products and turns of matrices, and the kernels of softmax, of every variant against the
 * definition. Arrays are copied to blocks of their exact size, so that a sanitizer sees what is
 * touched beyond them. */
#include "variants.h"

#include <math.h>

/* turned: a is [k, m]. Inner sizes of 1 all the way to more than one round of what is kept in
 * cache. All numbers are below 1, so each of k + 1 steps costs at most half of EPS times k + 1. */
static void check_product(const struct kernels *ref, const struct kernels *kern_k, size_t m,
                          size_t n, size_t k, int turned, int add)
{
    size_t panels = (n + KERNEL_PANEL - 1) / KERNEL_PANEL, ldc = n + 3, lda = turned ? m : k, i, j;
    size_t n_c = m ? (m - 1) * ldc + n : 0;
    float *a = randoms(m * k, 1), *b = randoms(panels * k * KERNEL_PANEL, 2);
    float *want = randoms(n_c, 3), *c = copy(want, n_c * sizeof(float)),
          *old = copy(want, n_c * sizeof(float));
    struct operands x = { a, turned ? 1 : lda, turned ? lda : 1, b, want, ldc, add };

    ref->product(&x, m, n, k);
    x.c = c;
    kern_k->product(&x, m, n, k);
    for (i = 0; i < n_c; i++) {
        j = i % ldc;
        if (j >= n)
            assert_true(c[i] == old[i] && want[i] == old[i]);
        else if (!(fabs(c[i] - want[i]) <= 0.5 * EPS * (k + 1.0) * (k + 1.0)))
            fail_msg("%zu x %zu x %zu: [%zu] is %.9g, not %.9g", m, n, k, i, c[i], want[i]);
    }
    free(a), free(b), free(c), free(want), free(old);
}

static void products(const struct kernels *ref, const struct kernels *k)
{
    static const size_t sizes[][3] = { { 1, 1, 1 },     { 6, 64, 64 },  { 7, 65, 65 }, { 5, 16, 3 },
                                       { 4, 17, 129 },  { 64, 100, 5 }, { 3, 8, 2 },   { 2, 39, 7 },
                                       { 13, 130, 70 }, { 0, 5, 5 },    { 5, 0, 5 },   { 5, 9, 0 },
                                       { 12, 48, 200 } };
    size_t i;
    int how;

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        for (how = 0; how < 4; how++)
            check_product(ref, k, sizes[i][0], sizes[i][1], sizes[i][2], how & 1, how >> 1);
}

static void test_product(void **state)
{
    (void)state;
    each_variant(products);
}

static void turns(const struct kernels *ref, const struct kernels *k)
{
    size_t rows, columns, i, j;

    (void)ref;
    for (rows = 0; rows < 40; rows += rows < 18 ? 1 : 7)
        for (columns = 0; columns < 40; columns += columns < 18 ? 1 : 7) {
            size_t ldx = columns + 2, ldy = rows + 1,
                   n_y = columns ? (columns - 1) * ldy + rows : 0;
            float *x = randoms(rows ? (rows - 1) * ldx + columns : 0, 1), *y = randoms(n_y, 2);
            float *old = copy(y, n_y * sizeof(float));

            k->transpose(y, ldy, x, ldx, rows, columns);
            for (i = 0; i < n_y; i++) {
                j = i % ldy;
                assert_true(y[i] == (j < rows ? x[j * ldx + i / ldy] : old[i]));
            }
            free(x), free(y), free(old);
        }
}

static void test_transpose(void **state)
{
    (void)state;
    each_variant(turns);
}

/* Scores and shifts round alike everywhere; exp may be off by 2 EPS, each step by half of one. */
static void softmax_backs(const struct kernels *ref, const struct kernels *k)
{
    size_t n, i;
    int biased;

    for (n = 0; n < 70; n++)
        for (biased = 0; biased < 2; biased++) {
            float *bias = randoms(n, 1), *x = randoms(n, 2), *d = randoms(n, 3),
                  *db = randoms(n, 4);
            float *x2 = copy(x, n * sizeof(float)), *d2 = copy(d, n * sizeof(float)),
                  *db2 = copy(db, n * sizeof(float));

            ref->softmax_back(x, d, biased ? bias : NULL, biased ? db : NULL, 0.7f, 0.3f, 0.1f, n);
            k->softmax_back(x2, d2, biased ? bias : NULL, biased ? db2 : NULL, 0.7f, 0.3f, 0.1f, n);
            for (i = 0; i < n; i++) {
                assert_true(fabs(x[i] - x2[i]) <= 3 * EPS * x[i]);
                assert_true(fabs(d[i] - d2[i]) <= 4.5 * EPS * fabs(d[i]) + 0.5 * EPS * x[i]);
                assert_true(fabs(db[i] - db2[i]) <=
                            4.5 * EPS * (fabs(d[i]) + x[i]) + EPS * fabs(db[i]));
            }
            free(bias), free(x), free(d), free(db), free(x2), free(d2), free(db2);
        }
}

static void test_softmax_back(void **state)
{
    (void)state;
    each_variant(softmax_backs);
}

static void maxima(const struct kernels *ref, const struct kernels *k)
{
    size_t n, i;

    for (n = 0; n < 70; n++) {
        float *x = randoms(n, 1), *y = randoms(n, 2), *z = copy(x, n * sizeof(float));

        assert_true(ref->add_max(x, y, n) == k->add_max(z, y, n));
        for (i = 0; i < n; i++)
            assert_true(x[i] == z[i]);
        assert_true(k->max(z, n) == k->add_max(x, memset(y, 0, n * sizeof(*y)), n));
        free(x), free(y), free(z);
    }
}

static void test_add_max(void **state)
{
    (void)state;
    each_variant(maxima);
}

TESTS("kernel/matrix", cmocka_unit_test(test_product), cmocka_unit_test(test_transpose),
      cmocka_unit_test(test_softmax_back), cmocka_unit_test(test_add_max))
