/* test.h - what every unit test includes: cmocka, and the table that main.c runs.
 *
 * A test file ends with
 *     TESTS("io/shard", cmocka_unit_test(test_a), cmocka_unit_test(test_b))
 * It is started from the project's root and runs in an empty folder of its own.
 */
#ifndef TEST_H
#define TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#ifdef _OPENMP
#include <omp.h>
#else    // built with OMP=: one thread, however many are asked for
static inline void omp_set_num_threads(int n)
{
    (void)n;
}
#endif

extern const struct CMUnitTest tests[];
extern const size_t n_test;
extern const char *const test_group;

extern const char *test_data;      // .../tests/data
extern const char *test_shared;    // data that is not ours to ship: may be absent, then skip()

#define TESTS(group, ...)                                                                          \
    const char *const test_group = group;                                                          \
    const struct CMUnitTest tests[] = { __VA_ARGS__ };                                             \
    const size_t n_test = sizeof(tests) / sizeof(tests[0]);

#endif
