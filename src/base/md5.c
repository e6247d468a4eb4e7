/* md5.c - hash_md5_many() of hash.h: MD5 of many strings at once (RFC 1321).
 *
 * A step of MD5 waits for the one before it, so one string leaves most of a processor idle. Here
 * LANES strings go through together, each in a lane of a vector; a lane that is done takes the next
 * string.
 */
#include <string.h>

#include "base/hash.h"

enum { LANES = 8, BLOCK = 64 };

#define VECTOR uint32_t __attribute__((vector_size(4 * LANES)))
#define ROTATE(x, s) ((x) << (s) | (x) >> (32 - (s)))

struct lane {
    const unsigned char *at;    // of what is left in the string
    size_t left;
    unsigned char tail[2 * BLOCK];    // the end of the string with its padding
    size_t tail_at, tail_n;
    size_t string;    // its number, SIZE_MAX: the lane is idle
};

struct state {
    VECTOR a, b, c, d;
};

static const unsigned char shift[4][4] = {
    { 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 }, { 6, 10, 15, 21 }
};

static const uint32_t sine[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391
};

/* A block of each lane. */
static inline __attribute__((always_inline)) void compress(struct state *s,
                                                           const unsigned char *const block[LANES])
{
    VECTOR x[16], a = s->a, b = s->b, c = s->c, d = s->d, f, was;
    int i, k;

    for (k = 0; k < LANES; k++)
        for (i = 0; i < 16; i++) {
            const unsigned char *p = block[k] + 4 * i;

            x[i][k] = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        }
#pragma GCC unroll 64
    for (i = 0; i < 64; i++) {
        int round = i / 16;
        int from = round == 0 ? i : round == 1 ? 5 * i + 1 : round == 2 ? 3 * i + 5 : 7 * i;

        f = round == 0   ? d ^ (b & (c ^ d))
            : round == 1 ? c ^ (d & (b ^ c))
            : round == 2 ? b ^ c ^ d
                         : c ^ (b | ~d);
        was = d;
        f = f + a + x[from & 15] + sine[i];
        a = was;
        d = c;
        c = b;
        b = b + ROTATE(f, shift[round][i & 3]);
    }
    s->a += a;
    s->b += b;
    s->c += c;
    s->d += d;
}

static void compress_plain(struct state *s, const unsigned char *const block[LANES])
{
    compress(s, block);
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static void compress_avx2(struct state *s,
                                                          const unsigned char *const block[LANES])
{
    compress(s, block);
}
#endif

/* Give lane k the string s, which is number i. */
static void lane_start(struct lane *l, struct state *st, int k, struct bytes s, size_t i)
{
    size_t rest = s.n % BLOCK, b;

    l->at = s.p;
    l->left = s.n - rest;
    l->string = i;
    l->tail_at = 0;
    l->tail_n = rest + 9 > BLOCK ? 2 * BLOCK : BLOCK;
    memset(l->tail, 0, sizeof(l->tail));
    if (rest)
        memcpy(l->tail, s.p + s.n - rest, rest);
    l->tail[rest] = 0x80;
    for (b = 0; b < 8; b++)
        l->tail[l->tail_n - 8 + b] = (unsigned char)((uint64_t)s.n * 8 >> 8 * b);
    st->a[k] = 0x67452301;
    st->b[k] = 0xefcdab89;
    st->c[k] = 0x98badcfe;
    st->d[k] = 0x10325476;
}

static const unsigned char *lane_block(struct lane *l)
{
    const unsigned char *p = l->at;

    if (l->left) {
        l->at += BLOCK;
        l->left -= BLOCK;
        return p;
    }
    p = l->tail + l->tail_at;
    if (l->string != SIZE_MAX)
        l->tail_at += BLOCK;
    return p;
}

static void lane_digest(const struct state *st, int k, unsigned char out[16])
{
    const uint32_t word[4] = { st->a[k], st->b[k], st->c[k], st->d[k] };
    int i;

    for (i = 0; i < 16; i++)
        out[i] = (unsigned char)(word[i / 4] >> 8 * (i % 4));
}

void hash_md5_many(const struct bytes *s, size_t n, unsigned char (*out)[16])
{
    void (*run)(struct state *, const unsigned char *const *) = compress_plain;
    struct lane lane[LANES] = { 0 };
    const unsigned char *block[LANES];
    struct state st = { 0 };
    size_t next = 0, done = 0;
    int k;

#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2"))
        run = compress_avx2;
#endif
    for (k = 0; k < LANES; k++) {
        lane[k].string = SIZE_MAX;
        if (next < n) {
            lane_start(&lane[k], &st, k, s[next], next);
            next++;
        }
    }
    while (done < n) {
        for (k = 0; k < LANES; k++)
            block[k] = lane_block(&lane[k]);
        run(&st, block);
        for (k = 0; k < LANES; k++) {
            struct lane *l = &lane[k];

            if (l->string == SIZE_MAX || l->left || l->tail_at < l->tail_n)
                continue;
            lane_digest(&st, k, out[l->string]);
            done++;
            l->string = SIZE_MAX;
            l->tail_at = 0;
            if (next < n) {
                lane_start(l, &st, k, s[next], next);
                next++;
            }
        }
    }
}
