/* decode.c - see decode.h. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "spm/decode.h"
#include "spm/vocab.h"
#include "text/normal.h"

static const unsigned char SPACE[] = { 0xE2, 0x96, 0x81 };

struct decoder {
    const struct vocab *vocab;
    struct normal *cut;         // without rules: what is invalid UTF-8 in a run of byte pieces
    struct normal *denormal;    // or NULL
    struct buf byte, plain;     // the run of byte pieces, and before the denormaliser
    int32_t n_extra;
};

struct decoding {    // of one list of ids
    struct buf *out;
    int at_start;       // nothing but spaces that were dropped so far
    int space_taken;    // by the last piece
};

struct decoder *decoder_new(const struct vocab *v, int32_t n_extra, struct err *err)
{
    struct decoder *d = xcalloc(1, sizeof(*d));
    struct normal_spec as_is = { { 0 }, 0, 0, 0, 0 };

    d->vocab = v;
    d->n_extra = n_extra;
    d->cut = normal_new(&as_is, NULL, 0, err);
    if (v->has_denormal && v->denormal.charsmap.n) {
        d->denormal = normal_new(&v->denormal, NULL, 0, err);
        if (!d->denormal) {
            decoder_free(d);
            return NULL;
        }
    }
    return d;
}

void decoder_free(struct decoder *d)
{
    if (!d)
        return;
    normal_free(d->cut);
    normal_free(d->denormal);
    buf_release(&d->byte);
    buf_release(&d->plain);
    free(d);
}

/* Byte pieces are text only together. */
static int flush_bytes(struct decoder *d, struct decoding *g, struct err *err)
{
    if (!d->byte.n)
        return 0;
    if (normal_run(d->cut, buf_bytes(&d->byte), &d->plain, NULL, err))
        return -1;
    buf_add(g->out, d->plain.p, d->plain.n);
    buf_reset(&d->byte);
    return 0;
}

static void add_spaced(struct buf *out, struct bytes p)
{
    size_t i = 0, from;

    while (i < p.n) {
        if (p.n - i >= 3 && !memcmp(p.p + i, SPACE, 3)) {
            buf_add_byte(out, ' ');
            i += 3;
            continue;
        }
        for (from = i++; i < p.n && p.p[i] != SPACE[0]; i++)
            ;
        buf_add(out, p.p + from, i - from);
    }
}

static void add_piece(const struct vocab *v, struct decoding *g, int32_t id)
{
    struct bytes p = vocab_piece(v, id);

    if (g->space_taken || g->out->n)
        g->at_start = 0;
    g->space_taken = 0;
    if (v->piece[id].type == PIECE_CONTROL)
        return;
    if (v->piece[id].type == PIECE_UNKNOWN) {
        buf_add(g->out, v->unk_surface.p, v->unk_surface.n);
        return;
    }
    if (g->at_start && (v->normal.add_dummy_prefix || v->normal.remove_extra) && p.n >= 3 &&
        !memcmp(p.p, SPACE, 3)) {
        p = (struct bytes){ p.p + 3, p.n - 3 };
        g->space_taken = !v->normal.remove_extra;
    }
    add_spaced(g->out, p);
}

/* What byte a BYTE piece stands for: "<0x0A>". */
static unsigned char byte_of(struct bytes p)
{
    char hex[3] = { (char)p.p[3], (char)p.p[4], 0 };

    return (unsigned char)strtoul(hex, NULL, 16);
}

int decoder_run(struct decoder *d, const int32_t *id, size_t n, struct buf *out, size_t *n_foreign,
                struct err *err)
{
    const struct vocab *v = d->vocab;
    struct decoding g = { out, 1, 0 };
    size_t i, foreign = 0;

    buf_reset(out);
    buf_reset(&d->byte);
    for (i = 0; i < n; i++) {
        int32_t at = id[i];

        if (at >= 0 && at < v->n_piece && v->piece[at].type == PIECE_BYTE) {
            buf_add_byte(&d->byte, byte_of(vocab_piece(v, at)));
            continue;
        }
        if (flush_bytes(d, &g, err))
            return -1;
        if (at >= v->n_piece && at < v->n_piece + d->n_extra) {
            buf_printf(out, "<extra_id_%d>", (int)(v->n_piece + d->n_extra - 1 - at));
            continue;
        }
        foreign += at < 0 || at >= v->n_piece;
        add_piece(v, &g, at < 0 || at >= v->n_piece ? v->unk : at);
    }
    if (flush_bytes(d, &g, err))
        return -1;
    if (n_foreign)
        *n_foreign = foreign;
    if (!d->denormal)
        return 0;
    buf_reset(&d->byte);
    buf_add(&d->byte, out->p, out->n);
    return normal_run(d->denormal, buf_bytes(&d->byte), out, NULL, err);
}
