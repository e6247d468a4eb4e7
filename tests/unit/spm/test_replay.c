/* test_replay.c - the fuzz target of model files on inputs that are kept: tests/data/fuzz/model. */
#define _GNU_SOURCE    // fuzz.h
#include <dirent.h>

#include "../../fuzz/fuzz_model.c"
#include "../test.h"

static void replay(const char *path)
{
    static uint8_t data[1 << 16];
    FILE *f = fopen(path, "rb");
    size_t n;

    assert_non_null(f);
    n = fread(data, 1, sizeof(data), f);
    fclose(f);
    assert_true(n > 2 && n < sizeof(data));
    LLVMFuzzerTestOneInput(data, n);
}

static void kept_inputs_do_no_harm(void **state)
{
    char *folder = xasprintf("%s/fuzz/model", test_data), *path;
    DIR *d = opendir(folder);
    struct dirent *at;
    int n = 0;

    (void)state;
    assert_non_null(d);
    while ((at = readdir(d)))
        if (*at->d_name != '.') {
            path = xasprintf("%s/%s", folder, at->d_name);
            replay(path);
            free(path);
            n++;
        }
    closedir(d);
    free(folder);
    assert_true(n >= 10);
}

TESTS("spm/replay", cmocka_unit_test(kept_inputs_do_no_harm))
