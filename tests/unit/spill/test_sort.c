/* test_sort.c - the order is that of memcmp, whatever memory there is and wherever the records come
 * from; a disk that is full is told. */
#include "../test.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "spill/sort.h"

static size_t record_size;

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, record_size);
}

/* n records of size bytes; few: the bytes take only so many values, so that many are equal. */
static unsigned char *make(size_t n, size_t size, unsigned few)
{
    unsigned char *p = xmalloc(n * size + 1);
    struct rng r = rng_at(rng_key(1, "sort"), n);
    size_t i;

    for (i = 0; i < n * size; i++)
        p[i] = (unsigned char)(rng_next(&r) % few);
    return p;
}

/* The records of p through a sorter: they come as qsort() puts them. Returns what was spilled. */
static uint64_t check(const unsigned char *p, size_t n, size_t size, size_t mem)
{
    unsigned char *want = xmalloc(n * size + 1);
    struct sorter *s = sorter_new(size, mem, ".");
    const void *record;
    struct err err;
    uint64_t spilled;
    size_t i;

    memcpy(want, p, n * size);
    record_size = size;
    qsort(want, n, size, compare);
    for (i = 0; i < n; i++)
        assert_int_equal(sorter_add(s, p + i * size, &err), 0);
    assert_int_equal(sorter_start(s, &err), 0);
    for (i = 0; i < n; i++) {
        assert_int_equal(sorter_next(s, &record, &err), 1);
        assert_memory_equal(record, want + i * size, size);
    }
    assert_int_equal(sorter_next(s, &record, &err), 0);
    assert_int_equal(sorter_next(s, &record, &err), 0);
    assert_true(sorter_n(s) == n);
    spilled = sorter_spilled(s);
    sorter_free(s);
    free(want);
    return spilled;
}

static void sorts_as_qsort_does(void **state)
{
    static const size_t sizes[] = { 1, 3, 8, 24, 40, 100 };
    static const size_t counts[] = { 0, 1, 2, 25, 1000, 20000 };
    static const unsigned values[] = { 1, 2, 256 };
    size_t i, j, k;

    (void)state;
    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        for (j = 0; j < sizeof(counts) / sizeof(counts[0]); j++)
            for (k = 0; k < 3; k++) {
                unsigned char *p = make(counts[j], sizes[i], values[k]);

                assert_true(check(p, counts[j], sizes[i], 100 << 20) == 0);
                assert_true((check(p, counts[j], sizes[i], 0) > 0) == (counts[j] > 4096));
                free(p);
            }
}

/* 8-byte records and no memory: 4,096 of them are held, so that 32 KiB are one read and two runs
 * are merged at once: 49 runs take six rounds, each of which writes all. */
static void merges_in_rounds(void **state)
{
    size_t n = 49 * 4096 - 1;
    unsigned char *p = make(n, 8, 256);

    (void)state;
    assert_true(check(p, n, 8, 0) == 6 * n * 8);
    free(p);
}

static void a_full_disk_is_told(void **state)
{
    struct sorter *s = sorter_new(64, 0, ".");
    struct rlimit was, small = { 1 << 20, RLIM_INFINITY };
    char record[64] = "";
    struct err err = { "" };
    int i, bad = 0;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    small.rlim_max = was.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (i = 0; !bad && i < 40000; i++)
        bad = sorter_add(s, record, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_int_equal(bad, -1);
    assert_string_equal(err.msg, ".: temporary file: not written: File too large");
    sorter_free(s);
}

static void a_folder_that_is_not_there_is_told(void **state)
{
    struct sorter *s = sorter_new(8, 0, "no/such");
    struct err err = { "" };
    int i, bad = 0;

    (void)state;
    for (i = 0; !bad && i < 5000; i++)
        bad = sorter_add(s, "12345678", &err);
    assert_int_equal(bad, -1);
    assert_string_equal(err.msg,
                        "no/such: temporary file: cannot be made: No such file or directory");
    sorter_free(s);
    sorter_free(NULL);
}

TESTS("spill/sort", cmocka_unit_test(sorts_as_qsort_does), cmocka_unit_test(merges_in_rounds),
      cmocka_unit_test(a_full_disk_is_told), cmocka_unit_test(a_folder_that_is_not_there_is_told))
