/* Rows by id; gradients add in the order of the tokens, whatever the threads. */
#include "check.h"

#include "kernel/kernel.h"
#include "nn/embed.h"

enum { V = 11, M = 37, N = 203 };

static void test_both_ways(void **state)
{
    float *table = random_floats(V * M, 1, 1), *dx = random_floats(N * M, 2, 1), x[N * M];
    float start[V * M], want[V * M], got[V * M];
    int32_t id[N];
    int i, j, threads;

    (void)state;
    kernel_init();
    for (i = 0; i < V * M; i++)
        start[i] = want[i] = (float)i;
    for (i = 0; i < N; i++)
        id[i] = (int32_t)(rng_u64(5, 0, i) % V);
    embed_forward(x, table, id, N, M);
    for (i = 0; i < N; i++)
        for (j = 0; j < M; j++) {
            assert_true(x[i * M + j] == table[id[i] * M + j]);
            want[id[i] * M + j] += dx[i * M + j];
        }
    for (threads = 1; threads <= 4; threads++) {
        omp_set_num_threads(threads);
        memcpy(got, start, sizeof(got));
        embed_backward(got, dx, id, N, M);
        assert_memory_equal(got, want, sizeof(got));
    }
    omp_set_num_threads(1);
    embed_forward(x, table, id, 0, M);
    embed_backward(got, dx, id, 0, M);
    assert_memory_equal(got, want, sizeof(got));
    free(table), free(dx);
}

TESTS("nn/embed", cmocka_unit_test(test_both_ways))
