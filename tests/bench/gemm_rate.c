/* gemm_rate.c - what products of matrices reach on this machine, of floats by BLAS or of bf16
 * numbers. usage: gemm_rate fp32|bf16 THREADS ROWS INPUTS TARGETS Does all products with a weight
 * that a training step of t5-small does, forward and backward, as often as the step. Prints FLOPs a
 * second, a tab and the library. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "base/mem.h"
#include "kernel/kernel.h"
#include "nn/gemm.h"
#include "nn/gemm16.h"

enum { M = 512, F = 2048, I = 8 * 64, V = 32128, LAYERS = 6 };

struct product {
    size_t n, out, in;    // y[n, out] = x[n, in] w[out, in]^T
    int times;
};

struct room {
    float *x, *dx, *y, *w, *dw;
    uint16_t *x16, *y16, *w16;    // x, y, w in bf16
};

static float *fill(size_t n)
{
    float *x = xreallocarray(NULL, n, sizeof(*x));
    size_t i;

    for (i = 0; i < n; i++)
        x[i] = (float)(i % 17) / 16 - 0.5f;
    return x;
}

static uint16_t *halve(const float *x, size_t n)
{
    uint16_t *half = xreallocarray(NULL, n, sizeof(*half));

    kern.half(half, x, n);
    return half;
}

static void both_ways16(const struct product *p, const struct room *r)
{
    gemm16_nt(p->n, p->out, p->in, r->x16, p->in, r->w16, p->in, 0, r->y, p->out);
    gemm16_nn(p->n, p->in, p->out, r->y16, p->out, r->w16, p->in, 0, r->dx, p->in);
    gemm16_tn(p->out, p->in, p->n, r->y16, p->out, r->x16, p->in, 1, r->dw, p->in);
}

static void both_ways(const struct product *p, const struct room *r)
{
    gemm_nt(p->n, p->out, p->in, r->x, p->in, r->w, p->in, 0, r->y, p->out);
    gemm_nn(p->n, p->in, p->out, r->y, p->out, r->w, p->in, 0, r->dx, p->in);
    gemm_tn(p->out, p->in, p->n, r->y, p->out, r->x, p->in, 1, r->dw, p->in);
}

static double rate(size_t enc, size_t dec, int half)
{
    const struct product step[] = {
        { enc, I, M, 5 * LAYERS },    // q, k, v; k, v for the decoder
        { enc, M, I, LAYERS },        // o
        { enc, F, M, LAYERS },     { enc, M, F, LAYERS },
        { dec, I, M, 4 * LAYERS },    // q, k, v; q of cross-attention
        { dec, M, I, 2 * LAYERS },    // o of both
        { dec, F, M, LAYERS },     { dec, M, F, LAYERS },
        { dec, V, M, 1 },    // logits
    };
    size_t n = enc > dec ? enc : dec, i, n_y = n * F > dec * V ? n * F : dec * V;
    size_t n_w = (size_t)V * M;
    struct room r = { fill(n * F), fill(n * F), fill(n_y), fill(n_w), fill(n_w), 0, 0, 0 };
    void (*both)(const struct product *, const struct room *) = half ? both_ways16 : both_ways;
    double flops, seconds;
    int k;

    r.x16 = halve(r.x, n * F);
    r.y16 = halve(r.y, n_y);
    r.w16 = halve(r.w, n_w);
    for (i = 0; i < sizeof(step) / sizeof(step[0]); i++)
        both(&step[i], &r);    // the libraries' first calls set them up
    flops = gemm_flops();
    seconds = gemm_seconds();
    for (i = 0; i < sizeof(step) / sizeof(step[0]); i++)
        for (k = 0; k < step[i].times; k++)
            both(&step[i], &r);
    free(r.x);
    free(r.dx);
    free(r.y);
    free(r.w);
    free(r.dw);
    free(r.x16);
    free(r.y16);
    free(r.w16);
    return (gemm_flops() - flops) / (gemm_seconds() - seconds);
}

int main(int argc, char **argv)
{
    int i, half = argc == 6 && strcmp(argv[1], "bf16") == 0;
    long a[4];

    die_name = "gemm_rate";
    for (i = 0; i < 4; i++) {
        a[i] = argc == 6 ? strtol(argv[i + 2], NULL, 10) : 0;
        if (a[i] < 1 || a[i] > 4096 || (!half && strcmp(argv[1], "fp32") != 0))
            die("usage: gemm_rate fp32|bf16 THREADS ROWS INPUTS TARGETS");
    }
    kernel_init();
    gemm_by(GEMM_LIBRARY);
    gemm_threads((int)a[0]);
    printf("%.6g\t", rate((size_t)(a[1] * a[2]), (size_t)(a[1] * a[3]), half));
    printf("%s\n", half ? gemm16_library() : gemm_library());
    return 0;
}
