/* test_form.c - texts with blanks, filled from records; what the filters do. */
#include <stdlib.h>

#include "../test.h"
#include "base/err.h"
#include "pairs/filter.h"
#include "pairs/form.h"

static const char root[] = "{\"a\": \"x\", \"n\": 3, \"t\": true, \"z\": null, \"f\": 0.5,"
                           " \"o\": {\"l\": [\"p\", \"q\"], \"d.e\": 1}, \"d.e\": \"dotted\"}";
static const char item[] = "{\"a\": \"inner\", \"m\": [1, {\"k\": \"deep\"}]}";

/* The form filled from both, or NULL; valid until the next call. */
static const char *filled(const char *text)
{
    static char out[500];
    json_t *r = json_loads(root, 0, NULL), *i = json_loads(item, 0, NULL);
    struct record rec = { { r, i }, 2, 0 };
    struct err err;
    struct form *f = form_new(text, &err);
    struct buf b = { 0 };
    int bad;

    assert_non_null(f);
    bad = form_fill(f, &rec, &b);
    assert_true(b.n < sizeof(out));
    memcpy(out, b.p ? b.p : (const void *)"", b.n);
    out[b.n] = 0;
    buf_release(&b);
    form_free(f);
    json_decref(r);
    json_decref(i);
    return bad ? NULL : out;
}

static void test_fields(void **state)
{
    (void)state;
    assert_string_equal(filled("plain"), "plain");
    assert_string_equal(filled(""), "");
    assert_string_equal(filled("{a}"), "inner");    // the innermost first
    assert_string_equal(filled("<{n}|{t}|{f}>"), "<3|true|0.5>");
    assert_string_equal(filled("{o.l.1} {m.1.k}"), "q deep");
    assert_string_equal(filled("{d.e}"), "dotted");    // a whole name before a path
    assert_string_equal(filled("{none/a} {z/n}"), "inner 3");
    assert_string_equal(filled("{{{n}}} {{n}}"), "{3} {n}");
    assert_string_equal(filled("{o.l|join}"), "p, q");
    assert_null(filled("{none}"));
    assert_null(filled("{z}"));
    assert_null(filled("{o}"));    // no text
    assert_null(filled("{o.l.2}"));
    assert_null(filled("{o.l.x}"));
    assert_null(filled("{a|join}"));
}

static void test_wrong_forms(void **state)
{
    static const char *const wrong[] = { "{",      "{a",       "x {}",         "{/}",
                                         "{a|}x{", "{a|none}", "{a|pad|join}", "{a||pad}" };
    struct err err;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_null(form_new(wrong[i], &err));
}

static void test_known(void **state)
{
    struct err err;
    struct form *f = form_new("x {a/b} {c|pad}", &err), *g = form_new("{.|wnli-text}", &err);
    struct bytes names[] = { { (const unsigned char *)"b", 1 }, { (const unsigned char *)"c", 1 } };

    (void)state;
    assert_true(form_known(f, names, 2, 0));
    assert_false(form_known(f, names, 1, 0));
    assert_true(form_known(g, names, 2, 1));
    assert_false(form_known(g, names, 2, 0));
    form_free(f);
    form_free(g);
}

static const char *by_text(const char *name, const char *text)
{
    static char out[500];
    struct buf b = { 0 };
    int bad =
        filter_find(name)->text((struct bytes){ (const unsigned char *)text, strlen(text) }, &b);

    memcpy(out, b.p ? b.p : (const void *)"", b.n);
    out[b.n] = 0;
    buf_release(&b);
    return bad ? NULL : out;
}

static const char *by_value(const char *name, const char *json)
{
    static char out[500];
    json_t *v = json_loads(json, 0, NULL);
    struct buf b = { 0 };
    int bad;

    assert_non_null(v);
    bad = filter_find(name)->value(v, &b);
    memcpy(out, b.p ? b.p : (const void *)"", b.n);
    out[b.n] = 0;
    buf_release(&b);
    json_decref(v);
    return bad ? NULL : out;
}

static void test_text_filters(void **state)
{
    (void)state;
    assert_string_equal(by_text("pad", " a,b  (c)\n_d "), "a , b ( c ) _d");
    assert_string_equal(by_text("pad", "naïve ٣ हिन्दी。"), "naïve ٣ हिन्दी 。");
    assert_string_equal(by_text("pad-ascii", "naïve x_1"), "na ï ve x_1");
    assert_string_equal(by_text("pad", ""), "");
    assert_string_equal(by_text("html", "<b>a</b><br>b<i>"), "a b<i>");
    assert_string_equal(by_text("highlight", "A.\n@highlight\nB\n@highlight\nC"), "A. B. C");
    assert_string_equal(by_text("highlight", "\n@highlight\nC"), ". C");
    assert_string_equal(by_text("fifths", "2.5"), "2.4");    // 12.5: the half to even
    assert_string_equal(by_text("fifths", "2.75"), "2.8");
    assert_string_equal(by_text("fifths", "0"), "0.0");
    assert_null(by_text("fifths", "two"));
    assert_null(by_text("fifths", "1 "));
    assert_null(by_text("fifths", "nan"));
    assert_string_equal(by_text("description", "(list (description \"a (b)\"))"), "a (b)");
    assert_string_equal(by_text("description", "(list (description ab) (description c))"), "ab");
    assert_null(by_text("description", "(list)"));
    assert_null(by_text("description", "(list (description \"a"));
}

static void test_value_filters(void **state)
{
    (void)state;
    assert_string_equal(by_value("join", "[]"), "");
    assert_null(by_value("join", "[[]]"));
    assert_string_equal(by_value("choices", "[{\"label\": \"1\", \"text\": \"a\"}]"), "(1) a");
    assert_null(by_value("choices", "[{\"label\": \"1\"}]"));
    assert_string_equal(by_value("entities", "{\"text\": \"ab ç\", \"entities\": [{\"start\": 3,"
                                             " \"end\": 3}, {\"start\": 0, \"end\": 1}]}"),
                        "ab, ç");
    assert_null(by_value("entities", "{\"text\": \"ab\", \"entities\": [{\"start\": 0, "
                                     "\"end\": 2}]}"));
    assert_null(by_value("entities", "{\"text\": \"ab\", \"entities\": [{\"start\": -1, "
                                     "\"end\": 1}]}"));
    assert_null(by_value("pronoun", "{\"text\": \"theme\", \"target\": {\"span2_text\": \"he\","
                                    " \"span2_index\": 0}}"));
    assert_string_equal(by_value("pronoun", "{\"text\": \"he said he is\", \"target\": "
                                            "{\"span2_text\": \"he\", \"span2_index\": 2}}"),
                        "he said *he* is");
    assert_null(filter_find("none"));
}

static void test_wnli(void **state)
{
    static const char pair[] = "{\"sentence1\": \"The boy met the girl, and he waved back.\","
                               " \"sentence2\": \"The boy waved back.\"}";

    (void)state;
    assert_string_equal(by_value("wnli-text", pair), "The boy met the girl, and *he* waved back.");
    assert_string_equal(by_value("wnli-referent", pair), "The boy");
    assert_null(by_value("wnli-text", "{\"sentence1\": \"It is.\"}"));
    assert_null(by_value("wnli-referent", "{\"sentence1\": \"A b.\", \"sentence2\": \"A b.\"}"));
}

TESTS("pairs/form", cmocka_unit_test(test_fields), cmocka_unit_test(test_wrong_forms),
      cmocka_unit_test(test_known), cmocka_unit_test(test_text_filters),
      cmocka_unit_test(test_value_filters), cmocka_unit_test(test_wnli))
