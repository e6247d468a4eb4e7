/* reference.c - see reference.h. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "crawl/chunk.h"
#include "crawl/reference.h"
#include "text/unicode.h"
#include "text/utf8.h"

enum {
    LINE_MAX_BYTES = 128 << 20,
    TEXT_MAX = 32 << 20,    // what is over it is not kept: it is too long a page in any case
    GIANT = 8 << 20,        // a buffer that is not kept
};

struct fields {
    struct buf url, date, type, length, text;
};

struct reference {
    struct chunks *in;
    int compat301;
    struct buf plain;    // decoded, not yet cut into lines
    size_t at;
    size_t whole;         // plain[0, whole) is known to be UTF-8
    int ended, failed;    // no more chunks; and that was damage
    int skip_lf;          // the last line ended in CR: an LF right after it is part of that end
    uint64_t n_line;
    int in_page;                 // a page has begun
    struct fields page, last;    // being read; handed out
    struct err why;
    int done;
};

struct reference *reference_open(const char *path, int compat301, struct err *err)
{
    struct reference *r = xcalloc(1, sizeof(*r));

    r->compat301 = compat301;
    if (!(r->in = chunks_open(path, err))) {
        free(r);
        return NULL;
    }
    return r;
}

static int fail(struct reference *r, const struct err *why)
{
    r->ended = r->failed = 1;
    r->why = *why;
    return -1;
}

/* May p[0, n), fewer bytes than its first one asks for, be gone on with? */
static int may_begin(const unsigned char *p, size_t n)
{
    static const unsigned char least[] = { [0xE0 - 0xC2] = 0xA0, [0xF0 - 0xC2] = 0x90 };
    static const unsigned char most[] = { [0xED - 0xC2] = 0x9F, [0xF4 - 0xC2] = 0x8F };
    unsigned char lead = *p, low, high;

    if (lead < 0xC2 || lead > 0xF4 || n >= (lead >= 0xF0 ? 4U : lead >= 0xE0 ? 3U : 2U))
        return 0;
    if (n == 1)
        return 1;
    lead = (unsigned char)(lead - 0xC2);
    low = lead < sizeof(least) && least[lead] ? least[lead] : 0x80;
    high = lead < sizeof(most) && most[lead] ? most[lead] : 0xBF;
    return p[1] >= low && p[1] <= high;
}

/* Bytes at the end of s that begin a character and may be gone on with. */
static size_t pending(struct bytes s)
{
    size_t n = 0;

    while (n < s.n && n < 3 && (s.p[s.n - n - 1] & 0xC0) == 0x80)
        n++;
    return n < s.n && n < 3 && may_begin(s.p + s.n - n - 1, n + 1) ? n + 1 : 0;
}

/* One chunk more, which counts as a whole or not at all: 1, 0 at the end, -1. */
static int more(struct reference *r)
{
    struct bytes piece, all;
    size_t tail;
    struct err err;
    int got;

    if (r->ended)
        return r->failed ? -1 : 0;
    if (r->at) {
        memmove(r->plain.p, r->plain.p + r->at, r->plain.n - r->at);
        r->plain.n -= r->at;
        r->whole -= r->at;
        r->at = 0;
        if (r->plain.cap > GIANT && r->plain.n < GIANT)
            r->plain.p = xrealloc(r->plain.p, r->plain.cap = GIANT);
    }
    if (r->plain.n > LINE_MAX_BYTES) {
        err_set(&err, "%s: line over %d MiB", chunks_path(r->in), LINE_MAX_BYTES >> 20);
        return fail(r, &err);
    }
    got = chunks_next(r->in, &piece, &err);
    if (got < 0)
        return fail(r, &err);
    if (got == 0 && r->whole < r->plain.n) {
        err_set(&err, "%s: not UTF-8: ends within a character", chunks_path(r->in));
        return fail(r, &err);
    }
    if (got == 0)
        return r->ended = 1, 0;
    buf_add(&r->plain, piece.p, piece.n);
    all = (struct bytes){ r->plain.p + r->whole, r->plain.n - r->whole };
    tail = pending(all);
    all.n -= tail;
    if (!utf8_valid(all)) {
        err_set(&err, "%s: not UTF-8", chunks_path(r->in));
        return fail(r, &err);
    }
    r->whole = r->plain.n - tail;
    return 1;
}

/* The next line, by any of the three ends: 1, 0 at the end, -1 on damage. */
static int next_line(struct reference *r, struct bytes *line)
{
    size_t i = 0;
    int got;

    for (;;) {
        size_t n = r->whole - r->at;
        const unsigned char *p = n ? r->plain.p + r->at : NULL;

        if (r->skip_lf && n) {
            r->at += *p == '\n';
            r->skip_lf = 0;
            continue;
        }
        while (i < n && p[i] != '\n' && p[i] != '\r')
            i++;
        if (i < n && (p[i] == '\n' || i + 1 < n || r->ended)) {    // a CR may have its LF to come
            *line = (struct bytes){ p, i };
            r->skip_lf = p[i] == '\r';
            r->at += i + 1;
            return 1;
        }
        if ((got = more(r)) <= 0)
            break;
    }
    if (got < 0 || r->at == r->whole)
        return got;
    *line = (struct bytes){ r->plain.p + r->at, r->whole - r->at };
    r->at = r->whole;
    return 1;
}

static int begins(struct bytes s, const char *with)
{
    size_t n = strlen(with);

    return s.n >= n && !memcmp(s.p, with, n);
}

/* A line taken for a header line, which no page has as text. */
static int is_lost(struct bytes line)
{
    return begins(line, "WARC") || begins(line, "CONTENT-") || begins(line, "Content-");
}

static void set(struct buf *b, struct bytes line, const char *key)
{
    struct bytes s = unicode_strip((struct bytes){ line.p + strlen(key), line.n - strlen(key) });

    buf_reset(b);
    buf_add(b, s.p, s.n);
}

/* Bytes of the characters of s that end within n < s.n. */
static size_t whole_characters(struct bytes s, size_t n)
{
    while (n && (s.p[n] & 0xC0) == 0x80)
        n--;
    return n;
}

/* A line of a page: a header, by how it begins, or text. */
static void take_line(struct fields *f, struct bytes line)
{
    static const char url[] = "WARC-Target-URI:", date[] = "WARC-Date:", type[] = "Content-Type:",
                      length[] = "Content-Length:";

    if (begins(line, url))
        set(&f->url, line, url);
    else if (begins(line, date))
        set(&f->date, line, date);
    else if (begins(line, type))
        set(&f->type, line, type);
    else if (begins(line, length))
        set(&f->length, line, length);
    else if (!is_lost(line)) {
        if (f->text.n >= TEXT_MAX)
            return;
        if (f->text.n)
            buf_add_byte(&f->text, '\n');
        if (line.n > TEXT_MAX - f->text.n)
            line.n = whole_characters(line, TEXT_MAX - f->text.n);
        buf_add(&f->text, line.p, line.n);
    }
}

static void reset(struct fields *f)
{
    buf_reset(&f->url);
    buf_reset(&f->date);
    buf_reset(&f->type);
    buf_reset(&f->length);
    buf_trim(&f->text, GIANT);
}

/* The page that was being read goes out, the next begins. */
static void hand_out(struct reference *r, struct page *p, int *lacks)
{
    struct fields f = r->last;

    r->last = r->page;
    r->page = f;
    reset(&r->page);
    f = r->last;
    *p = (struct page){ .raw = buf_bytes(&f.text),
                        .form = FORM_LINES,
                        .url = buf_bytes(&f.url),
                        .date = buf_bytes(&f.date),
                        .content_type = buf_bytes(&f.type),
                        .content_length = buf_bytes(&f.length),
                        .lang = lang_find((struct bytes){ (const unsigned char *)"und", 3 }) };
    *lacks = (f.url.n ? 0 : LACKS_URL) | (f.text.n ? 0 : LACKS_TEXT) | (f.date.n ? 0 : LACKS_DATE) |
             (f.type.n ? 0 : LACKS_TYPE) | (f.length.n ? 0 : LACKS_LENGTH);
}

int reference_next(struct reference *r, struct page *p, int *lacks, struct err *err)
{
    struct bytes line;
    int got;

    if (r->done)
        return 0;
    while ((got = next_line(r, &line)) == 1) {
        int was_first = r->n_line++ == 0, was_in_page = r->in_page;

        line = unicode_strip(line);
        if (!line.n)
            continue;
        if (line.n == 8 && begins(line, "WARC/1.0")) {
            r->in_page = 1;
            if (r->compat301 ? !was_in_page : was_first)
                continue;
            hand_out(r, p, lacks);
            return 1;
        }
        if (r->in_page || !r->compat301) {
            take_line(&r->page, line);
        } else if (!is_lost(line)) {
            r->done = 1;
            return err_set(err, "%s: text before the first record", chunks_path(r->in));
        }
    }
    r->done = 1;
    if (got < 0) {
        *err = r->why;
        return -1;
    }
    if (!r->in_page && r->compat301)
        return 0;
    hand_out(r, p, lacks);
    return 1;
}

unsigned long long reference_stored(const struct reference *r)
{
    return chunks_stored(r->in);
}

const char *reference_path(const struct reference *r)
{
    return chunks_path(r->in);
}

static void release(struct fields *f)
{
    buf_release(&f->url);
    buf_release(&f->date);
    buf_release(&f->type);
    buf_release(&f->length);
    buf_release(&f->text);
}

void reference_close(struct reference *r)
{
    if (!r)
        return;
    chunks_close(r->in);
    release(&r->page);
    release(&r->last);
    buf_release(&r->plain);
    free(r);
}
