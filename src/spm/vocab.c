/* vocab.c - see vocab.h. Fields we do not know are skipped; of a scalar seen twice the last one
 * counts, and the specs merge. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "io/stream.h"
#include "spm/proto.h"
#include "spm/vocab.h"

enum { FILE_MAX = 1 << 28, FILE_USUAL = 8 << 20, FILE_SPARE = 8, PIECE_USUAL = 16 };    // bytes

#define SLOT_ID 0xFFFFFFu    // of a slot: id + 1
#define HASH_LAST 0xD6E8FEB86659FD93u

static void *more(void *had, size_t n, size_t size)    // of mem_map(), n bytes of it in use
{
    void *p = mem_map(size);

    if (n)
        memcpy(p, had, n);
    return p;
}

static inline uint64_t word_at(const unsigned char *p)
{
    uint64_t x;

    memcpy(&x, p, sizeof(x));
    return x;
}

static inline uint64_t low_bytes(size_t n)    // n < 8
{
    return ((uint64_t)1 << 8 * n) - 1;
}

static void more_pieces(struct vocab *v)
{
    size_t least = v->cap_piece ? 2 * v->cap_piece : v->file.n / PIECE_USUAL + 1;
    size_t cap = whole_pages(least * sizeof(struct piece)) / sizeof(struct piece);
    struct piece *p = more(v->piece, v->cap_piece * sizeof(*p), cap * sizeof(*p));

    mem_unmap(v->piece, v->cap_piece * sizeof(*p));
    v->piece = p;
    v->cap_piece = cap;
}

static inline int add_piece(struct vocab *v, struct piece p, const char *path, struct err *err)
{
    if (v->n_piece >= VOCAB_MAX)
        return err_set(err, "%s: more than %d pieces", path, VOCAB_MAX);
    if (!p.n)
        return err_set(err, "%s: piece %d: empty", path, v->n_piece);
    if (!isfinite(p.score))
        return err_set(err, "%s: piece %d: its score is no number", path, v->n_piece);
    if ((size_t)v->n_piece == v->cap_piece)
        more_pieces(v);
    v->piece[v->n_piece++] = p;
    return 0;
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
            p.n = (uint16_t)f.b.n;
        } else if (f.number == 2 && f.wire == PROTO_FIXED32) {
            bits = (uint32_t)f.value;
            memcpy(&p.score, &bits, sizeof(bits));
        } else if (f.number == 3 && f.wire == PROTO_VARINT) {
            if (f.value < PIECE_NORMAL || f.value > PIECE_BYTE)
                return err_set(err, "%s: piece %d: no such type", r.path, v->n_piece);
            p.type = (unsigned char)f.value;
        }
    }
    return got < 0 ? -1 : add_piece(v, p, r.path, err);
}

/* Pieces as SentencePiece writes them, up to the first field that is something else: a short
 * message, of the text and the score, and of the type if it is not a normal one. */
static int read_pieces(struct vocab *v, struct proto *r, struct err *err)
{
    enum { TEXT = 1 << 3 | PROTO_LENGTH, SCORE = 2 << 3 | PROTO_FIXED32, TYPE = 3 << 3 };
    const unsigned char *q;
    uint32_t bits;

    for (; r->left.n > 2; r->left.n -= 2u + r->left.p[1], r->left.p += 2 + r->left.p[1]) {
        struct piece p = { .type = PIECE_NORMAL };
        size_t n = r->left.p[1], n_rest;

        q = r->left.p + 2;
        if (q[-2] != TEXT || n >= 0x80 || n < 7 || n > r->left.n - 2)
            break;
        p.n = q[1];
        p.p = q + 2;
        n_rest = n - 2 - p.n;
        if (q[0] != TEXT || (n_rest != 5 && n_rest != 7))
            break;
        q = p.p + p.n;
        if (n_rest == 7 && q[5] == TYPE && q[6] >= PIECE_NORMAL && q[6] <= PIECE_BYTE)
            p.type = q[6];
        else if (n_rest == 7)
            break;
        if (q[0] != SCORE)
            break;
        bits = q[1] | (uint32_t)q[2] << 8 | (uint32_t)q[3] << 16 | (uint32_t)q[4] << 24;
        memcpy(&p.score, &bits, sizeof(bits));
        if (add_piece(v, p, r->path, err))
            return -1;
    }
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

    while ((got = read_pieces(v, &r, err)) == 0 && (got = proto_next(&r, &f, err)) == 1) {
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

static inline uint64_t hash_word(uint64_t h, uint64_t x)
{
    h = (h ^ x) * 0x9E3779B97F4A7C15u;
    return h ^ h >> 32;
}

static uint64_t piece_hash(struct bytes b)
{
    uint64_t h = b.n, x = 0;

    for (; b.n >= 8; b.p += 8, b.n -= 8)
        h = hash_word(h, word_at(b.p));
    for (; b.n; b.n--)
        x = x << 8 | b.p[b.n - 1];
    return hash_word(h, x) * HASH_LAST;
}

/* The same of a piece in the file, behind which more can be read; *nul: does it hold one? */
static inline uint64_t file_hash(const unsigned char *p, size_t n, int *nul)
{
    const uint64_t ones = 0x0101010101010101u;
    uint64_t h = n, x, any = 0;

    for (; n >= 8; p += 8, n -= 8) {
        x = word_at(p);
        any |= (x - ones) & ~x;
        h = hash_word(h, x);
    }
    x = word_at(p) & low_bytes(n);
    any |= (x - (ones & low_bytes(n))) & ~x & low_bytes(n);
    *nul = (any & ones << 7) != 0;
    return hash_word(h, x) * HASH_LAST;
}

static inline size_t slot_first(const struct vocab *v, uint64_t hash)
{
    return hash >> 32 & (v->n_slot - 1);
}

/* Where b is in the hash table, or the free place where it would be. A slot's upper byte is of the
 * hash, so that other pieces are hardly ever looked at. */
static inline size_t slot_of(const struct vocab *v, struct bytes b, uint64_t hash)
{
    uint32_t tag = (uint32_t)hash & ~SLOT_ID;
    size_t at = slot_first(v, hash);

    for (; v->slot[at]; at = (at + 1) & (v->n_slot - 1)) {
        const struct piece *p = &v->piece[(v->slot[at] & SLOT_ID) - 1];

        if ((v->slot[at] & ~SLOT_ID) == tag && p->n == b.n && !memcmp(p->p, b.p, b.n))
            break;
    }
    return at;
}

int32_t vocab_find(const struct vocab *v, struct bytes piece)
{
    return (int32_t)(v->slot[slot_of(v, piece, piece_hash(piece))] & SLOT_ID) - 1;
}

static int index_pieces(struct vocab *v, const char *path, struct err *err)
{
    enum { AHEAD = 16 };    // slots on the way from memory
    uint64_t hash[AHEAD];
    int32_t next, id;
    int nul;

    for (v->n_slot = 16; v->n_slot < 2 * (size_t)v->n_piece; v->n_slot *= 2)
        ;
    v->slot = mem_map(v->n_slot * sizeof(*v->slot));
    for (next = 0; next < v->n_piece + AHEAD; next++) {
        id = next - AHEAD;
        if (id >= 0) {
            uint64_t h = hash[id % AHEAD];
            size_t at = slot_of(v, vocab_piece(v, id), h);

            if (v->slot[at])
                return err_set(err, "%s: pieces %u and %d are the same", path,
                               (v->slot[at] & SLOT_ID) - 1, id);
            v->slot[at] = ((uint32_t)h & ~SLOT_ID) | ((uint32_t)id + 1);
        }
        if (next < v->n_piece) {
            hash[next % AHEAD] = file_hash(v->piece[next].p, v->piece[next].n, &nul);
            if (nul)
                return err_set(err, "%s: piece %d: with a NUL byte", path, next);
            __builtin_prefetch(&v->slot[slot_first(v, hash[next % AHEAD])], 1);
        }
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
        if (v->piece[id].p[v->piece[id].n - 1] == '>' && vocab_sentinel(vocab_piece(v, id)) == 0)
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
    struct bytes whole = { v->file.p, v->file.n };
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

/* Room for n bytes. */
static void file_need(struct vocab *v, size_t n)
{
    size_t cap = v->file.cap ? 2 * v->file.cap : FILE_USUAL;
    unsigned char *p;

    if (n + FILE_SPARE <= v->file.cap)
        return;
    while (cap < n + FILE_SPARE)
        cap *= 2;
    p = more(v->file.p, v->file.n, cap);
    mem_unmap(v->file.p, v->file.cap);
    v->file.p = p;
    v->file.cap = cap;
}

struct vocab *vocab_parse(struct bytes file, const char *path, struct err *err)
{
    struct vocab *v = xcalloc(1, sizeof(*v));

    file_need(v, file.n);
    if (file.n)
        memcpy(v->file.p, file.p, file.n);
    v->file.n = file.n;
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
        file_need(v, v->file.n + 1);
        got = stream_read(s, v->file.p + v->file.n, v->file.cap - FILE_SPARE - v->file.n, err);
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

void vocab_free(struct vocab *v)
{
    if (!v)
        return;
    mem_unmap(v->piece, v->cap_piece * sizeof(*v->piece));
    mem_unmap(v->slot, v->n_slot * sizeof(*v->slot));
    free(v->sample);
    free(v->name);
    mem_unmap(v->file.p, v->file.cap);
    free(v);
}
