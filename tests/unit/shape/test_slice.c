/* model/slice: the slices of a model are the parts of the whole, drawn and loaded. */
#include <stdlib.h>

#include "../test.h"

#include "base/err.h"
#include "base/mem.h"
#include "shape/config.h"
#include "shape/params.h"
#include "shape/slice.h"
#include "tensors/tensors.h"

static struct err err;

static struct config make_config(int tied)
{
    struct config c = { .model_type = "t5", .n_vocab = 96, .d_model = 20, .d_ff = 48 };

    c.d_kv = 6;
    c.n_head = 4;
    c.n_block[0] = c.n_block[1] = 2;
    c.n_bucket = 32;
    c.max_distance = 128;
    c.eps = 1e-6;
    c.tied = tied;
    c.gated = !tied;
    return c;
}

/* Part of the whole x at p's place. */
static void check(const struct param *p, const struct param *x)
{
    int64_t rows = p->dim[0], cols = p->n_dim == 2 ? p->dim[1] : 1, r, k;
    int64_t row = 0, col = 0, width = x->n_dim == 2 ? x->dim[1] : 1;

    if (slice_is_part(p) && p->axis == 0)
        row = p->slice * rows;
    if (slice_is_part(p) && p->axis == 1)
        col = p->slice * cols;
    for (r = 0; r < rows; r++)
        for (k = 0; k < cols; k++)
            if (p->w[r * cols + k] != x->w[(row + r) * width + col + k])
                fail_msg("%s of slice %d: row %d, column %d", p->name, p->slice, (int)r, (int)k);
    assert_int_equal(slice_size(p), x->n);
    assert_int_equal(slice_dim(p, 0), x->dim[0]);
    assert_int_equal(slice_dim(p, 1), x->dim[1]);
}

static void check_all(const struct params *part, const struct params *whole)
{
    size_t i, n = 0;

    assert_int_equal(part->n, whole->n);
    for (i = 0; i < part->n; i++) {
        check(&part->p[i], &whole->p[i]);
        n += (size_t)slice_is_part(&part->p[i]);
    }
    assert_int_equal(n, part->n - 2 * 2 - 2 * 3 - 2);    // all but the norms
}

/* Written to x.safetensors, in bfloat16 or as they are. */
static void write_file(const struct params *p, enum tensor_type type)
{
    struct tensor *t = xcalloc(p->n, sizeof(*t));
    size_t i;

    for (i = 0; i < p->n; i++) {
        const struct param *x = &p->p[i];
        void *data = xcalloc(x->n, 4);

        t[i] = (struct tensor){ x->name, type, x->n_dim, { x->dim[0], x->dim[1] }, data, x->n };
        tensor_pack_f32(data, type, x->w, x->n);
    }
    assert_int_equal(tensors_write("x.safetensors", t, p->n, NULL, &err), 0);
    for (i = 0; i < p->n; i++)
        free((void *)t[i].data);
    free(t);
}

static void check_load(struct params *part, const struct config *c, const struct params *whole)
{
    struct tensors *t = tensors_open("x.safetensors", &err);

    assert_non_null(t);
    memset(part->w, 0, part->size * sizeof(float));
    assert_int_equal(params_load(part, c, t, &err), 0);
    check_all(part, whole);
    tensors_close(t);
}

static void test_parts(void **state)
{
    int n, k, tied;

    (void)state;
    for (tied = 0; tied < 2; tied++) {
        struct config c = make_config(tied);
        struct params *whole = params_new(&c, 0, 0, 0);
        size_t i;

        params_init(whole, &c, 7, 0.1);
        write_file(whole, TENSOR_F32);
        for (n = 2; n <= 4; n += 2)
            for (k = 0; k < n; k++) {
                struct params_part place = { 0, 0, k, n };
                struct params *part = params_new_part(&c, &place, 0);

                params_init(part, &c, 7, 0.1);
                check_all(part, whole);
                check_load(part, &c, whole);
                params_free(part);
            }
        for (i = 0; i < whole->n; i++)
            assert_false(slice_is_part(&whole->p[i]));
        params_free(whole);
    }
}

static void test_bfloat16(void **state)
{
    struct config c = make_config(0);
    struct params *whole = params_new(&c, 0, 0, 0);
    struct params_part place = { 0, 0, 1, 2 };
    struct params *part = params_new_part(&c, &place, 0);
    struct tensors *t;

    (void)state;
    params_init(whole, &c, 7, 0.1);
    write_file(whole, TENSOR_BF16);
    t = tensors_open("x.safetensors", &err);
    assert_non_null(t);
    assert_int_equal(params_load(whole, &c, t, &err), 0);
    tensors_close(t);
    check_load(part, &c, whole);
    params_free(part);
    params_free(whole);
}

static void test_misfits(void **state)
{
    struct config c = make_config(1);

    (void)state;
    assert_int_equal(slice_check(&c, 1, &err), 0);
    assert_int_equal(slice_check(&c, 4, &err), 0);
    assert_int_equal(slice_check(&c, 3, &err), -1);    // heads
    c.n_head = 12;
    c.d_ff = 50;
    assert_int_equal(slice_check(&c, 3, &err), -1);
    assert_non_null(strstr(err.msg, "50 hidden units"));
    c.d_ff = 48;
    c.n_vocab = 100;
    assert_int_equal(slice_check(&c, 3, &err), -1);
    c.n_vocab = 99;
    assert_int_equal(slice_check(&c, 3, &err), 0);
}

TESTS("shape/slice", cmocka_unit_test(test_parts), cmocka_unit_test(test_bfloat16),
      cmocka_unit_test(test_misfits))
