/* gemm16.c - see gemm16.h: which library does a product. What follows is about oneDNN.
 *
 * A primitive of oneDNN for given sizes is the fastest, for it packs nothing but the weight, but
 * to make one costs as much as a small product, and the rows of an expert are never the same
 * number. So there is one for each form with sizes told at run time, and one of their own for
 * sizes whose rows are whole TILES; what rows are left over go to the former. Which of them does
 * a row depends on the sizes alone: a resumed run has to sum in the same order.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef HAVE_DNNL
#include <dnnl.h>
#endif

#include "base/die.h"
#include "base/mem.h"
#include "base/progress.h"
#include "base/rng.h"
#include "kernel/kernel.h"
#include "nn/block16.h"
#include "nn/gemm.h"
#include "nn/gemm16.h"

enum {
    TILE = 16,        // rows that AMX takes at once
    DEEP = 4096,      // sums longer than that are faster with sizes told at run time
    N_FIXED = 512,    // primitives with sizes of their own, each about 100 kB
};

static enum gemm16_way way;
static int beside;    // other threads multiply, too: what oneDNN does not take

static size_t rows_a(const struct product16 *p)
{
    return p->form == TN ? p->k : p->m;
}

static size_t rows_b(const struct product16 *p)
{
    return p->form == NT ? p->n : p->k;
}

/* rows of n as floats, one after another; the caller frees them */
static float *make_whole(const uint16_t *x, size_t rows, size_t n, size_t ld)
{
    float *to = xreallocarray(NULL, rows * n, sizeof(*to));
    size_t i;

#pragma omp parallel for schedule(static)
    for (i = 0; i < rows; i++)
        kern.whole(to + i * n, x + i * ld, n);
    return to;
}

static void by_floats(const struct product16 *p)
{
    size_t width_a = p->form == TN ? p->m : p->k, width_b = p->form == NT ? p->k : p->n;
    float *a = make_whole(p->a, rows_a(p), width_a, p->lda);
    float *b = make_whole(p->b, rows_b(p), width_b, p->ldb);

    if (p->form == NT)
        gemm_nt(p->m, p->n, p->k, a, width_a, b, width_b, p->beta, p->c, p->ldc);
    else if (p->form == NN)
        gemm_nn(p->m, p->n, p->k, a, width_a, b, width_b, p->beta, p->c, p->ldc);
    else
        gemm_tn(p->m, p->n, p->k, a, width_a, b, width_b, p->beta, p->c, p->ldc);
    free(a);
    free(b);
}

#ifdef HAVE_DNNL
struct sizes {
    enum form form;
    int adds;
    dnnl_dim_t m, n, k, lda, ldb, ldc;
};

static struct {
    int tried, ready;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_t any[N_FORM][2];    // [][1]: beta 1
    struct {
        struct sizes sizes;
        dnnl_primitive_t primitive;
    } fixed[N_FIXED];
    char name[2][64];    // of the kernels: of sizes told, of fixed ones
} one;

/* rows x cols of any size, stored as they are or the other way round */
static dnnl_memory_desc_t shape(dnnl_dim_t rows, dnnl_dim_t cols, dnnl_dim_t ld, int turned,
                                dnnl_data_type_t type)
{
    dnnl_dims_t dims = { rows, cols }, strides = { turned ? 1 : ld, turned ? ld : 1 };
    dnnl_memory_desc_t d;

    if (dnnl_memory_desc_init_by_strides(&d, 2, dims, type, strides) != dnnl_success)
        die("oneDNN: no matrix of %lld x %lld", (long long)rows, (long long)cols);
    return d;
}

static void name_it(const_dnnl_primitive_desc_t d, char name[64])
{
    const char *kernel = "";

    dnnl_primitive_desc_query(d, dnnl_query_impl_info_str, 0, &kernel);
    snprintf(name, 64, "%s", kernel);
}

/* NULL if oneDNN cannot. */
static dnnl_primitive_t make(const struct sizes *s, char name[64])
{
    dnnl_memory_desc_t a = shape(s->m, s->k, s->lda, s->form == TN, dnnl_bf16);
    dnnl_memory_desc_t b = shape(s->k, s->n, s->ldb, s->form == NT, dnnl_bf16);
    dnnl_memory_desc_t c = shape(s->m, s->n, s->ldc, 0, dnnl_f32);
    dnnl_primitive_attr_t attr = NULL;
    dnnl_post_ops_t ops = NULL;
    dnnl_primitive_desc_t d = NULL;
    dnnl_primitive_t made = NULL;
    dnnl_matmul_desc_t want;
    int ok;

    ok = dnnl_matmul_desc_init(&want, &a, &b, NULL, &c) == dnnl_success &&
         dnnl_primitive_attr_create(&attr) == dnnl_success;
    if (ok && s->adds)
        ok = dnnl_post_ops_create(&ops) == dnnl_success &&
             dnnl_post_ops_append_sum(ops, 1) == dnnl_success &&
             dnnl_primitive_attr_set_post_ops(attr, ops) == dnnl_success;
    if (ok && dnnl_primitive_desc_create(&d, &want, attr, one.engine, NULL) == dnnl_success &&
        dnnl_primitive_create(&made, d) == dnnl_success)
        name_it(d, name);
    dnnl_primitive_desc_destroy(d);
    dnnl_post_ops_destroy(ops);
    dnnl_primitive_attr_destroy(attr);
    return made;
}

static void set_up(void)
{
    const dnnl_dim_t any = DNNL_RUNTIME_DIM_VAL;
    int i;

    one.tried = 1;
    dnnl_set_primitive_cache_capacity(0);    // we keep our own
    if (dnnl_engine_create(&one.engine, dnnl_cpu, 0) != dnnl_success ||
        dnnl_stream_create(&one.stream, one.engine, dnnl_stream_default_flags) != dnnl_success)
        return;
    for (i = 0; i < 2 * N_FORM; i++) {
        struct sizes s = { (enum form)(i / 2), i % 2, any, any, any, any, any, any };

        one.any[i / 2][i % 2] = make(&s, one.name[0]);
        if (!one.any[i / 2][i % 2])
            return;
    }
    one.ready = 1;
}

static int has_library(void)
{
#pragma omp critical(gemm16)
    if (!one.tried)
        set_up();
    return one.ready;
}

static struct sizes sizes_of(const struct product16 *p)
{
    return (struct sizes){ .form = p->form,
                           .adds = p->beta != 0,
                           .m = (dnnl_dim_t)p->m,
                           .n = (dnnl_dim_t)p->n,
                           .k = (dnnl_dim_t)p->k,
                           .lda = (dnnl_dim_t)p->lda,
                           .ldb = (dnnl_dim_t)p->ldb,
                           .ldc = (dnnl_dim_t)p->ldc };
}

static int is_same(const struct sizes *a, const struct sizes *b)
{
    return a->form == b->form && a->adds == b->adds && a->m == b->m && a->n == b->n &&
           a->k == b->k && a->lda == b->lda && a->ldb == b->ldb && a->ldc == b->ldc;
}

/* The primitive of these sizes; where two want one place, the later takes it. */
static dnnl_primitive_t fixed(const struct sizes *s)
{
    uint64_t h = (uint64_t)s->form * 2 + (uint64_t)s->adds;
    dnnl_primitive_t *at;

    h = rng_u64(rng_u64(h, (uint64_t)s->m, (uint64_t)s->n), (uint64_t)s->k, (uint64_t)s->lda);
    h = rng_u64(h, (uint64_t)s->ldb, (uint64_t)s->ldc) % N_FIXED;
    at = &one.fixed[h].primitive;
    if (*at && is_same(&one.fixed[h].sizes, s))
        return *at;
    dnnl_primitive_destroy(*at);
    one.fixed[h].sizes = *s;
    *at = make(s, one.name[1]);
    if (!*at)
        die("oneDNN: no product of %lld x %lld x %lld", (long long)s->m, (long long)s->n,
            (long long)s->k);
    return *at;
}

static void execute(dnnl_primitive_t primitive, const struct product16 *p)
{
    struct sizes s = sizes_of(p);
    dnnl_memory_desc_t d[3] = { shape(s.m, s.k, s.lda, p->form == TN, dnnl_bf16),
                                shape(s.k, s.n, s.ldb, p->form == NT, dnnl_bf16),
                                shape(s.m, s.n, s.ldc, 0, dnnl_f32) };
    dnnl_exec_arg_t arg[3] = { { DNNL_ARG_SRC, NULL },
                               { DNNL_ARG_WEIGHTS, NULL },
                               { DNNL_ARG_DST, NULL } };
    void *at[3] = { (void *)(uintptr_t)p->a, (void *)(uintptr_t)p->b, p->c };
    int i, ok = 1;

    for (i = 0; i < 3; i++)
        ok = ok && dnnl_memory_create(&arg[i].memory, d + i, one.engine, at[i]) == dnnl_success;
    if (!ok || dnnl_primitive_execute(primitive, one.stream, 3, arg) != dnnl_success ||
        dnnl_stream_wait(one.stream) != dnnl_success)
        die("oneDNN: a product of %zu x %zu x %zu failed", p->m, p->n, p->k);
    for (i = 0; i < 3; i++)
        dnnl_memory_destroy(arg[i].memory);
}

static void by_library(const struct product16 *p)
{
    struct product16 whole = *p, rest = *p;
    struct sizes s;

    whole.m = p->form == TN || p->k > DEEP ? 0 : p->m / TILE * TILE;
    rest.m = p->m - whole.m;
    if (whole.m) {
        s = sizes_of(&whole);
        execute(fixed(&s), &whole);
        rest.a += whole.m * p->lda;
        rest.c += whole.m * p->ldc;
    }
    if (rest.m)
        execute(one.any[p->form][p->beta != 0], &rest);
}

static const char *library_name(void)
{
    static char name[200];
    const dnnl_version_t *v = dnnl_version();

    snprintf(name, sizeof(name), "oneDNN %d.%d.%d %s%s%s", v->major, v->minor, v->patch,
             one.name[0], *one.name[1] ? " " : "", one.name[1]);
    return name;
}
#else
static int has_library(void)
{
    return 0;
}

static void by_library(const struct product16 *p)
{
    by_floats(p);
}

static const char *library_name(void)
{
    return "none";
}
#endif

/* A few rows are not worth turning all of B, if there is another way. */
static int takes_blocks(const struct product16 *p)
{
    enum { FEW = 64 };

    if (way != GEMM16_BEST)
        return way == GEMM16_BLOCKS;
    return beside || (kern.tiles && (p->form != NT || p->m >= FEW || !has_library()));
}

static void count(const struct product16 *p, double start)
{
    gemm_count(2.0 * (double)p->m * (double)p->n * (double)p->k, clock_seconds() - start);
}

/* C's rows where they are handed on when it is whole. */
static void hand_on(const struct product16 *p)
{
    size_t i;

#pragma omp parallel for schedule(static)
    for (i = 0; i < p->m; i++)
        p->to->row(p->to->arg, i, 0, p->c + i * p->ldc, p->n);
}

static void run(const struct product16 *p)
{
    int empty = p->m == 0 || p->n == 0 || p->k == 0;
    double start = clock_seconds();

    assert(p->beta == 0 || p->beta == 1);
    if (!empty && takes_blocks(p) && block16_can(p)) {
        block16_multiply(p);
        count(p, start);
        return;
    }
    if (empty || beside || way == GEMM16_PLAIN || !has_library())
        by_floats(p);
    else {
        by_library(p);
        count(p, start);
    }
    if (p->to)
        hand_on(p);
}

void gemm16_nt(size_t m, size_t n, size_t k, const uint16_t *a, size_t lda, const uint16_t *b,
               size_t ldb, float beta, float *c, size_t ldc)
{
    run(&(struct product16){ NT, m, n, k, a, b, lda, ldb, ldc, beta, c, NULL });
}

void gemm16_nn(size_t m, size_t n, size_t k, const uint16_t *a, size_t lda, const uint16_t *b,
               size_t ldb, float beta, float *c, size_t ldc)
{
    run(&(struct product16){ NN, m, n, k, a, b, lda, ldb, ldc, beta, c, NULL });
}

void gemm16_tn(size_t m, size_t n, size_t k, const uint16_t *a, size_t lda, const uint16_t *b,
               size_t ldb, float beta, float *c, size_t ldc)
{
    run(&(struct product16){ TN, m, n, k, a, b, lda, ldb, ldc, beta, c, NULL });
}

void gemm16_nt_rows(size_t m, size_t n, size_t k, const uint16_t *a, size_t lda, const uint16_t *b,
                    size_t ldb, float *room, const struct gemm16_rows *to)
{
    run(&(struct product16){ NT, m, n, k, a, b, lda, ldb, n, 0, room, to });
}

void gemm16_nn_rows(size_t m, size_t n, size_t k, const uint16_t *a, size_t lda, const uint16_t *b,
                    size_t ldb, float *room, const struct gemm16_rows *to)
{
    run(&(struct product16){ NN, m, n, k, a, b, lda, ldb, n, 0, room, to });
}

int gemm16_side_by_side(int on)
{
    beside = on && (way == GEMM16_BLOCKS || (way == GEMM16_BEST && kern.tiles));
    return beside;
}

void gemm16_by(enum gemm16_way by)
{
    way = by;
}

int gemm16_native(void)
{
    return way != GEMM16_PLAIN && (kern.tiles || has_library());
}

const char *gemm16_library(void)
{
    static char name[400];

    if (way != GEMM16_PLAIN && kern.tiles)
        return "AMX";
    if (way != GEMM16_PLAIN && has_library())
        return library_name();
    snprintf(name, sizeof(name), "bf16 made float, %s", gemm_library());
    return name;
}
