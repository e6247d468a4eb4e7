/* vocab.c - see vocab.h. Fields we do not know are skipped; of a scalar seen twice the last one
 * counts, and the specs merge. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "io/stream.h"
#include "spm/proto.h"
#include "spm/vocab.h"

enum { FILE_MAX = 1 << 28, PIECE_USUAL = 16 };    // bytes of a piece in the file

#define SLOT_ID 0xFFFFFFu    // of a slot: id + 1

static void more_pieces(struct vocab *v)
{
    size_t cap = v->cap_piece ? 2 * v->cap_piece : v->file.n / PIECE_USUAL + 1;
    struct piece *more = mem_map(cap * sizeof(*more));

    if (v->n_piece)
        memcpy(more, v->piece, (size_t)v->n_piece * sizeof(*more));
    mem_unmap(v->piece, v->cap_piece * sizeof(*more));
    v->piece = more;
    v->cap_piece = cap;
}

static int read_piece(struct vocab *v, struct proto r, struct err *err)
{
    struct piece p = { .type = PIECE_NORMAL };
    struct proto_field f;
    uint32_t bits;
    int got;

    while ((got = proto_next(&r, &f, err)) == 1) {
        if (f.number == 1 && f.wire == PROTO_LENGTH) {
            if (f.b.n >= PIECE_MAX)
                return err_set(err, "%s: piece %d: %zu bytes long", r.path, v->n_piece, f.b.n);
            p.p = f.b.p;
            p.n = (uint32_t)f.b.n;
        } else if (f.number == 2 && f.wire == PROTO_FIXED32) {
            bits = (uint32_t)f.value;
            memcpy(&p.score, &bits, sizeof(bits));
        } else if (f.number == 3 && f.wire == PROTO_VARINT) {
            if (f.value < PIECE_NORMAL || f.value > PIECE_BYTE)
                return err_set(err, "%s: piece %d: no such type", r.path, v->n_piece);
            p.type = (int)f.value;
        }
    }
    if (got < 0)
        return -1;
    if (v->n_piece >= VOCAB_MAX)
        return err_set(err, "%s: more than %d pieces", r.path, VOCAB_MAX);
    if (!p.n || memchr(p.p, 0, p.n))
        return err_set(err, "%s: piece %d: empty or with a NUL byte", r.path, v->n_piece);
    if (!isfinite(p.score))
        return err_set(err, "%s: piece %d: its score is no number", r.path, v->n_piece);
    if ((size_t)v->n_piece == v->cap_piece)
        more_pieces(v);
    v->piece[v->n_piece++] = p;
    return 0;
}

struct special {    // how the special pieces are spelled
    struct bytes unk, bos, eos, pad;
};

static int read_trainer(struct vocab *v, struct proto r, struct special *s, struct err *err)
{
    struct proto_field f;
    int got;

    while ((got = proto_next(&r, &f, err)) == 1) {
        if (f.wire == PROTO_VARINT && f.number == 3) {
            if (f.value < VOCAB_UNIGRAM || f.value > VOCAB_CHAR)
                return err_set(err, "%s: no such model type", r.path);
            v->model_type = (int)f.value;
        } else if (f.wire == PROTO_VARINT && f.number == 24) {
            v->normal.suffix = f.value != 0;
        } else if (f.wire == PROTO_VARINT && f.number == 35) {
            v->byte_fallback = f.value != 0;
        } else if (f.wire == PROTO_LENGTH) {
            struct bytes *to = f.number == 44   ? &v->unk_surface
                               : f.number == 45 ? &s->unk
                               : f.number == 46 ? &s->bos
                               : f.number == 47 ? &s->eos
                               : f.number == 48 ? &s->pad
                                                : NULL;

            if (to)
                *to = f.b;
        }
    }
    return got;
}

static int read_normal(struct normal_spec *n, struct proto r, struct err *err)
{
    struct proto_field f;
    int got;

    while ((got = proto_next(&r, &f, err)) == 1) {
        if (f.wire == PROTO_LENGTH && f.number == 2)
            n->charsmap = f.b;
        else if (f.wire == PROTO_VARINT && f.number == 3)
            n->add_dummy_prefix = f.value != 0;
        else if (f.wire == PROTO_VARINT && f.number == 4)
            n->remove_extra = f.value != 0;
        else if (f.wire == PROTO_VARINT && f.number == 5)
            n->escape = f.value != 0;
    }
    return got;
}

static int read_samples(struct vocab *v, struct proto r, struct err *err)
{
    struct proto_field f, g;
    int got;

    while ((got = proto_next(&r, &f, err)) == 1) {
        struct vocab_sample s = { { 0 }, { 0 } };
        struct proto in = proto_inside(&r, f.b);

        if (f.number != 1 || f.wire != PROTO_LENGTH)
            continue;
        while ((got = proto_next(&in, &g, err)) == 1) {
            if (g.wire == PROTO_LENGTH && g.number == 1)
                s.input = g.b;
            else if (g.wire == PROTO_LENGTH && g.number == 2)
                s.expected = g.b;
        }
        if (got < 0)
            return -1;
        v->sample = xreallocarray(v->sample, v->n_sample + 1, sizeof(*v->sample));
        v->sample[v->n_sample++] = s;
    }
    return got;
}

static int read_model(struct vocab *v, struct proto r, struct special *s, struct err *err)
{
    struct proto_field f;
    int got;

    while ((got = proto_next(&r, &f, err)) == 1) {
        struct proto in = proto_inside(&r, f.b);
        int bad = 0;

        if (f.wire != PROTO_LENGTH)
            continue;
        if (f.number == 1)
            bad = read_piece(v, in, err);
        else if (f.number == 2)
            bad = read_trainer(v, in, s, err);
        else if (f.number == 3)
            bad = read_normal(&v->normal, in, err);
        else if (f.number == 4)
            bad = read_samples(v, in, err);
        else if (f.number == 5)
            bad = read_normal(&v->denormal, in, err), v->has_denormal = 1;
        if (bad)
            return -1;
    }
    return got;
}

struct bytes vocab_piece(const struct vocab *v, int32_t id)
{
    return (struct bytes){ v->piece[id].p, v->piece[id].n };
}

static uint64_t piece_hash(struct bytes b)
{
    uint64_t h = b.n, x;

    for (; b.n >= 8; b.p += 8, b.n -= 8) {
        memcpy(&x, b.p, 8);
        h = (h ^ x) * 0x9E3779B97F4A7C15u;
        h ^= h >> 32;
    }
    for (x = 0; b.n; b.n--)
        x = x << 8 | b.p[b.n - 1];
    h = (h ^ x) * 0x9E3779B97F4A7C15u;
    return (h ^ h >> 29) * 0xD6E8FEB86659FD93u;
}

/* Where b is in the hash table, or the free place where it would be. A slot's upper byte is of the
 * hash, so that other pieces are hardly ever looked at. */
static size_t slot_of(const struct vocab *v, struct bytes b, uint32_t *tag)
{
    uint64_t hash = piece_hash(b);
    size_t at = hash >> 32 & (v->n_slot - 1);

    *tag = (uint32_t)hash & ~SLOT_ID;
    for (; v->slot[at]; at = (at + 1) & (v->n_slot - 1)) {
        const struct piece *p = &v->piece[(v->slot[at] & SLOT_ID) - 1];

        if ((v->slot[at] & ~SLOT_ID) == *tag && p->n == b.n && !memcmp(p->p, b.p, b.n))
            break;
    }
    return at;
}

int32_t vocab_find(const struct vocab *v, struct bytes piece)
{
    uint32_t tag;

    return (int32_t)(v->slot[slot_of(v, piece, &tag)] & SLOT_ID) - 1;
}

static int index_pieces(struct vocab *v, const char *path, struct err *err)
{
    int32_t id;

    for (v->n_slot = 16; v->n_slot < 2 * (size_t)v->n_piece; v->n_slot *= 2)
        ;
    v->slot = mem_map(v->n_slot * sizeof(*v->slot));
    for (id = 0; id < v->n_piece; id++) {
        uint32_t tag;
        size_t at = slot_of(v, vocab_piece(v, id), &tag);

        if (v->slot[at])
            return err_set(err, "%s: pieces %u and %d are the same", path,
                           (v->slot[at] & SLOT_ID) - 1, id);
        v->slot[at] = tag | ((uint32_t)id + 1);
    }
    return 0;
}

static int find_unknown_and_bytes(struct vocab *v, const char *path, struct err *err)
{
    int32_t id, c, n_byte = 0;
    char name[8];

    for (id = 0; id < v->n_piece; id++) {
        if (v->piece[id].type == PIECE_UNKNOWN && v->unk >= 0)
            return err_set(err, "%s: pieces %d and %d are both the unknown", path, v->unk, id);
        if (v->piece[id].type == PIECE_UNKNOWN)
            v->unk = id;
        n_byte += v->piece[id].type == PIECE_BYTE;
        if (n_byte && !v->byte_fallback)
            return err_set(err, "%s: piece %d: a byte, but the model has no byte fallback", path,
                           id);
    }
    if (v->unk < 0)
        return err_set(err, "%s: no piece is the unknown", path);
    for (c = 0; c < 256; c++) {
        snprintf(name, sizeof(name), "<0x%02X>", (unsigned)c & 0xFF);
        id = vocab_find(v, (struct bytes){ (const unsigned char *)name, 6 });
        v->byte[c] = id >= 0 && v->piece[id].type == PIECE_BYTE ? id : -1;
        if (v->byte_fallback && v->byte[c] < 0)
            return err_set(err, "%s: byte fallback, but no byte piece %s", path, name);
    }
    for (c = 0; c < 256; c++)
        n_byte -= v->byte[c] >= 0;
    return n_byte ? err_set(err, "%s: a byte piece that names no byte", path) : 0;
}

int32_t vocab_sentinel(struct bytes b)
{
    static const char mark[] = "<extra_id_";
    size_t n = sizeof(mark) - 1, i;
    int32_t number = 0;

    if (b.n > 3 && !memcmp(b.p, "\xE2\x96\x81", 3))
        b = (struct bytes){ b.p + 3, b.n - 3 };
    if (b.n < n + 2 || b.n > n + 8 || memcmp(b.p, mark, n) != 0 || b.p[b.n - 1] != '>')
        return -1;
    for (i = n; i < b.n - 1; i++) {
        if (b.p[i] < '0' || b.p[i] > '9')
            return -1;
        number = number * 10 + b.p[i] - '0';
    }
    return number;
}

static void find_sentinels(struct vocab *v)
{
    int32_t id;

    for (id = 0; id < v->n_piece; id++)
        if (vocab_sentinel(vocab_piece(v, id)) == 0)
            v->sentinel0 = id;
    id = v->sentinel0;
    while (id >= 0 && vocab_sentinel(vocab_piece(v, id)) == v->n_sentinel) {
        v->n_sentinel++;
        id--;
    }
}

static int32_t find_control(const struct vocab *v, struct bytes piece)
{
    int32_t id = vocab_find(v, piece);

    return id >= 0 && v->piece[id].type == PIECE_CONTROL ? id : -1;
}

static struct bytes text(const char *s)
{
    return (struct bytes){ (const unsigned char *)s, strlen(s) };
}

static char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');

    return xstrndup(name, dot && dot > name ? (size_t)(dot - name) : strlen(name));
}

static int load(struct vocab *v, const char *path, struct err *err)
{
    struct special s = { text("<unk>"), text("<s>"), text("</s>"), text("<pad>") };
    struct bytes whole = buf_bytes(&v->file);
    struct proto r = { whole, &whole, path };
    struct normal_spec defaults = { { 0 }, 1, 1, 1, 0 };

    v->name = base_name(path);
    v->unk = v->bos = v->eos = v->pad = v->sentinel0 = -1;
    v->model_type = VOCAB_UNIGRAM;
    v->normal = v->denormal = defaults;
    v->unk_surface = text(" \xE2\x81\x87 ");
    if (read_model(v, r, &s, err))
        return -1;
    if (!v->n_piece)
        return err_set(err, "%s: no pieces (not a SentencePiece model?)", path);
    if (index_pieces(v, path, err) || find_unknown_and_bytes(v, path, err))
        return -1;
    v->bos = find_control(v, s.bos);
    v->eos = find_control(v, s.eos);
    v->pad = find_control(v, s.pad);
    find_sentinels(v);
    return 0;
}

struct vocab *vocab_parse(struct bytes file, const char *path, struct err *err)
{
    struct vocab *v = xcalloc(1, sizeof(*v));

    buf_add(&v->file, file.p, file.n);
    if (load(v, path, err)) {
        vocab_free(v);
        return NULL;
    }
    return v;
}

struct vocab *vocab_open(const char *path, struct err *err)
{
    struct vocab *v = xcalloc(1, sizeof(*v));
    struct stream *s = stream_open(path, err);
    ssize_t got = -1;

    if (!s)
        goto fail;
    do {
        buf_need(&v->file, v->file.n + (1 << 20));
        got = stream_read(s, v->file.p + v->file.n, v->file.cap - v->file.n, err);
        v->file.n += got > 0 ? (size_t)got : 0;
    } while (got > 0 && v->file.n <= FILE_MAX);
    if (got > 0)
        got = err_set(err, "%s: too large for a model", stream_path(s));
    if (got == 0 && load(v, stream_path(s), err) == 0) {
        stream_close(s);
        return v;
    }
fail:
    stream_close(s);
    vocab_free(v);
    return NULL;
}

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

void vocab_free(struct vocab *v)
{
    if (!v)
        return;
    mem_unmap(v->piece, v->cap_piece * sizeof(*v->piece));
    mem_unmap(v->slot, v->n_slot * sizeof(*v->slot));
    free(v->sample);
    free(v->name);
    buf_release(&v->file);
    free(v);
}
