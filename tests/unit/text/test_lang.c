/* test_lang.c - labels, aliases and codes. */
#include "../test.h"

#include <stdio.h>

#include "text/lang.h"

static struct bytes of(const char *s)
{
    return (struct bytes){ (const unsigned char *)s, strlen(s) };
}

static const char *label(const struct lang *l)
{
    return l ? l->label : "none";
}

static void tags(void **state)
{
    static const char *const pair[][2] = {
        { "en", "en" },
        { "EN-us", "en" },
        { "en_GB.UTF-8", "en" },
        { "he", "iw" },
        { "he-IL", "iw" },
        { "heb", "iw" },
        { "nb", "no" },
        { "nn_NO", "no" },
        { "tl", "fil" },
        { "jw", "jv" },
        { "zh-Hant-TW", "zh" },
        { "zh_CN", "zh" },
        { "cmn", "zh" },
        { "zh-Latn", "zh-Latn" },
        { "zh-latn-CN", "zh-Latn" },
        { "rus-Latn", "ru-Latn" },
        { "rus_Cyrl", "ru" },
        { "sr-Latn", "sr" },
        { "hi-x-Latn", "hi" },
        { "und", "und" },
        { "zxx", "zxx" },
        { "hr", "none" },
        { "", "none" },
        { "-", "none" },
        { "e", "none" },
        { "enx", "none" },
        { "en-", "en" },
        { "\xFF", "none" },
        { "eng fra", "none" },
        { "haw", "haw" },
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(pair) / sizeof(pair[0]); i++)
        if (strcmp(label(lang_find(of(pair[i][0]))), pair[i][1]))
            fail_msg("%s is %s, not %s", pair[i][0], label(lang_find(of(pair[i][0]))), pair[i][1]);
}

static void iso3(void **state)
{
    static const char *const pair[][2] = {
        { "eng", "en" },  { "zho", "zh" },   { "cmn", "zh" },  { "nob", "no" }, { "nno", "no" },
        { "nor", "no" },  { "heb", "iw" },   { "ger", "de" },  { "deu", "de" }, { "jav", "jv" },
        { "tgl", "fil" }, { "hrv", "none" }, { "en", "none" }, { "", "none" },  { "engl", "none" },
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(pair) / sizeof(pair[0]); i++)
        assert_string_equal(label(lang_from_iso3(of(pair[i][0]))), pair[i][1]);
}

/* Every name of every row leads back to it, so that none is in two rows. */
static void no_two_rows_share_a_name(void **state)
{
    char word[64];
    int i, n, inside = 0;

    (void)state;
    for (i = 0; i < n_lang; i++) {
        const char *list[2] = { langs[i].iso3, langs[i].also };

        assert_ptr_equal(lang_find(of(langs[i].label)), &langs[i]);
        inside += lang_in_mc4(&langs[i]);
        for (n = 0; n < 2; n++)
            while (sscanf(list[n], "%63s", word) == 1) {
                assert_ptr_equal(lang_find(of(word)), &langs[i]);
                list[n] += strspn(list[n], " ");
                list[n] += strcspn(list[n], " ");
            }
    }
    assert_int_equal(inside, 107);
    assert_false(lang_in_mc4(NULL) || lang_is(NULL, "en"));
}

TESTS("text/lang", cmocka_unit_test(tags), cmocka_unit_test(iso3),
      cmocka_unit_test(no_two_rows_share_a_name))
