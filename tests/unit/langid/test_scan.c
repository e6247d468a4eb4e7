/* test_scan.c - letters and their spans, the squeeze, snippets: by hand, and fast against plain. */
#include "../test.h"

#include <stdlib.h>

#include "langid/scan.h"
#include "langid/script.h"
#include "text.h"

static struct bytes of(const char *s)
{
    return (struct bytes){ (const unsigned char *)s, strlen(s) };
}

static void assert_text(const struct buf *b, const char *want)
{
    assert_int_equal(b->n, strlen(want));
    assert_memory_equal(b->p, want, b->n);
}

static void clean(const char *text, const char *want)
{
    struct buf b = { 0 };

    scan_clean(&b, of(text), 10000);
    assert_text(&b, want);
    buf_reset(&b);
    scan_clean_plain(&b, of(text), 10000);
    assert_text(&b, want);
    buf_release(&b);
}

static void spans(void **state)
{
    (void)state;
    clean("Hello,  World 42!", " hello world ");
    clean("...a1b", " a b ");
    clean("", "");
    clean("42 \xF0\x9F\x98\x80", "");
    clean("abc Αβ", " abc  αβ ");       // a word of another script
    clean("abαcd", " abαcd ");          // one letter of it
    clean("abααcd", " ab  αα  cd ");    // two: and then c is not alone either
    clean("abα.", " abα ");
    clean("abαж.", " ab  αж ");
    clean("ab жc", " ab  жc ");
    clean("áb ´", " áb ");    // marks go along, accents of their own do not
    clean("日の한 ㄅ", " 日の한  ㄅ ");
    clean("İI Ⱥẞ", " ii ⱥß ");
    clean("Ꭰ", " Ꭰ ");    // Cherokee had one case
}

static void ends(void **state)
{
    struct buf b = { 0 };

    (void)state;
    clean("ab\x01 cd", " ab ");
    clean("ab\xC3(", " ab ");
    clean("ab\xED\xA0\x80 cd", " ab ");
    clean("ab\xEF\xBF\xBE cd", " ab ");
    scan_clean(&b, (struct bytes){ (const unsigned char *)"ab\0cd", 5 }, 10000);
    assert_text(&b, " ab ");
    buf_reset(&b);
    scan_clean(&b, of("ab\xC3\xA4"), 3);    // in the middle of a character
    assert_text(&b, " ab ");
    buf_reset(&b);
    scan_clean(&b, of("ab\xCE\xB1\xD0\xB6"), 4);    // one looks ahead past the cut
    assert_text(&b, " ab  \xCE\xB1 ");
    buf_release(&b);
}

static void same_as_plain(void **state)
{
    struct buf text = { 0 }, fast = { 0 }, plain = { 0 };
    uint64_t seed;

    (void)state;
    for (seed = 0; seed < 2000; seed++) {
        struct rng r = rng_at(7, seed);
        unsigned char *exact;
        size_t max;

        text_make(&text, seed);
        max = rng_below(&r, 4) ? 10000 : (size_t)rng_below(&r, text.n + 1);
        exact = xmalloc(text.n + 1);    // so that a sanitizer sees where it ends
        memcpy(exact, text.p, text.n);
        exact = xrealloc(exact, text.n ? text.n : 1);
        buf_reset(&fast);
        buf_reset(&plain);
        scan_clean(&fast, (struct bytes){ exact, text.n }, max);
        scan_clean_plain(&plain, (struct bytes){ exact, text.n }, max);
        assert_int_equal(fast.n, plain.n);
        assert_memory_equal(fast.p, plain.p, plain.n);
        buf_need(&fast, fast.n + SCAN_PAD);
        memset(fast.p + fast.n, 0, SCAN_PAD);
        buf_need(&plain, plain.n + SCAN_PAD);
        memset(plain.p + plain.n, 0, SCAN_PAD);
        fast.n = scan_squeeze(fast.p, fast.n);
        plain.n = scan_squeeze_plain(plain.p, plain.n);
        assert_int_equal(fast.n, plain.n);
        assert_memory_equal(fast.p, plain.p, plain.n);
        free(exact);
    }
    buf_release(&text);
    buf_release(&fast);
    buf_release(&plain);
}

static void squeeze(void **state)
{
    char once[] = " every word of this line is said a single time here because nobody repeats it "
                  "\0\0\0\0\0\0\0",
         again[1000] = "";
    size_t n = strlen(once);
    int i;

    (void)state;
    assert_int_equal(scan_squeeze((unsigned char *)once, n), n);
    for (i = 0; i < 10; i++)
        strcat(again, " the same words again");
    n = scan_squeeze((unsigned char *)again, strlen(again));
    assert_int_equal(n, 17);
    assert_memory_equal(again, " same words again", n);
}

static void snippets(void **state)
{
    struct buf b = { 0 };
    char text[121];
    int i;

    (void)state;
    scan_snippets(&b, of("short"), 5);
    assert_text(&b, "short");
    buf_reset(&b);
    for (i = 0; i < 120; i++)
        text[i] = (char)('a' + i / 10);
    text[120] = 0;
    scan_snippets(&b, of(text), 60);    // 10 left out, 12 taken
    assert_text(&b, "bbbbbbbbbbcc ddddddddeeee ffffffgggggg hhhhiiiiiiii jjkkkkkkkkkk ");
    buf_reset(&b);
    scan_snippets(&b, of("\xC3\xA4\xC3\xB6\xC3\xBC\xC3\xA4\xC3\xB6\xC3\xBC"), 11);    // whole ones
    assert_text(&b, "\xC3\xA4 \xC3\xB6 \xC3\xBC \xC3\xA4 \xC3\xB6 ");
    buf_release(&b);
}

static void first_script(void **state)
{
    (void)state;
    assert_int_equal(scan_first_script(of(" abc \xD0\xB6 ")), SCRIPT_LATIN);
    assert_int_equal(scan_first_script(of("  ")), SCRIPT_COMMON);
    assert_int_equal(scan_first_script(of("")), SCRIPT_COMMON);
    assert_int_equal(scan_first_script(of(" \xE6\x97\xA5\xE3\x81\xAE ")), SCRIPT_HAN);
    assert_int_equal(scan_first_script(of(" \xED\x95\x9C\xEA\xB5\xAD \xE6\x97\xA5 ")),
                     SCRIPT_HANGUL);
    assert_int_equal(scan_first_script(of(" \xED\x95\x9C \xE6\x97\xA5 ")), SCRIPT_HAN);
}

TESTS("langid/scan", cmocka_unit_test(spans), cmocka_unit_test(ends),
      cmocka_unit_test(same_as_plain), cmocka_unit_test(squeeze), cmocka_unit_test(snippets),
      cmocka_unit_test(first_script))
