/* base/share: $SWITCHYARD_SHARE comes first, and what is not there is NULL. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "../test.h"
#include "base/share.h"

static void test_find(void **state)
{
    char *path;
    FILE *f;

    (void)state;
    assert_int_equal(mkdir("s", 0700), 0);
    f = fopen("s/name", "w");
    assert_non_null(f);
    fclose(f);
    setenv("SWITCHYARD_SHARE", "s", 1);
    path = share_find("name");
    assert_string_equal(path, "s/name");
    free(path);
    assert_null(share_find("other"));
    setenv("SWITCHYARD_SHARE", "", 1);    // empty: as if it were not set
    assert_null(share_find("name"));
}

TESTS("base/share", cmocka_unit_test(test_find))
