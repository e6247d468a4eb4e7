/* test_token.c - what a text is cut into, and what kind each piece is. */
#include "../test.h"

#include <stdlib.h>

#include "punkt/token.h"

static struct bytes of(const char *s)
{
    return (struct bytes){ (const unsigned char *)s, strlen(s) };
}

/* The tokens of text with a bar between, "/" before one that begins a line, "//" a paragraph. */
static void check_cut(const char *text, const char *want)
{
    struct bytes rest = of(text);
    struct punkt_token t;
    struct buf got = { 0 };

    while (punkt_token_next(&rest, &t)) {
        if (got.n)
            buf_add_byte(&got, '|');
        buf_add_str(&got, t.new_part ? "//" : t.new_line ? "/" : "");
        buf_add(&got, t.s.p, t.s.n);
        assert_int_equal(t.dot, t.s.p[t.s.n - 1] == '.');
    }
    buf_add_byte(&got, 0);
    assert_string_equal((char *)got.p, want);
    buf_release(&got);
}

static void cuts(void **state)
{
    (void)state;
    check_cut("", "");
    check_cut(" \t\n\n", "");
    check_cut("The end.", "The|end.");
    check_cut("(He said: \"no\".)", "(|He|said|:|\"|no|\"|.|)");
    check_cut("so... or . . . or ..5", "so|...|or|. . .|or|..|5");
    check_cut("a--b---c-d -e", "a|--|b|---|c-d|-|e");
    check_cut("1,000, a,b ,c ,,", "1,000|,|a,b|,|c|,|,");
    check_cut("What?!Who? !x", "What|?|!Who|?|!x");
    check_cut("it's 'tis", "it|'s|'tis");
    check_cut("#tag @home &amp; `q`", "#|tag|@|home|&|amp|;|`|q`");
    check_cut("a\xC2\xA0"
              "b\xE2\x80\xA8"
              "c",
              "a|b|c");
    check_cut("one\ntwo\n \n.\n.\n.", "one|/two|//.|/.|/.");
    check_cut("\xFF\xC3 \xE2\x80", "\xFF\xC3|\xE2\x80");
}

static struct punkt_token typed(const char *s, struct buf *room)
{
    struct bytes rest = of(s);
    struct punkt_token t;

    assert_int_equal(punkt_token_next(&rest, &t), 1);
    assert_int_equal(rest.n, 0);
    punkt_token_type(&t, room);
    return t;
}

static void check_type(const char *s, const char *type, const char *bare)
{
    struct buf room = { 0 };
    struct punkt_token t = typed(s, &room);

    assert_int_equal(t.type.n, strlen(type));
    assert_memory_equal(t.type.p, type, t.type.n);
    assert_int_equal(punkt_token_bare(&t).n, strlen(bare));
    assert_int_equal(punkt_token_said(&t).n, strlen(type));
    t.ends = 1;
    assert_int_equal(punkt_token_said(&t).n, strlen(bare));
    buf_release(&room);
}

static void types(void **state)
{
    (void)state;
    check_type("End.", "end.", "end");
    check_type(".", ".", ".");
    check_type("U.S.", "u.s.", "u.s");
    check_type("1,000.5-7.", "##number##", "##number##");
    check_type(".5", "##number##", "##number##");
    check_type("\xD9\xA3.", "##number##", "##number##");
    check_type("5th.", "5th.", "5th");
    check_type("\xCE\xA3\xCE\x91\xCE\xA3.", "\xCF\x83\xCE\xB1\xCF\x82.",
               "\xCF\x83\xCE\xB1\xCF\x82");
}

static void kinds(void **state)
{
    static const struct {
        const char *s;
        int initial, number, ellipsis, upper, lower;
    } want[] = {
        { "J.", 1, 0, 0, 1, 0 },           { "j.", 1, 0, 0, 0, 1 },
        { "\xC3\x96.", 1, 0, 0, 1, 0 },    { "_.", 1, 0, 0, 0, 0 },
        { "\xC2\xB2.", 1, 0, 0, 0, 0 },    // superscript two: a digit, no decimal one
        { "5.", 0, 1, 0, 0, 0 },           { "JJ.", 0, 0, 0, 1, 0 },
        { "...", 0, 0, 1, 0, 0 },          { ". . .", 0, 0, 0, 0, 0 },
        { "\xC7\x85", 0, 0, 0, 0, 0 },    // title case is neither
        { "\xE4\xB8\x80", 0, 0, 0, 0, 0 },
    };
    struct buf room = { 0 };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        struct punkt_token t = typed(want[i].s, &room);

        if (t.initial != want[i].initial || t.number != want[i].number ||
            t.ellipsis != want[i].ellipsis || t.upper != want[i].upper || t.lower != want[i].lower)
            fail_msg("%s", want[i].s);
    }
    buf_release(&room);
}

static void letters(void **state)
{
    (void)state;
    assert_true(punkt_is_letters(of("\xC3\x84rzte_")));
    assert_false(punkt_is_letters(of("a1")));
    assert_false(punkt_is_letters(of("")));
    assert_true(punkt_has_letter(of("1a")));
    assert_false(punkt_has_letter(of("1.2")));
}

TESTS("punkt/token", cmocka_unit_test(cuts), cmocka_unit_test(types), cmocka_unit_test(kinds),
      cmocka_unit_test(letters))
