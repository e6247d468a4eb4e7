/* io/tensors: what is written is read; every kind of damage is refused. */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../test.h"
#include "base/err.h"
#include "tensors/tensors.h"

static struct err err;

/* A file with the given header text and n bytes of data. */
static void make(const char *path, const char *header, size_t n)
{
    FILE *f = fopen(path, "wb");
    uint64_t len = strlen(header);
    size_t i;

    assert_non_null(f);
    fwrite(&len, 8, 1, f);
    fwrite(header, 1, len, f);
    for (i = 0; i < n; i++)
        fputc((int)i, f);
    assert_int_equal(fclose(f), 0);
}

static void refused(const char *header, size_t n, const char *why)
{
    make("x", header, n);
    assert_null(tensors_open("x", &err));
    if (!strstr(err.msg, why))
        fail_msg("'%s' does not say '%s'", err.msg, why);
}

static void test_round_trip(void **state)
{
    static const float f[6] = { 1, -2, 0.5f, INFINITY, 1e-40f, 0 };
    static const int32_t i[2] = { 7, -7 };
    static const char *const meta[] = { "format", "pt", "note", "a \"b\"", NULL };
    struct tensor t[] = {
        { "z", TENSOR_F32, 2, { 2, 3 }, f, 6 },
        { "a", TENSOR_I32, 1, { 2 }, i, 2 },
        { "empty", TENSOR_F32, 2, { 0, 5 }, f, 0 },
        { "one", TENSOR_F32, 0, { 0 }, f, 1 },
    };
    struct tensors *r;
    float got[6];
    int32_t whole[2];
    unsigned char head[8];
    FILE *raw;

    (void)state;
    assert_int_equal(tensors_write("f.safetensors", t, 4, meta, &err), 0);
    assert_int_equal(access("f.safetensors.part", F_OK), -1);
    r = tensors_open("f.safetensors", &err);
    assert_non_null(r);
    assert_int_equal(tensors_n(r), 4);
    assert_string_equal(tensors_at(r, 0)->name, "a");
    assert_string_equal(tensors_at(r, 3)->name, "z");
    assert_int_equal(tensors_find(r, "z")->n_dim, 2);
    assert_int_equal(tensors_find(r, "z")->dim[1], 3);
    assert_null(tensors_find(r, "zz"));
    assert_string_equal(tensors_meta(r, "note"), "a \"b\"");
    assert_null(tensors_meta(r, "nothing"));
    assert_int_equal(tensor_copy_f32(tensors_find(r, "z"), got, 6, &err), 0);
    assert_memory_equal(got, f, sizeof(f));
    assert_int_equal(tensor_copy_i32(tensors_find(r, "a"), whole, 2, &err), 0);
    assert_memory_equal(whole, i, sizeof(i));
    assert_int_equal(tensor_copy_f32(tensors_find(r, "one"), got, 1, &err), 0);
    assert_int_equal(tensor_copy_f32(tensors_find(r, "z"), got, 5, &err), -1);
    assert_int_equal(tensor_copy_f32(tensors_find(r, "a"), got, 2, &err), -1);
    assert_int_equal(tensor_copy_i32(tensors_find(r, "z"), whole, 6, &err), -1);
    tensors_close(r);
    raw = fopen("f.safetensors", "rb");
    assert_int_equal(fread(head, 1, 8, raw), 8);
    fclose(raw);
    assert_int_equal(head[0] % 8, 0);    // the data starts aligned
}

static void test_order_does_not_matter(void **state)
{
    static const float f[3] = { 1, 2, 3 };
    struct tensor ab[] = { { "a", TENSOR_F32, 1, { 1 }, f, 1 },
                           { "b", TENSOR_F32, 1, { 2 }, f + 1, 2 } };
    struct tensor ba[] = { ab[1], ab[0] };

    (void)state;
    assert_int_equal(tensors_write("1", ab, 2, NULL, &err), 0);
    assert_int_equal(tensors_write("2", ba, 2, NULL, &err), 0);
    assert_int_equal(system("cmp 1 2"), 0);
    ba[0].name = "a";
    assert_int_equal(tensors_write("3", ba, 2, NULL, &err), -1);
}

static void test_widening(void **state)
{
    static const uint16_t half[] = { 0x3C00, 0xC000, 0x0001, 0x8000, 0x7BFF, 0x7C00, 0x03FF };
    static const float want[] = { 1, -2, 0x1p-24f, -0.0f, 65504, INFINITY, 0x3FFp-24f };
    static const uint16_t brain[] = { 0x3F80, 0xC000, 0x7F80, 0x0001, 0, 0, 0 };
    static const int64_t big[] = { -5, (int64_t)1 << 40 };
    struct tensor t[] = { { "h", TENSOR_F16, 1, { 7 }, half, 7 },
                          { "b", TENSOR_BF16, 1, { 7 }, brain, 7 },
                          { "i", TENSOR_I64, 1, { 2 }, big, 2 } };
    float got[7];
    int32_t whole[2];

    (void)state;
    assert_int_equal(tensor_copy_f32(&t[0], got, 7, &err), 0);
    assert_memory_equal(got, want, sizeof(want));
    assert_int_equal(tensor_copy_f32(&t[1], got, 7, &err), 0);
    assert_true(got[0] == 1 && got[1] == -2 && isinf(got[2]) && got[3] > 0);
    assert_int_equal(tensor_copy_i32(&t[2], whole, 2, &err), -1);
    t[2].n = 1;
    assert_int_equal(tensor_copy_i32(&t[2], whole, 1, &err), 0);
    assert_int_equal(whole[0], -5);
}

/* Headers of others are not padded: their numbers lie anywhere. */
static void test_unaligned(void **state)
{
    struct tensors *r;
    int32_t got;

    (void)state;
    make("x", "{\"u\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[0,4]}} ", 4);
    r = tensors_open("x", &err);
    assert_non_null(r);
    assert_int_equal(tensor_copy_i32(tensors_find(r, "u"), &got, 1, &err), 0);
    assert_int_equal(got, 0x03020100);
    tensors_close(r);
}

#define ENTRY(name, shape, from, to)                                                               \
    "\"" name "\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" from "," to "]}"

static void test_damage(void **state)
{
    (void)state;
    refused("{" ENTRY("a", "[2]", "0", "4") "}", 4, "4 bytes for a shape of 8");
    refused("{" ENTRY("a", "[2]", "0", "8") "}", 7, "not a range");
    refused("{" ENTRY("a", "[2]", "0", "8") "}", 9, "after the last tensor");
    refused("{" ENTRY("a", "[2]", "0", "8") "," ENTRY("b", "[2]", "4", "12") "}", 12, "overlaps");
    refused("{" ENTRY("a", "[1]", "0", "4") "," ENTRY("b", "[1]", "8", "12") "}", 12, "gap");
    refused("{" ENTRY("a", "[1]", "0", "4") "," ENTRY("a", "[1]", "4", "8") "}", 8, "duplicate");
    refused("{" ENTRY("a", "[-1]", "0", "4") "}", 4, "senseless shape");
    refused("{" ENTRY("a", "[1.5]", "0", "4") "}", 4, "senseless shape");
    refused("{" ENTRY("a", "[4611686018427387904,4]", "0", "0") "}", 0, "senseless shape");
    refused("{" ENTRY("a", "[1,1,1,1,1,1,1,1,1]", "0", "4") "}", 4, "at most 8");
    refused("{" ENTRY("a", "[1]", "4", "0") "}", 4, "not a range");
    refused("{" ENTRY("a", "[1]", "-4", "0") "}", 4, "not a range");
    refused("{" ENTRY("a", "[1]", "0", "18446744073709551615") "}", 4, "header");
    refused("{\"a\":{\"dtype\":\"F99\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "F99");
    refused("{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "dtype");
    refused("{\"a\":3}", 0, "dtype");
    refused("{\"__metadata__\":3}", 0, "__metadata__");
    refused("{\"__metadata__\":{\"a\":3}}", 0, "not a string");
    refused("[]", 0, "not an object");
    refused("{", 0, "header");
    refused("", 0, "header");
}

static void test_length_damage(void **state)
{
    static const uint64_t lengths[] = { 9, (uint64_t)1 << 40, UINT64_MAX, UINT64_MAX - 7 };
    size_t i;
    FILE *f;

    (void)state;
    for (i = 0; i < 4; i++) {
        f = fopen("x", "wb");
        fwrite(&lengths[i], 8, 1, f);
        fputs("{}      ", f);
        fclose(f);
        assert_null(tensors_open("x", &err));
        assert_non_null(strstr(err.msg, "header of"));
    }
    f = fopen("x", "wb");
    fputs("1234567", f);
    fclose(f);
    assert_null(tensors_open("x", &err));
    assert_null(tensors_open("/dev/null", &err));
    assert_null(tensors_open("nowhere", &err));
    assert_non_null(strstr(err.msg, "nowhere"));
}

/* A cut at any byte is noticed. */
static void test_cuts(void **state)
{
    static const float f[4] = { 1, 2, 3, 4 };
    struct tensor t = { "t", TENSOR_F32, 1, { 4 }, f, 4 };
    struct stat st;
    off_t n;

    (void)state;
    assert_int_equal(tensors_write("x", &t, 1, NULL, &err), 0);
    assert_int_equal(stat("x", &st), 0);
    for (n = st.st_size - 1; n >= 0; n--) {
        assert_int_equal(truncate("x", n), 0);
        assert_null(tensors_open("x", &err));
    }
}

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void test_folder(void **state)
{
    static const char *const header = "{" ENTRY("b", "[1]", "0", "4") "}";
    struct tensors *r;

    (void)state;
    assert_int_equal(mkdir("d", 0700), 0);
    assert_null(tensors_open("d", &err));
    make("d/1.safetensors", "{" ENTRY("a", "[1]", "0", "4") "}", 4);
    make("d/2.safetensors", header, 4);
    r = tensors_open("d", &err);
    assert_non_null(r);
    assert_int_equal(tensors_n(r), 2);
    tensors_close(r);
    make("d/3.safetensors", header, 4);
    assert_null(tensors_open("d", &err));
    assert_non_null(strstr(err.msg, "twice"));
    put("d/model.safetensors.index.json", "{\"weight_map\":{\"b\":\"3.safetensors\"}}");
    r = tensors_open("d", &err);
    assert_non_null(r);
    assert_int_equal(tensors_n(r), 1);
    tensors_close(r);
    put("d/model.safetensors.index.json", "{\"weight_map\":{\"c\":\"3.safetensors\"}}");
    assert_null(tensors_open("d", &err));
    assert_non_null(strstr(err.msg, "no file has c"));
    put("d/model.safetensors.index.json", "{\"weight_map\":{\"b\":\"../x\"}}");
    assert_null(tensors_open("d", &err));
    put("d/model.safetensors.index.json", "{\"weight_map\":3}");
    assert_null(tensors_open("d", &err));
    put("d/model.safetensors.index.json", "{");
    assert_null(tensors_open("d", &err));
}

static void test_write_fails(void **state)
{
    struct tensor t = { "t", TENSOR_F32, 1, { 0 }, "", 0 };

    (void)state;
    assert_int_equal(tensors_write("no/such/folder", &t, 1, NULL, &err), -1);
    assert_non_null(strstr(err.msg, "no/such/folder"));
    assert_int_equal(tensors_write("/dev/full", &t, 1, NULL, &err), -1);
}

TESTS("tensors/tensors", cmocka_unit_test(test_round_trip),
      cmocka_unit_test(test_order_does_not_matter), cmocka_unit_test(test_widening),
      cmocka_unit_test(test_unaligned), cmocka_unit_test(test_damage),
      cmocka_unit_test(test_length_damage), cmocka_unit_test(test_cuts),
      cmocka_unit_test(test_folder), cmocka_unit_test(test_write_fails))
