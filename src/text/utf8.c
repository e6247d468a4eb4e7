/* utf8.c - see utf8.h. The fast lanes look at eight bytes at once. */
#include <string.h>

#include "text/utf8.h"

#define HIGH_BITS 0x8080808080808080u
#define LOW_BITS 0x0101010101010101u

static int continues(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

uint32_t utf8_get(const unsigned char *p, size_t n, int *len)
{
    *len = 1;
    if (p[0] < 0x80)
        return p[0];
    if (p[0] >= 0xC2 && p[0] < 0xE0 && n >= 2 && continues(p[1])) {
        *len = 2;
        return (p[0] & 0x1Fu) << 6 | (p[1] & 0x3Fu);
    }
    if ((p[0] & 0xF0) == 0xE0 && n >= 3 && continues(p[1]) && continues(p[2])) {
        uint32_t c = (p[0] & 0xFu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);

        if (c < 0x800 || (c >= 0xD800 && c < 0xE000))
            return UTF8_BAD;
        *len = 3;
        return c;
    }
    if ((p[0] & 0xF8) == 0xF0 && n >= 4 && continues(p[1]) && continues(p[2]) && continues(p[3])) {
        uint32_t c =
            (p[0] & 7u) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);

        if (c < 0x10000 || c > 0x10FFFF)
            return UTF8_BAD;
        *len = 4;
        return c;
    }
    return UTF8_BAD;
}

uint32_t utf8_get_last(const unsigned char *p, size_t n, int *len)
{
    size_t back = 1;
    uint32_t c;

    while (back < 4 && back < n && continues(p[n - back]))
        back++;
    c = utf8_get(p + n - back, back, len);
    if (c != UTF8_BAD && (size_t)*len == back)
        return c;
    *len = 1;
    return UTF8_BAD;
}

int utf8_put(unsigned char *p, uint32_t c)
{
    if (c < 0x80) {
        p[0] = (unsigned char)c;
        return 1;
    }
    if (c < 0x800) {
        p[0] = (unsigned char)(0xC0 | c >> 6);
        p[1] = (unsigned char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        p[0] = (unsigned char)(0xE0 | c >> 12);
        p[1] = (unsigned char)(0x80 | (c >> 6 & 0x3F));
        p[2] = (unsigned char)(0x80 | (c & 0x3F));
        return 3;
    }
    p[0] = (unsigned char)(0xF0 | c >> 18);
    p[1] = (unsigned char)(0x80 | (c >> 12 & 0x3F));
    p[2] = (unsigned char)(0x80 | (c >> 6 & 0x3F));
    p[3] = (unsigned char)(0x80 | (c & 0x3F));
    return 4;
}

int utf8_valid_plain(struct bytes s)
{
    size_t i;
    int len;

    for (i = 0; i < s.n; i += (size_t)len)
        if (utf8_get(s.p + i, s.n - i, &len) == UTF8_BAD)
            return 0;
    return 1;
}

int utf8_valid(struct bytes s)
{
    const unsigned char *p = s.p, *end = bytes_end(s);
    uint64_t word;
    int len;

    while (end - p >= 8) {
        memcpy(&word, p, 8);
        if (!(word & HIGH_BITS)) {
            p += 8;
            continue;
        }
        while (*p < 0x80)
            p++;
        /* a run of the two commonest shapes, then back to the fast lane */
        while (end - p >= 4 && *p >= 0x80) {
            if (*p >= 0xC2 && *p < 0xE0 && continues(p[1])) {
                p += 2;
            } else if (*p > 0xE0 && *p < 0xF0 && *p != 0xED && continues(p[1]) && continues(p[2])) {
                p += 3;
            } else {
                if (utf8_get(p, (size_t)(end - p), &len) == UTF8_BAD)
                    return 0;
                p += len;
            }
        }
        if (end - p < 4)
            break;
    }
    return utf8_valid_plain((struct bytes){ p, (size_t)(end - p) });
}

size_t utf8_count_plain(struct bytes s)
{
    size_t i, n = 0;

    for (i = 0; i < s.n; i++)
        n += !continues(s.p[i]);
    return n;
}

size_t utf8_count(struct bytes s)
{
    size_t i = 0, rest = 0;
    uint64_t word, sum;
    int turn;

    while (s.n - i >= 8) {
        /* bytes that continue: top bit set, next one clear. At most 255 turns fit a byte. */
        for (sum = 0, turn = 0; turn < 255 && s.n - i >= 8; turn++, i += 8) {
            memcpy(&word, s.p + i, 8);
            sum += (word >> 7) & ~(word >> 6) & LOW_BITS;
        }
        rest += (size_t)(((sum & 0x00FF00FF00FF00FFu) + (sum >> 8 & 0x00FF00FF00FF00FFu)) *
                             0x0001000100010001u >>
                         48);
    }
    return i - rest + utf8_count_plain((struct bytes){ s.p + i, s.n - i });
}
