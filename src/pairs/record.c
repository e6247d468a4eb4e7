/* record.c - see record.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/tsv.h"
#include "io/stream.h"
#include "pairs/form.h"
#include "pairs/pairs.h"
#include "pairs/record.h"
#include "pairs/task.h"

enum { COLUMN_MAX = 256 };

static json_t *string_of(struct bytes s)
{
    return json_stringn_nocheck(s.n ? (const char *)s.p : "", s.n);
}

/* The next line without its end: as stream_line(). */
static int next_line(struct records *r, struct bytes *line, struct err *err)
{
    int got = stream_line(r->in, line, PAIRS_LINE_MAX, err);

    r->line += got > 0;
    if (got > 0 && line->n && line->p[line->n - 1] == '\r')
        line->n--;
    if (got > 0 && r->line == 1 && line->n >= 3 && !memcmp(line->p, "\xef\xbb\xbf", 3)) {
        line->p += 3;
        line->n -= 3;
    }
    return got;
}

static int bad(struct records *r, const char **dropped, const char *word, struct err *err,
               const char *why)
{
    *dropped = word;
    err_set(err, "%s:%" PRIu64 ": %s", stream_path(r->in), r->line, why);
    return RECORD_BAD;
}

static void set_columns(struct records *r, struct bytes line)
{
    struct bytes field[COLUMN_MAX];
    size_t n;

    buf_add(&r->header, line.p, line.n);
    n = tsv_split(buf_bytes(&r->header), field, COLUMN_MAX);
    r->n_column = n < COLUMN_MAX ? n : COLUMN_MAX;
    r->column = xreallocarray(NULL, r->n_column, sizeof(*r->column));
    memcpy(r->column, field, r->n_column * sizeof(*field));
}

/* The first line is a header if it names what the input needs (for the whole record: the first of
 * the task's columns); else columns are the task's.
 * 1: it was one, 0, -1. */
static int begin_tsv(struct records *r, struct bytes line, struct err *err)
{
    struct bytes field[COLUMN_MAX];
    size_t n = tsv_split(line, field, COLUMN_MAX);
    const char *own = r->task->columns;
    size_t first = own ? strcspn(own, "\t") : 0;
    int whole = !own || (field[0].n == first && !memcmp(field[0].p, own, first));

    if (form_known(r->task->input, field, n < COLUMN_MAX ? n : COLUMN_MAX, whole)) {
        set_columns(r, line);
        return 1;
    }
    if (!own)
        return err_set(err, "%s:1: no header with the columns of task %s", stream_path(r->in),
                       r->task->name);
    set_columns(r, (struct bytes){ (const unsigned char *)own, strlen(own) });
    return 0;
}

static int next_tsv(struct records *r, json_t **to, const char **dropped, struct err *err)
{
    struct bytes line, field[COLUMN_MAX];
    size_t n, i;
    int got = next_line(r, &line, err);

    if (got > 0 && !r->begun) {
        int header = begin_tsv(r, line, err);

        r->begun = 1;
        got = header < 0 ? -1 : header ? next_line(r, &line, err) : 1;
    }
    if (got <= 0)
        return got;
    n = tsv_split(line, field, COLUMN_MAX);
    if (n != r->n_column) {
        char why[64];

        snprintf(why, sizeof(why), "%zu fields, not %zu", n, r->n_column);
        return bad(r, dropped, "columns", err, why);
    }
    *to = json_object();
    for (i = 0; i < n; i++) {
        char *name = xstrndup(r->column[i].p, r->column[i].n);

        json_object_set_new_nocheck(*to, name, string_of(field[i]));
        free(name);
    }
    return 1;
}

static int next_jsonl(struct records *r, json_t **to, const char **dropped, struct err *err)
{
    struct bytes line;
    json_error_t why;
    int got;

    do
        got = next_line(r, &line, err);
    while (got > 0 && !line.n);
    if (got <= 0)
        return got;
    *to = json_loadb((const char *)line.p, line.n, JSON_ALLOW_NUL, &why);
    if (*to && json_is_object(*to))
        return 1;
    json_decref(*to);
    bad(r, dropped, "no_json", err, *to ? "no JSON object" : why.text);
    *to = NULL;
    return RECORD_BAD;
}

struct feed {    // of a stream to jansson
    struct stream *in;
    struct err *err;
    int failed;
};

static size_t feed(void *to, size_t n, void *ctx)
{
    struct feed *f = ctx;
    ssize_t got = stream_read(f->in, to, n, f->err);

    if (got >= 0 && stream_offset(f->in) > PAIRS_JSON_MAX)
        got = err_set(f->err, "%s: more than %d bytes of JSON in one piece", stream_path(f->in),
                      PAIRS_JSON_MAX);
    f->failed = got < 0;
    return got < 0 ? (size_t)-1 : (size_t)got;
}

static int next_json(struct records *r, json_t **to, struct err *err)
{
    struct feed f = { r->in, err, 0 };
    json_error_t why;

    if (r->begun)
        return 0;
    r->begun = 1;
    *to = json_load_callback(feed, &f, JSON_ALLOW_NUL, &why);
    if (*to)
        return 1;
    return f.failed ? -1
                    : err_set(err, "%s:%d: %s", stream_path(r->in), why.line > 0 ? why.line : 1,
                              why.text);
}

/* "word TAB tag", or the tag behind the last space. */
static int split_word(struct bytes line, struct bytes *word, struct bytes *tag)
{
    size_t n = line.n;

    while (n && line.p[n - 1] != '\t')
        n--;
    if (!n)
        for (n = line.n; n && line.p[n - 1] != ' ';)
            n--;
    if (n < 2 || n == line.n)
        return -1;
    *tag = (struct bytes){ line.p + n, line.n - n };
    *word = (struct bytes){ line.p, n - 1 };
    return tag->p[0] == 'O' && tag->n == 1                             ? 0
           : tag->n > 2 && tag->p[1] == '-' && strchr("BI", tag->p[0]) ? 0
                                                                       : -1;
}

/* Add word to the spans "TYPE: a b $$ TYPE: c"; type is that of the span which is open. */
static void add_span(struct buf *spans, struct buf *type, struct bytes word, struct bytes tag)
{
    struct bytes kind = { tag.p + 2, tag.n > 2 ? tag.n - 2 : 0 };
    int goes_on = tag.p[0] == 'I' && kind.n == type->n && !memcmp(kind.p, type->p, kind.n);

    if (kind.n && !goes_on) {
        if (spans->n)
            buf_add_str(spans, " $$ ");
        buf_add(spans, kind.p, kind.n);
        buf_add_byte(spans, ':');
    }
    if (kind.n) {
        buf_add_byte(spans, ' ');
        buf_add(spans, word.p, word.n);
    }
    buf_reset(type);
    buf_add(type, kind.p, kind.n);
}

/* A sentence: lines up to an empty one. "de:" before every word is its language. */
static int next_bio(struct records *r, json_t **to, const char **dropped, struct err *err)
{
    struct buf tokens = { 0 }, spans = { 0 }, type = { 0 }, lang = { 0 };
    struct bytes line, word, tag;
    int got, damaged = 0, n = 0;

    while ((got = next_line(r, &line, err)) > 0 && (line.n || !n)) {
        const unsigned char *colon;

        if (!line.n)
            continue;
        n++;
        if (damaged || (damaged = split_word(line, &word, &tag)) != 0)
            continue;
        colon = r->task->lang ? memchr(word.p, ':', word.n) : NULL;
        if (colon) {
            buf_reset(&lang);
            buf_add(&lang, word.p, (size_t)(colon - word.p));
            word.n -= (size_t)(colon - word.p) + 1;
            word.p = colon + 1;
        }
        if (tokens.n)
            buf_add_byte(&tokens, ' ');
        buf_add(&tokens, word.p, word.n);
        add_span(&spans, &type, word, tag);
    }
    if (got >= 0 && n && damaged) {
        got = bad(r, dropped, "no_tag", err, "a line before is no 'word TAB tag' (O, B-X, I-X)");
    } else if (got >= 0 && n) {
        *to = json_pack("{so so}", "tokens", string_of(buf_bytes(&tokens)), "spans",
                        string_of(buf_bytes(&spans)));
        if (r->task->lang && lang.n)
            json_object_set_new_nocheck(*to, r->task->lang, string_of(buf_bytes(&lang)));
        got = 1;
    }
    buf_release(&tokens);
    buf_release(&spans);
    buf_release(&type);
    buf_release(&lang);
    return got;
}

int records_next(struct records *r, json_t **to, const char **dropped, struct err *err)
{
    *to = NULL;
    switch (r->task->format) {
    case TASK_TSV:
        return next_tsv(r, to, dropped, err);
    case TASK_JSONL:
        return next_jsonl(r, to, dropped, err);
    case TASK_JSON:
        return next_json(r, to, err);
    case TASK_BIO:
        return next_bio(r, to, dropped, err);
    }
    return 0;
}

void records_release(struct records *r)
{
    stream_close(r->in);
    buf_release(&r->header);
    free(r->column);
}
