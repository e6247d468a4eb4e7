/* Attention with bf16 products against a twin in double on the same numbers: what is off is what
 * the rounding of probabilities, of gradients of scores and of results explains. Packed, padded,
 * torn and causal rows, dropout, blocks, any number of threads. */
#include "check.h"

#include <string.h>

#include "kernel/kernel.h"
#include "nn/attention.h"
#include "nn/attention16.h"
#include "nn/dropout.h"

static const double HALF_EPS = 1.0 / 256;    // of a number rounded to bf16

static uint16_t *halves(const float *x, size_t n)
{
    uint16_t *to = xcalloc(n ? n : 1, sizeof(*to));

    kern.half(to, x, n);
    return to;
}

/* Random bf16 numbers. */
static uint16_t *randoms(size_t n, uint64_t key)
{
    float *x = random_floats(n, key, 1);
    uint16_t *to = halves(x, n);

    free(x);
    return to;
}

static double whole(uint16_t x)
{
    uint32_t bits = (uint32_t)x << 16;
    float to;

    memcpy(&to, &bits, sizeof(to));
    return to;
}

struct sum {    // of terms, and of what they may be off by
    double x, off;
};

/* A term with a factor that is rounded, and may be off before. */
static void add(struct sum *s, double rounded, double off, double other)
{
    s->x += rounded * other;
    s->off += (HALF_EPS * fabs(rounded) + off) * fabs(other);
}

/* Scores are off by some 1e-5, whence the tenth. A result is rounded n times. */
static void check(const struct sum *want, double got, int n, const char *what)
{
    double off = 1.1 * want->off * (1 + HALF_EPS) + n * HALF_EPS * (fabs(want->x) + want->off);

    if (!(fabs(got - want->x) <= off + 1e-12))
        fail_msg("%s: %.9g, not %.9g +- %.9g", what, got, want->x, off);
}

struct net {
    const struct attention *a;
    uint16_t *q, *k, *v, *o, *d_o, *dq, *dk, *dv;
    float *bias, *d_bias, *seen, *room;
    struct sum *q_sum, *k_sum, *v_sum, *bias_sum;
};

static size_t at(const struct attention *a, int n, int b, int i, int h)
{
    return (((size_t)b * n + i) * a->n_head + h) * a->d_kv;
}

static int visible(const struct attention *a, int b, int i, int j)
{
    int32_t key = a->segment_k[b * a->n_key + j];

    return key != 0 && key == a->segment_q[b * a->n_query + i] && (!a->causal || j <= i);
}

/* p [T]: probabilities of query i; log_sum: of their divisor. */
static void probabilities(const struct net *f, int b, int h, int i, double *p, double *log_sum)
{
    const struct attention *a = f->a;
    const uint16_t *q = f->q + at(a, a->n_query, b, i, h);
    double sum = 0;
    int j, d;

    for (j = 0; j < a->n_key; j++) {
        const uint16_t *k = f->k + at(a, a->n_key, b, j, h);
        double x = f->bias ? f->bias[h * (a->n_query + a->n_key - 1) + j - i + a->n_query - 1] : 0;

        for (d = 0; d < a->d_kv; d++)
            x += whole(q[d]) * whole(k[d]);
        sum += p[j] = visible(a, b, i, j) ? exp(x) : 0;
    }
    for (j = 0; j < a->n_key; j++)
        p[j] /= sum > 0 ? sum : 1;
    *log_sum = log(sum);
}

static double factor(const struct attention *a, int b, int h, int i, int j)
{
    if (!a->drop)
        return 1;
    return dropout_factor(a->drop, a->number[b], i,
                          (a->head_first + (uint64_t)h) * (uint64_t)a->n_key + (uint64_t)j);
}

static void check_query(struct net *f, int b, int h, int i, const double *p)
{
    const struct attention *a = f->a;
    size_t query = at(a, a->n_query, b, i, h);
    double s = 0;
    int j, d;

    for (d = 0; d < a->d_kv; d++) {
        struct sum o = { 0 };

        for (j = 0; j < a->n_key; j++)
            add(&o, p[j] * factor(a, b, h, i, j), 0, whole(f->v[at(a, a->n_key, b, j, h) + d]));
        check(&o, whole(f->o[query + d]), 1, "o");
        s += whole(f->o[query + d]) * whole(f->d_o[query + d]);
    }
    for (j = 0; j < a->n_key; j++) {
        size_t key = at(a, a->n_key, b, j, h), span = attention_span(a->n_query, a->n_key);
        double drop = factor(a, b, h, i, j), dp = 0, ds, off;

        for (d = 0; d < a->d_kv && p[j] > 0; d++)
            dp += drop * whole(f->d_o[query + d]) * whole(f->v[key + d]);
        ds = p[j] * (dp - s);
        off = p[j] * (fabs(dp) + fabs(s)) * 1e-4;    // what scores and sums in float cost
        for (d = 0; d < a->d_kv && p[j] > 0; d++) {
            add(f->q_sum + query + d, ds, off, whole(f->k[key + d]));
            add(f->k_sum + key + d, ds, off, whole(f->q[query + d]));
            add(f->v_sum + key + d, p[j] * drop, 0, whole(f->d_o[query + d]));
        }
        f->bias_sum[(b * a->n_head + h) * span + j - i + a->n_query - 1].x += ds;
        f->bias_sum[(b * a->n_head + h) * span + j - i + a->n_query - 1].off += off;
    }
}

/* Stretches of queries that meet the keys of row b: as often a gradient of theirs is rounded. */
static int n_stretch(const struct attention *a, int b)
{
    int i, n = 1;

    for (i = 1; i < a->n_query; i++)
        n += a->segment_q[b * a->n_query + i] != a->segment_q[b * a->n_query + i - 1];
    return n;
}

static void check_gradients(const struct net *f)
{
    const struct attention *a = f->a;
    size_t width = (size_t)a->n_head * a->d_kv, n_q = (size_t)a->n_query * width;
    size_t n_k = (size_t)a->n_key * width, i;
    size_t n_b = a->n_row * a->n_head * attention_span(a->n_query, a->n_key);

    for (i = 0; i < a->n_row * n_q; i++)
        check(f->q_sum + i, whole(f->dq[i]), 1, "dq");
    for (i = 0; i < a->n_row * n_k; i++) {
        check(f->k_sum + i, whole(f->dk[i]), n_stretch(a, (int)(i / n_k)), "dk");
        check(f->v_sum + i, whole(f->dv[i]), n_stretch(a, (int)(i / n_k)), "dv");
    }
    for (i = 0; i < n_b && f->bias; i++)
        check(f->bias_sum + i, f->d_bias[i] - 2, 0, "dbias");
}

static void check_all(struct net *f)
{
    const struct attention *a = f->a;
    double *p = xcalloc((size_t)a->n_key + 1, sizeof(*p)), log_sum;
    int b, h, i;

    for (b = 0; b < a->n_row; b++)
        for (h = 0; h < a->n_head; h++)
            for (i = 0; i < a->n_query; i++) {
                float *seen = f->seen + ((b * a->n_head + h) * a->n_query + i) * 2;

                probabilities(f, b, h, i, p, &log_sum);
                if (isinf(log_sum))
                    assert_true(seen[0] == 0 && seen[1] == 0);
                else
                    assert_true(fabs(seen[0] - log(seen[1]) - log_sum) < 1e-4);
                check_query(f, b, h, i, p);
            }
    check_gradients(f);
    free(p);
}

static void run(struct net *f)
{
    attention16_forward(f->a, f->q, f->k, f->v, f->bias, f->room, f->seen, f->o);
    attention16_backward(
        f->a, f->q, f->k, f->v, f->bias, f->seen, f->o, f->d_o, f->room,
        &(struct attention16_grads){ f->dq, f->dk, f->dv, f->bias ? f->d_bias : NULL });
}

static void check_case(const struct attention *a, int biased)
{
    size_t n_q = (size_t)a->n_row * a->n_query * a->n_head * a->d_kv;
    size_t n_k = (size_t)a->n_row * a->n_key * a->n_head * a->d_kv;
    size_t span = attention_span(a->n_query, a->n_key), n_b = a->n_row * a->n_head * span, i;
    struct net f = { .a = a,
                     .q = randoms(n_q, 1),
                     .k = randoms(n_k, 2),
                     .v = randoms(n_k, 3),
                     .o = randoms(n_q, 4),
                     .d_o = randoms(n_q, 5),
                     .dq = randoms(n_q, 6),
                     .dk = randoms(n_k, 7),
                     .dv = randoms(n_k, 8) };

    f.bias = biased ? random_floats(a->n_head * span, 4, 1) : NULL;
    f.d_bias = xcalloc(n_b, sizeof(float));
    for (i = 0; i < n_b; i++)
        f.d_bias[i] = 2;    // it is added to
    f.seen = random_floats((size_t)a->n_row * a->n_head * a->n_query * 2, 10, 1);
    f.room = random_floats(n_q, 11, 1);
    f.q_sum = xcalloc(n_q, sizeof(struct sum));
    f.k_sum = xcalloc(n_k, sizeof(struct sum));
    f.v_sum = xcalloc(n_k, sizeof(struct sum));
    f.bias_sum = xcalloc(n_b, sizeof(struct sum));
    for (i = 0; i < n_b; i++)
        f.bias_sum[i].off = 1e-6;    // as 2 + it is kept in float
    run(&f);
    check_all(&f);
    free(f.q), free(f.k), free(f.v), free(f.o), free(f.d_o), free(f.dq), free(f.dk), free(f.dv);
    free(f.bias), free(f.d_bias), free(f.seen), free(f.room);
    free(f.q_sum), free(f.k_sum), free(f.v_sum), free(f.bias_sum);
}

static void each_variant(void (*f)(void))
{
    int i;

    for (i = 0; kernel_name(i); i++) {
        assert_int_equal(kernel_select(&kern, kernel_name(i)), 0);
        f();
    }
    kernel_init();
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

static void small_cases(void)
{
    static const int sizes[][2] = { { 11, 11 }, { 7, 13 }, { 13, 5 }, { 1, 9 }, { 6, 1 } };
    static const uint64_t number[5] = { 5, 6, 1000, 8, 9 };
    struct dropout shared = { 0.3, 21, 0 }, each = { 0.3, 22, 1 };
    int32_t segment_q[65], segment_k[65];
    size_t s;
    int causal, turn, drop;

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

static void test_small(void **state)
{
    (void)state;
    each_variant(small_cases);
}

/* More than a strip, a tile and a block: 600 keys, tiles of 128 queries; heads of all widths, of
 * which wide ones make blocks of fewer keys; segments that begin and end anywhere. */
static void test_blocks(void **state)
{
    static const int sizes[][3] = { { 70, 600, 2 },   { 300, 300, 64 }, { 600, 600, 1 },
                                    { 10, 200, 300 }, { 130, 140, 70 }, { 33, 31, 512 } };
    static const uint64_t number = 9;
    struct dropout shared = { 0.3, 21, 0 }, each = { 0.3, 22, 1 };
    int32_t segment[600];
    struct attention a = { 1, 0, 0, 1, 0, 0, segment, segment, NULL, &number, 3 };
    int i, s;

    (void)state;
    kernel_init();
    for (i = 0; i < 600; i++)
        segment[i] = i < 25 ? 1 : i < 590 ? 2 : 3;
    for (s = 0; s < 6; s++)
        for (a.causal = 0; a.causal < 2; a.causal++) {
            a.n_query = sizes[s][0], a.n_key = sizes[s][1], a.d_kv = sizes[s][2];
            a.drop = s % 3 == 0 ? NULL : s % 3 == 1 ? &shared : &each;
            check_case(&a, s < 3);
        }
}

/* Scores far apart, and NaN: nothing overflows, nothing is hidden. Nothing at all is allowed. */
static void extremes(void)
{
    int32_t one[3] = { 1, 1, 1 };
    struct attention a = { 1, 1, 3, 1, 1, 0, one, one, NULL, NULL, 0 };
    float x[7] = { 1e3f, 1, -1, 1, 3, 4, 5 }, p[3], room[3];
    uint16_t h[7], o, two[3] = { 7, 7, 7 };
    struct attention16_grads none = { 0 };

    kern.half(h, x, 7);
    attention16_forward(&a, h, h + 1, h + 4, NULL, room, p, &o);
    assert_true(p[0] == 1e3f && p[1] == 0.5f && whole(o) == 4);
    x[0] = NAN;
    kern.half(h, x, 1);
    attention16_forward(&a, h, h + 1, h + 4, NULL, room, p, &o);
    assert_true(isnan(p[1]) && isnan(whole(o)));
    a.n_row = 0;
    attention16_forward(&a, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    attention16_backward(&a, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, &none);
    a.n_row = 1, a.n_query = 0;
    none.k = none.v = two;
    attention16_backward(&a, NULL, h, h, NULL, NULL, NULL, NULL, NULL, &none);
    assert_true(two[0] == 0 && two[2] == 0);
    a.n_query = 1, a.n_key = 0;
    attention16_forward(&a, h, NULL, NULL, NULL, NULL, p, &o);
    assert_true(o == 0);
}

static void test_extremes(void **state)
{
    (void)state;
    each_variant(extremes);
}

static void test_threads(void **state)
{
    enum { ROWS = 5, LEN = 13, HEADS = 3, WIDTH = HEADS * 4, N = ROWS * LEN * WIDTH };
    enum { N_B = HEADS * (2 * LEN - 1), N_SEEN = ROWS * HEADS * LEN * 2 };
    static struct got {
        float seen[N_SEEN], d_bias[ROWS * N_B];
        uint16_t o[N], q[N], k[N], v[N];
    } got[2];
    static float room[N];
    int32_t segment[ROWS * LEN];
    struct attention a = { ROWS, LEN, LEN, HEADS, 4, 1, segment, segment, NULL, NULL, 0 };
    uint16_t *x = randoms(N, 1);
    float *bias = random_floats(N_B, 2, 1);
    int i;

    (void)state;
    kernel_init();
    fill_segments(segment, ROWS, LEN, 0);
    for (i = 0; i < 2; i++) {
        struct got *g = got + i;

        omp_set_num_threads(1 + 3 * i);
        attention16_forward(&a, x, x, x, bias, room, g->seen, g->o);
        attention16_backward(&a, x, x, x, bias, g->seen, g->o, x, room,
                             &(struct attention16_grads){ g->q, g->k, g->v, g->d_bias });
    }
    omp_set_num_threads(1);
    assert_memory_equal(got, got + 1, sizeof(got[0]));
    free(x), free(bias);
}

TESTS("nn/attention16", cmocka_unit_test(test_small), cmocka_unit_test(test_blocks),
      cmocka_unit_test(test_extremes), cmocka_unit_test(test_threads))
