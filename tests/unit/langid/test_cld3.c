/* test_cld3.c - with cld3's numbers, cld3's answers: all 8,356 texts of answers.tsv. */
#include "../test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "io/stream.h"
#include "langid/langid.h"

enum { LINE = 1 << 16 };

static struct langid *load(void)
{
    char path[4096];
    struct err err;
    struct langid *m;
    FILE *f;

    snprintf(path, sizeof(path), "%s/data/langid/cld3-weights.safetensors", test_shared);
    f = fopen(path, "rb");
    if (!f)
        skip();
    fclose(f);
    m = langid_load(path, &err);
    if (!m)
        fail_msg("%s", err.msg);
    return m;
}

static struct stream *table(const char *name)
{
    char path[4096];
    struct stream *s;
    struct err err;
    struct bytes head;

    snprintf(path, sizeof(path), "%s/data/langid/%s", test_shared, name);
    s = stream_open(path, &err);
    if (!s || stream_line(s, &head, LINE, &err) != 1)
        fail_msg("%s", err.msg);
    return s;
}

/* Field i of a line, the last one to its end. */
static struct bytes field(struct bytes line, int i)
{
    const unsigned char *tab;
    struct bytes rest = line;

    for (; i > 0 && (tab = memchr(rest.p, '\t', rest.n)); i--)
        rest = (struct bytes){ tab + 1, rest.n - (size_t)(tab + 1 - rest.p) };
    if ((tab = memchr(rest.p, '\t', rest.n)))
        rest.n = (size_t)(tab - rest.p);
    return rest;
}

static int is(struct bytes a, const char *s)
{
    return a.n == strlen(s) && !memcmp(a.p, s, a.n);
}

static double number(struct bytes a)
{
    char s[32];

    snprintf(s, sizeof(s), "%.*s", (int)a.n, (const char *)a.p);
    return strtod(s, NULL);
}

static void answers(void **state)
{
    struct langid *m = load();
    struct langid_room *r = langid_room_new(m);
    struct stream *texts = table("snippets.tsv"), *want = table("answers.tsv");
    struct bytes line, text;
    struct err err;
    int n = 0, bad = 0;

    (void)state;
    for (; stream_line(want, &line, LINE, &err) == 1; n++) {
        struct langid_answer any, min;

        assert_int_equal(stream_line(texts, &text, LINE, &err), 1);
        assert_true(field(text, 0).n == field(line, 0).n);
        text = field(text, 4);
        any = langid_find(m, r, text, 0, 10000);
        min = langid_find(m, r, text, 100, 10000);
        if (is(field(line, 2), any.label) && fabs(number(field(line, 3)) - any.p) < 1e-5 &&
            is(field(line, 4), any.reliable ? "1" : "0") && is(field(line, 5), min.label))
            continue;
        print_message("# %.*s: %s %f\n", (int)line.n, (const char *)line.p, any.label, any.p);
        bad++;
    }
    assert_int_equal(n, 8356);
    assert_int_equal(bad, 0);
    stream_close(texts);
    stream_close(want);
    langid_room_free(r);
    langid_free(m);
}

static void labels(void **state)
{
    struct langid *m = load();
    struct langid_room *r = langid_room_new(m);
    struct langid_answer a = langid_find(m, r, (struct bytes){ NULL, 0 }, 0, 10000);

    (void)state;
    assert_int_equal(langid_n_label(m), 109);
    assert_string_equal(langid_label(m, 0), "eo");
    assert_string_equal(langid_label(m, 108), "ku");
    assert_string_equal(a.label, "und");
    assert_true(a.lang == lang_find((struct bytes){ (const unsigned char *)"und", 3 }));
    assert_true(a.p == 0 && !a.reliable);
    langid_room_free(r);
    langid_free(m);
}

TESTS("langid/cld3", cmocka_unit_test(answers), cmocka_unit_test(labels))
