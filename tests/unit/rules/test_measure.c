/* test_measure.c - lines against counts by hand, runs of tokens against the definition. */
#include "../test.h"

#include <stdio.h>

#include "base/rng.h"
#include "rules/measure.h"

static void lines(void **state)
{
    static const char text[] = "A line. # \n- a line\n\xE2\x80\xA2 so on...\n- a line\n"
                               "thirty characters are not long\nthirty-one characters are too long "
                               "now\xE2\x80\xA6\n- a line\n\xE0\xA4\xB9\xE0\xA5\xA4";
    struct measure *m = measure_new();
    const struct measure_lines *l;

    (void)state;
    measure_set(m, (struct bytes){ (const unsigned char *)text, strlen(text) });
    l = measure_lines(m);
    assert_int_equal(l->n, 8);
    assert_int_equal(l->line_ends, 7);
    assert_int_equal(l->n_again, 2);
    assert_int_equal(l->again_chars, 16);
    assert_int_equal(l->chars, 10 + 8 + 10 + 8 + 30 + 39 + 8 + 2 + 7);
    assert_int_equal(l->n_short, 7);
    assert_int_equal(l->n_terminal, 2);    // "...", a stop; a danda
    assert_int_equal(l->n_bullet, 4);
    assert_int_equal(l->n_ellipsis, 2);
    assert_int_equal(l->hashes, 1);
    assert_int_equal(l->ellipses, 2);
    measure_set(m, (struct bytes){ (const unsigned char *)"", 0 });
    l = measure_lines(m);
    assert_int_equal(l->n + l->chars + l->line_ends, 0);
    assert_int_equal(measure_gram(m, 2)->top_chars + measure_gram(m, 10)->again_chars, 0);
    measure_free(m);
    measure_free(NULL);
}

enum { WORDS = 200 };

static int same(const int *a, const int *b, int n)
{
    return !memcmp(a, b, (size_t)n * sizeof(*a));
}

static size_t chars(const int *w, int n)
{
    size_t sum = 0;

    while (n--)
        sum += (size_t)*w++ / 10 + 1;
    return sum;
}

static size_t top(const int *w, int n_word, int n)
{
    int i, j, best = 0, at = 0;

    for (i = 0; i + n <= n_word; i++) {
        int count = 0;

        for (j = 0; j + n <= n_word; j++)
            count += same(w + i, w + j, n);
        if (count > best) {
            best = count;
            at = i;
        }
    }
    return best ? (size_t)best * (chars(w + at, n) + (size_t)n - 1) : 0;
}

static size_t again(const int *w, int n_word, int n)
{
    int read[WORDS], n_read = 0, i, j;
    size_t found = 0;

    for (i = 0; i + n <= n_word;) {
        for (j = 0; j < n_read && !same(w + read[j], w + i, n); j++)
            ;
        if (j < n_read) {
            found += chars(w + i, n);
            i += n;
        } else {
            read[n_read++] = i++;
        }
    }
    return found;
}

/* Few different words, so that runs of all lengths come again; a word is letters, one more by ten.
 */
static void runs(void **state)
{
    static char text[WORDS * 8];
    struct rng r = rng_at(rng_key(1, "words"), 0);
    struct measure *m = measure_new();
    int round, i, n, w[WORDS];

    (void)state;
    for (round = 0; round < 300; round++) {
        int n_word = round < 30 ? round : 30 + (int)rng_below(&r, WORDS - 30);
        uint64_t kinds = 1 + rng_below(&r, 30);
        char *to = text;

        for (i = 0; i < n_word; i++) {
            w[i] = i > 20 && rng_below(&r, 2) ? w[i - 20] : (int)rng_below(&r, kinds);
            memset(to, 'x', (size_t)w[i] / 10);
            to += w[i] / 10;
            *to++ = (char)('a' + w[i] % 10);
            *to++ = ' ';
        }
        measure_set(m, (struct bytes){ (const unsigned char *)text, (size_t)(to - text) });
        for (n = GRAM_MIN; n <= GRAM_MAX; n++) {
            assert_int_equal(measure_gram(m, n)->top_chars, top(w, n_word, n));
            if (n >= GRAM_AGAIN)
                assert_int_equal(measure_gram(m, n)->again_chars, again(w, n_word, n));
        }
    }
    measure_free(m);
}

/* What a giant text took is given back, and the next is measured as ever. */
static void giants(void **state)
{
    struct measure *m = measure_new();
    struct buf text = { 0 };
    size_t i, top, again;

    (void)state;
    for (i = 0; i < 300000; i++)
        buf_printf(&text, "w%zu ", i % 1000);
    measure_set(m, buf_bytes(&text));
    top = measure_gram(m, 2)->top_chars;
    again = measure_gram(m, 5)->again_chars;
    assert_int_equal(top, 300 * 5);    // "w0 w1", the first of equals
    for (i = 0; i < 2; i++) {
        measure_trim(m);
        measure_set(m, buf_bytes(&text));
        assert_int_equal(measure_gram(m, 2)->top_chars, top);
        assert_int_equal(measure_gram(m, 5)->again_chars, again);
    }
    measure_free(m);
    buf_release(&text);
}

TESTS("rules/measure", cmocka_unit_test(lines), cmocka_unit_test(runs), cmocka_unit_test(giants))
