/* explain.c - see explain.h. Notes are a count, that many numbers (uint32_t) of lines that were
 * kept by the rules, and rows without URLs. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "claims/claim.h"
#include "clean/explain.h"
#include "text/unicode.h"
#include "text/utf8.h"

enum { EXCERPT = 80, EXCERPT_BYTES = 8 };    // characters; of what is not UTF-8

const char explain_header[] = "url\tline\trule\tverdict\tevidence\n";

/* Append the beginning of s, so that it stays one field of one line. */
static void add_excerpt(struct buf *b, struct bytes s, size_t most)
{
    size_t i, n;
    int len;

    for (i = n = 0; i < s.n && n < most; i += (size_t)len, n++) {
        uint32_t c = utf8_get(s.p + i, s.n - i, &len);

        if (c == '\t' || c == '\n' || c == '\r' || c == '\\')
            buf_printf(b, "\\%c", c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : '\\');
        else if (c < 0x20 || c == UTF8_BAD)
            buf_printf(b, "\\x%02x", s.p[i]);
        else
            buf_add(b, s.p + i, (size_t)len);
    }
    if (i < s.n)
        buf_add_str(b, "...");
}

static void add_row(struct buf *b, uint64_t line, const char *rule, const char *verdict,
                    struct bytes evidence, size_t most)
{
    buf_printf(b, "%" PRIu64 "\t%s\t%s\t", line, rule, verdict);
    add_excerpt(b, evidence, most);
    buf_add_byte(b, '\n');
}

/* One line through the rules: rows, and whether it stays, goes, or takes the page with it. What
 * decided stands before the beginning of the line as the rule saw it. */
static enum verdict explain_line(struct buf *rows, const struct rule_choice *c, struct rule_line *l,
                                 uint64_t number)
{
    int i;

    for (i = 0; i < n_rule; i++) {
        struct bytes before = l->s;
        enum verdict v;

        if (!(c->set >> i & 1) || rules[i].level != RULE_LINE)
            continue;
        l->limit = c->limit[i];
        buf_reset(l->why);
        v = rules[i].line(l);
        if (v == KEEP)
            continue;
        buf_printf(rows, "%" PRIu64 "\t%s\t%s\t", number, rules[i].name,
                   v == EDIT        ? "edit"
                   : v == DROP_LINE ? "drop-line"
                                    : "drop-page");
        add_excerpt(rows, buf_bytes(l->why), EXCERPT);
        buf_add_str(rows, ": ");
        add_excerpt(rows, before, EXCERPT);
        buf_add_byte(rows, '\n');
        if (v != EDIT)
            return v;
    }
    return KEEP;
}

void explain_lines(struct buf *notes, const struct rule_choice *c, const struct rule_page *p)
{
    struct bytes rest = p->text, line;
    struct buf edit = { 0 }, why = { 0 }, kept = { 0 }, rows = { 0 };
    uint32_t number = 0, n, from = 0, to = 0;    // those kept but blank at either end are no lines
    enum verdict v = KEEP;

    while (v != DROP_PAGE && unicode_line(&rest, &line)) {
        struct rule_line l = {
            .s = unicode_strip(line), .buf = &edit, .lang = p->lang, .marks = c->marks, .why = &why
        };

        number++;
        v = explain_line(&rows, c, &l, number);
        if (v != KEEP)
            continue;
        buf_add(&kept, &number, sizeof(number));
        if (unicode_strip(l.s).n)
            to = (uint32_t)(kept.n / sizeof(number));
        else if (!to)
            from = (uint32_t)(kept.n / sizeof(number));
    }
    n = to - (to ? from : 0);
    buf_reset(notes);
    buf_add(notes, &n, sizeof(n));
    buf_add(notes, kept.p + from * sizeof(number), n * sizeof(number));
    buf_add(notes, rows.p, rows.n);
    buf_release(&edit);
    buf_release(&why);
    buf_release(&kept);
    buf_release(&rows);
}

void explain_rule(struct buf *notes, int rule, struct bytes why)
{
    uint32_t none = 0;

    if (!notes->n)
        buf_add(notes, &none, sizeof(none));
    add_row(notes, 0, rules[rule].name, "drop-page", why, EXCERPT);
}

void explain_bytes(struct buf *notes, struct bytes text)
{
    size_t at = 0;
    int len;

    while (at < text.n && utf8_get(text.p + at, text.n - at, &len) != UTF8_BAD)
        at += (size_t)len;
    buf_reset(notes);
    buf_printf(notes, "byte %zu: ", at);
    add_excerpt(notes, (struct bytes){ text.p + at, text.n - at }, EXCERPT_BYTES);
}

struct rows {    // of one page
    struct buf *b;
    struct bytes url;
};

static void add_url(struct rows *r)
{
    add_excerpt(r->b, r->url, SIZE_MAX);
    buf_add_byte(r->b, '\t');
}

/* The rows of the notes; returns the numbers of kept lines and how many. */
static const unsigned char *add_notes(struct rows *r, struct bytes notes, uint32_t *n)
{
    const unsigned char *at, *lf, *end = bytes_end(notes);

    *n = 0;
    if (!notes.n)
        return NULL;
    memcpy(n, notes.p, sizeof(*n));
    for (at = notes.p + (1 + (size_t)*n) * sizeof(*n); at < end; at = lf + 1) {
        lf = memchr(at, '\n', (size_t)(end - at));
        add_url(r);
        buf_add(r->b, at, (size_t)(lf + 1 - at));
    }
    return notes.p + sizeof(*n);
}

static void add_lost(struct rows *r, const struct spool_page *s, const struct fate *f,
                     const unsigned char *numbers, uint32_t n)
{
    const unsigned char *at = s->s[SPOOL_TEXT].p, *end = at + s->s[SPOOL_TEXT].n, *lf;
    size_t i, line = 0;

    for (i = 0; i < f->n_lost; i++) {
        enum line_fate fate = place_fate(f->lost[i]);
        uint32_t number = (uint32_t)place_line(f->lost[i]) + 1;

        for (; line < place_line(f->lost[i]); line++)
            at = (const unsigned char *)memchr(at, '\n', (size_t)(end - at)) + 1;
        lf = memchr(at, '\n', (size_t)(end - at));
        if (number <= n)
            memcpy(&number, numbers + (number - 1) * sizeof(number), sizeof(number));
        add_url(r);
        buf_printf(r->b, "%" PRIu32 "\tduplicate_line\tlost-line\t%s: ", number,
                   fate == LINE_AGAIN ? "again in this page" : "in another page");
        add_excerpt(r->b, (struct bytes){ at, (size_t)((lf ? lf : end) - at) }, EXCERPT);
        buf_add_byte(r->b, '\n');
    }
}

/* What ended the page: the rule's name, which for a step is what --stats calls it. */
static void add_end(struct rows *r, const struct spool_page *s, const struct verdict_page *v)
{
    char text[160] = "";
    struct bytes evidence = { (unsigned char *)text, 0 };
    size_t n = 0;

    if (!v->why)
        n += (size_t)snprintf(text, sizeof(text), "%zu of %" PRIu64 " bytes", v->text.n,
                              s->head.bytes);
    if (v->lang && (v->has_p || !v->why))
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", n ? ", " : "", v->lang->label);
    if (v->has_p)
        n += (size_t)snprintf(text + n, sizeof(text) - n, " %.4f", (double)v->p);
    if (v->p_least > 0)
        n += (size_t)snprintf(text + n, sizeof(text) - n, " < %.4g", (double)v->p_least);
    evidence.n = n;
    if (v->evidence.n)
        evidence = v->evidence;
    else if (s->head.fault)
        evidence = s->s[SPOOL_NOTES];
    add_url(r);
    add_row(r->b, 0, v->why ? v->why : "-", v->why ? "drop-page" : "keep", evidence,
            s->head.fault ? SIZE_MAX : EXCERPT);
}

void explain_page(struct buf *b, const struct spool_page *s, const struct fate *f,
                  const struct verdict_page *v)
{
    struct rows r = { b, s->s[SPOOL_URL] };
    const unsigned char *numbers = NULL;
    uint32_t n = 0;
    int i;

    if (!f->url_lost && !s->head.fault)
        numbers = add_notes(&r, s->s[SPOOL_NOTES], &n);
    if (!f->url_lost && s->head.rule < 0 && !s->head.fault)
        add_lost(&r, s, f, numbers, n);
    for (i = 0; i < n_rule; i++)
        if (v->edits[i]) {
            add_url(&r);
            buf_printf(b, "0\t%s\tedit\t%" PRIu64 " places\n", rules[i].name, v->edits[i]);
        }
    if (s->head.rule < 0 || f->url_lost)
        add_end(&r, s, v);
}
