/* digest.c - the digest of a model that shard headers carry. */
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "spm/vocab.h"

void vocab_sha256(const struct vocab *v, char hex[65])
{
    struct hash_sha256 *h = hash_sha256_new();
    unsigned char digest[32], num[9];
    struct buf all = { 0 };
    int32_t id, i;

    for (id = 0; id < v->n_piece; id++) {    // u32 length, bytes, f32 score, u8 type
        const struct piece *p = &v->piece[id];
        uint32_t bits;

        memcpy(&bits, &p->score, sizeof(bits));
        for (i = 0; i < 4; i++) {
            num[i] = (unsigned char)(p->n >> (8 * i));
            num[4 + i] = (unsigned char)(bits >> (8 * i));
        }
        num[8] = (unsigned char)p->type;
        buf_add(&all, num, 4);
        buf_add(&all, p->p, p->n);
        buf_add(&all, num + 4, 5);
    }
    buf_add(&all, v->normal.charsmap.p, v->normal.charsmap.n);
    buf_add_byte(&all, (unsigned char)v->normal.add_dummy_prefix);
    buf_add_byte(&all, (unsigned char)v->normal.remove_extra);
    buf_add_byte(&all, (unsigned char)v->normal.escape);
    hash_sha256_add(h, all.p, all.n);
    hash_sha256_end(h, digest);
    hash_hex(digest, sizeof(digest), hex);
    buf_release(&all);
}
