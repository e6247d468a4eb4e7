/* fuzz_tensors.c - any bytes as a safetensors file. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "tensors/tensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[] = "/tmp/fuzz-tensors-XXXXXX";
    static int fd = -1;
    struct err err;
    struct tensors *t;
    size_t i;

    if (fd < 0 && (fd = mkstemp(path)) < 0)
        abort();
    if (ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
        abort();
    t = tensors_open(path, &err);
    for (i = 0; t && i < tensors_n(t); i++) {
        const struct tensor *x = tensors_at(t, i);
        float *f = malloc(x->n * sizeof(*f) + 1);
        int32_t *w = malloc(x->n * sizeof(*w) + 1);

        if (f && w) {    // every byte is touched: a range outside the file would show
            tensor_copy_f32(x, f, x->n, &err);
            tensor_copy_i32(x, w, x->n, &err);
        }
        free(f);
        free(w);
    }
    tensors_close(t);
    return 0;
}
