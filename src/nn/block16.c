/* block16.c - see block16.h.
 *
 * All threads lay DEEP rows of B in pairs, WIDE columns at a time (or ONCE and half of that): it
 * stays in the second cache. Then they share out the rows of C, whose product with it goes by 32
 * rows: those of A stay in the first cache while B goes by. What of A does not lie as the kernel
 * wants it is copied, and of C what is no multiple of 32 or is not wanted whole is made elsewhere.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "base/mem.h"
#include "kernel/kernel.h"
#include "nn/block16.h"
#include "nn/gemm16.h"

enum {
    EDGE = KERNEL_HALF,
    PANEL = 16,    // columns
    DEEP = 512,
    WIDE = 1024,
    ONCE = 768,    // rows of B that are not worth two steps: then half as wide
    TALL = 256,    // rows of C that a thread takes at a time
    PAGE = 1024    // rows so far apart, or twice, are in one another's place in the first cache
};

/* Of a thread, kept for its next product. */
struct room {
    uint16_t *b;        // [DEEP, WIDE], of the thread that asked
    uint16_t *a;        // [TALL, DEEP]
    uint16_t *strip;    // [EDGE, TALL]
    float *c;           // [EDGE, WIDE]
};

static _Thread_local struct room mine;

struct stage {
    const struct product16 *p;
    size_t l, deep;    // from here, so many rows of B
    size_t j, wide;    // and columns
    int adds;          // to what C holds
    int ends;          // rows are done, and somebody wants them
    int passes;        // them alone: there is no C
    uint16_t *b;
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t whole(size_t n)    // edges
{
    return (n + EDGE - 1) / EDGE * EDGE;
}

static void *aligned(size_t bytes)
{
    void *p = aligned_alloc(64, (bytes + 63) / 64 * 64);

    return p ? p : xmalloc(SIZE_MAX / 2);    // which dies
}

static struct room *room_get(void)
{
    if (!mine.a) {
        mine.a = aligned((size_t)TALL * DEEP * sizeof(*mine.a));
        mine.strip = aligned((size_t)EDGE * TALL * sizeof(*mine.strip));
        mine.c = aligned((size_t)EDGE * WIDE * sizeof(*mine.c));
    }
    return &mine;
}

static uint16_t *room_b(void)
{
    if (!mine.b)
        mine.b = aligned((size_t)DEEP * WIDE * sizeof(*mine.b));
    return mine.b;
}

/* 16 rows of B as it lies in memory become columns, in pairs. */
static void turn_panel(const struct stage *s, size_t j)
{
    const struct product16 *p = s->p;
    const uint16_t *from = p->b + (s->j + j) * p->ldb + s->l;
    uint16_t *to = s->b + j * whole(s->deep);

    kern.transpose((float *)(void *)to, PANEL, (const float *)(const void *)from, p->ldb / 2,
                   least(PANEL, s->wide - j), s->deep / 2);
    memset(to + s->deep * PANEL, 0, (whole(s->deep) - s->deep) * PANEL * sizeof(*to));
}

/* Rows l and l + 1 of B beside each other. */
static void pair_rows(const struct stage *s, size_t l)
{
    static const uint16_t none[WIDE];
    const struct product16 *p = s->p;
    const uint16_t *x = p->b + (s->l + l) * p->ldb + s->j;

    kern.half_pair(s->b + l * PANEL, PANEL * whole(s->deep), l < s->deep ? x : none,
                   l + 1 < s->deep ? x + p->ldb : none, s->wide);
}

/* All threads of the team come here. */
static void lay(const struct stage *s)
{
    size_t i;

    if (s->p->form == NT) {
#pragma omp for schedule(static)
        for (i = 0; i < s->wide; i += PANEL)
            turn_panel(s, i);
    } else {
#pragma omp for schedule(static)
        for (i = 0; i < whole(s->deep); i += 2)
            pair_rows(s, i);
    }
}

/* [rows, columns] at from, with zeros up to whole edges behind and below: returns to. */
static const uint16_t *copy_padded(uint16_t *to, const uint16_t *from, size_t ld, size_t rows,
                                   size_t columns)
{
    size_t r, width = whole(columns);

    if (rows % EDGE != 0 || columns != width)
        memset(to, 0, whole(rows) * width * sizeof(*to));
    for (r = 0; r < rows; r++)
        memcpy(to + r * width, from + r * ld, columns * sizeof(*to));
    return to;
}

/* Rows [i, i + n) of A^T, turned: room->a [whole n, whole deep]. By strips of EDGE rows as they
 * lie, for those may be pages apart. */
static void turn_a(const struct stage *s, struct room *room, size_t i, size_t n)
{
    const struct product16 *p = s->p;
    size_t l;

    for (l = 0; l < s->deep; l += EDGE) {
        const uint16_t *from = p->a + (s->l + l) * p->lda + i;
        size_t ld = p->lda;

        if (s->deep - l < EDGE || n % EDGE != 0) {
            from = copy_padded(room->strip, from, ld, least(EDGE, s->deep - l), n);
            ld = whole(n);
        }
        kern.half_transpose(room->a + l, whole(s->deep), from, ld, EDGE, whole(n));
    }
}

/* Rows [i + r, i + r + rows) of A as the kernel wants them, up to EDGE; lda is set. */
static const uint16_t *rows_of_a(const struct stage *s, struct room *room, size_t i, size_t r,
                                 size_t rows, size_t *lda)
{
    const struct product16 *p = s->p;
    const uint16_t *from = p->a + (i + r) * p->lda + s->l;

    *lda = whole(s->deep);
    if (p->form == TN)
        return room->a + r * *lda;
    if (rows < EDGE || s->deep % EDGE != 0 || p->lda % PAGE == 0)
        return copy_padded(room->a, from, p->lda, rows, s->deep);
    *lda = p->lda;
    return from;
}

/* Row i of C, which was made where it belongs, or else in x. */
static void end_row(const struct stage *s, size_t i, float *x)
{
    const struct product16 *p = s->p;
    float *to = p->c + i * p->ldc + s->j;

    if (x && !s->passes && s->adds)
        kern.add(to, x, s->wide);
    else if (x && !s->passes)
        memcpy(to, x, s->wide * sizeof(*x));
    if (s->ends)
        p->to->row(p->to->arg, i, s->j, s->passes ? x : to, s->wide);
}

/* Rows [i, i + n) of C, n at most TALL. */
static void multiply_rows(const struct stage *s, struct room *room, size_t i, size_t n)
{
    const struct product16 *p = s->p;
    size_t r, q, width = whole(s->wide), rows;
    struct half_operands o = { .b = s->b, .step = PANEL * whole(s->deep) };

    if (p->form == TN)
        turn_a(s, room, i, n);
    for (r = 0; r < n; r += EDGE) {
        int here = !s->passes && s->wide == width && n - r >= EDGE;

        rows = least(EDGE, n - r);
        o.a = rows_of_a(s, room, i, r, rows, &o.lda);
        o.c = here ? p->c + (i + r) * p->ldc + s->j : room->c;
        o.ldc = here ? p->ldc : width;
        o.add = here && s->adds;
        kern.half_product(&o, EDGE, width, whole(s->deep));
        for (q = 0; (!here || s->ends) && q < rows; q++)
            end_row(s, i + r + q, here ? NULL : room->c + q * width);
    }
}

/* Rows that a thread of the team takes at a time: as many as it can, but each some. */
static size_t tall(const struct product16 *p)
{
    size_t n = 1;

#ifdef _OPENMP
    n = (size_t)omp_get_num_threads();
#endif
    return least(TALL, whole((p->m + n - 1) / n));
}

static size_t deep_of(const struct product16 *p)
{
    return p->form != TN && p->k <= ONCE ? p->k : DEEP;
}

static size_t wide_of(const struct product16 *p)
{
    return deep_of(p) > DEEP ? WIDE / 2 : WIDE;
}

static void run_stage(const struct product16 *p, size_t j, size_t l, uint16_t *b)
{
    struct stage s = { .p = p, .l = l, .j = j, .b = b };
    size_t i, high = tall(p);
    struct room *room = room_get();

    s.deep = least(deep_of(p), p->k - l);
    s.wide = least(wide_of(p), p->n - j);
    s.adds = l > 0 || p->beta != 0;
    s.ends = p->to && l + s.deep == p->k;
    s.passes = s.ends && l == 0;
    lay(&s);
#pragma omp for schedule(dynamic)
    for (i = 0; i < p->m; i += high)
        multiply_rows(&s, room, i, least(high, p->m - i));
}

int block16_can(const struct product16 *p)
{
    return p->form != NT || (p->k % 2 == 0 && p->ldb % 2 == 0 && (uintptr_t)p->b % 4 == 0);
}

void block16_multiply(const struct product16 *p)
{
    uint16_t *b = room_b();

    assert(block16_can(p));
#pragma omp parallel if (p->m > EDGE)
    for (size_t j = 0; j < p->n; j += wide_of(p))
        for (size_t l = 0; l < p->k; l += deep_of(p))
            run_stage(p, j, l, b);
}
