/* product.c - products with weights, by floats or by bf16 numbers: as the parameters are. */
#include "kernel/kernel.h"
#include "model/net.h"
#include "nn/linear.h"
#include "shape/params.h"

struct rows net_rows(const struct model *m, const float *x, size_t n, size_t width)
{
    if (!m->half)
        return (struct rows){ .f = x };
    rows_half(m->half, x, n, width);
    return (struct rows){ .half = m->half, .ld = width };
}

struct rows net_rows_there(const struct model *m, const float *x, size_t width)
{
    if (!m->half)
        return (struct rows){ .f = x };
    return (struct rows){ .half = m->half, .ld = width };
}

struct rows net_rows_here(const struct model *m, float *x, size_t n, size_t width)
{
    if (!m->half)
        return (struct rows){ .f = x };
    return (struct rows){ .half = rows_half_here(x, n, width), .ld = 2 * width };
}

struct rows net_rows_of(struct either x, size_t width)
{
    return (struct rows){ x.f, x.half, width };
}

void net_product(float *y, struct rows x, const struct param *w, size_t n, size_t in, size_t out)
{
    if (x.half)
        linear16_forward(y, x.half, w->half, n, in, out);
    else
        linear_forward(y, x.f, w->w, n, in, out);
}

void net_product_back(float *dx, int how, const struct param *w, struct rows dy, struct rows x,
                      size_t n, size_t in, size_t out)
{
    if (x.half)
        linear16_backward(dx, how, w->g, dy.half, dy.ld, x.half, w->half, n, in, out);
    else
        linear_backward(dx, how, w->g, dy.f, x.f, w->w, n, in, out);
}

void net_product_to(const struct model *m, struct either y, struct rows x, const struct param *w,
                    size_t n, size_t in, size_t out)
{
    if (y.half)
        linear16_forward_half(y.half, m->room, x.half, w->half, n, in, out);
    else
        net_product(y.f, x, w, n, in, out);
}

int net_fresh(const struct model *m)
{
    return m->run->fresh ? LINEAR_FRESH : 0;
}

void net_product_back_to(const struct model *m, struct either dx, const struct param *w,
                         struct rows dy, struct rows x, size_t n, size_t in, size_t out)
{
    if (dx.half)
        linear16_backward_half(dx.half, m->room, net_fresh(m), w->g, dy.half, dy.ld, x.half,
                               w->half, n, in, out);
    else
        net_product_back(dx.f, net_fresh(m), w, dy, x, n, in, out);
}
