/* ffn.c - see ffn.h.
 *
 * saved holds h [n, F], the hidden activations after dropout, and when gated after it u [n, F]
 * and v [n, F], with h = gelu(u) v. Without a gate h says all: where it is 0, its gradient is.
 */
#include "nn/ffn.h"
#include "kernel/kernel.h"
#include "nn/dropout.h"
#include "nn/linear.h"

enum { CHUNK = 4096 };    // floats a thread takes at a time

static size_t left(size_t n, size_t i)
{
    return n - i < CHUNK ? n - i : CHUNK;
}

double ffn_drop_rate(const struct ffn_drop *drop)
{
    return drop && drop->drop ? drop->drop->rate : 0;
}

void ffn_hidden_drop(const struct ffn_drop *d, float *h, size_t n, size_t width)
{
    if (ffn_drop_rate(d) > 0)
        dropout_apply_from(d->drop, h, d->number, n / d->length, d->length, width, d->first);
}

size_t ffn_saved(const struct ffn *f, size_t n)
{
    return (f->wi_1 ? 3 : 1) * n * f->d_ff;
}

void ffn_forward(const struct ffn *f, const struct ffn_drop *drop, const float *x, size_t n,
                 float *saved, float *y)
{
    size_t size = n * f->d_ff, i;
    float *h = saved, *u = h + size, *v = u + size;

    if (f->wi_1) {
        linear_forward(u, x, f->wi, n, f->d_model, f->d_ff);
        linear_forward(v, x, f->wi_1, n, f->d_model, f->d_ff);
    } else
        linear_forward(h, x, f->wi, n, f->d_model, f->d_ff);
#pragma omp parallel for schedule(static)
    for (i = 0; i < size; i += CHUNK)
        if (f->wi_1)
            kern.geglu(h + i, u + i, v + i, left(size, i));
        else
            kern.relu(h + i, h + i, left(size, i));
    ffn_hidden_drop(drop, h, n, f->d_ff);
    if (y)
        linear_forward(y, h, f->wo, n, f->d_ff, f->d_model);
}

void ffn_backward(const struct ffn *f, const struct ffn_drop *drop, const struct ffn_grad *g,
                  const float *x, const float *dy, size_t n, const float *saved, float *work,
                  float *dx)
{
    size_t size = n * f->d_ff, i;
    const float *h = saved, *u = h + size, *v = u + size;
    float *du = work, *dv = work + size, keep = (float)(1 / (1 - ffn_drop_rate(drop)));
    int how = g->fresh ? LINEAR_FRESH : 0;

    linear_backward(du, how, g->wo, dy, h, f->wo, n, f->d_ff, f->d_model);
    if (f->wi_1)
        ffn_hidden_drop(drop, du, n, f->d_ff);
#pragma omp parallel for schedule(static)
    for (i = 0; i < size; i += CHUNK)
        if (f->wi_1)
            kern.geglu_back(du + i, dv + i, u + i, v + i, left(size, i));
        else
            kern.relu_back(du + i, keep, h + i, left(size, i));
    linear_backward(dx, how, g->wi, du, x, f->wi, n, f->d_model, f->d_ff);
    if (f->wi_1)
        linear_backward(dx, how | LINEAR_ADD, g->wi_1, dv, x, f->wi_1, n, f->d_model, f->d_ff);
}

float gelu(float x)
{
    float one = 1, y;

    kern.geglu(&y, &x, &one, 1);
    return y;
}

float gelu_slope(float x)
{
    float one = 1, slope = 1, y;

    kern.geglu_back(&slope, &y, &x, &one, 1);
    return slope;
}
