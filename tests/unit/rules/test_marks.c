/* test_marks.c - what may end a line, by each of the sets. */
#include "../test.h"

#include "rules/marks.h"

static int end(const char *line, enum end_marks marks)
{
    return marks_end((struct bytes){ (const unsigned char *)line, strlen(line) }, marks);
}

static void of_c4(void **state)
{
    static const char *const good[] = { "a.", "a?", "a!", "a\"", ".", "..", "a.." };
    static const char *const bad[] = { "",    "a",  "a...", "a....",
                                       "...", "a'", "a.)",  "a.\xE2\x80\x9D" };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(good) / sizeof(*good); i++)
        assert_true(end(good[i], MARKS_C4) && end(good[i], MARKS_DATATROVE) &&
                    end(good[i], MARKS_ALL));
    for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(end(bad[i], MARKS_C4));
    assert_true(end("a'", MARKS_DATATROVE));
    assert_false(end("a.)", MARKS_DATATROVE));
    assert_false(end("\xE3\x80\x82", MARKS_C4) || end("\xE3\x80\x82", MARKS_DATATROVE));
}

/* A mark of each script, alone and with what may stand after it. */
static void of_any_script(void **state)
{
    static const char *const good[] = {
        "\xE6\x98\xAF\xE3\x80\x82",                // ideographic full stop
        "\xE6\x98\xAF\xEF\xBC\x81",                // full width
        "\xE6\x98\xAF\xE3\x80\x82\xE3\x80\x8D",    // a corner bracket after it
        "\xE0\xA4\xB9\xE0\xA5\xA4",                // danda
        "\xD9\x87\xD8\x9F",                        // Arabic question mark
        "\xD9\x87\xDB\x94",                        // Urdu full stop
        "\xE1\x88\x80\xE1\x8D\xA2",                // Ethiopic
        "\xE1\x9E\x80\xE1\x9F\x94",                // Khmer
        "\xE1\x80\x80\xE1\x81\x8B",                // Myanmar
        "\xD5\xA1\xD6\x89",                        // Armenian
        "he said so.)",
        "he said so.\xE2\x80\x9D",
        "he said so.')",
    };
    static const char *const bad[] = {
        "",          "\xE6\x98\xAF", "\xE2\x80\x9D", "a)",           "and so on\xE2\x80\xA6",
        "so on...)", "a'",           "\xE0\xB8\x81", "\xE1\x9F\x97", "\xFF",
        "a\x82",     "a,",
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(good) / sizeof(*good); i++)
        if (!end(good[i], MARKS_ALL))
            fail_msg("%s does not end a line", good[i]);
    for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (end(bad[i], MARKS_ALL))
            fail_msg("%s ends a line", bad[i]);
}

static void how_many(void **state)
{
    uint32_t c;
    int n = 0;

    (void)state;
    for (c = 0; c < 0x120000; c++)
        n += marks_terminal(c);
    assert_true(n >= 159);    // with Unicode 15; later ones have more
}

TESTS("rules/marks", cmocka_unit_test(of_c4), cmocka_unit_test(of_any_script),
      cmocka_unit_test(how_many))
