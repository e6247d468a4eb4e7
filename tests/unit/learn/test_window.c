/* test_window.c - pieces of texts: their lengths, their labels' shares, what is done to them. */
#include "../test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "learn/window.h"
#include "text/utf8.h"

/* A corpus of n[i] texts of label i, each of words of one letter of it. */
static void fill(struct corpus *c, const char *const *label, const char *const *word, const int *n)
{
    FILE *f = fopen("texts.tsv", "w");
    struct err err;
    int l, i, j;

    assert_non_null(f);
    for (l = 0; label[l]; l++)
        for (i = 0; i < n[l]; i++) {
            fprintf(f, "%s\t", label[l]);
            for (j = 0; j < 300 + i; j++)
                fprintf(f, "%s ", word[l]);
            fprintf(f, "\n");
        }
    assert_int_equal(fclose(f), 0);
    corpus_init(c);
    assert_int_equal(corpus_read(c, "texts.tsv", 16384, &err), 0);
    corpus_sort(c);
}

static const char *const labels[] = { "en", "el", "zxx", NULL };
static const char *const words[] = { "the", "ώρα", "x0", NULL };
static const int counts[] = { 10, 40, 10 };

static void test_lengths_and_labels(void **state)
{
    struct window_rule rule = { 20, 500, 0.5, 0, 0, 1, NULL };
    struct corpus c;
    struct windows *w;
    struct buf piece = { 0 };
    int i, seen[3] = { 0 }, below = 0;

    (void)state;
    fill(&c, labels, words, counts);
    w = windows_new(&c, &rule, 0);
    assert_non_null(w);
    for (i = 0; i < 8000; i++) {
        int label = windows_get(w, (uint64_t)i, &piece);
        size_t n = utf8_count(buf_bytes(&piece));

        assert_true(utf8_valid(buf_bytes(&piece)));
        assert_true(n >= 16 && n <= 500);    // up to 4 are cut off at a text's end
        seen[label]++;
        below += n < 100;
    }
    // shares of sqrt(10) : sqrt(40) : sqrt(10); labels are sorted: el, en, zxx; 5 deviations
    assert_true(fabs(seen[0] / 8000.0 - 0.5) < 5 * sqrt(0.25 / 8000));
    assert_true(fabs(seen[1] / 8000.0 - 0.25) < 5 * sqrt(0.1875 / 8000));
    // log-uniform: log(100 / 20) of log(500 / 20) is half of them
    assert_true(fabs(below / 8000.0 - 0.5) < 0.04);
    windows_free(w);
    buf_release(&piece);
    corpus_release(&c);
}

static void test_foreign_and_bare(void **state)
{
    struct window_rule rule = { 100, 400, 0.5, 1, 1, 1, NULL };
    struct corpus c;
    struct windows *w;
    struct buf piece = { 0 };
    int i, foreign = 0, greek = 0;

    (void)state;
    fill(&c, labels, words, counts);
    w = windows_new(&c, &rule, 0);
    assert_non_null(w);
    for (i = 0; i < 2000; i++) {
        int label = windows_get(w, (uint64_t)i, &piece);

        buf_add_byte(&piece, '\0');
        if (!strcmp(c.label[label], "el")) {
            const char *s = (const char *)piece.p;

            greek++;
            assert_non_null(strstr(s, "ωρα"));    // and not only in front
            foreign += strstr(s, "the ") != NULL;
        } else if (!strcmp(c.label[label], "zxx")) {
            assert_null(strstr((const char *)piece.p, "the"));
        }
    }
    assert_true(greek > 500 && foreign > greek / 2 && foreign < greek);
    windows_free(w);
    buf_release(&piece);
    corpus_release(&c);
}

static void test_a_piece_is_its_numbers_alone(void **state)
{
    struct window_rule rule = { 20, 500, 0.5, 0.5, 0.5, 1, NULL };
    struct corpus c;
    struct windows *w;
    struct buf a = { 0 }, b = { 0 };

    (void)state;
    fill(&c, labels, words, counts);
    w = windows_new(&c, &rule, 0);
    assert_non_null(w);
    windows_get(w, 77, &a);
    windows_get(w, 78, &b);
    assert_true(a.n != b.n || memcmp(a.p, b.p, a.n) != 0);
    windows_get(w, 77, &b);
    assert_true(a.n == b.n && !memcmp(a.p, b.p, a.n));
    assert_null(windows_new(&c, &rule, 1));    // none is held out
    windows_free(w);
    buf_release(&a);
    buf_release(&b);
    corpus_release(&c);
}

TESTS("learn/window", cmocka_unit_test(test_lengths_and_labels),
      cmocka_unit_test(test_foreign_and_bare), cmocka_unit_test(test_a_piece_is_its_numbers_alone))
