/* tensors.h - safetensors files: named arrays, little-endian, row-major.
 *
 * Reading maps the file and checks every offset, shape and size against it; data of other
 * writers may be unaligned, so it is copied out, never cast. Writing pads the header to 8
 * bytes and orders tensors by name; a file appears whole or not at all.
 */
#ifndef TENSORS_TENSORS_H
#define TENSORS_TENSORS_H

#include <stddef.h>
#include <stdint.h>

struct err;

enum tensor_type { TENSOR_F32, TENSOR_I32, TENSOR_I64, TENSOR_F16, TENSOR_BF16, TENSOR_U8 };
enum { N_TENSOR_TYPE = TENSOR_U8 + 1, TENSOR_DIM_MAX = 8 };

extern const struct tensor_kind {
    const char *name;    // as in the file: "F32"
    size_t size;         // bytes of an element
} tensor_kinds[N_TENSOR_TYPE];

struct tensor {
    const char *name;
    enum tensor_type type;
    int n_dim;
    int64_t dim[TENSOR_DIM_MAX];
    const void *data;    // maybe unaligned in a file that was read
    size_t n;            // elements
};

struct tensors;

/* One file, or a folder: all that model.safetensors.index.json names, else every
 * *.safetensors in it. A name that comes twice is an error. NULL on failure. */
struct tensors *tensors_open(const char *path, struct err *err);
int tensors_is_pickled(const char *path);                         // PyTorch's, by its name
int tensors_refuse_pickled(const char *path, struct err *err);    // -1, err says why
size_t tensors_n(const struct tensors *t);
const struct tensor *tensors_at(const struct tensors *t, size_t i);    // in order of names
const struct tensor *tensors_find(const struct tensors *t, const char *name);    // or NULL
const char *tensors_path(const struct tensors *t, const struct tensor *x);    // x's file; NULL: all
const char *tensors_meta(const struct tensors *t, const char *key);    // __metadata__, or NULL
void tensors_close(struct tensors *t);

/* Copy out; F16 and BF16 are widened. -1 when the type does not fit or n differs. */
int tensor_copy_f32(const struct tensor *t, float *to, size_t n, struct err *err);
int tensor_copy_i32(const struct tensor *t, int32_t *to, size_t n, struct err *err);    // I32, I64

/* As tensors_write(), the numbers of one tensor at a time: data() gives them, valid until its next
 * call, or NULL and err. The data of t is not looked at. */
int tensors_write_from(const char *path, const struct tensor *t, size_t n, const char *const *meta,
                       const void *(*data)(void *ctx, const struct tensor *t, struct err *err),
                       void *ctx, struct err *err);

/* n numbers as type (F32, F16, BF16; to the nearest, halves to even, too large ones infinite). */
void tensor_pack_f32(void *to, enum tensor_type type, const float *from, size_t n);

/* Write n tensors (any order) with metadata pairs key, value, ..., NULL (meta may be NULL). */
int tensors_write(const char *path, const struct tensor *t, size_t n, const char *const *meta,
                  struct err *err);

#endif
