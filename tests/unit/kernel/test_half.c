/* Products and layouts of bf16 matrices, of every variant against the definition. Arrays have their
 * exact size, so that a sanitizer sees what is touched beyond them. */
#include "variants.h"

#include <math.h>

static uint16_t *halves(const struct kernels *k, size_t n, uint64_t key)
{
    float *x = randoms(n, key);
    uint16_t *to = xcalloc(n ? n : 1, sizeof(*to));

    k->half(to, x, n);
    free(x);
    return to;
}

/* All numbers are below 1, and products of two bf16 numbers are exact: each of k + 1 sums costs at
 * most EPS (some cut instead of rounding) times k + 1. */
static void check_product(const struct kernels *ref, const struct kernels *kern_k, size_t m,
                          size_t n, size_t k, int add)
{
    size_t lda = k + 2, ldc = n + 3, step = 16 * k + 32, i;
    size_t n_a = m ? (m - 1) * lda + k : 0, n_c = m && n ? (m - 1) * ldc + n : 0;
    uint16_t *a = halves(ref, n_a, 1), *b = halves(ref, n ? (n / 16 - 1) * step + 16 * k : 0, 2);
    float *want = randoms(n_c, 3), *c = copy(want, n_c * sizeof(*c));
    float *old = copy(want, n_c * sizeof(*c));
    struct half_operands x = { a, lda, b, step, want, ldc, add };

    ref->half_product(&x, m, n, k);
    x.c = c;
    kern_k->half_product(&x, m, n, k);
    for (i = 0; i < n_c; i++)
        if (i % ldc >= n)
            assert_true(c[i] == old[i] && want[i] == old[i]);
        else if (!(fabs(c[i] - want[i]) <= EPS * (k + 1.0) * (k + 1.0)))
            fail_msg("%zu x %zu x %zu: [%zu] is %.9g, not %.9g", m, n, k, i, c[i], want[i]);
    free(a), free(b), free(c), free(want), free(old);
}

static void products(const struct kernels *ref, const struct kernels *k)
{
    static const size_t sizes[][3] = { { 32, 32, 32 }, { 64, 32, 64 }, { 32, 96, 32 },
                                       { 96, 64, 96 }, { 32, 64, 0 },  { 0, 32, 32 },
                                       { 32, 0, 32 },  { 64, 64, 512 } };
    size_t i;
    int add;

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        for (add = 0; add < 2; add++)
            check_product(ref, k, sizes[i][0], sizes[i][1], sizes[i][2], add);
}

static void test_product(void **state)
{
    (void)state;
    each_variant(products);
}

/* A product of small whole numbers has no error, and shows each number in its place: also what a
 * row of the left and a column of the right alone make NaN or infinite. */
static void whole_numbers(const struct kernels *ref, const struct kernels *k)
{
    enum { N = 32 };
    static const float special[3] = { NAN, INFINITY, -INFINITY };
    uint16_t a[N * N], b[2 * 16 * N];
    float c[N * N], x;
    size_t i, j, l;

    (void)ref;
    for (i = 0; i < N * N; i++) {
        x = (float)(i * i % 31);
        k->half(a + i, &x, 1);
        x = (float)(i % 29 * 3) - 40;
        k->half(b + i / N % 2 * 16 * N + i / N / 2 * 2 + i % N / 2 * N + i % 2, &x, 1);
    }
    for (i = 0; i < 3; i++)
        k->half(a + (4 + 5 * i) * N, special + i, 1);
    k->half_product(&(struct half_operands){ a, N, b, 16 * N, c, N, 0 }, N, N, N);
    for (i = 0; i < N; i++)
        for (j = 0; j < N; j++) {
            float want = 0, y;

            for (l = 0; l < N; l++) {
                k->whole(&x, a + i * N + l, 1);
                k->whole(&y, b + j / 16 * 16 * N + j % 16 * 2 + l / 2 * N + l % 2, 1);
                want += x * y;
            }
            assert_true(c[i * N + j] == want || (isnan(want) && isnan(c[i * N + j])));
        }
}

static void test_whole_numbers(void **state)
{
    (void)state;
    each_variant(whole_numbers);
}

/* Two rows of floats and of their halves, in panels of which step tells the distance. */
static void pairs(const struct kernels *ref, const struct kernels *k)
{
    size_t n, j;

    for (n = 0; n < 70; n++) {
        size_t step = 40, n_to = n ? (n - 1) / 16 * step + (n - 1) % 16 * 2 + 2 : 0;
        float *x = randoms(n, 1), *y = randoms(n, 2);
        uint16_t *to = halves(ref, n_to, 3), *old = copy(to, n_to * sizeof(*to));
        uint16_t *want = copy(to, n_to * sizeof(*to)), *x2 = halves(ref, n, 1),
                 *y2 = halves(ref, n, 2);

        for (j = 0; j < n; j++) {
            want[j / 16 * step + j % 16 * 2] = x2[j];
            want[j / 16 * step + j % 16 * 2 + 1] = y2[j];
        }
        k->pair(to, step, x, y, n);
        assert_memory_equal(to, want, n_to * sizeof(*to));
        k->half_pair(old, step, x2, y2, n);
        assert_memory_equal(old, want, n_to * sizeof(*to));
        free(x), free(y), free(to), free(old), free(want), free(x2), free(y2);
    }
}

static void test_pairs(void **state)
{
    (void)state;
    each_variant(pairs);
}

/* Ties, numbers below the normal ones, infinities and NaN round as they do in half(). */
static void special_pairs(const struct kernels *ref, const struct kernels *k)
{
    uint16_t to[32], a, b;
    float x[16], y[16];
    uint32_t bits;
    size_t i, j;

    for (i = 0; i < 5000; i++) {
        for (j = 0; j < 16; j++) {
            bits = (uint32_t)rng_u64(5, i, j) & (i % 2 ? 0xffff8000 : 0x807fffff);
            bits |= i % 3 ? 0 : 0x7f800000;
            memcpy(x + j, &bits, sizeof(bits));
            bits ^= 0x80018000;
            memcpy(y + j, &bits, sizeof(bits));
        }
        k->pair(to, 32, x, y, 16);
        for (j = 0; j < 16; j++) {
            ref->half(&a, x + j, 1);
            ref->half(&b, y + j, 1);
            assert_true(to[2 * j] == a && to[2 * j + 1] == b);
        }
    }
}

static void test_special_pairs(void **state)
{
    (void)state;
    each_variant(special_pairs);
}

static void turns(const struct kernels *ref, const struct kernels *k)
{
    size_t rows, columns, i, j;

    for (rows = 0; rows <= 96; rows += 32)
        for (columns = 0; columns <= 96; columns += 32) {
            size_t ldx = columns + 2, ldy = rows + 1;
            size_t n_x = rows ? (rows - 1) * ldx + columns : 0;
            size_t n_y = columns ? (columns - 1) * ldy + rows : 0;
            uint16_t *x = halves(ref, n_x, 1), *y = halves(ref, n_y, 2),
                     *old = copy(y, n_y * sizeof(*y));

            k->half_transpose(y, ldy, x, ldx, rows, columns);
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

/* exp is off by 1e-5 of itself at most, and what lies between two bf16 numbers falls to either. */
static int near(const struct kernels *ref, uint16_t got, uint16_t want)
{
    float x, y;

    ref->whole(&x, &got, 1);
    ref->whole(&y, &want, 1);
    return fabs(x - y) <= ldexp(fabs(y), -7) + 1e-37;
}

static void softmaxes(const struct kernels *ref, const struct kernels *k)
{
    size_t n, i;
    int how;

    if (!k->half_softmax)
        return;
    for (n = 0; n < 70; n++)
        for (how = 0; how < 4; how++) {    // with a bias, with an earlier greatest
            float *x = randoms(n, 1), *bias = randoms(n, 2), top[2], sum[2];
            uint16_t *to = halves(ref, n, 3), *want = halves(ref, n, 4);

            for (i = 0; i < n; i++)
                x[i] = i % 7 == 3 ? -INFINITY : 30 * x[i];
            top[0] = top[1] = how & 2 ? 31 : -INFINITY;
            sum[0] = ref->half_softmax(want, x, how & 1 ? bias : NULL, top, n);
            sum[1] = k->half_softmax(to, x, how & 1 ? bias : NULL, top + 1, n);
            assert_true(top[0] == top[1] && fabs(sum[1] - sum[0]) <= 1.1e-5 * sum[0]);
            for (i = 0; i < n; i++)
                assert_true(near(ref, to[i], want[i]) && (i % 7 != 3 || to[i] == 0));
            free(x), free(bias), free(to), free(want);
        }
}

/* The greatest is exactly 1, what is far below it 0, and NaN is not hidden. */
static void softmax_ends(const struct kernels *ref, const struct kernels *k)
{
    float x[3] = { 300, 100, NAN }, top = -INFINITY;
    uint16_t to[3];

    (void)ref;
    if (!k->half_softmax)
        return;
    assert_true(k->half_softmax(to, x, NULL, &top, 2) == 1 && top == 300);
    assert_true(to[0] == 0x3f80 && to[1] == 0);
    assert_true(isnan(k->half_softmax(to, x, NULL, &top, 3)));
}

static void test_softmax(void **state)
{
    (void)state;
    each_variant(softmaxes);
    each_variant(softmax_ends);
}

struct back {
    uint16_t pairs[3 * 40], d_pairs[3 * 40], rows[2 * 90];
    float d_bias[2][90];
};

static void run_back(const struct kernels *k, const size_t see[2], int biased, size_t n,
                     struct back *to)
{
    float *x = randoms(2 * n + 3, 1), *d = randoms(2 * n + 3, 2), *bias = randoms(n + 1, 3);
    float *db[2] = { randoms(see[0], 4), randoms(see[1], 5) };
    float *shared = copy(bias, (see[0] > see[1] + 1 ? see[0] : see[1] + 1) * sizeof(*bias));
    struct half_softmax p = { .x = x, .d = d, .ld = n + 3, .see = { see[0], see[1] } };
    int i;

    p.pairs = to->pairs, p.d_pairs = to->d_pairs, p.step = 40;
    p.d_rows = to->rows, p.ld_rows = 90;
    for (i = 0; i < 2; i++) {
        p.bias[i] = biased ? shared + i : NULL;
        p.d_bias[i] = biased ? db[i] : NULL;
        p.top[i] = 0.7f + (float)i, p.a[i] = 0.3f, p.s[i] = 0.1f;
    }
    memset(to, 7, sizeof(*to));
    k->half_softmax_back(&p, n);
    for (i = 0; i < 2; i++)
        memcpy(to->d_bias[i], db[i], see[i] * sizeof(float));
    free(x), free(d), free(bias), free(db[0]), free(db[1]), free(shared);
}

static void check_back(const struct kernels *ref, const struct kernels *k, const size_t see[2],
                       int biased, size_t n)
{
    static struct back got, want;
    size_t i, j;

    run_back(ref, see, biased, n, &want);
    run_back(k, see, biased, n, &got);
    for (i = 0; i < 3 * 40; i++) {
        assert_true(near(ref, got.pairs[i], want.pairs[i]));
        assert_true(near(ref, got.d_pairs[i], want.d_pairs[i]));
    }
    for (i = 0; i < 2; i++)
        for (j = 0; j < 90; j++) {
            assert_true(near(ref, got.rows[i * 90 + j], want.rows[i * 90 + j]));
            if (j < see[i])
                assert_true(fabs(got.d_bias[i][j] - want.d_bias[i][j]) <= 2e-5);
            if (j >= see[i] && j < n)
                assert_true(got.rows[i * 90 + j] == 0 &&
                            got.pairs[j / 16 * 40 + j % 16 * 2 + i] == 0);
        }
}

static void softmax_backs(const struct kernels *ref, const struct kernels *k)
{
    static const size_t sees[][2] = { { 0, 0 }, { 1, 0 }, { 5, 6 }, { 15, 16 }, { 31, 32 } };
    size_t i;
    int biased;

    if (!k->half_softmax_back)
        return;
    for (biased = 0; biased < 2; biased++) {
        for (i = 0; i < sizeof(sees) / sizeof(sees[0]); i++)
            check_back(ref, k, sees[i], biased, 32);
        check_back(ref, k, sees[0], biased, 0);
    }
}

static void test_softmax_back(void **state)
{
    (void)state;
    each_variant(softmax_backs);
}

TESTS("kernel/half", cmocka_unit_test(test_product), cmocka_unit_test(test_whole_numbers),
      cmocka_unit_test(test_pairs), cmocka_unit_test(test_special_pairs),
      cmocka_unit_test(test_transpose), cmocka_unit_test(test_softmax),
      cmocka_unit_test(test_softmax_back))
