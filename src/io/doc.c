/* doc.c - see doc.h.
 *
 * All members of the line are listed first, so that of equal keys the last can win. Unescaped
 * strings, which cannot be longer than the line, go to `plain`: it is grown once a line, so
 * that views into it stay.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "io/doc.h"
#include "io/json.h"

enum { GIANT = 8 << 20 };    // what is not kept for the next line

struct member {
    struct bytes key;      // unescaped
    struct bytes raw;      // "key":value as it stands, without white space around it
    struct bytes value;    // unescaped, p NULL when it is no string
    size_t number;
    int replaced;    // by a later one of the same key
};

struct doc_parser {
    struct buf plain, extra;
    struct member *member;
    size_t n, cap;
};

struct doc_parser *doc_parser_new(void)
{
    return xcalloc(1, sizeof(struct doc_parser));
}

void doc_parser_free(struct doc_parser *p)
{
    if (!p)
        return;
    buf_release(&p->plain);
    buf_release(&p->extra);
    free(p->member);
    free(p);
}

/* ---- the object ---- */

static int member(struct doc_parser *p, struct json *s)
{
    struct member *m;

    if (p->n == p->cap) {
        p->cap = p->cap ? 2 * p->cap : 16;
        p->member = xreallocarray(p->member, p->cap, sizeof(*p->member));
    }
    m = &p->member[p->n];
    *m = (struct member){ .number = p->n, .raw.p = s->p };
    if (json_take_string(s, &p->plain, &m->key) < 0 || json_colon(s) < 0)
        return -1;
    if (json_at(s, '"') ? json_take_string(s, &p->plain, &m->value) < 0
                        : json_value(s, &p->plain, 1) < 0)
        return -1;
    m->raw.n = (size_t)(s->p - m->raw.p);
    p->n++;
    return 0;
}

static int object(struct doc_parser *p, struct json *s)
{
    int again = 1;

    json_space(s);
    if (!json_at(s, '{'))
        return json_bad(s, "'{' was expected");
    s->p++;
    json_space(s);
    if (json_at(s, '}')) {
        s->p++;
        again = 0;
    }
    while (again > 0) {
        if (member(p, s) < 0)
            return -1;
        again = json_comma(s, '}');
    }
    if (again < 0)
        return -1;
    json_space(s);
    return s->p == s->end ? 0 : json_bad(s, "something follows the object");
}

static int by_key(const void *a, const void *b)
{
    const struct member *x = *(const struct member *const *)a,
                        *y = *(const struct member *const *)b;
    size_t n = x->key.n < y->key.n ? x->key.n : y->key.n;
    int c = n ? memcmp(x->key.p, y->key.p, n) : 0;

    if (c)
        return c;
    if (x->key.n != y->key.n)
        return x->key.n < y->key.n ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static int same_key(const struct member *x, const struct member *y)
{
    return x->key.n == y->key.n && !memcmp(x->key.p, y->key.p, x->key.n);
}

static void mark_replaced(struct doc_parser *p)
{
    enum { FEW = 12 };
    struct member **sorted, *m = p->member;
    size_t i, j;

    if (p->n <= FEW) {
        for (i = 0; i < p->n; i++)
            for (j = i + 1; j < p->n; j++)
                m[i].replaced |= same_key(&m[i], &m[j]);
        return;
    }
    sorted = xreallocarray(NULL, p->n, sizeof(struct member *));
    for (i = 0; i < p->n; i++)
        sorted[i] = &m[i];
    qsort(sorted, p->n, sizeof(struct member *), by_key);
    for (i = 0; i + 1 < p->n; i++)
        sorted[i]->replaced = same_key(sorted[i], sorted[i + 1]);
    free(sorted);
}

static struct bytes *named(struct doc *d, const struct bytes *key)
{
    static const char name[][12] = { "text", "timestamp", "url", "lang" };
    struct bytes *field[] = { &d->text, &d->timestamp, &d->url, &d->lang };
    size_t i;

    for (i = 0; i < sizeof(field) / sizeof(field[0]); i++)
        if (key->n == strlen(name[i]) && !memcmp(key->p, name[i], key->n))
            return field[i];
    return NULL;
}

static void share_out(struct doc_parser *p, struct doc *d)
{
    unsigned char *lf;
    size_t i;

    *d = (struct doc){ 0 };
    mark_replaced(p);
    buf_trim(&p->extra, GIANT);
    for (i = 0; i < p->n; i++) {
        const struct member *m = &p->member[i];
        struct bytes *field = named(d, &m->key);

        if (m->replaced)
            continue;
        if (field && m->value.p) {
            *field = m->value;
            continue;
        }
        if (p->extra.n)
            buf_add_byte(&p->extra, ',');
        buf_add(&p->extra, m->raw.p, m->raw.n);
    }
    if (!p->extra.n)
        return;
    for (lf = p->extra.p; (lf = memchr(lf, '\n', p->extra.n - (size_t)(lf - p->extra.p))); lf++)
        *lf = ' ';    // white space between values, or the document would not stay one line
    d->extra = buf_bytes(&p->extra);
}

int doc_parse(struct doc_parser *p, struct bytes line, struct doc *d, struct err *err)
{
    struct json s = { line.p, bytes_end(line), NULL };

    p->n = 0;
    buf_trim(&p->plain, GIANT);
    buf_need(&p->plain, line.n + 1);
    if (object(p, &s) < 0)
        return err_set(err, "byte %zu: %s", (size_t)(s.p - line.p), s.trouble);
    share_out(p, d);
    return d->text.p ? 0 : err_set(err, "byte 0: no string called \"text\"");
}

static void format_member(struct buf *b, const char *key, struct bytes value)
{
    if (!value.p)
        return;
    buf_add_str(b, key);
    json_write_string(b, value);
}

void doc_format(struct buf *b, const struct doc *d)
{
    format_member(b, "{\"text\":", d->text);
    format_member(b, ",\"timestamp\":", d->timestamp);
    format_member(b, ",\"url\":", d->url);
    format_member(b, ",\"lang\":", d->lang);
    if (d->extra.n) {
        buf_add_byte(b, ',');
        buf_add(b, d->extra.p, d->extra.n);
    }
    buf_add(b, "}\n", 2);
}

void doc_extra_without(struct buf *b, struct bytes extra, const char *key)
{
    struct json s = { extra.p, bytes_end(extra), NULL };
    struct buf plain = { 0 };
    size_t before = b->n;

    buf_need(&plain, extra.n + 1);
    while (s.p < s.end) {
        const unsigned char *from = s.p;
        struct bytes name;

        int is_key;

        plain.n = 0;
        if (json_take_string(&s, &plain, &name) < 0 || json_colon(&s) < 0)
            break;    // cannot be: a parser has made it
        is_key = name.n == strlen(key) && !memcmp(name.p, key, name.n);
        plain.n = 0;
        if (json_value(&s, &plain, 1) < 0)
            break;
        if (!is_key) {
            if (b->n > before)
                buf_add_byte(b, ',');
            buf_add(b, from, (size_t)(s.p - from));
        }
        if (s.p < s.end)
            s.p++;    // the comma
    }
    buf_release(&plain);
}
