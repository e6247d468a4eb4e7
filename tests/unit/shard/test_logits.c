/* Shards of logits: rows by number, what a block may not hold, damage. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../test.h"
#include "base/err.h"
#include "base/rng.h"
#include "shard/columns.h"
#include "shard/logits.h"
#include "shard/shard.h"

enum { TARGETS = 9, ROWS = 3000, KMAX = 40 };

static struct err err;

static struct logits_facts facts_of(int64_t vocab, int64_t k)
{
    struct logits_facts f = { vocab, TARGETS, k, 1.5, 2, 0, "teacher's", "mixture's", "" };

    return f;
}

struct made {
    int32_t id[TARGETS * KMAX];
    float logit[TARGETS * KMAX], rest[TARGETS];
    struct logits_row row;
};

static void make(struct made *m, uint64_t i, const struct logits_facts *f)
{
    uint64_t key = rng_key(3, "test logits"), k = (uint64_t)f->k, j, t;
    uint64_t step = (uint64_t)f->vocab / k;

    m->row = (struct logits_row){ (uint32_t)(i % (TARGETS + 1)), m->id, m->logit, m->rest };
    for (t = 0; t < m->row.n; t++) {
        for (j = 0; j < k; j++) {
            m->id[t * k + j] = (int32_t)(j * step + rng_u64(key, i, t * k + j) % step);
            m->logit[t * k + j] = (float)rng_normal(key, i, t * k + j, 0);
        }
        m->rest[t] = k == (uint64_t)f->vocab ? -INFINITY : (float)t;
    }
}

static void write_rows(const char *path, const struct logits_facts *f, uint64_t n)
{
    struct logits_writer *w = logits_create(path, f, "--some options", &err);
    struct made m;
    uint64_t i;

    if (!w)
        fail_msg("%s", err.msg);
    for (i = 0; i < n; i++) {
        make(&m, i, f);
        assert_int_equal(logits_write(w, &m.row, &err), 0);
    }
    assert_int_equal(logits_finish(w, &err), 0);
}

static void check_row(struct logits_file *f, uint64_t i, const struct logits_facts *facts)
{
    size_t k = (size_t)facts->k;
    struct logits_row row;
    struct made m;

    make(&m, i, facts);
    if (logits_file_at(f, i, &row, &err) < 0)
        fail_msg("%s", err.msg);
    assert_int_equal(row.n, m.row.n);
    assert_memory_equal(row.id, m.id, row.n * k * sizeof(*m.id));
    assert_memory_equal(row.logit, m.logit, row.n * k * sizeof(*m.logit));
    assert_memory_equal(row.rest, m.rest, row.n * sizeof(*m.rest));
}

static void round_trip(int64_t vocab, int64_t k)
{
    struct logits_facts facts = facts_of(vocab, k);
    const struct logits_facts *got;
    struct logits_file *f;
    struct logits_row row;
    uint64_t i;

    write_rows("x", &facts, ROWS);
    f = logits_file_open("x", &err);
    if (!f)
        fail_msg("%s", err.msg);
    got = logits_file_facts(f);
    assert_true(got->vocab == vocab && got->k == k && got->targets == TARGETS && got->tau == 1.5 &&
                got->group_rows == 2);
    assert_string_equal(got->teacher, "teacher's");
    assert_string_equal(got->mixture, "mixture's");
    assert_string_equal(got->vocab_sha256, "");
    assert_int_equal(logits_file_rows(f), ROWS);
    for (i = 0; i < ROWS; i++)
        check_row(f, i, &facts);
    for (i = 0; i < 50; i++)
        check_row(f, rng_u64(4, 5, i) % ROWS, &facts);
    assert_int_equal(logits_file_at(f, ROWS, &row, &err), -1);
    logits_file_close(f);
}

static void test_round_trip(void **state)
{
    (void)state;
    round_trip(70000, 33);
    round_trip(96, 7);
    round_trip(40, 40);
}

static void test_limits(void **state)
{
    struct logits_facts facts = facts_of(96, 7);
    struct logits_writer *w;
    struct made m;

    (void)state;
    assert_int_equal(logits_most(96, 114), 96);
    assert_true(logits_most(250112, 114) > 20000 && logits_most(250112, 114) < 250112);
    w = logits_create("x", &facts, "", &err);
    make(&m, TARGETS, &facts);
    m.row.n = TARGETS + 1;
    assert_int_equal(logits_write(w, &m.row, &err), -1);
    logits_abandon(w);
    facts.k = 97;    // of 96
    write_rows("x", &facts, 0);
    assert_null(logits_file_open("x", &err));
    assert_non_null(strstr(err.msg, "k="));
}

/* A block whose checksum is right and whose content is not. */
static void test_bad_values(void **state)
{
    struct logits_facts facts = facts_of(96, 2);
    struct logits_row row;
    struct logits_file *f;
    struct made m;
    int i;

    (void)state;
    for (i = 0; i < 4; i++) {
        struct logits_writer *w = logits_create("x", &facts, "", &err);

        make(&m, 3, &facts);
        if (i == 0)
            m.id[1] = m.id[0];
        else if (i == 1)
            m.logit[4] = NAN;
        else if (i == 2)
            m.rest[2] = INFINITY;
        else
            m.id[5] = 96;
        assert_int_equal(logits_write(w, &m.row, &err), 0);
        assert_int_equal(logits_finish(w, &err), 0);
        f = logits_file_open("x", &err);
        assert_non_null(f);
        assert_int_equal(logits_file_at(f, 0, &row, &err), -1);
        assert_non_null(strstr(err.msg, "x: byte "));
        logits_file_close(f);
    }
}

/* Every byte of a small file changed, every length: an error or, where a byte does not matter,
 * the same rows. */
static void test_damage(void **state)
{
    struct logits_facts facts = facts_of(96, 3);
    unsigned char bytes[8192];
    struct logits_row row;
    struct logits_file *f;
    FILE *file;
    size_t n, i;

    (void)state;
    write_rows("x", &facts, 4);
    file = fopen("x", "rb");
    n = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    assert_true(n < sizeof(bytes));
    for (i = 0; i < 2 * n; i++) {
        size_t at = i % n;

        file = fopen("y", "wb");
        bytes[at] ^= 0x41;
        fwrite(bytes, 1, i < n ? n : at, file);
        bytes[at] ^= 0x41;
        fclose(file);
        f = logits_file_open("y", &err);
        if (f && logits_file_at(f, 3, &row, &err) == 0)
            check_row(f, 3, &facts);
        logits_file_close(f);
        assert_true(i < n || !f);
    }
}

TESTS("shard/logits", cmocka_unit_test(test_round_trip), cmocka_unit_test(test_limits),
      cmocka_unit_test(test_bad_values), cmocka_unit_test(test_damage))
