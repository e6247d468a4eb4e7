/* test_weights.c - files are as files.xxh128 says: those that are read, and no others. */
#include "../test.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "checkpoint/sums.h"
#include "checkpoint/weights.h"
#include "io/out.h"
#include "tensors/tensors.h"

static struct err err;
static const char *const names[] = { "d/config.json", "d/model-shared.safetensors",
                                     "d/expert-00002.safetensors" };

static void write_file(const char *path, const char *name)
{
    static const float x[2] = { 1, 2 };
    struct tensor t = {
        .name = name, .type = TENSOR_F32, .n_dim = 1, .dim = { 2 }, .data = x, .n = 2
    };

    assert_int_equal(tensors_write(path, &t, 1, NULL, &err), 0);
}

static void write_sums(int n)
{
    struct out *o = out_open("d/files.xxh128", &err);
    struct sum sum;
    int i;

    assert_non_null(o);
    for (i = 0; i < n; i++)
        assert_true(sum_file(names[i], &sum, &err) == 0 && sums_put(o, names[i], &sum, &err) == 0);
    assert_int_equal(out_close(o, &err), 0);
}

static int set_up(void **state)
{
    FILE *f;

    (void)state;
    mkdir("d", 0700);
    f = fopen(names[0], "w");
    assert_non_null(f);
    fputs("{}\n", f);
    assert_int_equal(fclose(f), 0);
    write_file(names[1], "shared.weight");
    write_file(names[2], "encoder.block.1.layer.1.mlp.experts.expert_2.wi.weight");
    unlink("d/files.xxh128");
    return 0;
}

static int check(int first, int end)
{
    struct tensors *t = tensors_open("d", &err);
    int rc;

    assert_non_null(t);
    rc = weights_check(t, "d", first, end, &err);
    tensors_close(t);
    return rc;
}

/* Another last byte. */
static void flip(const char *path)
{
    FILE *f = fopen(path, "r+b");
    int c;

    assert_non_null(f);
    fseek(f, -1, SEEK_END);
    c = fgetc(f);
    fseek(f, -1, SEEK_END);
    fputc(c ^ 1, f);
    assert_int_equal(fclose(f), 0);
}

static void test_sound(void **state)
{
    (void)state;
    assert_int_equal(check(0, INT_MAX), 0);    // no sums
    write_sums(3);
    assert_int_equal(check(0, INT_MAX), 1);
    write_sums(2);
    assert_int_equal(check(0, 2), 1);
    assert_int_equal(check(0, 3), -1);    // expert 2 is not among them
    assert_non_null(strstr(err.msg, "expert-00002.safetensors: not in d/files.xxh128"));
}

static void test_changed(void **state)
{
    int i;

    for (i = 0; i < 3; i++) {
        set_up(state);
        write_sums(3);
        flip(names[i]);
        assert_int_equal(check(0, 3), -1);
        if (strncmp(err.msg, names[i], strlen(names[i])) != 0)
            fail_msg("%s, not of %s", err.msg, names[i]);
        assert_int_equal(check(0, 2), i == 2 ? 1 : -1);    // without the expert
        assert_int_equal(check(3, 8), i == 2 ? 1 : -1);
    }
}

TESTS("checkpoint/weights", cmocka_unit_test_setup(test_sound, set_up),
      cmocka_unit_test(test_changed))
