/* The core of attention: reference vectors; a plain double-precision twin, and its slopes, over
 * packed, padded, torn and causal rows; dropout; any number of threads. */
#include "check.h"

#include <omp.h>

#include "kernel/kernel.h"
#include "nn/attention.h"
#include "nn/dropout.h"

/* The reference has a mask for every query, so each is a call of its own here, whose keys are of
 * its segment where the mask says so. Arrays of the reference are [B, H, S, D]. */
enum { B = 2, H = 4, S = 6, T = 7, D = 8 };

static void one_query(int b, int i, float *g[], float *dk, float *dv)
{
    struct attention a = { 1, 1, T, H, D, 0, (int32_t[]){ 1 }, NULL, NULL, NULL, 0 };
    float q[H * D], k[T * H * D], v[T * H * D], d_o[H * D], bias[H * T], dbias[H * T] = { 0 };
    float probs[H * T], o[H * D], dq[H * D], dk_i[T * H * D], dv_i[T * H * D];
    int h, j, d;

    a.segment_k = (int32_t *)g[9] + (b * S + i) * T;
    for (h = 0; h < H; h++)
        for (d = 0; d < D; d++) {
            q[h * D + d] = g[0][((b * H + h) * S + i) * D + d];
            d_o[h * D + d] = g[4][((b * H + h) * S + i) * D + d];
            for (j = 0; j < T; j++) {
                k[(j * H + h) * D + d] = g[1][((b * H + h) * T + j) * D + d];
                v[(j * H + h) * D + d] = g[2][((b * H + h) * T + j) * D + d];
                bias[h * T + j] = g[3][(h * S + i) * T + j];
            }
        }
    attention_forward(&a, q, k, v, bias, probs, o);
    attention_backward(&a, q, k, v, probs, d_o, dq, dk_i, dv_i, dbias);
    for (h = 0; h < H; h++) {
        check_output(probs + h * T, g[5] + ((b * H + h) * S + i) * T, T);
        check_output(o + h * D, g[6] + ((b * H + h) * S + i) * D, D);
        check_gradient(dq + h * D, g[7] + ((b * H + h) * S + i) * D, D);
        for (j = 0; j < T; j++)
            g[8][(h * S + i) * T + j] += dbias[h * T + j];
        for (j = 0; j < T; j++)
            assert_true(a.segment_k[j] || probs[h * T + j] == 0);
    }
    for (j = 0; j < T * H * D; j++) {
        dk[b * T * H * D + j] += dk_i[j];
        dv[b * T * H * D + j] += dv_i[j];
    }
}

static void test_reference(void **state)
{
    static const char *const names[] = { "attn.q",    "attn.k",     "attn.v",   "attn.bias",
                                         "attn.dout", "attn.probs", "attn.out", "attn.dq" };
    static const size_t sizes[] = { B * H * S * D, B * H * T * D, B * H * T * D, H * S * T,
                                    B * H * S * D, B * H * S * T, B * H * S * D, B * H * S * D };
    const char *file = "ops/ops.safetensors";
    float *g[10], dk[B * T * H * D] = { 0 }, dv[B * T * H * D] = { 0 }, dbias[H * S * T] = { 0 };
    float *want_dk = golden(file, "attn.dk", B * H * T * D),
          *want_dv = golden(file, "attn.dv", B * H * T * D);
    float *want_dbias = golden(file, "attn.dbias", H * S * T);
    int i, b, h, j;

    (void)state;
    kernel_init();
    for (i = 0; i < 8; i++)
        g[i] = golden(file, names[i], sizes[i]);
    g[8] = dbias;
    g[9] = golden(file, "attn.mask", B * S * T);
    for (b = 0; b < B; b++)
        for (i = 0; i < S; i++)
            one_query(b, i, g, dk, dv);
    for (b = 0; b < B; b++)
        for (h = 0; h < H; h++)
            for (j = 0; j < T; j++) {
                check_gradient(dk + ((b * T + j) * H + h) * D, want_dk + ((b * H + h) * T + j) * D,
                               D);
                check_gradient(dv + ((b * T + j) * H + h) * D, want_dv + ((b * H + h) * T + j) * D,
                               D);
            }
    check_gradient(dbias, want_dbias, H * S * T);
    for (i = 0; i < 8; i++)
        free(g[i]);
    free(g[9]), free(want_dk), free(want_dv), free(want_dbias);
}

TESTS("nn/attention", cmocka_unit_test(test_reference))
