/* crawl.c - see crawl.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "crawl/crawl.h"
#include "crawl/http.h"
#include "crawl/reference.h"
#include "crawl/warc.h"
#include "io/doc.h"
#include "io/json.h"
#include "io/ledger.h"
#include "io/stream.h"
#include "text/unicode.h"

enum { LINE_MAX_BYTES = 32 << 20, LOOK = 64 << 10 };

struct crawl {
    struct stream *in;           // of the WARC reader when there is one
    struct warc_reader *warc;    // NULL: JSON Lines
    struct doc_parser *parser;
    struct reference *reference;    // then the others are NULL
    struct ledger *ledger;
    struct crawl_mode mode;
    uint64_t bad, bad_bytes, n_line, at;    // at: of the record in the plain stream
    struct buf extra, origin;
    char said[512];
    struct buf early;    // troubles at the beginning of the file that are not told yet, with NUL
    size_t early_at;
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

/* What a file that is not read is. */
static const char *foreign(struct stream *in)
{
    static const struct {
        const char *begin;
        size_t n;
        const char *what;
    } rows[] = {
        { "filedesc://", 11, "ARC is not read: convert it to WARC first" },
        { "\x04\x22\x4d\x18", 4, "LZ4 is not read: use lz4 -dc first" },
        { "\xfd"
          "7zXZ",
          5, "xz is not read: use xz -dc first" },
        { "BZh", 3, "bzip2 is not read: use bzip2 -dc first" },
    };
    const unsigned char *p;
    struct err err;
    ssize_t n = stream_peek(in, LOOK, &p, &err);
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (n >= (ssize_t)rows[i].n && !memcmp(p, rows[i].begin, rows[i].n))
            return rows[i].what;
    return "neither WET or WARC nor JSON Lines";
}

/* As kind_of(), past members at the beginning that are damaged, which are counted as a record each.
 */
static int find_kind(struct crawl *c, struct err *err)
{
    int kind = kind_of(c->in, err);
    struct err later;

    while (kind < 0 && !c->mode.strict && stream_resume(c->in, &later) > 0) {
        memcpy(c->said, err->msg, sizeof(c->said));
        buf_add(&c->early, err->msg, strlen(err->msg) + 1);
        c->bad++;
        kind = kind_of(c->in, err);
    }
    return kind;
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
    if (!(c->in = stream_open(path, err)) || (kind = find_kind(c, err)) < 0)
        goto fail;
    if (kind == '?') {
        if (c->bad)    // what went on behind the damage is nothing known either
            err_set(err, "%s", c->said);
        else
            err_set(err, "%s: %s", stream_path(c->in), foreign(c->in));
        goto fail;
    }
    if (kind == 'W')
        c->warc = warc_open(c->in, mode->strict);
    else
        c->parser = doc_parser_new();
    if (c->warc)
        warc_tell_lost(c->warc);
    return c;

fail:
    crawl_close(c);
    return NULL;
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

/* A record that is no page: counted by its type, and by why where it could have been one. */
static void pass_over(struct crawl *c, struct bytes type, const char *why)
{
    static const char *const known[] = { "warcinfo", "request", "response",    "metadata",
                                         "resource", "revisit", "continuation" };
    const char *kind = "other";
    char what[64];
    size_t i;

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (is(type, known[i]))
            kind = known[i];
    snprintf(what, sizeof(what), "skipped-records:%s%s", kind, why);
    ledger_count(c->ledger, what, 1);
}

/* Is it a page, in which form? If not, why not. */
static int is_page(const struct warc_record *rec, struct page *p, const char **why)
{
    *why = "";
    if (is(rec->type, "conversion"))
        return 1;
    if (is(rec->type, "response")) {
        p->form = FORM_HTTP;
        return !(*why = http_page_trouble(rec->block, &p->content_type));
    }
    if (is(rec->type, "resource")) {
        p->form = FORM_RESOURCE;
        return !(*why = http_type_trouble(rec->content_type));
    }
    return 0;
}

static int next_record(struct crawl *c, struct page *p, struct err *err)
{
    static const enum page_fault lost_record[] = {
        [WARC_NO_RECORD] = PAGE_LOST_NO_RECORD, [WARC_HEADER] = PAGE_LOST_HEADER,
        [WARC_TOO_LONG] = PAGE_LOST_TOO_LONG,   [WARC_NO_END] = PAGE_LOST_NO_END,
        [WARC_STREAM] = PAGE_LOST_STREAM,
    };
    struct warc_record rec;
    const char *why;
    int got;

    while ((got = warc_next(c->warc, &rec, err)) > 0) {
        *p = (struct page){ .raw = rec.block,
                            .url = unicode_strip(rec.url),
                            .date = unicode_strip(rec.date),
                            .content_type = rec.content_type,
                            .content_length = rec.content_length,
                            .lang = first_language(rec.languages) };
        c->at = rec.offset;
        if (rec.lost) {
            p->fault = lost_record[rec.lost];
            p->trouble = (struct bytes){ (const unsigned char *)rec.trouble, strlen(rec.trouble) };
            return 1;
        }
        if (is_page(&rec, p, &why)) {
            if (rec.truncated.n)
                ledger_count(c->ledger, "truncated-records", 1);
            return 1;
        }
        pass_over(c, rec.type, why);
    }
    return got;
}

/* A page of which nothing is known but what was said last. */
static void lose_page(const struct crawl *c, struct page *p, enum page_fault fault)
{
    struct bytes said = { (const unsigned char *)c->said, strlen(c->said) };

    *p = (struct page){ .fault = fault, .trouble = said };
}

/* What the search for the file's kind passed over. */
static void next_early(struct crawl *c, struct page *p)
{
    const unsigned char *said = c->early.p + c->early_at;
    size_t n = strlen((const char *)said);

    *p = (struct page){ .fault = PAGE_LOST_STREAM, .trouble = { said, n } };
    c->early_at += n + 1;
}

/* A line could not be read: 1 and a page for it, when the stream goes on or ends; -1. */
static int lose_line(struct crawl *c, struct page *p, struct err *err)
{
    int broken = stream_broken(c->in);

    if (c->mode.strict)
        return -1;
    memcpy(c->said, err->msg, sizeof(c->said));
    if (stream_resume(c->in, err) < 0)
        return -1;
    c->bad++;
    c->n_line += !broken;
    lose_page(c, p, broken ? PAGE_LOST_STREAM : PAGE_LOST_TOO_LONG);
    return 1;
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
            lose_page(c, p, PAGE_LOST_LINE);
            p->raw = line.n < WARC_LOST_MAX ? line : (struct bytes){ line.p, WARC_LOST_MAX };
            return 1;
        }
        *p = (struct page){ .raw = d.text,
                            .url = d.url,
                            .date = d.timestamp,
                            .extra = d.extra,
                            .lang = first_language(d.lang) };
        return 1;
    }
    return got < 0 ? lose_line(c, p, err) : 0;
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
        lose_page(c, p, PAGE_LOST_STREAM);
        return 1;
    }
    if (got <= 0 || !c->mode.compat301)
        return got;
    counted = lacks & LACKS_URL ? LACKS_URL : lacks & LACKS_TEXT ? LACKS_TEXT : 0;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (lacks & rows[i].lacks & ~counted)
            ledger_count(c->ledger, rows[i].what, 1);
    return got;
}

static int has_origin(struct bytes extra)
{
    static const char key[] = "\"origin\":";
    size_t i, n = strlen(key);

    for (i = 0; i + n <= extra.n; i++)
        if (!memcmp(extra.p + i, key, n))
            return 1;
    return 0;
}

/* A member that says where a page is from, behind the others; one that was there stays. */
static void add_origin(struct crawl *c, struct page *p)
{
    const char *path = c->reference ? reference_path(c->reference) : stream_path(c->in);
    char place[32] = "";

    if (has_origin(p->extra))
        return;
    if (!c->reference)
        snprintf(place, sizeof(place), ":%" PRIu64, c->warc ? c->at : c->n_line);
    buf_reset(&c->extra);
    buf_add(&c->extra, p->extra.p, p->extra.n);
    buf_printf(&c->extra, "%s\"origin\":", p->extra.n ? "," : "");
    buf_reset(&c->origin);
    buf_add_str(&c->origin, path);
    buf_add_str(&c->origin, place);
    json_write_string(&c->extra, buf_bytes(&c->origin));
    p->extra = buf_bytes(&c->extra);
}

/* Where a page that is lost was, and what is wrong with it. */
static void add_trouble(struct crawl *c, struct page *p)
{
    add_origin(c, p);
    buf_add_str(&c->extra, ",\"trouble\":");
    json_write_string(&c->extra, p->trouble);
    p->extra = buf_bytes(&c->extra);
}

static int next_page(struct crawl *c, struct page *p, struct err *err)
{
    if (c->early_at < c->early.n) {
        next_early(c, p);
        return 1;
    }
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

    *last = d && *d->last ? d->last : c->said;
    return c->bad + (d ? d->records : 0);
}

/* Damage and the file itself go into the ledger. */
static void account(struct crawl *c)
{
    const struct warc_damage *d = c->warc ? warc_damage(c->warc) : NULL;
    const char *said = d && *d->last ? d->last : c->said;

    if (c->reference) {
        ledger_count(c->ledger, "damage:files", c->bad);
        ledger_file(c->ledger, reference_path(c->reference), reference_stored(c->reference),
                    *said ? said : NULL);
        return;
    }
    if (d) {
        ledger_count(c->ledger, "damage:records", c->bad + d->records);
        ledger_count(c->ledger, "damage:mended-records", d->mended);
        ledger_count(c->ledger, "damage:bytes", d->bytes);
    } else {
        ledger_count(c->ledger, "damage:lines", c->bad);
        ledger_count(c->ledger, "damage:bytes", c->bad_bytes);
    }
    ledger_file(c->ledger, stream_path(c->in), stream_offset(c->in), *said ? said : NULL);
}

int crawl_next(struct crawl *c, struct page *p, struct err *err)
{
    int got = next_page(c, p, err);

    if (got == 1 && p->fault >= PAGE_LOST)
        add_trouble(c, p);
    else if (got == 1 && c->mode.origin)
        add_origin(c, p);
    return got;
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
    buf_release(&c->extra);
    buf_release(&c->early);
    buf_release(&c->origin);
    free(c);
}
