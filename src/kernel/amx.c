/* amx.c - products of bf16 matrices on the tiles of AMX: 16 rows of 64 bytes each.
 *
 * Tiles 0 to 3 hold 32 x 32 numbers of c, 4 and 5 a's, 6 and 7 b's. Whoever else multiplies by
 * tiles (oneDNN) lays them out anew each time, and so do we; released, they cost a change of
 * threads nothing.
 */
#define _DEFAULT_SOURCE    // NOLINT(bugprone-reserved-identifier): libc's own switch, for syscall()
#include "kernel/kernel.h"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/amx.h"

#define FN static __attribute__((target("amx-tile,amx-bf16")))
#define IN FN inline __attribute__((always_inline))

enum { ROWS = 16, COLUMNS = 32, PIECE = 512 };    // of a tile of bf16 numbers; all its numbers

struct tiles {    // as LDTILECFG reads it
    uint8_t palette, start, none[14];
    uint16_t bytes[16];    // of a row
    uint8_t rows[16];
};

static const struct tiles all = {
    .palette = 1,
    .bytes = { 64, 64, 64, 64, 64, 64, 64, 64 },
    .rows = { ROWS, ROWS, ROWS, ROWS, ROWS, ROWS, ROWS, ROWS },
};

FN void load(const float *c, size_t row, size_t ld)    // row: bytes to the next
{
    _tile_loadd(0, c, row);
    _tile_loadd(1, c + ROWS, row);
    _tile_loadd(2, c + ROWS * ld, row);
    _tile_loadd(3, c + ROWS * ld + ROWS, row);
}

IN void store(float *c, size_t ld)
{
    _tile_stored(0, c, ld * sizeof(*c));
    _tile_stored(1, c + ROWS, ld * sizeof(*c));
    _tile_stored(2, c + ROWS * ld, ld * sizeof(*c));
    _tile_stored(3, c + ROWS * ld + ROWS, ld * sizeof(*c));
}

FN void clear(void)
{
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
}

/* once: b is not read again, so it need not drive a out of the first cache. A constant where it is
 * called. */
IN void block(const struct half_operands *p, const uint16_t *a, const uint16_t *b, float *c,
              size_t k, int once)
{
    size_t row_a = p->lda * sizeof(*a), row_c = p->ldc * sizeof(*c), l;

    if (p->add)
        load(c, row_c, p->ldc);
    else
        clear();
    for (l = 0; l < k; l += COLUMNS, a += COLUMNS, b += PIECE) {
        if (once)
            _tile_stream_loadd(6, b, 64);
        else
            _tile_loadd(6, b, 64);
        _tile_loadd(4, a, row_a);
        if (once)
            _tile_stream_loadd(7, b + p->step, 64);
        else
            _tile_loadd(7, b + p->step, 64);
        _tile_loadd(5, a + ROWS * p->lda, row_a);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    store(c, p->ldc);
}

FN void half_product(const struct half_operands *p, size_t m, size_t n, size_t k)
{
    size_t i, j;

    _tile_loadconfig(&all);
    for (j = 0; m == 2 * ROWS && j < n; j += 2 * ROWS)
        block(p, p->a, p->b + j / ROWS * p->step, p->c + j, k, 1);
    for (j = 0; m != 2 * ROWS && j < n; j += 2 * ROWS)
        for (i = 0; i < m; i += 2 * ROWS)
            block(p, p->a + i * p->lda, p->b + j / ROWS * p->step, p->c + i * p->ldc + j, k, 0);
    _tile_release();
}

IN void take_a(const uint16_t *a)
{
    _tile_loadd(4, a, 64);
    _tile_loadd(5, a + PIECE, 64);
}

IN void take_b(const uint16_t *b, size_t step)
{
    _tile_loadd(6, b, 64);
    _tile_loadd(7, b + step, 64);
}

IN void multiply(void)
{
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
}

/* Products with a second or third part: a tile stays for as many as need it. */
IN void small_products(const struct split_operands *p, const uint16_t *a, const uint16_t *b)
{
    const struct half_operands *o = &p->first;

    take_a(a + 2 * p->part_a);
    take_b(b, o->step);
    multiply();
    take_a(a + p->part_a);
    multiply();
    take_b(b + p->part_b, o->step);
    multiply();
    take_a(a);
    multiply();
    take_b(b + 2 * p->part_b, o->step);
    multiply();
}

static __attribute__((target("avx512f"))) void add_block(float *c, size_t ld, const float *sum)
{
    int i, j;

    for (i = 0; i < 2 * ROWS; i++, c += ld, sum += 2 * ROWS)
        for (j = 0; j < 2 * ROWS; j += 16)
            _mm512_storeu_ps(c + j,
                             _mm512_add_ps(_mm512_loadu_ps(c + j), _mm512_loadu_ps(sum + j)));
}

/* c is added to at last, so that what is small is not lost in it. */
FN void split_block(const struct split_operands *p, const uint16_t *a, const uint16_t *b, float *c,
                    size_t k)
{
    const struct half_operands *o = &p->first;
    size_t ld = o->add ? 2 * ROWS : o->ldc, l;
    float sum[4 * ROWS * ROWS], *to = o->add ? sum : c;

    clear();
    for (l = 0; l < k; l += COLUMNS)
        small_products(p, a + l * COLUMNS, b + l * ROWS);
    for (l = 0; l < k; l += COLUMNS) {
        take_a(a + l * COLUMNS);
        take_b(b + l * ROWS, o->step);
        multiply();
    }
    store(to, ld);
    if (o->add)
        add_block(c, o->ldc, sum);
}

FN void split_product(const struct split_operands *p, size_t m, size_t n, size_t k)
{
    const struct half_operands *o = &p->first;
    size_t i, j;

    _tile_loadconfig(&all);
    for (j = 0; j < n; j += 2 * ROWS)
        for (i = 0; i < m; i += 2 * ROWS)
            split_block(p, o->a + i / 32 * o->lda, o->b + j / ROWS * o->step, o->c + i * o->ldc + j,
                        k);
    _tile_release();
}

int kernel_has_amx(void)
{
    enum { BF16 = 1 << 22, TILE = 1 << 24 };              // of cpuid 7, edx
    enum { REQ_XCOMP_PERM = 0x1023, XTILE_DATA = 18 };    // of arch_prctl()
    unsigned a, b, c, d;

    return __builtin_cpu_supports("avx512bf16") && __get_cpuid_count(7, 0, &a, &b, &c, &d) &&
           (d & BF16) && (d & TILE) && syscall(SYS_arch_prctl, REQ_XCOMP_PERM, XTILE_DATA) == 0;
}

void kernel_fill_amx(struct kernels *k)
{
    k->tiles = 1;
    k->half_product = half_product;
    k->split = amx_split;
    k->split_product = split_product;
    k->half_softmax = amx_softmax;
    k->half_softmax_back = amx_softmax_back;
}
#else
int kernel_has_amx(void)
{
    return 0;
}

void kernel_fill_amx(struct kernels *k)
{
    (void)k;
}
#endif
