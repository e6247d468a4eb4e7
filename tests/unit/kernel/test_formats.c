/* bf16 and f16 to floats and back: every variant to the byte as the definition, and that by what
 * the formats say. */
#define _DEFAULT_SOURCE    // MAP_ANONYMOUS
#include "arrays.h"

/* A float's neighbours in bf16, and which of them it becomes, by what the format says. */
static void check_half(uint16_t got, float x)
{
    uint32_t bits;
    float low, high;

    memcpy(&bits, &x, sizeof(bits));
    if (isnan(x)) {
        assert_true((got & 0x7f80) == 0x7f80 && (got & 0x7f) != 0);
        return;
    }
    bits &= 0xffff0000;
    memcpy(&low, &bits, sizeof(low));
    bits += 0x10000;
    memcpy(&high, &bits, sizeof(high));
    if (isinf(x) || fabs((double)x - low) < fabs((double)high - x))
        assert_int_equal(got, (uint16_t)((bits >> 16) - 1));
    else if (fabs((double)x - low) > fabs((double)high - x) && !isinf(high))
        assert_int_equal(got, (uint16_t)(bits >> 16));
    else if (!isinf(high))
        assert_true((got & 1) == 0 && (got == bits >> 16 || got + 1u == bits >> 16));
}

static void test_half_definition(void **state)
{
    struct kernels ref;
    uint64_t bits;
    uint32_t i, word;
    uint16_t h;
    float x, back;

    (void)state;
    assert_int_equal(kernel_select(&ref, "ref"), 0);
    for (i = 0; i < 100000; i++) {
        bits = rng_u64(7, 7, i);
        word = (uint32_t)bits & (bits >> 32 & 1 ? 0xffffffff : 0xffff8000);    // half of them: ties
        memcpy(&x, &word, sizeof(x));
        ref.half(&h, &x, 1);
        check_half(h, x);
        ref.whole(&back, &h, 1);
        assert_true(isnan(x)
                        ? isnan(back)
                        : fabsf(back - x) <= fabsf(x) / 256 || isinf(back) || fabsf(x) < FLT_MIN);
    }
}

/* All there are, against (1 + frac 2^-10) 2^(exp - 15), or frac 2^-24 where exp is 0. */
static void all_f16(const struct kernels *ref, const struct kernels *k)
{
    static uint16_t all[1 << 16];
    static float got[1 << 16], want[1 << 16];
    uint32_t i, bad = 0;

    for (i = 0; i < 1 << 16; i++)
        all[i] = (uint16_t)i;
    ref->whole_f16(want, all, 1 << 16);
    k->whole_f16(got, all, 1 << 16);
    assert_memory_equal(got, want, sizeof(got));
    for (i = 0; i < 1 << 16; i++) {
        int exp = (int)(i >> 10 & 31), frac = (int)(i & 1023);
        double x = exp ? ldexp(1024 + frac, exp - 25) : ldexp(frac, -24);

        if (exp == 31)
            bad += frac ? !isnan(got[i]) : !isinf(got[i]);
        else
            bad += (double)fabsf(got[i]) != x;
        bad += !!signbit(got[i]) != (i >> 15 & 1);
    }
    assert_int_equal(bad, 0);
}

static void test_f16(void **state)
{
    (void)state;
    each_variant(all_f16);
}

enum { HALF, HALF_SELF, RELU_HALF, RELU_HALF_BACK, WHOLE, WHOLE_F16, N_HALF };

/* Some halves: of every sign, nothing, NaN. */
static void upper_halves(uint16_t *mask, const float *x, size_t n)
{
    uint32_t bits;
    size_t i;

    for (i = 0; i < n; i++) {
        memcpy(&bits, x + i, sizeof(bits));
        mask[i] = (uint16_t)(bits >> 16);
    }
}

static void run_half(const struct kernels *k, int what, float *x, const float *other, size_t n)
{
    static uint16_t mask[ROOM];
    uint16_t *to = (uint16_t *)(void *)x;

    upper_halves(mask, other, n);
    if (what == HALF)
        k->half(to, other, n);
    else if (what == HALF_SELF)
        k->half(to, x, n);
    else if (what == RELU_HALF)
        k->relu_half(to, other, n);
    else if (what == RELU_HALF_BACK)
        k->relu_half_back(to, 1.25f, x, mask, n);
    else if (what == WHOLE)
        k->whole(x, mask, n);
    else
        k->whole_f16(x, mask, n);
}

/* Byte for byte, at the forbidden page and before it. */
static void halves(const struct kernels *ref, const struct kernels *k)
{
    static float in[ROOM], want[ROOM];
    size_t s, off;
    int kind, what;

    for (s = 0; s < N_SIZE; s++)
        for (off = 0; off < 3; off++)
            for (kind = PLAIN; kind <= SPECIAL; kind++)
                for (what = 0; what < N_HALF; what++) {
                    size_t n = sizes[s];
                    float *x = fill(0, n, off, kind), *other = fill(1, n, off, kind);

                    memcpy(in, x, n * sizeof(*x));
                    run_half(ref, what, x, other, n);
                    memcpy(want, x, n * sizeof(*x));
                    memcpy(x, in, n * sizeof(*x));
                    run_half(k, what, x, other, n);
                    assert_memory_equal(x, want, n * sizeof(*x));
                }
}

static void test_halves(void **state)
{
    (void)state;
    each_variant(halves);
}

TESTS("kernel/formats", cmocka_unit_test(test_half_definition), cmocka_unit_test(test_f16),
      cmocka_unit_test(test_halves))
