/* split.c - see split.h.
 *
 * As block16.c: all threads lay DEEP rows of B, WIDE columns, split and in pairs, which stays in
 * the second cache; then they share out the rows of C, 32 at a time, for which rows of A are split.
 */
#include <stdlib.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "base/mem.h"
#include "kernel/kernel.h"
#include "nn/split.h"

enum {
    EDGE = KERNEL_HALF,
    PANEL = 16,    // columns
    PARTS = 3,
    DEEP = 512,
    WIDE = 512
};

/* Of a thread, kept for its next product. */
struct room {
    uint16_t *b;       // [PARTS, DEEP, WIDE], of the thread that asked
    uint16_t *a;       // [PARTS, EDGE, DEEP]
    uint16_t *rows;    // [PARTS, PANEL, DEEP], [2, PARTS, WIDE]: of B on its way
    float *turned;     // [EDGE, DEEP]
    float *c;          // [EDGE, WIDE]
};

static _Thread_local struct room mine;

struct stage {
    const struct product32 *p;
    size_t l, deep;    // from here, so many rows of B
    size_t j, wide;    // and columns
    int adds;          // to what C holds
    uint16_t *b;       // [PARTS, whole(deep) / 2, whole(wide), 2], in panels
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t whole(size_t n)    // edges
{
    return (n + EDGE - 1) / EDGE * EDGE;
}

static void *zeros(size_t bytes)
{
    void *p = aligned_alloc(64, bytes);

    if (!p)
        return xmalloc(SIZE_MAX / 2);    // which dies
    return memset(p, 0, bytes);
}

static struct room *room_get(void)
{
    if (!mine.a) {
        mine.a = zeros((size_t)PARTS * EDGE * DEEP * sizeof(*mine.a));
        mine.rows = zeros((size_t)PARTS * PANEL * DEEP * sizeof(*mine.rows));
        mine.turned = zeros((size_t)EDGE * DEEP * sizeof(*mine.turned));
        mine.c = zeros((size_t)EDGE * WIDE * sizeof(*mine.c));
    }
    return &mine;
}

static uint16_t *room_b(void)
{
    if (!mine.b)
        mine.b = zeros((size_t)PARTS * DEEP * WIDE * sizeof(*mine.b));
    return mine.b;
}

static size_t part_b(const struct stage *s)
{
    return whole(s->deep) * whole(s->wide);
}

/* 16 rows of B as it lies in memory become columns, in pairs. */
static void turn_panel(const struct stage *s, struct room *room, size_t j)
{
    const struct product32 *p = s->p;
    const float *from = p->b + (s->j + j) * p->ldb + s->l;
    size_t deep = whole(s->deep), part = PANEL * deep, n = least(PANEL, s->wide - j), i;

    for (i = 0; i < n; i++) {
        uint16_t *to = room->rows + i * deep;
        int q;

        kern.split(to, part, EDGE, from + i * p->ldb, s->deep);
        for (q = 0; q < PARTS && deep > s->deep; q++)
            memset(to + (size_t)q * part + s->deep, 0, (deep - s->deep) * sizeof(*to));
    }
    for (i = 0; i < PARTS; i++)
        kern.transpose((float *)(void *)(s->b + i * part_b(s) + j * deep), PANEL,
                       (const float *)(const void *)(room->rows + i * part), deep / 2, n, deep / 2);
}

/* Rows l and l + 1 of B beside each other. */
static void pair_rows(const struct stage *s, struct room *room, size_t l)
{
    const struct product32 *p = s->p;
    uint16_t *x = room->rows, *y = x + (size_t)PARTS * WIDE;
    size_t i;

    for (i = 0; i < 2; i++) {
        uint16_t *to = i ? y : x;

        if (l + i < s->deep)
            kern.split(to, WIDE, EDGE, p->b + (s->l + l + i) * p->ldb + s->j, s->wide);
        else
            memset(to, 0, (size_t)PARTS * WIDE * sizeof(*to));
    }
    for (i = 0; i < PARTS; i++)
        kern.half_pair(s->b + i * part_b(s) + l * PANEL, PANEL * whole(s->deep), x + i * WIDE,
                       y + i * WIDE, s->wide);
}

/* All threads of the team come here. */
static void lay(const struct stage *s, struct room *room)
{
    size_t i;

    if (s->p->form == NT) {
#pragma omp for schedule(static)
        for (i = 0; i < s->wide; i += PANEL)
            turn_panel(s, room, i);
    } else {
#pragma omp for schedule(static)
        for (i = 0; i < whole(s->deep); i += 2)
            pair_rows(s, room, i);
    }
}

/* Rows [i, i + rows) of A, split and in blocks: room->a [PARTS, whole deep / EDGE, EDGE, EDGE]. */
static void split_a(const struct stage *s, struct room *room, size_t i, size_t rows)
{
    const struct product32 *p = s->p;
    size_t block = (size_t)EDGE * EDGE, part = EDGE * whole(s->deep), ld = p->lda, over, r, q;
    const float *from = p->a + i * ld + s->l;

    if (p->form == TN) {
        ld = s->deep;
        kern.transpose(room->turned, ld, p->a + s->l * p->lda + i, p->lda, s->deep, rows);
        from = room->turned;
    }
    over = s->deep % EDGE;
    for (r = 0; r < rows; r++) {
        uint16_t *to = room->a + r * EDGE, *last = to + s->deep / EDGE * block + over;

        kern.split(to, part, block, from + r * ld, s->deep);
        for (q = 0; over && q < PARTS; q++)
            memset(last + q * part, 0, (EDGE - over) * sizeof(*to));
    }
}

/* c [EDGE, whole wide] (+)= room->a times the stage's part of B */
static void multiply(const struct stage *s, const struct room *room, float *c, size_t ldc, int add)
{
    size_t deep = whole(s->deep);
    const struct split_operands o = { { room->a, 0, s->b, PANEL * deep, c, ldc, add },
                                      EDGE * deep,
                                      part_b(s) };

    kern.split_product(&o, EDGE, whole(s->wide), deep);
}

/* Rows [i, i + rows) of C, up to EDGE. */
static void multiply_rows(const struct stage *s, struct room *room, size_t i, size_t rows)
{
    const struct product32 *p = s->p;
    float *c = p->c + i * p->ldc + s->j;
    size_t r;

    split_a(s, room, i, rows);
    if (rows == EDGE && s->wide % EDGE == 0) {
        multiply(s, room, c, p->ldc, s->adds);
        return;
    }
    multiply(s, room, room->c, whole(s->wide), 0);
    for (r = 0; r < rows; r++)
        if (s->adds)
            kern.add(c + r * p->ldc, room->c + r * whole(s->wide), s->wide);
        else
            memcpy(c + r * p->ldc, room->c + r * whole(s->wide), s->wide * sizeof(*c));
}

static void run_stage(const struct product32 *p, size_t j, size_t l, uint16_t *b)
{
    struct stage s = { .p = p, .l = l, .j = j, .b = b };
    struct room *room = room_get();
    size_t i;

    s.deep = least(DEEP, p->k - l);
    s.wide = least(WIDE, p->n - j);
    s.adds = l > 0 || p->beta != 0;
    lay(&s, room);
#pragma omp for schedule(dynamic)
    for (i = 0; i < p->m; i += EDGE)
        multiply_rows(&s, room, i, least(EDGE, p->m - i));
}

int split_is_fast(size_t m, size_t n, size_t k)
{
    enum { ROWS = 64, WORK = 1 << 20 };    // below, laying B costs more than is won

    return m >= ROWS && n >= EDGE && k >= EDGE && (double)m * (double)n * (double)k >= WORK &&
           kern.tiles;
}

void split_multiply(const struct product32 *p)
{
    uint16_t *b = room_b();

#pragma omp parallel if (p->m > EDGE)
    for (size_t j = 0; j < p->n; j += WIDE)
        for (size_t l = 0; l < p->k; l += DEEP)
            run_stage(p, j, l, b);
}
