/* The core of attention: reference vectors; a plain double-precision twin, and its slopes, over
 * packed, padded, torn and causal rows; dropout; any number of threads. */
#include "check.h"

#include "kernel/kernel.h"
#include "nn/attention.h"
#include "nn/dropout.h"

/* The reference has a mask for every query, so each is a call of its own here, whose keys are of
 * its segment where the mask says so. Arrays of the reference are [B, H, S, D]. */
enum { B = 2, H = 4, S = 6, T = 7, D = 8 };

/* What seen makes of head h's scores. */
static void check_probs(const struct attention *a, int h, const float *q, const float *k,
                        const float *bias, const float *seen, const float *want)
{
    float got[T];
    int j, d;

    for (j = 0; j < T; j++) {
        double x = bias[h * T + j];

        for (d = 0; d < D; d++)
            x += (double)q[h * D + d] * k[(j * H + h) * D + d];
        got[j] = a->segment_k[j] ? (float)(exp(x - seen[h * 2]) * seen[h * 2 + 1]) : 0;
    }
    check_output(got, want, T);
}

static void one_query(int b, int i, float *g[], float *dk, float *dv)
{
    struct attention a = { 1, 1, T, H, D, 0, (int32_t[]){ 1 }, NULL, NULL, NULL, 0 };
    float q[H * D], k[T * H * D], v[T * H * D], d_o[H * D], bias[H * T], dbias[H * T] = { 0 };
    float seen[H * 2], o[H * D], dq[H * D], dk_i[T * H * D], dv_i[T * H * D];
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
    attention_forward(&a, q, k, v, bias, seen, o);
    attention_backward(&a, q, k, v, bias, seen, o, d_o,
                       &(struct attention_grads){ dq, dk_i, dv_i, dbias });
    for (h = 0; h < H; h++) {
        check_probs(&a, h, q, k, bias, seen, g[5] + ((b * H + h) * S + i) * T);
        check_output(o + h * D, g[6] + ((b * H + h) * S + i) * D, D);
        check_gradient(dq + h * D, g[7] + ((b * H + h) * S + i) * D, D);
        for (j = 0; j < T; j++)
            g[8][(h * S + i) * T + j] += dbias[h * T + j];
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

/* One case against a twin in double. The objective is the sum of c o. */
struct net {
    const struct attention *a;
    double *q, *k, *v, *bias, *c, *o, *log_sum;    // log_sum [B, H, S]
};

static int visible(const struct attention *a, int b, int i, int j)
{
    int32_t key = a->segment_k[b * a->n_key + j];

    return key != 0 && key == a->segment_q[b * a->n_query + i] && (!a->causal || j <= i);
}

/* Adds query i of head h of row b to o; returns its part of the objective. */
static double query(struct net *f, int b, int h, int i)
{
    const struct attention *a = f->a;
    int width = a->n_head * a->d_kv, d, j;
    double *q = f->q + (b * a->n_query + i) * width + h * a->d_kv, e[600], sum = 0, out, total = 0;

    for (j = 0; j < a->n_key; j++) {
        double x = f->bias ? f->bias[h * (a->n_query + a->n_key - 1) + j - i + a->n_query - 1] : 0;

        for (d = 0; d < a->d_kv; d++)
            x += q[d] * f->k[(b * a->n_key + j) * width + h * a->d_kv + d];
        sum += e[j] = visible(a, b, i, j) ? exp(x) : 0;
    }
    f->log_sum[(b * a->n_head + h) * a->n_query + i] = log(sum);
    for (j = 0; j < a->n_key; j++) {
        e[j] /= sum > 0 ? sum : 1;
        if (e[j] > 0 && a->drop)
            e[j] *= dropout_factor(a->drop, a->number[b], i, (a->head_first + h) * a->n_key + j);
    }
    for (d = 0; d < a->d_kv; d++) {
        for (j = 0, out = 0; j < a->n_key; j++)
            out += e[j] * f->v[(b * a->n_key + j) * width + h * a->d_kv + d];
        f->o[(b * a->n_query + i) * width + h * a->d_kv + d] = out;
        total += out * f->c[(b * a->n_query + i) * width + h * a->d_kv + d];
    }
    return total;
}

static double total(void *ctx)
{
    struct net *f = ctx;
    double sum = 0;
    int b, h, i;

    for (b = 0; b < f->a->n_row; b++)
        for (h = 0; h < f->a->n_head; h++)
            for (i = 0; i < f->a->n_query; i++)
                sum += query(f, b, h, i);
    return sum;
}

/* some > 0: of as many at the end and in the middle. */
static void check_slopes(struct net *net, double *x, const float *got, size_t n, size_t some)
{
    size_t at = some && some < n / 2 ? n / 2 : 0, end;

    for (; at < n; at = end < n && n > some ? n - some : n) {
        double *want;

        end = some && some < n - at ? at + some : n;
        want = slopes(total, net, x + at, end - at);
        check_gradient(got + at, want, end - at);
        free(want);
    }
}

static void check_seen(const struct net *net, const float *seen)
{
    const struct attention *a = net->a;
    int i;

    for (i = 0; i < a->n_row * a->n_head * a->n_query; i++, seen += 2)
        if (isinf(net->log_sum[i]))
            assert_true(seen[0] == 0 && seen[1] == 0);
        else
            assert_true(fabs(seen[0] - log(seen[1]) - net->log_sum[i]) < 1e-5);
}

/* All gradients, whole or, of large ones, some of each array. */
static void check_case(const struct attention *a, int biased, size_t some)
{
    size_t n_q = (size_t)a->n_row * a->n_query * a->n_head * a->d_kv;
    size_t n_k = (size_t)a->n_row * a->n_key * a->n_head * a->d_kv;
    size_t n_b = (size_t)a->n_head * attention_span(a->n_query, a->n_key), i;
    size_t n_seen = (size_t)a->n_row * a->n_head * a->n_query;
    float *q = random_floats(n_q, 1, 1), *k = random_floats(n_k, 2, 1),
          *v = random_floats(n_k, 3, 1);
    float *bias = random_floats(n_b, 4, 1), *d_o = random_floats(n_q, 5, 1),
          *o = random_floats(n_q, 6, 1);
    float *dq = random_floats(n_q, 7, 1), *dk = random_floats(n_k, 8, 1),
          *dv = random_floats(n_k, 9, 1);
    float *dbias = xcalloc(n_b * a->n_row, 4), *seen = random_floats(n_seen * 2, 10, 1);
    struct net net = { a,
                       doubles(q, n_q),
                       doubles(k, n_k),
                       doubles(v, n_k),
                       biased ? doubles(bias, n_b) : NULL,
                       doubles(d_o, n_q),
                       xcalloc(n_q, sizeof(double)),
                       xcalloc(n_seen, sizeof(double)) };

    attention_forward(a, q, k, v, biased ? bias : NULL, seen, o);
    attention_backward(a, q, k, v, biased ? bias : NULL, seen, o, d_o,
                       &(struct attention_grads){ dq, dk, dv, biased ? dbias : NULL });
    total(&net);
    check_output(o, net.o, n_q);
    check_seen(&net, seen);
    check_slopes(&net, net.q, dq, n_q, some);
    check_slopes(&net, net.k, dk, n_k, some);
    check_slopes(&net, net.v, dv, n_k, some);
    for (i = n_b; i < n_b * a->n_row; i++)
        dbias[i % n_b] += dbias[i];
    if (biased)
        check_slopes(&net, net.bias, dbias, n_b, some);
    free(q), free(k), free(v), free(bias), free(d_o), free(o), free(dq), free(dk), free(dv);
    free(dbias), free(seen), free(net.q), free(net.k), free(net.v), free(net.bias), free(net.c);
    free(net.o), free(net.log_sum);
}

/* Rows packed, padded at the end, torn (a segment in two pieces), all padding, and one segment. */
static const int32_t segments[5][13] = { { 1, 1, 1, 2, 2, 3, 3, 3, 3, 3, 4, 4, 4 },
                                         { 1, 1, 1, 1, 1, 1, 2, 2, 2, 0, 0, 0, 0 },
                                         { 1, 2, 1, 2, 2, 0, 1, 3, 0, 3, 1, 1, 2 },
                                         { 0 },
                                         { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 } };

static void fill_segments(int32_t *to, int rows, int n, int turn)
{
    int b, j;

    for (b = 0; b < rows; b++)
        for (j = 0; j < n; j++)
            to[b * n + j] = segments[(b + turn) % 5][j];
}

static void test_slopes(void **state)
{
    static const int sizes[][2] = { { 11, 11 }, { 7, 13 }, { 13, 5 }, { 1, 9 }, { 6, 1 } };
    static const uint64_t number[5] = { 5, 6, 1000, 8, 9 };
    struct dropout shared = { 0.3, 21, 0 }, each = { 0.3, 22, 1 };
    int32_t segment_q[65], segment_k[65];
    size_t s;
    int causal, turn, drop;

    (void)state;
    kernel_init();
    for (s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
        for (causal = 0; causal < 2; causal++)
            for (turn = 0; turn < 2; turn++) {    // turn 1: queries and keys do not match up
                struct attention a = { 5,         sizes[s][0], sizes[s][1], 2,      3, causal,
                                       segment_q, segment_k,   NULL,        number, 6 };

                fill_segments(segment_q, 5, a.n_query, 0);
                fill_segments(segment_k, 5, a.n_key, turn);
                for (drop = 0; drop < 3; drop++) {
                    a.drop = drop == 0 ? NULL : drop == 1 ? &shared : &each;
                    check_case(&a, !turn, 0);
                }
            }
}

/* More than a tile and a block: 600 keys, tiles of 64 queries; heads wider than a panel, of which
 * a block holds fewer keys; segments that begin and end anywhere. */
static void test_blocks(void **state)
{
    static const int sizes[][3] = {
        { 70, 600, 2 }, { 600, 600, 1 }, { 10, 200, 300 }, { 130, 140, 70 }
    };
    static const uint64_t number = 9;
    struct dropout shared = { 0.3, 21, 0 }, each = { 0.3, 22, 1 };
    int32_t segment[600];
    struct attention a = { 1, 0, 0, 1, 0, 0, segment, segment, NULL, &number, 3 };
    int i, s;

    (void)state;
    kernel_init();
    for (i = 0; i < 600; i++)
        segment[i] = i < 55 ? 1 : i < 590 ? 2 : 3;
    for (s = 0; s < 4; s++)
        for (a.causal = 0; a.causal < 2; a.causal++) {
            a.n_query = sizes[s][0], a.n_key = sizes[s][1], a.d_kv = sizes[s][2];
            a.drop = s == 0 ? NULL : s == 1 ? &shared : &each;
            check_case(&a, s < 2, 2);
        }
}

/* Scores far apart, and NaN: nothing overflows, nothing is hidden. */
static void test_extremes(void **state)
{
    int32_t one[3] = { 1, 1, 1 };
    struct attention a = { 1, 1, 3, 1, 1, 0, one, one, NULL, NULL, 0 };
    float q = 1e3f, k[3] = { 1, -1, 1 }, v[3] = { 3, 4, 5 }, p[3], o;
    struct attention_grads none = { 0 };

    (void)state;
    kernel_init();
    attention_forward(&a, &q, k, v, NULL, p, &o);
    assert_true(p[0] == 1e3f && p[1] == 0.5f && o == 4);
    q = NAN;
    attention_forward(&a, &q, k, v, NULL, p, &o);
    assert_true(isnan(p[1]) && isnan(o));
    a.n_row = 0;
    attention_forward(&a, NULL, NULL, NULL, NULL, NULL, NULL);
    attention_backward(&a, NULL, NULL, NULL, NULL, NULL, NULL, NULL, &none);
    a.n_row = 1, a.n_query = 0;
    none.k = none.v = p;
    attention_backward(&a, NULL, k, v, NULL, NULL, NULL, NULL, &none);
    assert_true(p[0] == 0 && p[2] == 0);
    a.n_query = 1, a.n_key = 0;
    attention_forward(&a, &q, NULL, NULL, NULL, p, &o);
    assert_true(o == 0);
}

static void test_threads(void **state)
{
    enum {
        ROWS = 5,
        LEN = 13,
        HEADS = 3,
        WIDTH = HEADS * 4,
        N_Q = ROWS * LEN * WIDTH,
        N_B = HEADS * (2 * LEN - 1),
        N_SEEN = ROWS * HEADS * LEN * 2
    };
    static float seen[2][N_SEEN], got[2][4 * N_Q + ROWS * N_B];
    int32_t segment[ROWS * LEN];
    struct attention a = { ROWS, LEN, LEN, HEADS, 4, 1, segment, segment, NULL, NULL, 0 };
    float *x = random_floats(N_Q, 1, 1), *bias = random_floats(N_B, 2, 1);
    int i;

    (void)state;
    kernel_init();
    fill_segments(segment, ROWS, LEN, 0);
    for (i = 0; i < 2; i++) {
        float *to = got[i];

        omp_set_num_threads(1 + 3 * i);
        attention_forward(&a, x, x, x, bias, seen[i], to);
        attention_backward(
            &a, x, x, x, bias, seen[i], to, x,
            &(struct attention_grads){ to + N_Q, to + 2 * N_Q, to + 3 * N_Q, to + 4 * N_Q });
    }
    omp_set_num_threads(1);
    assert_memory_equal(seen[0], seen[1], sizeof(seen[0]));
    assert_memory_equal(got[0], got[1], sizeof(got[0]));
    free(x), free(bias);
}

TESTS("nn/attention", cmocka_unit_test(test_reference), cmocka_unit_test(test_slopes),
      cmocka_unit_test(test_blocks), cmocka_unit_test(test_extremes),
      cmocka_unit_test(test_threads))
