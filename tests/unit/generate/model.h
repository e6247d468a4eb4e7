/* model.h - the reference models, for tests of generation. */
#include "../test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "generate/net.h"
#include "generate/search.h"
#include "generate/weights.h"
#include "kernel/kernel.h"
#include "tensors/tensors.h"

/* A file or folder of tests/data/golden/NAME; free it. */
static inline char *golden(const char *name, const char *file)
{
    return xasprintf("%s/golden/%s/%s", test_data, name, file);
}

static inline struct weights *golden_weights(const char *name)
{
    char *path = golden(name, "model");
    struct err err = { 0 };
    struct weights *w = weights_open(path, &err);

    if (!w)
        fail_msg("%s", err.msg);
    free(path);
    return w;
}

static inline struct tensors *golden_tensors(const char *name, const char *file)
{
    char *path = golden(name, file);
    struct err err = { 0 };
    struct tensors *t = tensors_open(path, &err);

    if (!t)
        fail_msg("%s", err.msg);
    free(path);
    return t;
}

/* A matrix of whole numbers; dim [2] is its shape. */
static inline int32_t *golden_i32(const struct tensors *t, const char *name, int64_t *dim)
{
    const struct tensor *x = tensors_find(t, name);
    struct err err = { 0 };
    int32_t *p;

    assert_non_null(x);
    dim[0] = x->dim[0];
    dim[1] = x->dim[1];
    p = xcalloc(x->n, sizeof(*p));
    assert_int_equal(tensor_copy_i32(x, p, x->n, &err), 0);
    return p;
}

struct inputs {    // texts of a reference case
    int n;
    int32_t *id;    // [n, width]
    int64_t width;
    int *length;    // [n]
};

static inline struct inputs golden_inputs(const char *name)
{
    struct tensors *t = golden_tensors(name, "inputs.safetensors");
    int64_t dim[2], i;
    int32_t *mask = golden_i32(t, "attention_mask", dim);
    struct inputs in = { .n = (int)dim[0], .width = dim[1] };

    in.id = golden_i32(t, "input_ids", dim);
    in.length = xcalloc((size_t)in.n, sizeof(*in.length));
    for (i = 0; i < in.n * in.width; i++)
        in.length[i / in.width] += mask[i];
    free(mask);
    tensors_close(t);
    return in;
}

static inline void inputs_release(struct inputs *in)
{
    free(in->id);
    free(in->length);
}
