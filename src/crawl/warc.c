/* warc.c - see warc.h.
 *
 * A window slides over the plain stream; a record is handed out when all of it is in the
 * window, as views. Damage in the stream closes the window: what is left in it is dealt with
 * first, then the stream resumes with an empty one. Places are counted from `pos`, since the
 * window moves in memory when it is filled.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "crawl/warc.h"
#include "crawl/warc_head.h"
#include "io/stream.h"

#define NONE SIZE_MAX

enum {
    FILL = 1 << 18,
    HEADER_MAX = 1 << 16,
    START_MAX = 24,     // bytes that show if a line is a start
    GIANT = 8 << 20,    // a window that is not kept
};

enum tail { OPEN, ENDED, BROKEN };    // what is behind the window

struct warc_reader {
    struct stream *s;
    int strict;
    unsigned char *win;
    size_t pos, n, cap;    // win[pos, n) is still to be dealt with
    size_t taken;          // bytes from pos that the last record holds
    uint64_t base;         // plain offset of win[0]
    enum tail tail;
    struct err trouble;    // what broke it
    int counted;           // the loss at the broken tail is in damage.records
    struct warc_damage damage;
    int tell_lost;
    struct buf lost;    // how what was lost last began
};

static const struct {
    enum warc_loss kind;
    const char *said;
} troubles[] = {
    { WARC_NO_RECORD, "no record begins here" },
    { WARC_HEADER, "record header without end" },
    { WARC_HEADER, "record with neither type nor length" },
    { WARC_TOO_LONG, "record block over 32 MiB" },
    { WARC_NO_END, "record cut short" },
    { WARC_NO_END, "record without end" },
};
enum trouble { NO_RECORD, NO_HEADER_END, NO_FIELDS, TOO_LONG, CUT_SHORT, NO_BLOCK_END };

struct warc_reader *warc_open(struct stream *s, int strict)
{
    struct warc_reader *r = xcalloc(1, sizeof(*r));

    r->s = s;
    r->strict = strict;
    r->cap = (size_t)4 * FILL;
    r->win = xmalloc(r->cap);
    r->base = stream_offset(s);
    return r;
}

void warc_close(struct warc_reader *r)
{
    if (!r)
        return;
    stream_close(r->s);
    buf_release(&r->lost);
    free(r->win);
    free(r);
}

void warc_tell_lost(struct warc_reader *r)
{
    r->tell_lost = 1;
}

const struct warc_damage *warc_damage(const struct warc_reader *r)
{
    return &r->damage;
}

const struct stream *warc_stream(const struct warc_reader *r)
{
    return r->s;
}

/* ---- the window ---- */

static uint64_t here(const struct warc_reader *r)
{
    return r->base + r->pos;
}

static size_t have(const struct warc_reader *r)
{
    return r->n - r->pos;
}

static const unsigned char *at(const struct warc_reader *r, size_t off)
{
    return r->win + r->pos + off;
}

static void make_room(struct warc_reader *r)
{
    int giant = r->cap > GIANT && have(r) <= FILL;

    if (!giant && r->cap - r->n >= FILL)
        return;
    if (giant || r->pos >= r->cap / 2) {    // so that no byte is moved often
        memmove(r->win, r->win + r->pos, have(r));
        r->base += r->pos;
        r->n -= r->pos;
        r->pos = 0;
    }
    if (giant || r->cap - r->n < FILL) {
        r->cap = giant ? (size_t)4 * FILL : 2 * r->cap;
        r->win = xrealloc(r->win, r->cap);
    }
}

/* At least want bytes from pos, unless the tail is nearer: how many there are. */
static size_t need(struct warc_reader *r, size_t want)
{
    struct err err;
    ssize_t got;

    while (have(r) < want && r->tail == OPEN) {
        make_room(r);
        got = stream_read(r->s, r->win + r->n, r->cap - r->n, &err);
        if (got > 0) {
            r->n += (size_t)got;
        } else if (got == 0) {
            r->tail = ENDED;
        } else {
            r->tail = BROKEN;
            r->trouble = err;
        }
    }
    return have(r);
}

/* Just behind the LF of the line at off; NONE when it has none within max bytes. */
static size_t line_end(struct warc_reader *r, size_t off, size_t max)
{
    size_t seen = 0, n;
    const unsigned char *lf;

    while (seen < max) {
        n = need(r, off + seen + 1);
        if (n <= off + seen)
            return NONE;
        lf = memchr(at(r, off + seen), '\n', n - off - seen);
        if (lf)
            return (size_t)(lf - at(r, 0)) + 1;
        seen = n - off;
    }
    return NONE;
}

/* Is the line at off a start: "WARC/1.0"? */
static int is_start(struct warc_reader *r, size_t off)
{
    size_t n, i = 5, dots = 0;
    const unsigned char *p;

    if (have(r) > off && *at(r, off) != 'W')
        return 0;
    n = need(r, off + START_MAX);
    p = at(r, off);
    n = n < off ? 0 : n - off < START_MAX ? n - off : START_MAX;
    if (n < 6 || memcmp(p, "WARC/", 5) != 0 || p[5] < '0' || p[5] > '9')
        return 0;
    for (; i < n && ((p[i] >= '0' && p[i] <= '9') || p[i] == '.'); i++)
        dots += p[i] == '.';
    return dots == 1 && (i == n ? n < START_MAX : strchr(" \t\r\n", p[i]) && p[i]);
}

/* The first start at a line that begins in [off, off + max); off begins one. NONE: there is
 * none before the tail or the limit. */
static size_t find_start(struct warc_reader *r, size_t off, size_t max)
{
    size_t limit = off + max;

    while (off != NONE && off < limit) {
        if (is_start(r, off))
            return off;
        off = line_end(r, off, limit - off);
    }
    return NONE;
}

/* Give up what is at pos: to the next start behind this line, or to the tail. */
static void pass(struct warc_reader *r)
{
    uint64_t from = here(r);
    const unsigned char *lf;
    size_t line, room, n;

    buf_reset(&r->lost);
    do {
        line = r->pos;
        lf = have(r) ? memchr(at(r, 0), '\n', have(r)) : NULL;
        r->pos = lf ? (size_t)(lf - r->win) + 1 : r->n;
        room = r->tell_lost ? WARC_LOST_MAX - r->lost.n : 0;
        n = r->pos - line;
        buf_add(&r->lost, r->win + line, n < room ? n : room);
    } while (need(r, 1) && (!lf || !is_start(r, 0)));
    r->damage.bytes += here(r) - from;
}

/* ---- damage ---- */

static int told(struct warc_reader *r, struct err *err)
{
    return r->strict ? err_set(err, "%s", r->damage.last) : 0;
}

/* What is known of a record that is lost: 2. */
static int tell_lost(struct warc_reader *r, enum warc_loss kind, uint64_t from,
                     struct warc_record *rec)
{
    unsigned char *p = r->lost.p, *end = p + r->lost.n, *text = p, *lf;
    int empty;

    *rec = (struct warc_record){ 0 };
    if (end - p > 5 && !memcmp(p, "WARC/", 5)) {
        for (empty = 0; !empty && (lf = memchr(text, '\n', (size_t)(end - text))); text = lf + 1)
            empty = lf == text || (lf == text + 1 && *text == '\r');
        warc_head_read(p, (size_t)(text - p), rec);
    }
    rec->block = (struct bytes){ text, (size_t)(end - text) };
    rec->offset = from;
    rec->lost = kind;
    rec->trouble = r->damage.last;
    return 2;
}

/* The record at pos cannot be had. 2, 0 when that is not to be told, -1 when strict. */
static int lose(struct warc_reader *r, enum trouble trouble, struct warc_record *rec,
                struct err *err)
{
    uint64_t from = here(r);

    pass(r);
    r->damage.records++;
    r->counted = r->tail == BROKEN && !have(r);
    if (r->counted)
        snprintf(r->damage.last, sizeof(r->damage.last), "%s", r->trouble.msg);
    else
        snprintf(r->damage.last, sizeof(r->damage.last), "%s: byte %" PRIu64 " of the text: %s",
                 stream_path(r->s), from, troubles[trouble].said);
    if (told(r, err) < 0)
        return -1;
    return r->tell_lost ? tell_lost(r, r->counted ? WARC_STREAM : troubles[trouble].kind, from, rec)
                        : 0;
}

/* The window is empty, and behind it the stream is broken: 1 when it goes on, 0 at the end; 2 when
 * what broke is to be told first. */
static int go_on(struct warc_reader *r, struct warc_record *rec, struct err *err)
{
    uint64_t from = here(r);
    int found, known = r->counted;

    r->damage.records += !known;
    r->counted = 0;
    snprintf(r->damage.last, sizeof(r->damage.last), "%s", r->trouble.msg);
    if (told(r, err) < 0)
        return -1;
    found = stream_resume(r->s, err);
    r->base = stream_offset(r->s);
    r->pos = r->n = 0;
    r->tail = found > 0 ? OPEN : ENDED;
    if (found < 0 || known || !r->tell_lost)
        return found;
    buf_reset(&r->lost);
    return tell_lost(r, WARC_STREAM, from, rec);
}

/* ---- records ---- */

/* The length of the head with its empty line; NONE when it has no end, or is no head. */
static size_t head_length(struct warc_reader *r)
{
    size_t off = line_end(r, 0, HEADER_MAX), next;

    while (off != NONE && off < HEADER_MAX) {
        if (is_start(r, off))
            return NONE;
        next = line_end(r, off, HEADER_MAX);
        if (next == NONE)
            return NONE;
        if (next - off == 1 || (next - off == 2 && *at(r, off) == '\r'))
            return next;
        off = next;
    }
    return NONE;
}

/* Does a record that ends at off end as it should? 1, 0, -1: it does, in a broken member. */
static int ends_well(struct warc_reader *r, size_t off)
{
    size_t next = off;

    if (need(r, off) < off)
        return 0;
    while (need(r, next + 1) > next && (*at(r, next) == '\r' || *at(r, next) == '\n'))
        next++;
    if (have(r) > next)
        return is_start(r, next);
    return r->tail == ENDED || here(r) + off <= stream_damaged_from(r->s) ? 1 : -1;
}

/* Is what follows a record that ends at off no start only because its member is broken? Then
 * there is no start before the tail either. */
static int broken_behind(struct warc_reader *r, size_t head, size_t off)
{
    return have(r) >= off && find_start(r, head, WARC_BLOCK_MAX) == NONE && r->tail == BROKEN &&
           here(r) + off <= stream_damaged_from(r->s);
}

/* The end of a block whose length cannot be believed; NONE when that is not clear. */
static size_t mend(struct warc_reader *r, size_t head, const char *trouble)
{
    size_t end = find_start(r, head, WARC_BLOCK_MAX), feeds = 0;

    if (end == NONE && r->tail == ENDED && have(r) - head <= WARC_BLOCK_MAX)
        end = have(r);
    if (end == NONE)
        return NONE;
    for (; end > head && feeds < 2 && *at(r, end - 1) == '\n'; feeds++) {
        end--;
        end -= end > head && *at(r, end - 1) == '\r';
    }
    r->damage.mended++;
    snprintf(r->damage.last, sizeof(r->damage.last), "%s: byte %" PRIu64 " of the text: %s",
             stream_path(r->s), here(r), trouble);
    return end;
}

/* The record at pos, which begins with a start: 1, or 0 and the trouble. */
static int take(struct warc_reader *r, struct warc_record *rec, enum trouble *trouble)
{
    size_t head = head_length(r), length, end = NONE;
    int well = 0;

    *trouble = NO_HEADER_END;
    if (head == NONE)
        return 0;
    warc_head_read(r->win + r->pos, head, rec);
    length = warc_head_length(rec->content_length);
    *trouble = TOO_LONG;
    if (length != NONE && length > WARC_BLOCK_MAX)
        return 0;
    if (length != NONE) {
        end = head + length;
        well = ends_well(r, end);
    }
    *trouble = CUT_SHORT;
    if (well < 0)
        return 0;
    if (well == 0) {
        *trouble = NO_FIELDS;
        if (!rec->type.p && length == NONE)
            return 0;
        *trouble = NO_BLOCK_END;
        if (length == NONE || !broken_behind(r, head, end))
            end = mend(r, head, length == NONE ? "no Content-Length" : "wrong Content-Length");
        if (end == NONE)
            return 0;
    }
    warc_head_read(r->win + r->pos, head, rec);    // again: the window has moved
    rec->offset = here(r);
    rec->block = (struct bytes){ at(r, head), end - head };
    r->taken = end;
    return 1;
}

/* To the next byte that could begin a record. */
static size_t skip_blank(struct warc_reader *r)
{
    r->pos += r->taken;
    r->taken = 0;
    if (here(r) == 0 && need(r, 3) >= 3 && !memcmp(at(r, 0), "\xef\xbb\xbf", 3))
        r->pos += 3;
    while (need(r, 1) && (*at(r, 0) == '\r' || *at(r, 0) == '\n'))
        r->pos++;
    return have(r);
}

int warc_next(struct warc_reader *r, struct warc_record *rec, struct err *err)
{
    enum trouble trouble;
    uint64_t mended = r->damage.mended;
    int go;

    for (;;) {
        if (!skip_blank(r)) {
            go = r->tail == BROKEN ? go_on(r, rec, err) : 0;
            if (go != 1)
                return go;
            continue;
        }
        trouble = NO_RECORD;
        if (is_start(r, 0) && take(r, rec, &trouble))
            return r->damage.mended > mended && told(r, err) < 0 ? -1 : 1;
        if ((go = lose(r, trouble, rec, err)))
            return go;
    }
}
