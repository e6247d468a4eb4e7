/* decoder.c - see decoder.h.
 *
 * Stored bytes come from a source, which holds the current member from its start, so that
 * after damage the search for the next one begins inside the broken one: its end cannot be
 * believed.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "base/mem.h"
#include "io/decoder.h"
#include "io/inflate.h"

enum {
    TRIAL = 1 << 16,         // how much of a member is tried before it is believed
    HEADER_MAX = 1 << 18,    // of a gzip member, with its names
};

int decoder_open(struct decoder *d, const char *path, struct err *err)
{
    return source_open(&d->in, path, err);
}

void decoder_close(struct decoder *d)
{
    source_close(&d->in);
    inflater_free(d->inflater);
    ZSTD_freeDCtx(d->zstd);
}

static int raw_more(struct decoder *d)
{
    int got = source_more(&d->in, &d->trouble);

    d->broken |= got < 0;
    return got;
}

static ssize_t raw_need(struct decoder *d, size_t want)
{
    ssize_t have = source_need(&d->in, want, &d->trouble);

    d->broken |= have < 0;
    return have;
}

static void damage(struct decoder *d, const char *trouble)
{
    d->broken = 1;
    d->in_member = 0;
    d->search = d->in.member + 1;
    err_set(&d->trouble, "%s: %s at byte %" PRIu64 ": %s", d->in.path,
            d->kind == DECODER_GZIP ? "gzip member" : "zstd frame", d->member_offset, trouble);
}

/* ---- gzip ---- */

static void gzip_begin(struct decoder *d)
{
    ssize_t size = 0, have = 0;
    size_t want;

    if (!d->inflater)
        d->inflater = inflater_new();
    for (want = 1024; size == 0 && want <= HEADER_MAX; want *= 4) {
        have = raw_need(d, want);
        if (have < 0)
            return;
        size = gzip_header(d->in.raw + d->in.at, (size_t)have);
        if (size == 0 && (size_t)have < want) {
            damage(d, "cut short in its header");
            return;
        }
    }
    if (size <= 0) {
        damage(d, size ? "header is damaged" : "header is too long");
        return;
    }
    d->in.at += (size_t)size;
    inflater_start(d->inflater);
    d->in_member = 1;
}

static void gzip_end(struct decoder *d)
{
    ssize_t have = raw_need(d, 8);
    const char *trouble;

    if (have < 0)
        return;
    if (have < 8)
        damage(d, "cut short");
    else if (gzip_trailer(d->inflater, d->in.raw + d->in.at, &trouble) < 0)
        damage(d, trouble);
    else
        d->in.at += 8;
    d->in_member = 0;
}

static void gzip_decode(struct decoder *d)
{
    const unsigned char *in = d->in.raw + d->in.at;
    unsigned char *out = d->to + d->fill;
    int r = inflater_run(d->inflater, &in, d->in.raw + d->in.end, &out, d->to + d->cap);

    d->in.at = (size_t)(in - d->in.raw);
    d->fill = (size_t)(out - d->to);
    if (r == INFLATE_BAD)
        damage(d, "data is damaged");
    else if (r == INFLATE_END)
        gzip_end(d);
    else if (d->fill < d->cap && raw_more(d) == 0)
        damage(d, "cut short");
}

/* Does the member at raw[at] begin whole? Decodes what there is of its first TRIAL bytes. */
static int gzip_try(struct decoder *d, unsigned char *scratch)
{
    const unsigned char *in = d->in.raw + d->in.at, *end = d->in.raw + d->in.end;
    unsigned char *out = scratch;
    ssize_t size = end - in < 18 ? -1 : gzip_header(in, (size_t)(end - in));
    const char *trouble;
    int r;

    if (size <= 0 || in[1] != 0x8b)
        return 0;
    in += size;
    inflater_start(d->inflater);
    r = inflater_run(d->inflater, &in, end, &out, scratch + TRIAL);
    if (r == INFLATE_END)
        return end - in >= 8 && gzip_trailer(d->inflater, in, &trouble) == 0;
    return r == INFLATE_MORE && out > scratch;
}

/* ---- zstd ---- */

static int zstd_magic(const unsigned char *p)
{
    return !memcmp(p, "\x28\xb5\x2f\xfd", 4) ||
           ((p[0] & 0xf0) == 0x50 && !memcmp(p + 1, "\x2a\x4d\x18", 3));    // skippable
}

static void zstd_start(struct decoder *d)
{
    if (!d->zstd)
        d->zstd = ZSTD_createDCtx();
    if (!d->zstd)
        die("out of memory (zstd)");
    ZSTD_DCtx_reset(d->zstd, ZSTD_reset_session_only);
    d->in_member = 1;
}

static void zstd_decode(struct decoder *d)
{
    ZSTD_inBuffer in = { d->in.raw, d->in.end, d->in.at };
    ZSTD_outBuffer out = { d->to, d->cap, d->fill };
    size_t r = ZSTD_decompressStream(d->zstd, &out, &in);

    d->in.at = in.pos;
    d->fill = out.pos;
    if (ZSTD_isError(r))
        damage(d, ZSTD_getErrorName(r));
    else if (r == 0)
        d->in_member = 0;
    else if (d->fill < d->cap && d->in.at == d->in.end && raw_more(d) == 0)
        damage(d, "cut short");
}

static int zstd_try(struct decoder *d, unsigned char *scratch)
{
    ZSTD_inBuffer in = { d->in.raw + d->in.at, d->in.end - d->in.at, 0 };
    ZSTD_outBuffer out = { scratch, TRIAL, 0 };
    size_t r;

    if (in.size < 4 || !zstd_magic(in.src))
        return 0;
    zstd_start(d);
    d->in_member = 0;
    r = ZSTD_decompressStream(d->zstd, &out, &in);
    return !ZSTD_isError(r) && (r == 0 || out.pos);
}

/* ---- members ---- */

/* Move `at` to the next member that begins whole: 1; 0 at the end of the file; -1. */
static int seek_member(struct decoder *d)
{
    unsigned char *scratch = xmalloc(TRIAL), *p;
    int magic = d->kind == DECODER_GZIP ? 0x1f : 0x28, found = 0;
    ssize_t have;

    while ((have = raw_need(d, 1)) > 0 && !found) {
        p = memchr(d->in.raw + d->in.at, magic, (size_t)have);
        d->in.member = d->in.at = p ? (size_t)(p - d->in.raw) : d->in.end;
        if (!p)
            continue;
        have = raw_need(d, TRIAL);
        if (have < 0)
            break;
        found = d->kind == DECODER_GZIP ? gzip_try(d, scratch) : zstd_try(d, scratch);
        if (!found)
            d->in.member = ++d->in.at;
    }
    free(scratch);
    return have < 0 ? -1 : found;
}

/* What follows the last member is no member. To the end of the file it is junk; but if there
 * is one behind it, something was lost. */
static void pass_junk(struct decoder *d)
{
    uint64_t from = source_offset(&d->in);
    int found = seek_member(d);

    if (found > 0) {
        damage(d, "is none");
        d->search = d->in.at;
    } else if (found == 0) {
        d->junk += source_offset(&d->in) - from;
        d->ended = 1;
    }
}

static void begin_member(struct decoder *d)
{
    ssize_t have;

    d->in.member = d->in.at;
    d->member_offset = source_offset(&d->in);
    d->member_plain = d->offset + d->fill;
    have = raw_need(d, 2);
    if (have == 0)
        d->ended = 1;
    if (have <= 0)
        return;
    if (d->kind == DECODER_ZSTD)
        zstd_start(d);
    else if (have < 2 || d->in.raw[d->in.at] != 0x1f || d->in.raw[d->in.at + 1] != 0x8b)
        pass_junk(d);
    else
        gzip_begin(d);
}

static void detect(struct decoder *d)
{
    ssize_t have = raw_need(d, 4);
    const unsigned char *p = d->in.raw;

    if (have < 0)
        return;
    if (have >= 2 && p[0] == 0x1f && p[1] == 0x8b)
        d->kind = DECODER_GZIP;
    else if (have >= 4 && zstd_magic(p))
        d->kind = DECODER_ZSTD;
    else
        d->kind = DECODER_PLAIN;
}

static void plain_read(struct decoder *d)
{
    size_t n = d->in.end - d->in.at;
    ssize_t got;

    if (n) {    // what was read to tell the kind
        n = n < d->cap - d->fill ? n : d->cap - d->fill;
        memcpy(d->to + d->fill, d->in.raw + d->in.at, n);
        d->fill += n;
        d->in.member = d->in.at += n;
        return;
    }
    got = source_read(&d->in, d->to + d->fill, d->cap - d->fill, &d->trouble);
    d->ended = got == 0;
    d->broken |= got < 0;
    d->fill += got > 0 ? (size_t)got : 0;
}

ssize_t decoder_read(struct decoder *d, unsigned char *p, size_t n, uint64_t offset)
{
    d->to = p;
    d->cap = n;
    d->fill = 0;
    d->offset = offset;
    while (!d->fill && !d->broken && !d->ended) {
        if (d->kind == DECODER_UNKNOWN)
            detect(d);
        else if (d->kind == DECODER_PLAIN)
            plain_read(d);
        else if (!d->in_member)
            begin_member(d);
        else if (d->kind == DECODER_GZIP)
            gzip_decode(d);
        else
            zstd_decode(d);
    }
    return d->fill ? (ssize_t)d->fill : d->broken ? -1 : 0;
}

int decoder_resume(struct decoder *d, struct err *err)
{
    int found;

    if (d->in.failed)
        return err_set(err, "%s", d->trouble.msg);
    if (!d->broken)
        return !d->ended;
    d->broken = 0;
    d->in.at = d->in.member = d->search;
    found = seek_member(d);
    if (found < 0)
        return err_set(err, "%s", d->trouble.msg);
    d->ended = !found;
    return found;
}
