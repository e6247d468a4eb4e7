/* The core of attention: reference vectors; a plain double-precision twin, and its slopes, over
 * packed, padded, torn and causal rows; dropout; any number of threads. */
#include "check.h"

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

/* One case against a twin in double. The objective is the sum of c o. */
struct net {
    const struct attention *a;
    double *q, *k, *v, *bias, *c, *o;
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
    double *q = f->q + (b * a->n_query + i) * width + h * a->d_kv, e[400], sum = 0, out, total = 0;

    for (j = 0; j < a->n_key; j++) {
        double x = f->bias ? f->bias[(h * a->n_query + i) * a->n_key + j] : 0;

        for (d = 0; d < a->d_kv; d++)
            x += q[d] * f->k[(b * a->n_key + j) * width + h * a->d_kv + d];
        sum += e[j] = visible(a, b, i, j) ? exp(x) : 0;
    }
    for (d = 0; d < a->d_kv; d++) {
        for (j = 0, out = 0; sum > 0 && j < a->n_key; j++) {
            double p = e[j] / sum;

            if (p > 0 && a->drop)
                p *= dropout_factor(a->drop, a->number[b], i, (a->head_first + h) * a->n_key + j);
            out += p * f->v[(b * a->n_key + j) * width + h * a->d_kv + d];
        }
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

static void check_slopes(struct net *net, double *x, const float *got, size_t n)
{
    double *want = slopes(total, net, x, n);

    check_gradient(got, want, n);
    free(want);
}

static void check_probs(const struct attention *a, const float *probs)
{
    int b, h, i, j;

    for (b = 0; b < a->n_row; b++)
        for (h = 0; h < a->n_head; h++)
            for (i = 0; i < a->n_query; i++) {
                double sum = 0, seen = 0;

                for (j = 0; j < a->n_key; j++, probs++) {
                    sum += *probs;
                    seen += visible(a, b, i, j);
                    assert_true(visible(a, b, i, j) || *probs == 0);
                }
                assert_true(fabs(sum - (seen > 0)) < 1e-5);
            }
}

static void check_case(const struct attention *a, int biased)
{
    size_t n_q = (size_t)a->n_row * a->n_query * a->n_head * a->d_kv;
    size_t n_k = (size_t)a->n_row * a->n_key * a->n_head * a->d_kv;
    size_t n_b = (size_t)a->n_head * a->n_query * a->n_key;
    float *q = random_floats(n_q, 1, 1), *k = random_floats(n_k, 2, 1),
          *v = random_floats(n_k, 3, 1);
    float *bias = random_floats(n_b, 4, 1), *d_o = random_floats(n_q, 5, 1),
          *o = random_floats(n_q, 6, 1);
    float *dq = random_floats(n_q, 7, 1), *dk = random_floats(n_k, 8, 1),
          *dv = random_floats(n_k, 9, 1);
    float *dbias = xcalloc(n_b, 4), *probs = random_floats(n_b * a->n_row, 10, 1);
    struct net net = { a,
                       doubles(q, n_q),
                       doubles(k, n_k),
                       doubles(v, n_k),
                       biased ? doubles(bias, n_b) : NULL,
                       doubles(d_o, n_q),
                       xcalloc(n_q, sizeof(double)) };

    attention_forward(a, q, k, v, biased ? bias : NULL, probs, o);
    attention_backward(a, q, k, v, probs, d_o, dq, dk, dv, biased ? dbias : NULL);
    total(&net);
    check_output(o, net.o, n_q);
    check_probs(a, probs);
    check_slopes(&net, net.q, dq, n_q);
    check_slopes(&net, net.k, dk, n_k);
    check_slopes(&net, net.v, dv, n_k);
    if (biased)
        check_slopes(&net, net.bias, dbias, n_b);
    free(q), free(k), free(v), free(bias), free(d_o), free(o), free(dq), free(dk), free(dv);
    free(dbias), free(probs), free(net.q), free(net.k), free(net.v), free(net.bias), free(net.c);
    free(net.o);
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
                    check_case(&a, !turn);
                }
            }
}

/* Longer than a panel: 300 keys leave 109 queries a panel. */
static void test_panels(void **state)
{
    enum { LONG = 300, D_LONG = 2 };
    struct attention a = { 1, LONG, LONG, 1, D_LONG, 0, NULL, NULL, NULL, NULL, 0 };
    int32_t segment[LONG];
    int i;

    (void)state;
    kernel_init();
    a.segment_q = a.segment_k = segment;
    for (a.causal = 0; a.causal < 2; a.causal++) {
        float *q = random_floats(LONG * D_LONG, 1, 1), *c = random_floats(LONG * D_LONG, 2, 1);
        float *probs = xcalloc(LONG * LONG, 4), *o = xcalloc(LONG * D_LONG, 4);
        float *dq = xcalloc(LONG * D_LONG, 4), *dk = xcalloc(LONG * D_LONG, 4),
              *dv = xcalloc(LONG * D_LONG, 4);
        struct net net = { &a,
                           doubles(q, LONG * D_LONG),
                           doubles(q, LONG * D_LONG),
                           doubles(c, LONG * D_LONG),
                           NULL,
                           doubles(c, LONG * D_LONG),
                           xcalloc(LONG * D_LONG, sizeof(double)) };
        double *qs, *ks, *vs;

        for (i = 0; i < LONG; i++)
            segment[i] = i < 280 ? 1 : 2;
        attention_forward(&a, q, q, c, NULL, probs, o);
        attention_backward(&a, q, q, c, probs, c, dq, dk, dv, NULL);
        total(&net);
        check_output(o, net.o, LONG * D_LONG);
        check_probs(&a, probs);
        qs = slopes(total, &net, net.q, 8);
        ks = slopes(total, &net, net.k, 8);
        vs = slopes(total, &net, net.v + 500, 8);
        check_gradient(dq, qs, 8);
        check_gradient(dk, ks, 8);
        check_gradient(dv + 500, vs, 8);
        free(q), free(c), free(probs), free(o), free(dq), free(dk), free(dv), free(qs), free(ks),
            free(vs);
        free(net.q), free(net.k), free(net.v), free(net.c), free(net.o);
    }
}

/* Scores far apart, and NaN: nothing overflows, nothing is hidden. */
static void test_extremes(void **state)
{
    int32_t one[3] = { 1, 1, 1 };
    struct attention a = { 1, 1, 3, 1, 1, 0, one, one, NULL, NULL, 0 };
    float q = 1e3f, k[3] = { 1, -1, 1 }, v[3] = { 3, 4, 5 }, p[3], o;

    (void)state;
    kernel_init();
    attention_forward(&a, &q, k, v, NULL, p, &o);
    assert_true(p[0] == 0.5f && p[1] == 0 && p[2] == 0.5f && o == 4);
    q = NAN;
    attention_forward(&a, &q, k, v, NULL, p, &o);
    assert_true(isnan(p[0]) && isnan(p[1]) && isnan(o));
    a.n_row = 0;
    attention_forward(&a, NULL, NULL, NULL, NULL, NULL, NULL);
    attention_backward(&a, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    attention_backward(&a, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, p);
    a.n_row = 1, a.n_query = 0;
    attention_backward(&a, NULL, k, v, NULL, NULL, NULL, p, p, NULL);
    a.n_query = 1, a.n_key = 0;
    attention_forward(&a, &q, NULL, NULL, NULL, NULL, &o);
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
        N_B = HEADS * LEN * LEN
    };
    static float probs[2][ROWS * N_B], got[2][4 * N_Q + N_B];
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
        attention_forward(&a, x, x, x, bias, probs[i], to);
        attention_backward(&a, x, x, x, probs[i], to, to + N_Q, to + 2 * N_Q, to + 3 * N_Q,
                           to + 4 * N_Q);
    }
    omp_set_num_threads(1);
    assert_memory_equal(probs[0], probs[1], sizeof(probs[0]));
    assert_memory_equal(got[0], got[1], sizeof(got[0]));
    free(x), free(bias);
}

TESTS("nn/attention", cmocka_unit_test(test_reference), cmocka_unit_test(test_slopes),
      cmocka_unit_test(test_panels), cmocka_unit_test(test_extremes),
      cmocka_unit_test(test_threads))
