/* test_comm.c - every call, on however many ranks this program is started
 * (tests/mpi/comm.t starts it on several), with whole messages and with tiny pieces. */
#include "../test.h"

#include <stdlib.h>

#include "comm/affinity.h"
#include "comm/comm.h"

enum { ROW = 3, MOST = 40 };

static struct comm *all;

static void end(void)
{
    comm_end(all);
}

static struct comm *world(void)
{
    if (!all) {
        all = comm_init();
        atexit(end);
    }
    comm_set_piece(all, 0);
    return all;
}

static struct affinity processors(int first, int n)
{
    struct affinity a = { { 0 } };

    while (n-- > 0) {
        a.bits[first / 8] |= (unsigned char)(1 << first % 8);
        first++;
    }
    return a;
}

static void test_processors(void **state)
{
    struct affinity many = processors(3, 64), few = processors(60, 2), none = processors(0, 0);

    (void)state;
    assert_int_equal(affinity_share(&many, &many, 1), 64);
    assert_int_equal(affinity_share(&many, &many, 5), 12);
    assert_int_equal(affinity_share(&few, &many, 4), 2);    // bound: not divided again
    assert_int_equal(affinity_share(&few, &few, 2), 1);
    assert_int_equal(affinity_share(&few, &few, 3), 1);
    assert_int_equal(affinity_share(&none, &none, 1), 1);
}

/* All ranks of this test are on one machine. */
static void test_node(void **state)
{
    struct comm *c = world();
    struct affinity own;

    (void)state;
    affinity_read(&own);
    if (getenv("SWITCHYARD_NODE_RANKS"))    // as if on several
        return;
    assert_int_equal(comm_node_size(c), comm_size(c));
    assert_true(comm_one_node(c));
    assert_true(affinity_share(&own, &own, 1) >= comm_threads(c));
    assert_true(affinity_share(&own, &own, comm_size(c)) <= comm_threads(c));
}

static void check_sums(struct comm *c)
{
    int size = comm_size(c), rank = comm_rank(c), i;
    float f[17];
    double d[17];
    int64_t m[17];

    for (i = 0; i < 17; i++) {
        f[i] = (float)(rank + 1) * (float)i;
        d[i] = rank * 0.5 + i;
        m[i] = (i % size == rank ? INT64_C(1) << 40 : -1) + i;
    }
    comm_sum_f32(c, f, 17);
    comm_sum_f64(c, d, 17);
    comm_max_i64(c, m, 17);
    for (i = 0; i < 17; i++) {
        assert_true(f[i] == (float)(size * (size + 1) / 2 * i));
        assert_true(d[i] == size * (size - 1) / 4.0 + size * i);
        assert_true(m[i] == (INT64_C(1) << 40) + i);
    }
    comm_sum_f32(c, f, 0);
}

static void test_sums(void **state)
{
    struct comm *c = world();

    (void)state;
    check_sums(c);
    comm_set_piece(c, 5);
    check_sums(c);
}

static void test_broadcast(void **state)
{
    struct comm *c = world();
    int root, piece;

    (void)state;
    for (piece = 0; piece < 8; piece += 7)
        for (root = 0; root < comm_size(c); root++) {
            char text[32] = "nothing";

            comm_set_piece(c, (size_t)piece);
            if (comm_rank(c) == root)
                strcpy(text, "a text from the root");
            comm_broadcast(c, text, sizeof(text), root);
            assert_string_equal(text, "a text from the root");
        }
    comm_barrier(c);
}

/* Rows from rank a to rank b: some pairs have none, and the two ways differ. */
static size_t rows(int a, int b)
{
    return (size_t)((a * 5 + b * 3 + 1) % 4);
}

static float word(int from, int to, size_t row, size_t i)
{
    return (float)(from * 1000 + to * 100) + (float)(row * ROW + i);
}

static void check_exchange(struct comm *c)
{
    int size = comm_size(c), rank = comm_rank(c), r;
    size_t *out = calloc((size_t)size, sizeof(*out)), *in = calloc((size_t)size, sizeof(*in));
    float *send = malloc((size_t)size * 4 * ROW * sizeof(*send)), *s = send;
    float *recv = malloc((size_t)size * 4 * ROW * sizeof(*recv)), *p = recv;
    struct comm_stats old = *comm_stats(c), now;
    size_t j, leave = 0;

    for (r = 0; r < size; r++) {
        out[r] = rows(rank, r);
        in[r] = rows(r, rank);
        leave += r == rank ? 0 : out[r];
        for (j = 0; j < out[r] * ROW; j++)
            *s++ = word(rank, r, 0, j);
    }
    comm_exchange_f32(c, send, out, recv, in, ROW);
    now = *comm_stats(c);
    assert_int_equal(now.n_exchange, old.n_exchange + 1);
    assert_int_equal(now.exchange_bytes, old.exchange_bytes + leave * ROW * sizeof(float));
    for (r = 0; r < size; r++)
        for (j = 0; j < in[r] * ROW; j++)
            assert_true(*p++ == word(r, rank, 0, j));
    free(out);
    free(in);
    free(send);
    free(recv);
}

static void check_counts(struct comm *c)
{
    int size = comm_size(c), rank = comm_rank(c), r, i;
    int32_t *send = malloc((size_t)size * 7 * sizeof(*send));
    int32_t *recv = malloc((size_t)size * 7 * sizeof(*recv));

    for (r = 0; r < size; r++)
        for (i = 0; i < 7; i++)
            send[r * 7 + i] = rank * 10000 + r * 100 + i;
    comm_exchange_i32(c, send, recv, 7);
    for (r = 0; r < size; r++)
        for (i = 0; i < 7; i++)
            assert_int_equal(recv[r * 7 + i], r * 10000 + rank * 100 + i);
    free(send);
    free(recv);
}

static void test_exchange(void **state)
{
    struct comm *c = world();
    size_t piece;

    (void)state;
    for (piece = 0; piece < 5; piece++) {
        comm_set_piece(c, piece);
        check_exchange(c);
        check_counts(c);
    }
}

static void test_share(void **state)
{
    struct comm *c = world();
    int size = comm_size(c), r, piece, i;
    float own_row[5], *row = malloc((size_t)size * sizeof(own_row));

    (void)state;
    for (piece = 0; piece < 7; piece += 3) {
        comm_set_piece(c, (size_t)piece);
        for (i = 0; i < 5; i++)
            own_row[i] = (float)(10 * comm_rank(c) + i);
        comm_share_f32(c, own_row, 5, row);
        for (r = 0; r < size; r++)
            for (i = 0; i < 5; i++)
                assert_true(row[5 * r + i] == (float)(10 * r + i));
    }
    comm_share_f32(c, own_row, 0, row);
    free(row);
}

static void test_gather(void **state)
{
    struct comm *c = world();
    int size = comm_size(c), rank = comm_rank(c), root, r;
    size_t *n_of = calloc((size_t)size, sizeof(*n_of)), i;
    unsigned char own[MOST], *all_of = malloc((size_t)size * MOST), *p;

    (void)state;
    for (r = 0; r < size; r++)
        n_of[r] = (size_t)r * 11 % MOST;    // rank 0 has none
    memset(own, rank + 1, sizeof(own));
    for (root = 0; root < size; root++) {
        comm_set_piece(c, root % 2 ? 4 : 0);
        comm_gather(c, own, n_of[rank], rank == root ? all_of : NULL, rank == root ? n_of : NULL,
                    root);
        if (rank != root)
            continue;
        for (p = all_of, r = 0; r < size; r++)
            for (i = 0; i < n_of[r]; i++)
                assert_int_equal(*p++, r + 1);
    }
    free(n_of);
    free(all_of);
}

static void test_slice(void **state)
{
    int e, size, r, first, sum;

    (void)state;
    for (e = 0; e < 20; e++)
        for (size = 1; size < 9; size++) {
            for (sum = 0, r = 0; r < size; r++) {
                int n = comm_slice(e, size, r, &first);

                assert_int_equal(first, sum);
                assert_in_range(n, e / size, (e + size - 1) / size);
                sum += n;
            }
            assert_int_equal(sum, e);
        }
    assert_int_equal(comm_slice(2000000000, 3, 2, &first), 666666667);
}

/* Of every way to lay the ranks out: who is on which axis, and that sums along it are of them. */
static void check_axes(struct comm *c, int n_data, int n_model, int n_expert)
{
    int rank = comm_rank(c), data = rank / n_model, model = rank % n_model, want[N_AXIS] = { 0 };
    const int at[N_AXIS] = { data, model, data % n_expert, data / n_expert };
    const int n[N_AXIS] = { n_data, n_model, n_expert, n_data / n_expert };
    int r, i;

    comm_lay(c, n_data, n_model, n_expert);
    for (r = 0; r < comm_size(c); r++) {
        int d = r / n_model, same = r % n_model == model;

        want[AXIS_DATA] += same ? 1 << r : 0;
        want[AXIS_MODEL] += d == data ? 1 << r : 0;
        want[AXIS_EXPERT] += same && d / n_expert == data / n_expert ? 1 << r : 0;
        want[AXIS_REPLICA] += same && d % n_expert == data % n_expert ? 1 << r : 0;
    }
    for (i = 0; i < N_AXIS; i++) {
        struct comm *axis = comm_axis(c, (enum axis)i);
        double sum = 1 << rank;
        float top = (float)rank;

        assert_int_equal(comm_rank(axis), at[i]);
        assert_int_equal(comm_size(axis), n[i]);
        comm_sum_f64(axis, &sum, 1);
        assert_true(sum == want[i]);
        comm_max_f32(axis, &top, 1);
        assert_true((int)top <= comm_size(c) && want[i] >> (int)top == 1);
        assert_ptr_equal(comm_stats(axis), comm_stats(c));
    }
}

static void test_axes(void **state)
{
    struct comm *c = world();
    int n = comm_size(c), m, e;

    (void)state;
    for (m = 1; m <= n; m++)
        for (e = 1; n % m == 0 && e <= n / m; e++)
            if (n / m % e == 0)
                check_axes(c, n / m, m, e);
    comm_lay(c, n, 1, n);
    assert_ptr_equal(comm_axis(c, AXIS_DATA), c);
}

TESTS("comm/comm", cmocka_unit_test(test_axes), cmocka_unit_test(test_sums),
      cmocka_unit_test(test_broadcast), cmocka_unit_test(test_exchange),
      cmocka_unit_test(test_gather), cmocka_unit_test(test_slice), cmocka_unit_test(test_share),
      cmocka_unit_test(test_processors), cmocka_unit_test(test_node))
