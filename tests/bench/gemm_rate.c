/* gemm_rate.c - what sgemm reaches on this machine.
 * usage: gemm_rate THREADS ROWS INPUTS TARGETS
 * Does all products with a weight that a training step of t5-small does, forward and backward, as
 * often as the step. Prints FLOPs a second, a tab and the library. */
#include <stdio.h>
#include <stdlib.h>

#include "base/die.h"
#include "base/mem.h"
#include "nn/gemm.h"

enum { M = 512, F = 2048, I = 8 * 64, V = 32128, LAYERS = 6 };

struct product {
    size_t n, out, in;    // y[n, out] = x[n, in] w[out, in]^T
    int times;
};

struct room {
    float *x, *dx, *y, *w, *dw;
};

static float *fill(size_t n)
{
    float *x = xreallocarray(NULL, n, sizeof(*x));
    size_t i;

    for (i = 0; i < n; i++)
        x[i] = (float)(i % 17) / 16 - 0.5f;
    return x;
}

static void both_ways(const struct product *p, const struct room *r)
{
    gemm_nt(p->n, p->out, p->in, r->x, p->in, r->w, p->in, 0, r->y, p->out);
    gemm_nn(p->n, p->in, p->out, r->y, p->out, r->w, p->in, 0, r->dx, p->in);
    gemm_tn(p->out, p->in, p->n, r->y, p->out, r->x, p->in, 0, r->dw, p->in);
}

static double rate(size_t enc, size_t dec)
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
    struct room r = { fill(n * F), fill(n * F), fill(n_y), fill(n_w), fill(n_w) };
    double flops, seconds;
    int k;

    both_ways(&step[0], &r);    // the library's first call sets it up
    flops = gemm_flops();
    seconds = gemm_seconds();
    for (i = 0; i < sizeof(step) / sizeof(step[0]); i++)
        for (k = 0; k < step[i].times; k++)
            both_ways(&step[i], &r);
    free(r.x);
    free(r.dx);
    free(r.y);
    free(r.w);
    free(r.dw);
    return (gemm_flops() - flops) / (gemm_seconds() - seconds);
}

int main(int argc, char **argv)
{
    long a[4];
    int i;

    die_name = "gemm_rate";
    for (i = 0; i < 4; i++) {
        a[i] = argc == 5 ? strtol(argv[i + 1], NULL, 10) : 0;
        if (a[i] < 1 || a[i] > 4096)
            die("usage: gemm_rate THREADS ROWS INPUTS TARGETS");
    }
    gemm_threads((int)a[0]);
    printf("%.6g\t", rate((size_t)(a[1] * a[2]), (size_t)(a[1] * a[3])));
    printf("%s\n", gemm_library());
    return 0;
}
