/* test_crew.c - the order of a stream is kept, and its first failure is the one that is told. */
#include "../test.h"

#include <stdlib.h>

#include "base/crew.h"
#include "base/err.h"
#include "base/mem.h"

enum { NEVER = -1 };

struct sums {
    int n;                              // batches in the stream
    int bad_take, bad_work, bad_put;    // the batch that fails there
    int taken, put, wrong;              // so far; batches put out of turn or not worked on
    int by_thread[8];
    int made;    // batches that live
};

struct batch {
    int number;
    unsigned long worth;
};

static void *batch_new(void *ctx)
{
    ((struct sums *)ctx)->made++;
    return xcalloc(1, sizeof(struct batch));
}

static void batch_free(void *ctx, void *batch)
{
    ((struct sums *)ctx)->made--;
    free(batch);
}

static int take(void *ctx, void *batch, struct err *err)
{
    struct sums *s = ctx;

    if (s->taken == s->bad_take)
        return err_set(err, "take %d", s->taken);
    if (s->taken == s->n)
        return 0;
    ((struct batch *)batch)->number = s->taken++;
    return 1;
}

/* Some batches cost a thousand times what others do, so that threads finish out of order. */
static unsigned long toil(int number)
{
    unsigned long i, x = (unsigned long)number, end = number % 7 ? 100 : 100000;

    for (i = 0; i < end; i++)
        x = x * 6364136223846793005UL + 1442695040888963407UL;
    return x;
}

static int work(void *ctx, int thread, void *batch, struct err *err)
{
    struct sums *s = ctx;
    struct batch *b = batch;

    s->by_thread[thread]++;
    b->worth = toil(b->number);
    return b->number == s->bad_work ? err_set(err, "work %d", b->number) : 0;
}

static int put(void *ctx, void *batch, struct err *err)
{
    struct sums *s = ctx;
    const struct batch *b = batch;

    s->wrong += b->number != s->put || b->worth != toil(b->number);
    if (b->number == s->bad_put)
        return err_set(err, "put %d", b->number);
    s->put++;
    return 0;
}

static const struct crew crew = { batch_new, batch_free, take, work, put };

static void keeps_the_order(void **state)
{
    int threads, t, n;

    (void)state;
    for (threads = 1; threads <= 8; threads++) {
        struct sums s = { .n = 500, .bad_take = NEVER, .bad_work = NEVER, .bad_put = NEVER };
        struct err err;

        assert_int_equal(crew_run(&crew, &s, threads, &err), 0);
        assert_int_equal(s.put, 500);
        assert_int_equal(s.wrong, 0);
        assert_int_equal(s.made, 0);
        for (t = n = 0; t < 8; t++)
            n += s.by_thread[t];
        assert_int_equal(n, 500);
    }
}

static void an_empty_stream_is_no_work(void **state)
{
    struct sums s = { .bad_take = NEVER, .bad_work = NEVER, .bad_put = NEVER };
    struct err err;

    (void)state;
    assert_int_equal(crew_run(&crew, &s, 1, &err), 0);
    assert_int_equal(crew_run(&crew, &s, 4, &err), 0);
    assert_int_equal(s.put, 0);
    assert_int_equal(s.made, 0);
}

static void check_failure(struct sums s, const char *want, int n_put)
{
    int threads;

    for (threads = 1; threads <= 4; threads++) {
        struct sums now = s;
        struct err err = { "" };

        assert_int_equal(crew_run(&crew, &now, threads, &err), -1);
        assert_string_equal(err.msg, want);
        assert_int_equal(now.put, n_put);
        assert_int_equal(now.wrong, 0);
        assert_int_equal(now.made, 0);
    }
}

static void tells_the_first_failure(void **state)
{
    (void)state;
    check_failure((struct sums){ 100, 40, NEVER, NEVER, .made = 0 }, "take 40", 40);
    check_failure((struct sums){ 100, NEVER, 40, NEVER, .made = 0 }, "work 40", 40);
    check_failure((struct sums){ 100, NEVER, NEVER, 40, .made = 0 }, "put 40", 40);
    check_failure((struct sums){ 100, 43, 42, 41, .made = 0 }, "put 41", 41);
    check_failure((struct sums){ 100, 43, 41, 42, .made = 0 }, "work 41", 41);
    check_failure((struct sums){ 100, 0, NEVER, NEVER, .made = 0 }, "take 0", 0);
}

TESTS("base/crew", cmocka_unit_test(keeps_the_order), cmocka_unit_test(an_empty_stream_is_no_work),
      cmocka_unit_test(tells_the_first_failure))
