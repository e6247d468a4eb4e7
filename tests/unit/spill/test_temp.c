/* test_temp.c - what was written comes back, what was not does not; a folder that is none. */
#include "../test.h"

#include "base/err.h"
#include "spill/temp.h"

static void reads_what_it_wrote(void **state)
{
    struct temp t;
    struct err err;
    char got[4];

    (void)state;
    temp_init(&t, ".");
    assert_int_equal(temp_write(&t, "abcdef", 6, &err), 0);
    assert_int_equal(temp_write(&t, "gh", 2, &err), 0);
    assert_int_equal(t.size, 8);
    assert_int_equal(temp_read(&t, 4, got, 4, &err), 0);
    assert_memory_equal(got, "efgh", 4);
    temp_release(&t);
}

static void says_what_is_not_there(void **state)
{
    struct temp t;
    struct err err;
    char got[4];

    (void)state;
    temp_init(&t, ".");
    assert_int_equal(temp_write(&t, "abc", 3, &err), 0);
    assert_int_equal(temp_read(&t, 0, got, 4, &err), -1);
    assert_string_equal(err.msg, ".: temporary file: not read: cut short");
    temp_release(&t);
}

static void is_made_at_the_first_write(void **state)
{
    struct temp t;
    struct err err;

    (void)state;
    temp_init(&t, "no/such");
    assert_int_equal(temp_write(&t, NULL, 0, &err), -1);
    assert_string_equal(err.msg,
                        "no/such: temporary file: cannot be made: No such file or directory");
    temp_release(&t);
}

TESTS("spill/temp", cmocka_unit_test(reads_what_it_wrote), cmocka_unit_test(says_what_is_not_there),
      cmocka_unit_test(is_made_at_the_first_write))
