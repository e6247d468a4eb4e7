/* test_feature.c - features of each kind, by hand; least and most bytes; a room used again. */
#include "../test.h"

#include <math.h>
#include <stdlib.h>

#include "langid/feature.h"
#include "langid/ngram.h"
#include "langid/script.h"

static const struct langid_shape shape = { .group = { { LANGID_CHARS, 2, 1000, 1 },
                                                      { LANGID_CLASSES, 0, 12, 1 },
                                                      { LANGID_SCRIPT, 0, 103, 1 },
                                                      { LANGID_SHARES, 0, 103, 1 },
                                                      { LANGID_WORDS, 0, 5000, 1 } },
                                           .n_group = 5,
                                           .hidden = 1,
                                           .n_label = 2 };

static struct bytes of(const char *s)
{
    return (struct bytes){ (const unsigned char *)s, strlen(s) };
}

/* The weight of an id in a group; 0 when it is not there. */
static double weight(const struct features *f, int group, uint32_t id)
{
    size_t i;

    for (i = f->begin[group]; i < f->begin[group + 1]; i++)
        if (f->f[i].id == id)
            return f->f[i].weight;
    return 0;
}

static void assert_weight(const struct features *f, int group, uint32_t id, double want)
{
    if (fabs(weight(f, group, id) - want) > 1e-6)
        fail_msg("group %d, id %u: %f, not %f", group, id, weight(f, group, id), want);
}

static size_t number(const struct features *f, int group)
{
    return f->begin[group + 1] - f->begin[group];
}

static uint32_t hashed(const char *s, uint32_t ids)
{
    return ngram_hash((const unsigned char *)s, strlen(s)) % ids;
}

static void kinds(void **state)
{
    struct feature_room *r = feature_room_new(&shape);
    struct features f;

    (void)state;    // 2 + 3 + 4 + 1 letters, and a mark
    assert_int_equal(feature_find(r, of("Ab, αβγ 日の한カ e\xCC\x81!"), 0, 1000, &f), 1);
    assert_weight(&f, 1, 1, 3.0 / 11);    // one byte
    assert_weight(&f, 1, 2, 1.0 / 11);    // the mark
    assert_weight(&f, 1, 3, 2.0 / 11);    // Han; Hangul but for its Jamo
    assert_weight(&f, 1, 5, 3.0 / 11);
    assert_weight(&f, 1, 10, 1.0 / 11);
    assert_weight(&f, 1, 11, 1.0 / 11);
    assert_int_equal(number(&f, 1), 6);
    assert_weight(&f, 2, SCRIPT_LATIN, 1);
    assert_int_equal(number(&f, 2), 1);
    assert_weight(&f, 3, SCRIPT_LATIN, 3.0 / 11);
    assert_weight(&f, 3, 2, 3.0 / 11);
    assert_weight(&f, 3, SCRIPT_HAN, 1.0 / 11);
    assert_weight(&f, 3, SCRIPT_HIRAGANA, 1.0 / 11);
    assert_weight(&f, 3, SCRIPT_KATAKANA, 1.0 / 11);
    assert_weight(&f, 3, SCRIPT_HANGUL, 1.0 / 11);
    assert_weight(&f, 3, SCRIPT_INHERITED, 1.0 / 11);
    assert_int_equal(number(&f, 3), 7);
    assert_weight(&f, 4, hashed("ab", 5000), 0.25);
    assert_weight(&f, 4, hashed("日の한カ", 5000), 0.25);
    assert_int_equal(number(&f, 4), 4);
    feature_room_free(r);
}

static void none_of_a_kind(void **state)
{
    static const struct langid_shape fours = { .group = { { LANGID_CHARS, 4, 100, 1 },
                                                          { LANGID_CHARS, 8, 100, 1 } },
                                               .n_group = 2,
                                               .hidden = 1,
                                               .n_label = 2 };
    struct feature_room *r = feature_room_new(&fours);
    struct features f;

    (void)state;
    assert_int_equal(feature_find(r, of("ab cd"), 0, 1000, &f), 1);
    assert_int_equal(number(&f, 0), 2);
    assert_int_equal(number(&f, 1), 0);
    feature_room_free(r);
}

static void least_and_most(void **state)
{
    struct feature_room *r = feature_room_new(&shape);
    struct features f;

    (void)state;
    assert_int_equal(feature_find(r, of("abcd efgh"), 11, 1000, &f), 1);    // " abcd efgh "
    assert_int_equal(feature_find(r, of("abcd efgh"), 12, 1000, &f), 0);
    assert_int_equal(feature_find(r, of("abcd efgh"), 0, 4, &f), 1);    // five pieces of none
    assert_int_equal(feature_find(r, of("123 \xFF abc"), 0, 1000, &f), 0);
    assert_int_equal(feature_find(r, (struct bytes){ NULL, 0 }, 0, 1000, &f), 0);
    assert_int_equal(feature_find(r, of("abcd efgh"), 0, 0, &f), 0);
    feature_room_free(r);
}

static void used_again(void **state)
{
    struct feature_room *r = feature_room_new(&shape), *fresh = feature_room_new(&shape);
    struct features f, g;
    size_t n = 50000, i;
    char *text = malloc(n);

    (void)state;
    for (i = 0; i < n; i++)    // long, and more than a text that comes after
        text[i] = "abcdefghijklmnopqrstuvwxyz "[(i * i / 7 + i * 3) % 27];
    assert_int_equal(feature_find(r, (struct bytes){ (unsigned char *)text, n }, 0, 10000, &f), 1);
    assert_int_equal(feature_find(r, (struct bytes){ (unsigned char *)text, n }, 0, n, &f), 1);
    assert_int_equal(feature_find(r, of("to be or not"), 0, 100, &f), 1);
    assert_int_equal(feature_find(fresh, of("to be or not"), 0, 100, &g), 1);
    assert_memory_equal(f.begin, g.begin, sizeof(*f.begin) * 6);
    assert_memory_equal(f.f, g.f, f.begin[5] * sizeof(*f.f));
    free(text);
    feature_room_free(r);
    feature_room_free(fresh);
}

TESTS("langid/feature", cmocka_unit_test(kinds), cmocka_unit_test(none_of_a_kind),
      cmocka_unit_test(least_and_most), cmocka_unit_test(used_again))
