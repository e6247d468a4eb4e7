/* test_split.c - sentences, as NLTK's Punkt finds them. */
#include "../test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "punkt/params.h"
#include "punkt/split.h"
#include "text/utf8.h"

static struct bytes of(const char *s)
{
    return (struct bytes){ (const unsigned char *)s, strlen(s) };
}

/* The lengths of the sentences of text, in characters, as "12,34". */
static void measure(struct punkt *p, struct bytes text, struct buf *to)
{
    struct bytes s;

    buf_reset(to);
    punkt_start(p, text);
    while (punkt_next(p, &s))
        buf_printf(to, "%s%zu", to->n ? "," : "", utf8_count(s));
    buf_need(to, to->n + 1);
    to->p[to->n] = 0;
}

/* Lines "COUNT<TAB>LENGTHS<TAB>TEXT" after a header; the text may have tabs, not line ends. */
static int check_lines(struct punkt *p, const char *path, int *bad)
{
    static char line[1 << 20];
    struct buf got = { 0 };
    FILE *f = fopen(path, "r");
    int n = 0;

    if (!f)
        return -1;
    while (fgets(line, sizeof(line), f)) {
        size_t count = (size_t)atoi(line);
        char *want, *text;

        line[strcspn(line, "\n")] = 0;
        want = strchr(line, '\t');
        text = want ? strchr(want + 1, '\t') : NULL;
        if (!text || line[0] < '0' || line[0] > '9')
            continue;
        *want++ = 0;
        *text++ = 0;
        n++;
        measure(p, of(text), &got);
        if (strcmp((char *)got.p, want) != 0 || punkt_count(p, of(text), SIZE_MAX) != count) {
            print_message("# not %s but %s: %s\n", want, (char *)got.p, text);
            ++*bad;
        }
    }
    fclose(f);
    buf_release(&got);
    return n;
}

/* Lines of our own, measured by NLTK 3.8 with parameters of our own. */
static void small_lines(void **state)
{
    char path[4096];
    struct punkt_params *params;
    struct punkt *p;
    struct err err;
    int bad = 0;

    (void)state;
    snprintf(path, sizeof(path), "%s/punkt/small.punkt", test_data);
    params = punkt_load(path, &err);
    assert_non_null(params);
    p = punkt_new(params);
    snprintf(path, sizeof(path), "%s/punkt/lines.tsv", test_data);
    assert_true(check_lines(p, path, &bad) > 50);
    assert_int_equal(bad, 0);
    punkt_free(p);
    punkt_params_free(params);
}

/* Line ends, which the file of lines cannot have; what is measured so is NLTK's. */
static void line_ends(void **state)
{
    struct punkt_params *params = punkt_params_new();
    struct punkt *p = punkt_new(params);
    struct buf got = { 0 };

    (void)state;
    measure(p,
            of("A line\nover two. Another\nA line.\n\nAn empty line before.\n\n.\n.\n. End.\r\n"
               "No. of\nthem."),
            &got);
    assert_string_equal((char *)got.p, "16,15,21,1,1,1,4,3,8");
    measure(p, of("\f!!No. End"), &got);
    assert_string_equal((char *)got.p, "6,3");
    measure(p, of(" \n \t"), &got);
    assert_string_equal((char *)got.p, "");
    buf_release(&got);
    punkt_free(p);
    punkt_params_free(params);
}

/* Texts that would take ages if time were not linear. */
static void hostile(void **state)
{
    enum { N = 4000000 };
    static const char *const again[] = { "!", "a",  ".",  "\"",         ". ", "a.", "\xC2\xA0.",
                                         "-", "!)", ", ", "a.\xC2\xA0", "\n", ") ", "--\"" };
    struct punkt_params *params = punkt_params_new();
    struct punkt *p = punkt_new(params);
    unsigned char *text = xmalloc(N + 8);
    size_t i, n;

    (void)state;
    for (i = 0; i < sizeof(again) / sizeof(again[0]); i++) {
        memcpy(text, "Hi! ", 4);
        for (n = 4; n + 8 < N; n += strlen(again[i]))
            memcpy(text + n, again[i], strlen(again[i]));
        assert_true(punkt_count(p, (struct bytes){ text, n }, SIZE_MAX) >= 1);
        assert_true(punkt_count(p, (struct bytes){ text, n }, 3) <= 3);
    }
    free(text);
    punkt_free(p);
    punkt_params_free(params);
}

static void equals_nltk(void **state)
{
    char path[4096];
    struct punkt_params *params;
    struct punkt *p;
    struct err err;
    int bad = 0;

    (void)state;
    snprintf(path, sizeof(path), "%s/data/punkt", test_shared);
    params = punkt_load(path, &err);
    if (!params)
        skip();
    p = punkt_new(params);
    snprintf(path, sizeof(path), "%s/data/golden-clean/punkt-lines.tsv", test_shared);
    assert_int_equal(check_lines(p, path, &bad), 6000);
    assert_int_equal(bad, 0);
    punkt_free(p);
    punkt_params_free(params);
}

TESTS("punkt/split", cmocka_unit_test(small_lines), cmocka_unit_test(line_ends),
      cmocka_unit_test(hostile), cmocka_unit_test(equals_nltk))
