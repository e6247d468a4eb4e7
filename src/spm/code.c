/* code.c - see code.h. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "spm/code.h"
#include "spm/vocab.h"
#include "text/utf8.h"

enum { POINTS = 0x110000, CODES_MAX = (1 << 15) - 1, SPACE = 0x2581 };

/* The character at p, of valid text. */
static inline uint32_t char_at(const unsigned char *p, uint32_t *len)
{
    if (p[0] < 0x80)
        return *len = 1, p[0];
    if (p[0] < 0xE0)
        return *len = 2, (p[0] & 0x1Fu) << 6 | (p[1] & 0x3Fu);
    if (p[0] < 0xF0)
        return *len = 3, (p[0] & 0xFu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
    *len = 4;
    return (p[0] & 7u) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);
}

/* The character of more than one byte that p begins with, of n: *len 0 if there is none. Four bytes
 * can be read. */
static inline uint32_t wide_at(const unsigned char *p, size_t n, uint32_t *len)
{
    uint32_t x, c;
    int got;

    memcpy(&x, p, sizeof(x));
    if ((x & 0xC0E0) == 0x80C0 && n >= 2) {
        c = (x & 0x1F) << 6 | (x >> 8 & 0x3F);
        *len = c < 0x80 ? 0 : 2;
        return c;
    }
    if ((x & 0xC0C0F0) == 0x8080E0 && n >= 3) {
        c = (x & 0xF) << 12 | (x >> 2 & 0xFC0) | (x >> 16 & 0x3F);
        *len = c < 0x800 || (c & 0xF800) == 0xD800 ? 0 : 3;
        return c;
    }
    c = utf8_get(p, n, &got);
    *len = c == UTF8_BAD ? 0 : (uint32_t)got;
    return c;
}

/* A piece in codes, and the 0 behind it; NULL if it cannot be. */
static inline uint16_t *write_piece(struct codes *c, const unsigned char *p, size_t n, uint16_t *to)
{
    const unsigned char *start = p, *end = p + n;
    const uint16_t *first = to;

    while (p < end) {
        uint32_t len = 1, x = *p;
        uint16_t code;

        if (x >= 0x80) {
            x = wide_at(p, (size_t)(end - p), &len);
            if (!len || (x == SPACE && p > start))
                return NULL;
        }
        code = c->of[x];
        if (!code) {
            if (c->n == CODES_MAX)
                return NULL;
            c->of[x] = code = (uint16_t)++c->n;
        }
        *to++ = code;
        p += len;
    }
    if (to - first > CODES_PIECE_MAX)
        return NULL;
    *to++ = 0;
    return to;
}

int codes_init(struct codes *c, struct code_keys *k, const struct vocab *v,
               const unsigned char *used)
{
    size_t n_piece = (size_t)v->n_piece, n = 0;
    struct trie_key *key;
    uint16_t *label, *to;
    int32_t id;

    *c = (struct codes){ .of = xcalloc(POINTS, sizeof(*c->of)) };
    k->size =
        whole_pages(n_piece * sizeof(*key) + (v->file.n + n_piece + TRIE_SPARE) * sizeof(*label));
    k->room = key = mem_map(k->size);
    label = to = (uint16_t *)(void *)(key + n_piece);
    for (id = 0; id < v->n_piece; id++) {
        if (!used[id])
            continue;
        key[n++] = (struct trie_key){ (uint32_t)(to - label), (uint32_t)id + 1 };
        to = write_piece(c, v->piece[id].p, v->piece[id].n, to);
        if (!to) {
            codes_release(c);
            code_keys_release(k);
            return -1;
        }
    }
    k->keys = (struct trie_keys){ label, (size_t)(to - label), c->n, key, n };
    return 0;
}

void codes_release(struct codes *c)
{
    free(c->of);
    *c = (struct codes){ 0 };
}

void code_keys_release(struct code_keys *k)
{
    mem_unmap(k->room, k->size);
    *k = (struct code_keys){ 0 };
}

uint32_t codes_write(const struct codes *c, const unsigned char *text, uint32_t n, uint16_t *to)
{
    const unsigned char *p = text, *end = text + n;
    const uint16_t *start = to;
    uint32_t len;

    while (p < end) {
        for (; p < end && (*p & 0xF0) == 0xE0; p += 3)
            *to++ = c->of[char_at(p, &len)];
        for (; p < end && (*p & 0xF0) != 0xE0; p += len)
            *to++ = c->of[char_at(p, &len)];
    }
    return (uint32_t)(to - start);
}
