/* crawl.c - see crawl.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "crawl/crawl.h"
#include "crawl/reference.h"
#include "io/doc.h"
#include "io/ledger.h"
#include "io/stream.h"
#include "io/warc.h"
#include "text/unicode.h"
#include "text/utf8.h"

enum { LINE_MAX_BYTES = 256 << 20, LOOK = 64 << 10 };

struct crawl {
    struct stream *in;           // of the WARC reader when there is one
    struct warc_reader *warc;    // NULL: JSON Lines
    struct doc_parser *parser;
    struct reference *reference;    // then the others are NULL
    struct ledger *ledger;
    struct crawl_mode mode;
    uint64_t bad, bad_bytes, responses, n_line;
    char said[512];
};

/* Past a byte order mark and white space, what a stream begins with: 'W', '{', 0 when it is
 * empty, '?'. A WARC file cut at its front begins somewhere in a record. */
static int kind_of(struct stream *in, struct err *err)
{
    const unsigned char *p, *end;
    ssize_t n = stream_peek(in, LOOK, &p, err);

    if (n < 0)
        return -1;
    end = p + n;
    if (n >= 3 && !memcmp(p, "\xEF\xBB\xBF", 3))
        p += 3;
    while (p < end && unicode_is_space(*p))
        p++;
    if (p == end)
        return 0;
    if (end - p >= 5 && !memcmp(p, "WARC/", 5))
        return 'W';
    if (*p == '{')
        return '{';
    while ((p = memchr(p, '\n', (size_t)(end - p))) && end - ++p >= 7)
        if (!memcmp(p, "WARC/1.", 7))
            return 'W';
    return '?';
}

/* The reference reads WET alone; documents are read as ever. */
static int open_reference(struct crawl *c, const char *path, struct err *err)
{
    struct stream *s = strcmp(path, "-") ? stream_open(path, err) : NULL;
    struct err why;
    int kind = s ? kind_of(s, &why) : 0;

    stream_close(s);
    if (kind == '{')
        return 0;
    c->reference = reference_open(path, c->mode.compat301, err);
    return c->reference ? 1 : -1;
}

struct crawl *crawl_open(const char *path, const struct crawl_mode *mode, struct ledger *l,
                         struct err *err)
{
    struct crawl *c = xcalloc(1, sizeof(*c));
    int kind;

    c->ledger = l;
    c->mode = *mode;
    if (mode->reference && (kind = open_reference(c, path, err))) {
        if (kind < 0)
            goto fail;
        return c;
    }
    if (!(c->in = stream_open(path, err)) || (kind = kind_of(c->in, err)) < 0)
        goto fail;
    if (kind == '?') {
        err_set(err, "%s: neither WET (WARC) nor JSON Lines", stream_path(c->in));
        goto fail;
    }
    if (kind == 'W')
        c->warc = warc_open(c->in, mode->strict);
    else
        c->parser = doc_parser_new();
    return c;

fail:
    crawl_close(c);
    return NULL;
}

static void add_line(struct buf *b, const unsigned char *p, const unsigned char *end, size_t from)
{
    struct bytes line = unicode_strip((struct bytes){ p, (size_t)(end - p) });

    if (!line.n)
        return;
    if (b->n > from)
        b->p[b->n++] = '\n';
    memcpy(b->p + b->n, line.p, line.n);
    b->n += line.n;
}

void crawl_text(struct buf *b, struct bytes raw)
{
    const unsigned char *at = raw.p, *end = at + raw.n, *lf, *cr;
    size_t from = b->n;

    buf_need(b, b->n + raw.n + 1);    // what is left is no longer
    for (; at < end; at = lf + 1) {
        lf = memchr(at, '\n', (size_t)(end - at));
        if (!lf)
            lf = end;
        while ((cr = memchr(at, '\r', (size_t)(lf - at)))) {
            add_line(b, at, cr, from);
            at = cr + 1;
        }
        add_line(b, at, lf, from);
    }
}

struct crawl_room {
    struct buf text;
};

struct crawl_room *crawl_room_new(void)
{
    return xcalloc(1, sizeof(struct crawl_room));
}

void crawl_room_free(struct crawl_room *r)
{
    if (!r)
        return;
    buf_release(&r->text);
    free(r);
}

void crawl_render(struct crawl_room *r, struct page *p)
{
    p->text = p->raw;
    if (!utf8_valid(p->raw) || !utf8_valid(p->url) || !utf8_valid(p->date)) {
        p->fault = PAGE_NOT_UTF8;
        return;
    }
    if (p->form == FORM_TEXT) {
        buf_reset(&r->text);
        crawl_text(&r->text, p->raw);
        p->text = buf_bytes(&r->text);
    }
    p->fault = !p->url.n    ? PAGE_NO_URL
               : !p->text.n ? PAGE_NO_TEXT
               : !p->date.n ? PAGE_NO_DATE
                            : PAGE_GOOD;
}

/* The first of "eng,fra". */
static const struct lang *first_language(struct bytes codes)
{
    const unsigned char *comma = codes.n ? memchr(codes.p, ',', codes.n) : NULL;

    if (comma)
        codes.n = (size_t)(comma - codes.p);
    codes = unicode_strip(codes);
    if (!codes.n)
        codes = (struct bytes){ (const unsigned char *)"und", 3 };
    return lang_find(codes);
}

static int is(struct bytes s, const char *word)
{
    return s.n == strlen(word) && !memcmp(s.p, word, s.n);
}

/* A record that is no page: counted by its type. */
static void pass_over(struct crawl *c, struct bytes type)
{
    static const char *const known[] = { "warcinfo", "request", "response",    "metadata",
                                         "resource", "revisit", "continuation" };
    const char *kind = "other";
    char what[64];
    size_t i;

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (is(type, known[i]))
            kind = known[i];
    snprintf(what, sizeof(what), "skipped-records:%s", kind);
    ledger_count(c->ledger, what, 1);
    c->responses += is(type, "response");
}

static int next_record(struct crawl *c, struct page *p, struct err *err)
{
    struct warc_record rec;
    int got;

    while ((got = warc_next(c->warc, &rec, err)) == 1) {
        if (!is(rec.type, "conversion")) {
            pass_over(c, rec.type);
            continue;
        }
        *p = (struct page){ .raw = rec.block,
                            .url = unicode_strip(rec.url),
                            .date = unicode_strip(rec.date),
                            .lang = first_language(rec.languages) };
        return 1;
    }
    return got;
}

static int next_doc(struct crawl *c, struct page *p, struct err *err)
{
    struct bytes line;
    struct doc d;
    struct err why;
    int got;

    while ((got = stream_line(c->in, &line, LINE_MAX_BYTES, err)) == 1) {
        c->n_line++;
        if (c->n_line == 1 && line.n >= 3 && !memcmp(line.p, "\xEF\xBB\xBF", 3))
            line = (struct bytes){ line.p + 3, line.n - 3 };
        if (!unicode_strip(line).n)
            continue;
        if (doc_parse(c->parser, line, &d, &why) < 0) {
            err_set(err, "%s: line %llu: %.300s", stream_path(c->in), (unsigned long long)c->n_line,
                    why.msg);
            if (c->mode.strict)
                return -1;
            memcpy(c->said, err->msg, sizeof(c->said));
            c->bad++;
            c->bad_bytes += line.n;
            continue;
        }
        *p = (struct page){ .raw = d.text,
                            .url = d.url,
                            .date = d.timestamp,
                            .extra = d.extra,
                            .lang = first_language(d.lang) };
        return 1;
    }
    return got;
}

/* A page of the reference's reader. 3.0.1 counts all that a page lacks and minds no date; what is
 * dropped for one of them is counted by whoever drops it. */
static int next_of_reference(struct crawl *c, struct page *p, struct err *err)
{
    static const struct {
        int lacks;
        const char *what;
    } rows[] = {
        { LACKS_URL, "split-wet-file:filtered:no_url" },
        { LACKS_TEXT, "split-wet-file:filtered:no_content" },
        { LACKS_DATE, "split-wet-file:filtered:no_timestamp" },
        { LACKS_TYPE, "split-wet-file:filtered:no_content_type" },
        { LACKS_LENGTH, "split-wet-file:filtered:no_content_len" },
    };
    int lacks, counted, got = reference_next(c->reference, p, &lacks, err);
    size_t i;

    if (got < 0 && !c->mode.strict) {
        memcpy(c->said, err->msg, sizeof(c->said));
        c->bad++;
        return 0;
    }
    if (got <= 0 || !c->mode.compat301)
        return got;
    counted = lacks & LACKS_URL ? LACKS_URL : lacks & LACKS_TEXT ? LACKS_TEXT : 0;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (lacks & rows[i].lacks & ~counted)
            ledger_count(c->ledger, rows[i].what, 1);
    return got;
}

int crawl_next(struct crawl *c, struct page *p, struct err *err)
{
    if (c->reference)
        return next_of_reference(c, p, err);
    return c->warc ? next_record(c, p, err) : next_doc(c, p, err);
}

uint64_t crawl_offset(const struct crawl *c)
{
    return c->reference ? reference_stored(c->reference) : stream_file_offset(c->in);
}

uint64_t crawl_damage(const struct crawl *c, const char **last)
{
    const struct warc_damage *d = c->warc ? warc_damage(c->warc) : NULL;

    *last = d ? d->last : c->said;
    return d ? d->records : c->bad;
}

uint64_t crawl_responses(const struct crawl *c)
{
    return c->responses;
}

/* Damage and the file itself go into the ledger. */
static void account(struct crawl *c)
{
    const struct warc_damage *d = c->warc ? warc_damage(c->warc) : NULL;
    const char *said = d ? d->last : c->said;

    if (c->reference) {
        ledger_count(c->ledger, "damage:files", c->bad);
        ledger_file(c->ledger, reference_path(c->reference), reference_stored(c->reference),
                    *said ? said : NULL);
        return;
    }
    if (d) {
        ledger_count(c->ledger, "damage:records", d->records);
        ledger_count(c->ledger, "damage:mended-records", d->mended);
        ledger_count(c->ledger, "damage:bytes", d->bytes);
    } else {
        ledger_count(c->ledger, "damage:lines", c->bad);
        ledger_count(c->ledger, "damage:bytes", c->bad_bytes);
    }
    ledger_file(c->ledger, stream_path(c->in), stream_offset(c->in), *said ? said : NULL);
}

void crawl_close(struct crawl *c)
{
    if (!c)
        return;
    if (c->warc || c->parser || c->reference)
        account(c);
    reference_close(c->reference);
    if (c->warc)
        warc_close(c->warc);
    else
        stream_close(c->in);
    doc_parser_free(c->parser);
    free(c);
}
