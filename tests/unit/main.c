/* main.c - the main of every unit test: TAP out, an empty folder to run in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <ftw.h>
#include <unistd.h>

#include "test.h"

/* To sanitizers: memory that is not there is NULL, as without them, and not the end. */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);

const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

const char *__tsan_default_options(void)
{
    return "allocator_may_return_null=1";
}

const char *test_data;
const char *test_shared;

static int drop(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

static char *beside(const char *root, const char *name)
{
    size_t n = strlen(root) + strlen(name) + 2;
    char *p = malloc(n);

    if (p)
        snprintf(p, n, "%s/%s", root, name);
    return p;
}

int main(void)
{
    char work[] = "/tmp/switchyard-test-XXXXXX", root[4096];
    int bad;

    if (!getcwd(root, sizeof(root)) || !mkdtemp(work) || chdir(work))
        return 99;
    test_data = beside(root, "tests/data");
    test_shared = getenv("SWITCHYARD_SHARED");
    if (!test_shared)
        test_shared = beside(root, "../shared");
    cmocka_set_message_output(CM_OUTPUT_TAP);
    bad = _cmocka_run_group_tests(test_group, tests, n_test, NULL, NULL);
    if (chdir("/") == 0)
        nftw(work, drop, 16, FTW_DEPTH | FTW_PHYS);
    return bad;
}
