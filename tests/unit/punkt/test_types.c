/* test_types.c - a set of strings, numbered as they came. */
#include "../test.h"

#include <stdio.h>

#include "punkt/types.h"

static struct bytes name(char *room, unsigned i)
{
    int n = sprintf(room, "%u", i * 2654435761u);

    return (struct bytes){ (unsigned char *)room, (size_t)n };
}

static void numbers(void **state)
{
    enum { N = 10000 };
    struct types *t = types_new();
    char room[32];
    unsigned i;

    (void)state;
    for (i = 0; i < N; i++) {
        assert_int_equal(types_find(t, name(room, i)), TYPE_NONE);
        assert_int_equal(types_add(t, name(room, i)), i);
        assert_int_equal(types_add(t, name(room, i / 2)), i / 2);
    }
    assert_int_equal(types_count(t), N);
    for (i = 0; i < N; i++) {
        struct bytes s = types_get(t, i);

        assert_int_equal(types_find(t, name(room, i)), i);
        assert_memory_equal(s.p, room, s.n);
    }
    types_free(t);
    types_free(NULL);
}

static void any_bytes(void **state)
{
    struct types *t = types_new();

    (void)state;
    assert_int_equal(types_add(t, (struct bytes){ (const unsigned char *)"a\0b", 3 }), 0);
    assert_int_equal(types_add(t, (struct bytes){ (const unsigned char *)"a\0c", 3 }), 1);
    assert_int_equal(types_add(t, (struct bytes){ (const unsigned char *)"", 0 }), 2);
    assert_int_equal(types_find(t, (struct bytes){ (const unsigned char *)"a", 1 }), TYPE_NONE);
    assert_int_equal(types_find(t, (struct bytes){ (const unsigned char *)"", 0 }), 2);
    types_free(t);
}

TESTS("punkt/types", cmocka_unit_test(numbers), cmocka_unit_test(any_bytes))
