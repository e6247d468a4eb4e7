/* test_lexicon.c - numbers for strings: each once, in order, and again after a reset. */
#include "../test.h"

#include <stdio.h>

#include "score/lexicon.h"

static struct bytes text(const char *s)
{
    return (struct bytes){ (const unsigned char *)s, strlen(s) };
}

static void test_numbers(void **state)
{
    struct lexicon *l = lexicon_new();
    char name[16];
    uint32_t i;
    int round;

    (void)state;
    for (round = 0; round < 2; round++) {
        assert_int_equal(lexicon_add(l, text("")), 0);
        for (i = 1; i < 1000; i++) {    // far past the first table
            snprintf(name, sizeof(name), "w%u", i);
            assert_int_equal(lexicon_find(l, text(name)), -1);
            assert_int_equal(lexicon_add(l, text(name)), i);
        }
        assert_int_equal(lexicon_add(l, text("w77")), 77);
        assert_int_equal(lexicon_find(l, text("w999")), 999);
        assert_int_equal(lexicon_find(l, (struct bytes){ NULL, 0 }), 0);
        assert_int_equal(lexicon_size(l), 1000);
        assert_memory_equal(lexicon_text(l, 321).p, "w321", 4);
        lexicon_reset(l);
        assert_int_equal(lexicon_size(l), 0);
        assert_int_equal(lexicon_find(l, text("w77")), -1);
    }
    lexicon_free(l);
    lexicon_free(NULL);
}

TESTS("score/lexicon", cmocka_unit_test(test_numbers))
