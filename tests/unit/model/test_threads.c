/* test_threads.c - what is asked for, what the environment says, what suits the machine. */
#include "../test.h"

#include <stdlib.h>
#ifdef _OPENMP
#endif

#include "comm/comm.h"
#include "model/threads.h"

static int in_use(void)
{
#ifdef _OPENMP
    return omp_get_max_threads();
#else
    return 1;
#endif
}

static void test_set(void **state)
{
    struct comm *c = comm_init();

    (void)state;
    setenv("OMP_NUM_THREADS", "3", 1);
    assert_int_equal(threads_set(2, c), 2);
#ifdef _OPENMP
    assert_int_equal(in_use(), 2);
    omp_set_num_threads(3);    // as the library does with the variable at load
    assert_int_equal(threads_set(0, c), 3);
#endif
    setenv("OMP_NUM_THREADS", "", 1);
    assert_int_equal(threads_set(0, c), comm_threads(c));
    unsetenv("OMP_NUM_THREADS");
    assert_int_equal(threads_set(0, c), comm_threads(c));
    assert_true(in_use() >= 1);
    comm_end(c);
}

TESTS("model/threads", cmocka_unit_test(test_set))
