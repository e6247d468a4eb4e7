/* train/folder: which checkpoints are whole, which go. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../test.h"
#include "base/err.h"
#include "base/mem.h"
#include "checkpoint/folder.h"

static struct err err;

static void put(const char *dir, const char *name)
{
    char *path = xasprintf("%s/%s", dir, name);
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fclose(f);
    free(path);
}

static void make(uint64_t step, int part, int whole)
{
    char *dir = folder_step("run", step, part);

    assert_int_equal(folder_make(dir, &err), 0);
    put(dir, "expert-00000.safetensors");
    if (whole)
        put(dir, "state.json");
    free(dir);
}

static void test_list(void **state)
{
    uint64_t *step;
    char *newest;

    (void)state;
    assert_int_equal(folder_list("run", &step, &err), -1);
    make(100, 0, 1);
    make(99999999, 0, 1);
    make(123456789, 0, 1);    // more digits than the name's width
    make(20000, 0, 0);
    make(300000000, 1, 1);
    assert_int_equal(folder_make("run/step-x", &err), 0);
    assert_int_equal(folder_list("run", &step, &err), 3);
    assert_true(step[0] == 123456789 && step[1] == 99999999 && step[2] == 100);
    free(step);
    put("run/step-123456789", "config.json");
    newest = folder_find("run", &err);
    assert_string_equal(newest, "run/step-123456789");
    free(newest);
    newest = folder_find("run/step-123456789", &err);
    assert_string_equal(newest, "run/step-123456789");
    free(newest);
    assert_null(folder_find("run/step-x", &err));
    assert_non_null(strstr(err.msg, "no checkpoint"));
}

static void test_removal(void **state)
{
    uint64_t *step;

    (void)state;
    assert_int_equal(folder_clear_parts("run", &err), 0);
    assert_int_equal(access("run/step-300000000.part", F_OK), -1);
    assert_int_equal(access("run/step-00020000", F_OK), 0);    // not ours to judge
    assert_int_equal(folder_prune("run", 2, UINT64_MAX, &err), 0);
    assert_int_equal(folder_list("run", &step, &err), 2);
    assert_true(step[1] == 99999999);
    free(step);
    assert_int_equal(access("run/step-00000100", F_OK), -1);
    assert_int_equal(folder_sync("run", &err), 0);
    assert_int_equal(folder_sync("nowhere", &err), -1);
}

/* What stops it half way, here a folder, must not leave what looks like a checkpoint. */
static void test_half_removed(void **state)
{
    (void)state;
    make(5, 0, 1);
    assert_int_equal(folder_make("run/step-00000005/folder", &err), 0);
    assert_int_equal(folder_prune("run", 2, UINT64_MAX, &err), -1);
    assert_int_equal(access("run/step-00000005", F_OK), -1);
    assert_int_equal(rmdir("run/step-00000005.part/folder"), 0);
    assert_int_equal(folder_clear_parts("run", &err), 0);
    assert_int_equal(access("run/step-00000005.part", F_OK), -1);
}

static void test_make(void **state)
{
    struct stat st;

    (void)state;
    assert_int_equal(folder_make("a/b/c/", &err), 0);
    assert_int_equal(stat("a/b/c", &st), 0);
    put("a", "file");
    assert_int_equal(folder_make("a/file/d", &err), -1);
}

TESTS("checkpoint/folder", cmocka_unit_test(test_list), cmocka_unit_test(test_removal),
      cmocka_unit_test(test_half_removed), cmocka_unit_test(test_make))
