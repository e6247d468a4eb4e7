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

FN void load(const float *c, size_t row, size_t ld)    // row: bytes to the next
{
    _tile_loadd(0, c, row);
    _tile_loadd(1, c + ROWS, row);
    _tile_loadd(2, c + ROWS * ld, row);
    _tile_loadd(3, c + ROWS * ld + ROWS, row);
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
    _tile_stored(0, c, row_c);
    _tile_stored(1, c + ROWS, row_c);
    _tile_stored(2, c + ROWS * p->ldc, row_c);
    _tile_stored(3, c + ROWS * p->ldc + ROWS, row_c);
}

FN void half_product(const struct half_operands *p, size_t m, size_t n, size_t k)
{
    static const struct tiles all = {
        .palette = 1,
        .bytes = { 64, 64, 64, 64, 64, 64, 64, 64 },
        .rows = { ROWS, ROWS, ROWS, ROWS, ROWS, ROWS, ROWS, ROWS },
    };
    size_t i, j;

    _tile_loadconfig(&all);
    for (j = 0; m == 2 * ROWS && j < n; j += 2 * ROWS)
        block(p, p->a, p->b + j / ROWS * p->step, p->c + j, k, 1);
    for (j = 0; m != 2 * ROWS && j < n; j += 2 * ROWS)
        for (i = 0; i < m; i += 2 * ROWS)
            block(p, p->a + i * p->lda, p->b + j / ROWS * p->step, p->c + i * p->ldc + j, k, 0);
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
    k->half_product = half_product;
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
