/* stream.c - see stream.h.
 *
 * Stored bytes come from a source, which holds the current member from its start, so that
 * after damage the search for the next one begins inside the broken one: its end cannot be
 * believed. Plain bytes pass through `out`.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/die.h"
#include "base/err.h"
#include "io/inflate.h"
#include "io/source.h"
#include "io/stream.h"

enum {
    TRIAL = 1 << 16,         // how much of a member is tried before it is believed
    HEADER_MAX = 1 << 18,    // of a gzip member, with its names
    PEEK_MAX = 1 << 16,
    GIANT = 8 << 20,    // a buffer that is not kept
};

enum kind { UNKNOWN, PLAIN, GZIP, ZSTD };

struct stream {
    struct source in;
    int in_member, ended;
    int broken;       // `trouble` is to be told, then resume
    size_t search;    // where in the source resume begins to look
    enum kind kind;
    uint64_t member_offset;    // stored
    unsigned char *out;
    size_t pos, fill, cap;    // out[pos, fill) is not handed out yet
    uint64_t out_offset;      // of out[0] in the plain stream
    uint64_t member_plain;
    uint64_t junk;

    struct inflater *inflater;
    ZSTD_DCtx *zstd;
    struct err trouble;
};

struct stream *stream_open(const char *path, struct err *err)
{
    struct stream *s = xcalloc(1, sizeof(*s));

    if (source_open(&s->in, path, err) < 0) {
        stream_close(s);
        return NULL;
    }
    s->cap = SOURCE_CHUNK + PEEK_MAX;
    s->out = xmalloc(s->cap);
    return s;
}

void stream_close(struct stream *s)
{
    if (!s)
        return;
    source_close(&s->in);
    inflater_free(s->inflater);
    ZSTD_freeDCtx(s->zstd);
    free(s->out);
    free(s);
}

const char *stream_path(const struct stream *s)
{
    return s->in.path;
}

uint64_t stream_offset(const struct stream *s)
{
    return s->out_offset + s->pos;
}

uint64_t stream_file_offset(const struct stream *s)
{
    return source_offset(&s->in);
}

uint64_t stream_junk(const struct stream *s)
{
    return s->junk;
}

uint64_t stream_damaged_from(const struct stream *s)
{
    return s->member_plain;
}

/* ---- stored bytes ---- */

static int raw_more(struct stream *s)
{
    int got = source_more(&s->in, &s->trouble);

    s->broken |= got < 0;
    return got;
}

static ssize_t raw_need(struct stream *s, size_t want)
{
    ssize_t have = source_need(&s->in, want, &s->trouble);

    s->broken |= have < 0;
    return have;
}

static void damage(struct stream *s, const char *trouble)
{
    s->broken = 1;
    s->in_member = 0;
    s->search = s->in.member + 1;
    err_set(&s->trouble, "%s: %s at byte %" PRIu64 ": %s", s->in.path,
            s->kind == GZIP ? "gzip member" : "zstd frame", s->member_offset, trouble);
}

/* ---- gzip ---- */

static void gzip_begin(struct stream *s)
{
    ssize_t size = 0, have = 0;
    size_t want;

    if (!s->inflater)
        s->inflater = inflater_new();
    for (want = 1024; size == 0 && want <= HEADER_MAX; want *= 4) {
        have = raw_need(s, want);
        if (have < 0)
            return;
        size = gzip_header(s->in.raw + s->in.at, (size_t)have);
        if (size == 0 && (size_t)have < want) {
            damage(s, "cut short in its header");
            return;
        }
    }
    if (size <= 0) {
        damage(s, size ? "header is damaged" : "header is too long");
        return;
    }
    s->in.at += (size_t)size;
    inflater_start(s->inflater);
    s->in_member = 1;
}

static void gzip_end(struct stream *s)
{
    ssize_t have = raw_need(s, 8);
    const char *trouble;

    if (have < 0)
        return;
    if (have < 8)
        damage(s, "cut short");
    else if (gzip_trailer(s->inflater, s->in.raw + s->in.at, &trouble) < 0)
        damage(s, trouble);
    else
        s->in.at += 8;
    s->in_member = 0;
}

static void gzip_decode(struct stream *s)
{
    const unsigned char *in = s->in.raw + s->in.at;
    unsigned char *out = s->out + s->fill;
    int r = inflater_run(s->inflater, &in, s->in.raw + s->in.end, &out, s->out + s->cap);

    s->in.at = (size_t)(in - s->in.raw);
    s->fill = (size_t)(out - s->out);
    if (r == INFLATE_BAD)
        damage(s, "data is damaged");
    else if (r == INFLATE_END)
        gzip_end(s);
    else if (s->fill < s->cap && raw_more(s) == 0)
        damage(s, "cut short");
}

/* Does the member at raw[at] begin whole? Decodes what there is of its first TRIAL bytes. */
static int gzip_try(struct stream *s, unsigned char *scratch)
{
    const unsigned char *in = s->in.raw + s->in.at, *end = s->in.raw + s->in.end;
    unsigned char *out = scratch;
    ssize_t size = end - in < 18 ? -1 : gzip_header(in, (size_t)(end - in));
    const char *trouble;
    int r;

    if (size <= 0 || in[1] != 0x8b)
        return 0;
    in += size;
    inflater_start(s->inflater);
    r = inflater_run(s->inflater, &in, end, &out, scratch + TRIAL);
    if (r == INFLATE_END)
        return end - in >= 8 && gzip_trailer(s->inflater, in, &trouble) == 0;
    return r == INFLATE_MORE && out > scratch;
}

/* ---- zstd ---- */

static int zstd_magic(const unsigned char *p)
{
    return !memcmp(p, "\x28\xb5\x2f\xfd", 4) ||
           ((p[0] & 0xf0) == 0x50 && !memcmp(p + 1, "\x2a\x4d\x18", 3));    // skippable
}

static void zstd_start(struct stream *s)
{
    if (!s->zstd)
        s->zstd = ZSTD_createDCtx();
    if (!s->zstd)
        die("out of memory (zstd)");
    ZSTD_DCtx_reset(s->zstd, ZSTD_reset_session_only);
    s->in_member = 1;
}

static void zstd_decode(struct stream *s)
{
    ZSTD_inBuffer in = { s->in.raw, s->in.end, s->in.at };
    ZSTD_outBuffer out = { s->out, s->cap, s->fill };
    size_t r = ZSTD_decompressStream(s->zstd, &out, &in);

    s->in.at = in.pos;
    s->fill = out.pos;
    if (ZSTD_isError(r))
        damage(s, ZSTD_getErrorName(r));
    else if (r == 0)
        s->in_member = 0;
    else if (s->fill < s->cap && s->in.at == s->in.end && raw_more(s) == 0)
        damage(s, "cut short");
}

static int zstd_try(struct stream *s, unsigned char *scratch)
{
    ZSTD_inBuffer in = { s->in.raw + s->in.at, s->in.end - s->in.at, 0 };
    ZSTD_outBuffer out = { scratch, TRIAL, 0 };
    size_t r;

    if (in.size < 4 || !zstd_magic(in.src))
        return 0;
    zstd_start(s);
    s->in_member = 0;
    r = ZSTD_decompressStream(s->zstd, &out, &in);
    return !ZSTD_isError(r) && (r == 0 || out.pos);
}

/* ---- members ---- */

/* Move `at` to the next member that begins whole: 1; 0 at the end of the file; -1. */
static int seek_member(struct stream *s)
{
    unsigned char *scratch = xmalloc(TRIAL), *p;
    int magic = s->kind == GZIP ? 0x1f : 0x28, found = 0;
    ssize_t have;

    while ((have = raw_need(s, 1)) > 0 && !found) {
        p = memchr(s->in.raw + s->in.at, magic, (size_t)have);
        s->in.member = s->in.at = p ? (size_t)(p - s->in.raw) : s->in.end;
        if (!p)
            continue;
        have = raw_need(s, TRIAL);
        if (have < 0)
            break;
        found = s->kind == GZIP ? gzip_try(s, scratch) : zstd_try(s, scratch);
        if (!found)
            s->in.member = ++s->in.at;
    }
    free(scratch);
    return have < 0 ? -1 : found;
}

/* What follows the last member is no member. To the end of the file it is junk; but if there
 * is one behind it, something was lost. */
static void pass_junk(struct stream *s)
{
    uint64_t from = source_offset(&s->in);
    int found = seek_member(s);

    if (found > 0) {
        damage(s, "is none");
        s->search = s->in.at;
    } else if (found == 0) {
        s->junk += source_offset(&s->in) - from;
        s->ended = 1;
    }
}

static void begin_member(struct stream *s)
{
    ssize_t have;

    s->in.member = s->in.at;
    s->member_offset = source_offset(&s->in);
    s->member_plain = s->out_offset + s->fill;
    have = raw_need(s, 2);
    if (have == 0)
        s->ended = 1;
    if (have <= 0)
        return;
    if (s->kind == ZSTD)
        zstd_start(s);
    else if (have < 2 || s->in.raw[s->in.at] != 0x1f || s->in.raw[s->in.at + 1] != 0x8b)
        pass_junk(s);
    else
        gzip_begin(s);
}

static void detect(struct stream *s)
{
    ssize_t have = raw_need(s, 4);
    const unsigned char *p = s->in.raw;

    if (have < 0)
        return;
    if (have >= 2 && p[0] == 0x1f && p[1] == 0x8b)
        s->kind = GZIP;
    else if (have >= 4 && zstd_magic(p))
        s->kind = ZSTD;
    else
        s->kind = PLAIN;
}

static void plain_read(struct stream *s)
{
    size_t n = s->in.end - s->in.at;
    ssize_t got;

    if (n) {    // what was read to tell the kind
        n = n < s->cap - s->fill ? n : s->cap - s->fill;
        memcpy(s->out + s->fill, s->in.raw + s->in.at, n);
        s->fill += n;
        s->in.member = s->in.at += n;
        return;
    }
    got = source_read(&s->in, s->out + s->fill, s->cap - s->fill, &s->trouble);
    s->ended = got == 0;
    s->broken |= got < 0;
    s->fill += got > 0 ? (size_t)got : 0;
}

/* ---- plain bytes ---- */

/* Room behind `fill`: by moving what is left to the front, or by growing; behind a giant line by
 * shrinking. */
static void make_room(struct stream *s)
{
    size_t left = s->fill - s->pos;
    int giant = s->cap > GIANT && left <= PEEK_MAX;

    if (!giant && s->cap - s->fill >= SOURCE_CHUNK / 2)
        return;
    memmove(s->out, s->out + s->pos, left);
    s->out_offset += s->pos;
    s->pos = 0;
    s->fill = left;
    if (!giant && s->cap - s->fill >= SOURCE_CHUNK / 2)
        return;
    s->cap = giant ? SOURCE_CHUNK + PEEK_MAX : 2 * s->cap;
    s->out = xrealloc(s->out, s->cap);
}

/* More plain bytes: 1, 0 at the end, -1 on damage. */
static int more(struct stream *s, struct err *err)
{
    size_t before;

    make_room(s);
    before = s->fill;
    while (s->fill == before && !s->broken && !s->ended) {
        if (s->kind == UNKNOWN)
            detect(s);
        else if (s->kind == PLAIN)
            plain_read(s);
        else if (!s->in_member)
            begin_member(s);
        else if (s->kind == GZIP)
            gzip_decode(s);
        else
            zstd_decode(s);
    }
    if (s->fill > before)
        return 1;
    if (s->broken)
        return err_set(err, "%s", s->trouble.msg);
    return 0;
}

ssize_t stream_read(struct stream *s, void *p, size_t n, struct err *err)
{
    size_t have;
    int got = 1;

    if (s->pos == s->fill)
        got = more(s, err);
    if (got <= 0)
        return got;
    have = s->fill - s->pos;
    n = n < have ? n : have;
    if (n)
        memcpy(p, s->out + s->pos, n);
    s->pos += n;
    return (ssize_t)n;
}

int stream_read_all(struct stream *s, void *p, size_t n, struct err *err)
{
    size_t done = 0;
    ssize_t got;

    while (done < n) {
        got = stream_read(s, (char *)p + done, n - done, err);
        if (got < 0)
            return -1;
        if (got == 0 && done)
            return err_set(err, "%s: byte %" PRIu64 ": cut short", s->in.path, stream_offset(s));
        if (got == 0)
            return 0;
        done += (size_t)got;
    }
    return 1;
}

ssize_t stream_peek(struct stream *s, size_t want, const unsigned char **p, struct err *err)
{
    int got = 1;

    want = want < PEEK_MAX ? want : PEEK_MAX;
    while (s->fill - s->pos < want && got > 0)
        got = more(s, err);
    *p = s->out + s->pos;
    return s->fill == s->pos ? got < 0 ? -1 : 0 : (ssize_t)(s->fill - s->pos);
}

/* The line that begins here is too long: pass it over. */
static int skip_line(struct stream *s, size_t max, struct err *err)
{
    uint64_t from = stream_offset(s);
    unsigned char *lf = NULL;
    struct err later;    // damage will be told by the next call again

    do {
        if (s->fill > s->pos)
            lf = memchr(s->out + s->pos, '\n', s->fill - s->pos);
        s->pos = lf ? (size_t)(lf - s->out) + 1 : s->fill;
    } while (!lf && more(s, &later) > 0);
    return err_set(err, "%s: line at byte %" PRIu64 " of the text: longer than %zu bytes",
                   s->in.path, from, max);
}

int stream_line(struct stream *s, struct bytes *line, size_t max, struct err *err)
{
    size_t seen = 0, n;
    unsigned char *lf = NULL;
    int got = 1;

    for (;;) {
        if (s->fill - s->pos > seen)
            lf = memchr(s->out + s->pos + seen, '\n', s->fill - s->pos - seen);
        n = lf ? (size_t)(lf - s->out) - s->pos : s->fill - s->pos;
        if (n > max)
            return skip_line(s, max, err);
        if (lf || got == 0)
            break;
        seen = n;
        got = more(s, err);
        if (got < 0) {
            s->pos = s->fill;
            return -1;
        }
    }
    if (!lf && n == 0)
        return 0;
    *line = (struct bytes){ s->out + s->pos, n };
    s->pos += n + (lf != NULL);
    return 1;
}

int stream_broken(const struct stream *s)
{
    return s->broken;
}

int stream_resume(struct stream *s, struct err *err)
{
    int found;

    if (s->in.failed)
        return err_set(err, "%s", s->trouble.msg);
    if (!s->broken)
        return !s->ended;
    s->broken = 0;
    s->pos = s->fill;
    s->in.at = s->in.member = s->search;
    found = seek_member(s);
    if (found < 0)
        return err_set(err, "%s", s->trouble.msg);
    s->ended = !found;
    return found;
}
