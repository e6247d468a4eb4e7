/* test_pieces.c - seeds against counting every substring, merges against doing them by hand, and
 * what training must leave. */
#include "../test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/rng.h"
#include "vocab/corpus.h"
#include "vocab/pieces.h"

enum { WORDS = 400 };

static struct corpus *make(const char *const *word, int n)
{
    struct corpus_plan plan = { .rule = { .max_chars = 16, .split_scripts = 1, .split_spaces = 1 },
                                .coverage = 1,
                                .alpha = 1,
                                .mem = 64 << 20 };
    struct corpus *c = corpus_new(&plan);
    struct err err;
    int i;

    for (i = 0; i < n; i++)
        assert_int_equal(
            corpus_add(c, (struct bytes){ (const unsigned char *)word[i], strlen(word[i]) }, 0,
                       &err),
            0);
    assert_int_equal(corpus_end(c, &err), 0);
    return c;
}

static char room[WORDS][16];
static const char *list[WORDS];

/* Words over three letters, one of them of two bytes. */
static void draw(void)
{
    struct rng r = rng_at(rng_key(2, "pieces"), 0);
    int i, k, len;

    for (i = 0; i < WORDS; i++) {
        *room[i] = 0;
        len = 1 + (int)rng_below(&r, 6);
        for (k = 0; k < len; k++)
            strcat(room[i], (const char *const[]){ "a", "b", "\xC3\xA9" }[rng_below(&r, 3)]);
        list[i] = room[i];
    }
}

static int is_start(const char *p)
{
    return (*p & 0xC0) != 0x80;
}

/* How often s comes in the words, overlaps too. */
static int count_of(struct bytes s)
{
    int i, n = 0;
    const char *p;

    for (i = 0; i < WORDS; i++)
        for (p = room[i]; strlen(p) >= s.n; p++)
            n += is_start(p) && !memcmp(p, s.p, s.n);
    return n;
}

static const struct candidate *find(const struct candidates *c, struct bytes s)
{
    size_t i;

    for (i = 0; i < c->n; i++)
        if (c->of[i].s.n == s.n && !memcmp(c->of[i].s.p, s.p, s.n))
            return &c->of[i];
    return NULL;
}

/* Every candidate's score is its count times its length; no string that comes oftener than all it
 * can be lengthened to is missing. */
static void seeds(void **state)
{
    struct corpus *from;
    struct candidates c;
    struct err err;
    double unit = 0;
    size_t i;
    int w, a, b;

    (void)state;
    draw();
    from = make(list, WORDS);
    assert_int_equal(seeds_find(&c, from, 16, 100000, 64 << 20, &err), 0);
    for (i = 0; i < c.n; i++) {
        double worth = (double)count_of(c.of[i].s) * c.of[i].chars, x = exp(c.of[i].score) / worth;

        if (!i)
            unit = x;
        assert_true(fabs(x / unit - 1) < 1e-9);
        assert_int_equal(c.of[i].letter, c.of[i].chars == 1);
    }
    for (w = 0; w < WORDS; w++)
        for (a = 0; room[w][a]; a++)
            for (b = a + 1; b <= (int)strlen(room[w]); b++) {
                struct bytes s = { (unsigned char *)room[w] + a, (size_t)(b - a) }, more = s;
                int longer = 0, n = count_of(s), k;

                if (!is_start(room[w] + a) || !is_start(room[w] + b) || n < 2 || find(&c, s))
                    continue;
                for (k = 0; k < WORDS && !longer; k++) {    // some longer one comes as often
                    const char *at = strstr(room[k], "");

                    for (; *at && !longer; at++)
                        if (strlen(at) > s.n && !memcmp(at, s.p, s.n)) {
                            more = (struct bytes){ (const unsigned char *)at,
                                                   s.n + (is_start(at + s.n + 1) ? 1 : 2) };
                            longer = count_of(more) == n;
                        }
                }
                assert_true(longer);
            }
    candidates_release(&c);
    corpus_free(from);
}

static void merges(void **state)
{
    const char *const word[] = { "abab", "abab", "abc", "bcbc" };
    static const char *const want[] = { "ab", "bc", "abab" };
    struct corpus *from = make(word, 4);
    struct candidates c = { 0 };
    int i;

    (void)state;
    bpe_train(&c, from, 16, 6);
    assert_int_equal(c.n, 6);
    for (i = 0; i < 3; i++) {
        assert_int_equal(c.of[i].s.n, strlen(want[i]));
        assert_memory_equal(c.of[i].s.p, want[i], strlen(want[i]));
        assert_true(c.of[i].score == -i);
    }
    candidates_release(&c);
    corpus_free(from);
}

TESTS("vocab/pieces", cmocka_unit_test(seeds), cmocka_unit_test(merges))
