/* test_print.c - ids as text, against printf. */
#include <stdio.h>

#include "../test.h"
#include "base/mem.h"
#include "base/rng.h"
#include "spm/encode.h"
#include "spm/print.h"

static void ids_as_printf_has_them(void **state)
{
    enum { N = 20000, RANDOM = 15000 };
    static int32_t id[N];
    struct encoding e = { .id = id, .n = N };
    struct buf got = { 0 }, want = { 0 };
    struct rng r = rng_at(rng_key(1, "print"), 0);
    int32_t ten = 1;
    size_t i;

    (void)state;
    for (i = 0; i < N; i++)    // of all lengths, then about the powers of ten, then one by one
        id[i] = (int32_t)(rng_below(&r, 1 << 24) >> rng_below(&r, 24));
    for (i = RANDOM; ten < 1 << 24; ten *= 10, i += 3) {
        id[i] = ten - 1;
        id[i + 1] = ten;
        id[i + 2] = ten + 1;
    }
    for (; i < N; i++)
        id[i] = (int32_t)(i - RANDOM);
    id[0] = (1 << 24) - 1;
    for (i = 0; i < N; i++)
        buf_printf(&want, i ? " %d" : "%d", (int)id[i]);
    print_ids(&got, &e);
    assert_int_equal(got.n, want.n);
    assert_memory_equal(got.p, want.p, want.n);
    buf_release(&got);
    buf_release(&want);
}

TESTS("spm/print", cmocka_unit_test(ids_as_printf_has_them))
