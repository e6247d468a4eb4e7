/* slice.c - see slice.h. */
#include "shape/slice.h"
#include "base/err.h"
#include "shape/config.h"
#include "shape/params.h"
#include "tensors/tensors.h"

int slice_check(const struct config *c, int n_slice, struct err *err)
{
    const struct {
        const char *what;
        int n;
    } parts[] = { { "heads", c->n_head },
                  { "hidden units", c->d_ff },
                  { "hidden units of attention", config_is_mixed(c) ? c->d_ff_mixed : 0 },
                  { "ids", c->n_vocab } };
    size_t i;

    if (config_is_sparse(c) && c->d_model % n_slice != 0)    // rows of tokens travel in parts
        return err_set(err, "mesh: model=%d does not divide the width %d of the model", n_slice,
                       c->d_model);
    for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (parts[i].n % n_slice != 0)
            return err_set(err, "mesh: model=%d does not divide the %d %s of the model", n_slice,
                           parts[i].n, parts[i].what);
    return 0;
}

void slice_config(struct config *c, int n_slice)
{
    c->n_head /= n_slice;
    c->d_ff /= n_slice;
    c->d_ff_mixed /= n_slice;
    c->n_vocab /= n_slice;
}

int slice_is_part(const struct param *p)
{
    return p->n_slice > 1;
}

int64_t slice_dim(const struct param *p, int i)
{
    return slice_is_part(p) && i == p->axis ? p->dim[i] * p->n_slice : p->dim[i];
}

size_t slice_size(const struct param *p)
{
    return slice_is_part(p) ? p->n * (size_t)p->n_slice : p->n;
}

size_t slice_runs(const struct param *p, size_t *length)
{
    size_t n = slice_is_part(p) && p->axis == 1 ? (size_t)p->dim[0] : 1;

    *length = n ? p->n / n : 0;
    return n;
}

size_t slice_index(const struct param *p, size_t j)
{
    size_t length, run;

    if (!slice_is_part(p))
        return j;
    slice_runs(p, &length);
    run = j / length;
    return (run * (size_t)p->n_slice + (size_t)p->slice) * length + j % length;
}

int slice_copy(const struct param *p, const struct tensor *x, float *to, struct err *err)
{
    struct tensor part = *x;
    size_t length, n = slice_runs(p, &length), i;

    if (x->n != slice_size(p))
        return tensor_copy_f32(x, to, slice_size(p), err);    // fails
    part.n = length;
    for (i = 0; i < n; i++) {
        part.data = (const char *)x->data + slice_index(p, i * length) * tensor_kinds[x->type].size;
        if (tensor_copy_f32(&part, to + i * length, length, err) < 0)
            return -1;
    }
    return 0;
}
