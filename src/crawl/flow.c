/* flow.c - see flow.h. White space is HTML's and the no-break space, as in WET. */
#include <stdlib.h>
#include <string.h>

#include "crawl/flow.h"

static const struct row {
    const char *name;
    enum flow_kind kind;
} rows[] = {
    // sorted
    { "address", FLOW_BLOCK },   { "applet", FLOW_UNSEEN },   { "article", FLOW_BLOCK },
    { "aside", FLOW_BLOCK },     { "audio", FLOW_UNSEEN },    { "blockquote", FLOW_BLOCK },
    { "body", FLOW_BLOCK },      { "br", FLOW_BREAK },        { "button", FLOW_BLOCK },
    { "canvas", FLOW_UNSEEN },   { "caption", FLOW_BLOCK },   { "center", FLOW_BLOCK },
    { "col", FLOW_BLOCK },       { "datalist", FLOW_UNSEEN }, { "dd", FLOW_BLOCK },
    { "details", FLOW_BLOCK },   { "dialog", FLOW_BLOCK },    { "dir", FLOW_BLOCK },
    { "div", FLOW_BLOCK },       { "dl", FLOW_BLOCK },        { "dt", FLOW_BLOCK },
    { "embed", FLOW_UNSEEN },    { "fieldset", FLOW_BLOCK },  { "figcaption", FLOW_BLOCK },
    { "figure", FLOW_BLOCK },    { "footer", FLOW_BLOCK },    { "form", FLOW_BLOCK },
    { "frame", FLOW_BLOCK },     { "frameset", FLOW_BLOCK },  { "h1", FLOW_BLOCK },
    { "h2", FLOW_BLOCK },        { "h3", FLOW_BLOCK },        { "h4", FLOW_BLOCK },
    { "h5", FLOW_BLOCK },        { "h6", FLOW_BLOCK },        { "head", FLOW_HEAD },
    { "header", FLOW_BLOCK },    { "hgroup", FLOW_BLOCK },    { "hr", FLOW_BREAK },
    { "iframe", FLOW_UNSEEN },   { "legend", FLOW_BLOCK },    { "li", FLOW_BLOCK },
    { "listing", FLOW_PRE },     { "main", FLOW_BLOCK },      { "math", FLOW_UNSEEN },
    { "menu", FLOW_BLOCK },      { "nav", FLOW_BLOCK },       { "noembed", FLOW_UNSEEN },
    { "noframes", FLOW_UNSEEN }, { "noscript", FLOW_UNSEEN }, { "object", FLOW_UNSEEN },
    { "ol", FLOW_BLOCK },        { "optgroup", FLOW_BLOCK },  { "option", FLOW_BLOCK },
    { "p", FLOW_BLOCK },         { "plaintext", FLOW_PRE },   { "pre", FLOW_PRE },
    { "script", FLOW_UNSEEN },   { "search", FLOW_BLOCK },    { "section", FLOW_BLOCK },
    { "select", FLOW_SPACE },    { "style", FLOW_UNSEEN },    { "summary", FLOW_BLOCK },
    { "svg", FLOW_UNSEEN },      { "table", FLOW_BLOCK },     { "tbody", FLOW_BLOCK },
    { "td", FLOW_SPACE },        { "template", FLOW_UNSEEN }, { "textarea", FLOW_BLOCK },
    { "tfoot", FLOW_BLOCK },     { "th", FLOW_SPACE },        { "thead", FLOW_BLOCK },
    { "title", FLOW_TITLE },     { "tr", FLOW_BLOCK },        { "ul", FLOW_BLOCK },
    { "video", FLOW_UNSEEN },    { "xmp", FLOW_PRE },
};

static int compare(const void *name, const void *row)
{
    return strcmp(name, ((const struct row *)row)->name);
}

enum flow_kind flow_kind(const char *name)
{
    const struct row *r =
        bsearch(name, rows, sizeof(rows) / sizeof(rows[0]), sizeof(rows[0]), compare);

    return r ? r->kind : FLOW_INLINE;
}

void flow_start(struct flow *f, struct buf *out)
{
    *f = (struct flow){ .out = out, .from = out->n };
}

static void turn(struct flow *f, enum flow_kind kind, int by)
{
    if (kind == FLOW_UNSEEN || kind == FLOW_HEAD)
        f->unseen += by;
    if (kind == FLOW_PRE)
        f->pre += by;
    if (kind == FLOW_TITLE)
        f->in_title += by;
    if (f->unseen && kind != FLOW_TITLE)
        return;
    f->line |= kind == FLOW_BLOCK || kind == FLOW_PRE || kind == FLOW_BREAK || kind == FLOW_TITLE;
    f->space |= kind == FLOW_SPACE;
}

void flow_open(struct flow *f, enum flow_kind kind)
{
    turn(f, kind, 1);
}

void flow_close(struct flow *f, enum flow_kind kind)
{
    turn(f, kind, -1);
}

/* Bytes of the white space at p, 0 when there is none. */
static size_t space_at(const unsigned char *p, const unsigned char *end)
{
    if (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r' || *p == '\f')
        return 1;
    return *p == 0xC2 && end - p > 1 && p[1] == 0xA0 ? 2 : 0;
}

static void put_word(struct flow *f, const unsigned char *p, size_t n)
{
    if (f->out->n > f->from && (f->line || f->space))
        buf_add_byte(f->out, f->line ? '\n' : ' ');
    f->line = f->space = 0;
    buf_add(f->out, p, n);
}

/* White space stays in pre, where each line is a line. */
static void put_lines(struct flow *f, const unsigned char *p, const unsigned char *end)
{
    const unsigned char *line;

    while (p < end) {
        for (line = p; p < end && *p != '\n' && *p != '\r'; p++)
            ;
        if (p > line)
            put_word(f, line, (size_t)(p - line));
        for (; p < end && (*p == '\n' || *p == '\r'); p++)
            f->line = 1;
    }
}

void flow_text(struct flow *f, const unsigned char *p, size_t n)
{
    const unsigned char *end = p + n, *word;
    size_t space;

    if (f->unseen && !f->in_title)
        return;
    if (f->pre) {
        put_lines(f, p, end);
        return;
    }
    while (p < end) {
        for (word = p; p < end && !space_at(p, end); p++)
            ;
        if (p > word)
            put_word(f, word, (size_t)(p - word));
        for (; p < end && (space = space_at(p, end)); p += space)
            f->space = 1;
    }
}
