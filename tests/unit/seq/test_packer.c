/* test_packer.c - rows of several languages: nothing lost, T5's way with one open row, fuller ones
 * with more. */
#include <stdlib.h>

#include "../test.h"
#include "base/err.h"
#include "base/rng.h"
#include "seq/pack.h"
#include "seq/packer.h"
#include "shard/example.h"

enum { INPUTS = 100, TARGETS = 40, EXAMPLES = 4000, LANGS = 3 };

struct seen {
    size_t n_row, n_input, n_target, n_segment, n_lang_row[LANGS];
    int32_t first[EXAMPLES];    // of each row
    size_t n_in[EXAMPLES];
    unsigned char got[EXAMPLES];    // how often each example came
    int32_t length[EXAMPLES][2];
    int lang[EXAMPLES], fail_at;
};

static struct seen seen;

/* An example is its number + 2, over and over. */
static int take(void *to, const struct example_row *row, struct err *err)
{
    struct seen *s = to;
    const int32_t *in = row->input, *out = row->target;
    size_t k, i;

    if (s->fail_at && s->n_row + 1 == (size_t)s->fail_at)
        return err_set(err, "the sink is full");
    assert_true(row->n_input <= INPUTS && row->n_target <= TARGETS && row->n_segment > 0);
    assert_int_equal(row->doc, row->input[0] - 2);
    s->first[s->n_row] = row->input[0];
    s->n_in[s->n_row] = row->n_input;
    for (k = 0; k < row->n_segment; k++) {
        int32_t e = *in - 2;

        s->got[e]++;
        assert_int_equal(s->lang[e], row->lang);
        assert_int_equal(s->length[e][0], row->segment_input[k]);
        assert_int_equal(s->length[e][1], row->segment_target[k]);
        for (i = 0; i < row->segment_input[k]; i++)
            assert_int_equal(*in++, e + 2);
        for (i = 0; i < row->segment_target[k]; i++)
            assert_int_equal(*out++, e + 2);
    }
    s->n_row++;
    s->n_lang_row[row->lang]++;
    s->n_input += row->n_input;
    s->n_target += row->n_target;
    s->n_segment += row->n_segment;
    return 0;
}

static void draw(int n_lang)
{
    int i;

    memset(&seen, 0, sizeof(seen));
    for (i = 0; i < EXAMPLES; i++) {
        seen.length[i][0] = 1 + (int32_t)(rng_u64(3, 0, (uint64_t)i) % 60);
        seen.length[i][1] = (int32_t)(rng_u64(3, 1, (uint64_t)i) % 15);
        seen.lang[i] = (int)(rng_u64(3, 2, (uint64_t)i) % (uint64_t)n_lang);
    }
}

static int add(struct packer *p, int i, struct err *err)
{
    int32_t id[INPUTS];
    int k;

    for (k = 0; k < INPUTS; k++)
        id[k] = i + 2;
    return packer_add(p, seen.lang[i], id, (size_t)seen.length[i][0], id, (size_t)seen.length[i][1],
                      (uint64_t)i, err);
}

/* The share of inputs that are no padding. */
static double run(enum packer_fit fit, int n_open, int n_lang)
{
    const struct packer_rule rule = { INPUTS, TARGETS, fit, n_open };
    struct packer *p = packer_new(&rule, (struct packer_sink){ take, &seen });
    struct err err;
    int i;

    draw(n_lang);
    for (i = 0; i < EXAMPLES; i++)
        assert_int_equal(add(p, i, &err), 0);
    assert_int_equal(packer_end(p, &err), 0);
    packer_free(p);
    for (i = 0; i < EXAMPLES; i++)
        assert_int_equal(seen.got[i], 1);
    assert_int_equal(seen.n_segment, EXAMPLES);
    return (double)seen.n_input / (double)(seen.n_row * INPUTS);
}

static void test_nothing_lost(void **state)
{
    static const int open[] = { 1, 2, 7, 64, PACKER_OPEN_MAX };
    int i;

    (void)state;
    for (i = 0; i < 5; i++) {
        run(PACKER_FIRST, open[i], LANGS);
        run(PACKER_BEST, open[i], LANGS);
        assert_true(seen.n_lang_row[0] && seen.n_lang_row[1] && seen.n_lang_row[2]);
    }
}

/* With one open row, rows are those of pack.h. */
static void test_greedy(void **state)
{
    struct pack k;
    size_t row = 0;
    int i, j;

    (void)state;
    run(PACKER_FIRST, 1, 1);
    pack_init(&k, INPUTS, TARGETS);
    for (i = 0; i <= EXAMPLES; i++) {
        int32_t id[INPUTS];

        for (j = 0; j < INPUTS; j++)
            id[j] = i + 2;
        if (i < EXAMPLES &&
            pack_add(&k, id, (size_t)seen.length[i][0], id, (size_t)seen.length[i][1], (uint64_t)i))
            continue;
        assert_int_equal(k.row.input[0], seen.first[row]);
        assert_int_equal(k.row.n_input, seen.n_in[row]);
        row++;
        pack_reset(&k);
        i -= i < EXAMPLES;
    }
    assert_int_equal(row, seen.n_row);
    pack_release(&k);
}

/* Uniform lengths up to 0.6 of a row: best-fit over many rows leaves next to nothing. */
static void test_fill(void **state)
{
    double greedy = run(PACKER_FIRST, 1, 1), first = run(PACKER_FIRST, 64, 1);
    double best = run(PACKER_BEST, 64, 1);

    (void)state;
    assert_true(greedy < 0.85);
    assert_true(first > 0.97);
    assert_true(best > 0.99 && best >= first);
}

/* Best-fit takes the fullest row with room; first-fit the oldest. */
static void test_choice(void **state)
{
    static const int32_t length[] = { 50, 70, 30 };
    int fit, i;

    (void)state;
    for (fit = PACKER_FIRST; fit <= PACKER_BEST; fit++) {
        const struct packer_rule rule = { INPUTS, TARGETS, (enum packer_fit)fit, 4 };
        struct packer *p = packer_new(&rule, (struct packer_sink){ take, &seen });
        struct err err;

        memset(&seen, 0, sizeof(seen));
        for (i = 0; i < 3; i++) {
            seen.length[i][0] = length[i];
            seen.length[i][1] = 5;
            assert_int_equal(add(p, i, &err), 0);
        }
        if (fit == PACKER_BEST) {    // that row was full, and closed at once
            assert_int_equal(seen.n_row, 1);
            assert_int_equal(seen.first[0], 1 + 2);
            assert_int_equal(seen.n_in[0], 100);
        }
        assert_int_equal(packer_end(p, &err), 0);
        assert_int_equal(seen.n_row, 2);
        if (fit == PACKER_FIRST)
            assert_true(seen.n_in[0] == 80 && seen.n_in[1] == 70);
        packer_free(p);
    }
}

/* At the end rows that fit into one another are merged, those that fit best first. */
static void test_merge(void **state)
{
    static const int32_t length[] = { 60, 55, 50, 41 };
    const struct packer_rule rule = { INPUTS, TARGETS, PACKER_BEST, 8 };
    struct packer *p = packer_new(&rule, (struct packer_sink){ take, &seen });
    struct example_row row = { .n_target = 1 };
    int32_t id[INPUTS];
    struct err err;
    int i, k;

    (void)state;
    memset(&seen, 0, sizeof(seen));
    for (i = 0; i < 4; i++) {
        seen.length[i][0] = length[i];
        seen.length[i][1] = 1;
        for (k = 0; k < INPUTS; k++)
            id[k] = i + 2;
        row.input = row.target = id;
        row.n_input = (size_t)length[i];
        row.doc = (uint64_t)i;
        assert_int_equal(packer_put(p, 0, i, &row, 0, 1, &err), 0);
    }
    assert_int_equal(packer_n_open(p, 0), 4);
    assert_int_equal(packer_end(p, &err), 0);
    assert_int_equal(seen.n_row, 3);    // 60; 55 and 41; 50
    assert_true(seen.n_in[0] == 60 && seen.n_in[1] == 96 && seen.n_in[2] == 50);
    packer_free(p);
}

static void test_sink_fails(void **state)
{
    const struct packer_rule rule = { INPUTS, TARGETS, PACKER_BEST, 3 };
    struct packer *p = packer_new(&rule, (struct packer_sink){ take, &seen });
    struct err err;
    int i, bad = 0;

    (void)state;
    draw(1);
    seen.fail_at = 5;
    for (i = 0; i < EXAMPLES && !bad; i++)
        bad = add(p, i, &err);
    assert_int_equal(bad, -1);
    assert_string_equal(err.msg, "the sink is full");
    packer_free(p);
}

TESTS("seq/packer", cmocka_unit_test(test_nothing_lost), cmocka_unit_test(test_greedy),
      cmocka_unit_test(test_fill), cmocka_unit_test(test_choice), cmocka_unit_test(test_merge),
      cmocka_unit_test(test_sink_fails))
