/* test_script.c - scripts by cld3's numbers, Unicode 6.2, lower case. */
#include "../test.h"

#include "langid/script.h"

static int script(uint32_t c)
{
    return script_of(scripts_get(), c);
}

static uint32_t lower(uint32_t c)
{
    int32_t e = script_entry(scripts_get(), c);

    return c + (uint32_t)((e - (e & 0xFF)) / 256);
}

static void numbers(void **state)
{
    (void)state;
    assert_int_equal(script('a'), SCRIPT_LATIN);
    assert_int_equal(script('1'), SCRIPT_COMMON);
    assert_int_equal(script(0xAA), SCRIPT_LATIN);
    assert_int_equal(script(0xB5), SCRIPT_COMMON);    // micro: a letter of many scripts
    assert_int_equal(script(0x301), SCRIPT_INHERITED);
    assert_int_equal(script(0x3B1), 2);
    assert_int_equal(script(0x436), 3);
    assert_int_equal(script(0x640), SCRIPT_COMMON);
    assert_int_equal(script(0x4E00), SCRIPT_HAN);
    assert_int_equal(script(0x3042), SCRIPT_HAN);
    assert_int_equal(script(0xD55C), SCRIPT_HAN);
    assert_int_equal(script(0x3105), 34);                // Bopomofo stays apart
    assert_int_equal(script(0x116B8), SCRIPT_COMMON);    // Takri of Unicode 12
    assert_int_equal(script(0x11680), 101);
    assert_int_equal(script(0x1E900), SCRIPT_COMMON);    // Adlam is of Unicode 9
}

static void exceptions(void **state)
{
    (void)state;
    assert_int_equal(script(0x953), 9);
    assert_int_equal(script(0x951), SCRIPT_INHERITED);
    assert_int_equal(script(0x309B), SCRIPT_HAN);
    assert_int_equal(script(0x30A0), SCRIPT_HAN);
    assert_int_equal(script(0x30FC), SCRIPT_COMMON);
    assert_int_equal(script(0xA9CF), 84);
}

static void not_fit(void **state)
{
    static const uint32_t bad[] = { 0,      8,      0xB,    0x1F,    0x7F,
                                    0x80,   0x9F,   0xD800, 0xDFFF,  0xFDD0,
                                    0xFDEF, 0xFFFE, 0xFFFF, 0x1FFFE, 0x10FFFF },
                          good[] = { 9,      0xA,    0xC,    0xD,     0xA0,    0xE000,
                                     0xFDCF, 0xFDF0, 0xFFFD, 0x10000, 0x10FFFD };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(script(bad[i]), SCRIPT_NONE);
    for (i = 0; i < sizeof(good) / sizeof(*good); i++)
        assert_int_not_equal(script(good[i]), SCRIPT_NONE);
}

static void cases(void **state)
{
    (void)state;
    assert_int_equal(lower('Q'), 'q');
    assert_int_equal(lower(0x130), 'i');
    assert_int_equal(lower(0x23A), 0x2C65);
    assert_int_equal(lower(0x1E9E), 0xDF);
    assert_int_equal(lower(0x13A0), 0x13A0);
    assert_int_equal(lower(0x10400), 0x10428);
    assert_int_equal(lower(0x10A0), 0x2D00);
}

static void han(void **state)
{
    (void)state;
    assert_int_equal(script_split_han(0x4E00), SCRIPT_HAN);
    assert_int_equal(script_split_han(0x3042), SCRIPT_HIRAGANA);
    assert_int_equal(script_split_han(0x30AB), SCRIPT_KATAKANA);
    assert_int_equal(script_split_han(0xFF71), SCRIPT_KATAKANA);
    assert_int_equal(script_split_han(0xFFA1), SCRIPT_HANGUL);
    assert_int_equal(script_split_han(0x1100), SCRIPT_HANGUL);
}

TESTS("langid/script", cmocka_unit_test(numbers), cmocka_unit_test(exceptions),
      cmocka_unit_test(not_fit), cmocka_unit_test(cases), cmocka_unit_test(han))
