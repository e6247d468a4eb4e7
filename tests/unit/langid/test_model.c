/* test_model.c - models: what can be one, writing and reading, damage. */
#include "../test.h"

#include <math.h>
#include <stdlib.h>

#include "langid/feature.h"
#include "model.h"

static void same_shape(const struct langid *a, const struct langid *b)
{
    int i;

    assert_int_equal(a->shape.n_group, b->shape.n_group);
    for (i = 0; i < a->shape.n_group; i++) {
        assert_int_equal(a->shape.group[i].kind, b->shape.group[i].kind);
        assert_int_equal(a->shape.group[i].n, b->shape.group[i].n);
        assert_int_equal(a->shape.group[i].ids, b->shape.group[i].ids);
        assert_int_equal(a->shape.group[i].dim, b->shape.group[i].dim);
    }
    assert_int_equal(a->shape.hidden, b->shape.hidden);
    assert_int_equal(a->shape.n_label, b->shape.n_label);
    for (i = 0; i < a->shape.n_label; i++) {
        assert_string_equal(a->label[i], b->label[i]);
        assert_true(a->bar[i] == b->bar[i]);
    }
    assert_string_equal(a->origin ? a->origin : "", b->origin);
}

/* Largest difference of a number of embeddings, against the largest of its row. */
static double worst(const struct langid *a, const struct langid *b)
{
    double worst = 0;
    int g;

    for (g = 0; g < a->shape.n_group; g++) {
        size_t dim = (size_t)a->shape.group[g].dim, i, j;

        for (i = 0; i < a->shape.group[g].ids; i++) {
            const float *x = a->embed[g] + i * dim, *y = b->embed[g] + i * dim;
            double max = 0, d = 0;

            for (j = 0; j < dim; j++) {
                max = fmax(max, fabs(x[j]));
                d = fmax(d, fabs((double)x[j] - y[j]));
            }
            worst = max > 0 ? fmax(worst, d / max) : worst;
        }
    }
    return worst;
}

static void save(const struct langid *m, enum langid_store store, const char *path)
{
    struct err err;

    if (langid_save(m, store, path, &err) < 0)
        fail_msg("%s", err.msg);
}

static struct langid *load(const char *path)
{
    struct err err;
    struct langid *m = langid_load(path, &err);

    if (!m)
        fail_msg("%s", err.msg);
    return m;
}

static void there_and_back(void **state)
{
    /* BF16 has 8 bits; a step of Q8 is 1/127 of a row's largest, rounded up to 8 bits */
    static const double bound[] = { [LANGID_F32] = 0,
                                    [LANGID_BF16] = 1.0 / 256,
                                    [LANGID_Q8] = 0.5 / 127 * (1 + 1.0 / 128) + 1e-6 };
    int store;

    (void)state;
    for (store = LANGID_F32; store <= LANGID_Q8; store++) {
        struct langid *m = model_make(5), *back, *again;

        m->bar[3] = 0.25f;
        save(m, (enum langid_store)store, "one.langid");
        back = load("one.langid");
        same_shape(m, back);
        assert_true(worst(m, back) <= bound[store]);
        assert_memory_equal(m->hidden_w, back->hidden_w, 37 * 9 * sizeof(float));
        assert_memory_equal(m->out_b, back->out_b, 5 * sizeof(float));
        save(back, (enum langid_store)store, "two.langid");
        again = load("two.langid");
        assert_true(worst(back, again) <= (store == LANGID_Q8 ? bound[store] : 0));
        langid_free(m);
        langid_free(back);
        langid_free(again);
    }
}

static void refused(const char *bytes, size_t n, const char *why)
{
    FILE *f = fopen("bad.langid", "wb");
    struct err err;

    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
    assert_null(langid_load("bad.langid", &err));
    assert_non_null(strstr(err.msg, "bad.langid"));
    if (why && !strstr(err.msg, why))
        fail_msg("'%s' is not in '%s'", why, err.msg);
}

static void damage(void **state)
{
    static char file[1 << 16];
    struct langid *m = model_make(3);
    size_t n, i;
    FILE *f;

    (void)state;
    save(m, LANGID_Q8, "good.langid");
    f = fopen("good.langid", "rb");
    n = fread(file, 1, sizeof(file), f);
    fclose(f);
    assert_true(n > 1000 && n < sizeof(file) - 1);
    for (i = 0; i < n; i += i < 700 ? 1 : 97)
        refused(file, i, NULL);
    for (i = 0; i < n; i += i < 700 ? 1 : 97) {
        file[i] ^= 0x10;
        refused(file, n, NULL);
        file[i] ^= 0x10;
    }
    refused(file, n + 1, "more than a model");
    refused("switchyard-langid 2\n", 20, "another version");
    refused("switchyard-langid 1\nhidden\t4\nnumbers\n", 37, "0 groups");
    refused("switchyard-langid 1\nwhat\t4\n", 27, "byte 27");
    refused("switchyard-langid 1\ngroup\twords\t99999999\t4\n", 43, "too many");
    langid_free(m);
}

static void refused_shape(struct langid_shape shape, const char *why)
{
    struct err err;

    assert_null(langid_new(&shape, &err));
    if (!strstr(err.msg, why))
        fail_msg("'%s' is not in '%s'", why, err.msg);
}

static void shapes(void **state)
{
    static const struct langid_shape good = { { { LANGID_CHARS, 2, 10, 2 } }, 1, 4, 2 };
    struct langid_shape s = good;

    (void)state;
    s.n_group = 0;
    refused_shape(s, "0 groups");
    s = good;
    s.hidden = LANGID_HIDDEN_MAX + 1;
    refused_shape(s, "hidden");
    s = good;
    s.n_label = 1;
    refused_shape(s, "labels");
    s = good;
    s.group[0].n = 9;
    refused_shape(s, "9 characters");
    s = good;
    s.group[1] = s.group[0];
    s.n_group = 2;
    refused_shape(s, "one kind");
    s.group[1].kind = LANGID_SHARES;
    refused_shape(s, "script_shares: 10 ids, not 103");
    s = good;
    s.group[0].ids = LANGID_ID_MAX;
    s.group[0].dim = LANGID_DIM_MAX;
    refused_shape(s, "more than");
}

static void not_saved(struct langid *m, const char *why)
{
    struct err err;

    assert_int_equal(langid_save(m, LANGID_F32, "x.langid", &err), -1);
    if (!strstr(err.msg, why))
        fail_msg("'%s' is not in '%s'", why, err.msg);
    assert_null(fopen("x.langid", "rb"));
    langid_free(m);
}

static void senseless(void **state)
{
    struct langid *m = model_make(3);

    (void)state;
    m->hidden_b[1] = NAN;
    not_saved(m, "larger than 1e6");
    m = model_make(3);
    m->embed[2][3] = 2e6f;
    not_saved(m, "larger than 1e6");
    m = model_make(3);
    free(m->label[1]);
    m->label[1] = NULL;
    not_saved(m, "label 1");
    m = model_make(3);
    strcpy(m->label[1], "l0");
    not_saved(m, "twice");
    m = model_make(3);
    strcpy(m->label[1], "\"");
    not_saved(m, "label 1");
    m = model_make(3);
    m->origin = xstrdup("a\nb");
    not_saved(m, "origin");
}

static void finds(void **state)
{
    struct langid *m = model_scripts();
    struct langid_room *r = langid_room_new(m);
    struct bytes text = { (const unsigned char *)"Hello, \xD0\x9C\xD0\xB8\xD1\x80", 13 },
                 two = { text.p, 5 };
    struct langid_answer a = langid_find(m, r, text, 0, 1000);
    double e = exp(6 * 5 / 8.0), f = exp(6 * 3 / 8.0);
    float p[3];

    (void)state;
    assert_string_equal(a.label, "en");
    assert_true(fabs(a.p - e / (e + f + 1)) < 1e-6);
    assert_true(lang_is(a.lang, "en") && a.reliable == (a.p >= 0.7f));
    assert_int_equal(langid_all(m, r, text, 0, 1000, p), 1);
    assert_true(p[0] == a.p && fabs(p[1] - f / (e + f + 1)) < 1e-6);
    a = langid_find(m, r, two, 0, 1000);
    assert_true(a.reliable && a.p > 0.98);
    a = langid_find(m, r, two, 100, 1000);
    assert_string_equal(a.label, "und");
    assert_true(a.p == 0 && lang_is(a.lang, "und"));
    assert_int_equal(langid_all(m, r, two, 100, 1000, p), 0);
    a = langid_find(m, r, (struct bytes){ (const unsigned char *)"\xFF\0\xFE", 3 }, 0, 1000);
    assert_string_equal(a.label, "und");
    langid_room_free(r);
    langid_free(m);
}

static void among(void **state)
{
    struct langid *m = model_scripts();
    struct langid_room *r = langid_room_new(m);
    struct bytes text = { (const unsigned char *)"Hello", 5 };
    struct langid_answer a;

    (void)state;
    a = langid_find_among(m, r, text, 0, 1000, (float[]){ 0, 1, 3 });    // ru, hr: no evidence
    assert_string_equal(a.label, "hr");
    assert_true(fabs(a.p - 0.75) < 1e-6 && a.reliable && !a.lang);    // not one of mC4's
    a = langid_find_among(m, r, text, 0, 1000, (float[]){ 1e-30f, 1, 0 });
    assert_string_equal(a.label, "ru");
    a = langid_find_among(m, r, text, 0, 1000, (float[]){ 0, 0, 0 });
    assert_string_equal(a.label, "und");
    assert_true(a.p == 0 && !a.reliable);
    langid_room_free(r);
    langid_free(m);
}

static int number_of(const struct langid *m, const char *tag)
{
    return langid_label_find(m, (struct bytes){ (const unsigned char *)tag, strlen(tag) });
}

static void tags(void **state)
{
    struct langid *m = model_scripts();

    (void)state;
    assert_int_equal(number_of(m, "en"), 0);
    assert_int_equal(number_of(m, "rus-Cyrl"), 1);
    assert_int_equal(number_of(m, "hr"), 2);
    assert_int_equal(number_of(m, "fi"), -1);
    assert_int_equal(number_of(m, "none at all"), -1);
    assert_int_equal(number_of(m, ""), -1);
    langid_free(m);
}

TESTS("langid/model", cmocka_unit_test(there_and_back), cmocka_unit_test(damage),
      cmocka_unit_test(shapes), cmocka_unit_test(senseless), cmocka_unit_test(finds),
      cmocka_unit_test(among), cmocka_unit_test(tags))
