/* corpus.c - see corpus.h. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "io/stream.h"
#include "langid/model.h"
#include "learn/corpus.h"
#include "text/lang.h"
#include "text/unicode.h"
#include "text/utf8.h"

enum { LINE_MAX_BYTES = 1 << 26, RUN = 32, LABEL_BYTES = 32 };

/* Hashes of all runs of RUN characters of the texts to keep apart: an open table of them. */
struct corpus_apart {
    uint64_t *slot;    // 0 is empty
    size_t n, size;    // size is a power of two
};

void corpus_init(struct corpus *c)
{
    *c = (struct corpus){ .store = arena_new(1 << 20) };
}

void corpus_release(struct corpus *c)
{
    int i;

    for (i = 0; i < c->n_label; i++)
        free(c->label[i]);
    free(c->label);
    free(c->text);
    if (c->apart)
        free(c->apart->slot);
    free(c->apart);
    arena_free(c->store);
}

static size_t apart_at(const struct corpus_apart *a, uint64_t h)
{
    size_t i = (size_t)h & (a->size - 1);

    while (a->slot[i] && a->slot[i] != h)
        i = (i + 1) & (a->size - 1);
    return i;
}

static void apart_grow(struct corpus_apart *a)
{
    struct corpus_apart old = *a;
    size_t i;

    a->size = old.size ? 2 * old.size : 1 << 12;
    a->slot = xcalloc(a->size, sizeof(*a->slot));
    for (i = 0; i < old.size; i++)
        if (old.slot[i])
            a->slot[apart_at(a, old.slot[i])] = old.slot[i];
    free(old.slot);
}

static void apart_add(struct corpus_apart *a, uint64_t h)
{
    size_t i;

    if (2 * a->n >= a->size)
        apart_grow(a);
    i = apart_at(a, h);
    a->n += !a->slot[i];
    a->slot[i] = h;
}

/* Letters and digits of a text, in lower case, and where each begins. */
struct plain {
    struct buf low, out, begin;    // begin: size_t each, one more than characters
};

static size_t plain_make(struct plain *p, struct bytes text)
{
    size_t at = 0, n = 0;

    buf_reset(&p->low);
    buf_reset(&p->out);
    buf_reset(&p->begin);
    unicode_lower(&p->low, text);
    while (at < p->low.n) {
        int len;
        uint32_t c = utf8_get(p->low.p + at, p->low.n - at, &len);

        if (c >= 0x80 ? !unicode_is_space(c) : isalnum((int)c) != 0) {
            buf_add(&p->begin, &p->out.n, sizeof(p->out.n));
            buf_add(&p->out, p->low.p + at, (size_t)len);
            n++;
        }
        at += (size_t)len;
    }
    buf_add(&p->begin, &p->out.n, sizeof(p->out.n));
    return n;
}

static uint64_t plain_run(const struct plain *p, size_t i)
{
    const size_t *begin = (const size_t *)(const void *)p->begin.p;

    return hash_xx64(p->out.p + begin[i], begin[i + RUN] - begin[i], 0) | 1;
}

static void plain_release(struct plain *p)
{
    buf_release(&p->low);
    buf_release(&p->out);
    buf_release(&p->begin);
}

int corpus_keep_apart(struct corpus *c, const char *path, struct err *err)
{
    struct stream *s = stream_open(path, err);
    struct plain p = { 0 };
    struct bytes line;
    int got = -1;

    if (!s)
        return -1;
    if (!c->apart)
        c->apart = xcalloc(1, sizeof(*c->apart));
    while ((got = stream_line(s, &line, LINE_MAX_BYTES, err)) == 1) {
        size_t i, n, at = line.n;

        while (at && line.p[at - 1] != '\t')
            at--;
        n = plain_make(&p, (struct bytes){ line.p + at, line.n - at });
        for (i = 0; i + RUN <= n; i++)
            apart_add(c->apart, plain_run(&p, i));
    }
    plain_release(&p);
    stream_close(s);
    return got;
}

static int is_apart(const struct corpus *c, struct plain *p, struct bytes text)
{
    size_t i, n;

    if (!c->apart || !c->apart->n)
        return 0;
    n = plain_make(p, text);
    for (i = 0; i + RUN <= n; i++)
        if (c->apart->slot[apart_at(c->apart, plain_run(p, i))])
            return 1;
    return 0;
}

/* The number of a label, a new one if need be; -1: too many. */
static int label_number(struct corpus *c, struct bytes name)
{
    const struct lang *l = lang_find(name);
    int i;

    if (l)
        name = (struct bytes){ (const unsigned char *)l->label, strlen(l->label) };
    for (i = 0; i < c->n_label; i++)
        if (strlen(c->label[i]) == name.n && !memcmp(c->label[i], name.p, name.n))
            return i;
    if (c->n_label == LANGID_LABEL_MAX)
        return -1;
    c->label = xreallocarray(c->label, (size_t)c->n_label + 1, sizeof(*c->label));
    c->label[c->n_label] = xstrndup(name.p, name.n);
    return c->n_label++;
}

static int label_valid(struct bytes name)
{
    size_t i;

    for (i = 0; i < name.n; i++)
        if (!isalnum(name.p[i]) && name.p[i] != '-' && name.p[i] != '_')
            return 0;
    return name.n > 0 && name.n <= LABEL_BYTES;
}

/* Cut s to n bytes at most, not inside a character. */
static struct bytes cut(struct bytes s, size_t n)
{
    if (s.n > n) {
        while (n && (s.p[n] & 0xC0) == 0x80)
            n--;
        s.n = n;
    }
    return s;
}

static int is_header(struct bytes line)
{
    return (line.n == 9 && !memcmp(line.p, "lang\ttext", 9)) ||
           (line.n == 10 && !memcmp(line.p, "label\ttext", 10));
}

/* Take one line in. NULL, or what is wrong with it. */
static const char *add_line(struct corpus *c, struct plain *p, struct bytes line, size_t text_max)
{
    const unsigned char *tab = memchr(line.p, '\t', line.n);
    struct corpus_text *t;
    struct bytes text;
    unsigned char *copy;
    int label;

    if (!tab)
        return "no tab";
    if (!label_valid((struct bytes){ line.p, (size_t)(tab - line.p) }))
        return "no label before the tab";
    text = unicode_strip((struct bytes){ tab + 1, line.n - (size_t)(tab - line.p) - 1 });
    if (!text.n)
        return "no text behind the tab";
    if (!utf8_valid(text))
        return "the text is not UTF-8";
    if (is_apart(c, p, text)) {
        c->n_apart++;
        return NULL;
    }
    label = label_number(c, (struct bytes){ line.p, (size_t)(tab - line.p) });
    if (label < 0)
        return "too many labels";
    if (c->n == c->cap) {
        c->cap = c->cap ? 2 * c->cap : 1024;
        c->text = xreallocarray(c->text, c->cap, sizeof(*c->text));
    }
    text = cut(text, text_max);
    copy = arena_get(c->store, text.n);
    memcpy(copy, text.p, text.n);
    t = &c->text[c->n++];
    *t = (struct corpus_text){ .text = { copy, text.n }, .label = label };
    return NULL;
}

int corpus_read(struct corpus *c, const char *path, size_t text_max, struct err *err)
{
    struct stream *s = stream_open(path, err);
    struct plain p = { 0 };
    struct bytes line;
    uint64_t n = 0;
    int got = -1;

    if (!s)
        return -1;
    while ((got = stream_line(s, &line, LINE_MAX_BYTES, err)) == 1) {
        const char *why;

        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        if (++n == 1 && is_header(line))
            continue;
        why = add_line(c, &p, line, text_max);
        if (!why)
            continue;
        c->n_bad++;
        if (c->complain)
            c->complain(stream_path(s), n, why);
        if (c->strict) {
            got = err_set(err, "%s:%llu: %s", stream_path(s), (unsigned long long)n, why);
            break;
        }
    }
    plain_release(&p);
    stream_close(s);
    return got;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int by_text(const void *a, const void *b)
{
    const struct corpus_text *x = a, *y = b;
    size_t n = x->text.n < y->text.n ? x->text.n : y->text.n;
    int d = x->label != y->label ? x->label - y->label : memcmp(x->text.p, y->text.p, n);

    return d ? d : (x->text.n > y->text.n) - (x->text.n < y->text.n);
}

static void sort_labels(struct corpus *c)
{
    char **old = xreallocarray(NULL, (size_t)c->n_label + 1, sizeof(*old));
    int *to = xcalloc((size_t)c->n_label + 1, sizeof(*to));
    size_t t;
    int i, j;

    memcpy(old, c->label, (size_t)c->n_label * sizeof(*old));
    qsort(c->label, (size_t)c->n_label, sizeof(*c->label), by_name);
    for (i = 0; i < c->n_label; i++)
        for (j = 0; j < c->n_label; j++)
            if (old[i] == c->label[j])
                to[i] = j;
    for (t = 0; t < c->n; t++)
        c->text[t].label = to[c->text[t].label];
    free(old);
    free(to);
}

void corpus_sort(struct corpus *c)
{
    if (!c->n)
        return;
    sort_labels(c);
    qsort(c->text, c->n, sizeof(*c->text), by_text);
}

void corpus_part(struct corpus *c, double hold_out)
{
    size_t i, n = 0;

    for (i = 0; i < c->n; i++) {
        struct corpus_text *t = &c->text[i];

        if (n && !by_text(&c->text[n - 1], t)) {
            c->n_again++;
            continue;
        }
        t->held_out = (double)(hash_xx64(t->text.p, t->text.n, 1) >> 11) * 0x1p-53 < hold_out;
        c->text[n++] = *t;
    }
    c->n = n;
}

void corpus_take_held_out(struct corpus *c)
{
    size_t i, n = 0;

    for (i = 0; i < c->n; i++)
        if (c->text[i].held_out)
            c->text[n++] = c->text[i];
    c->n = n;
}
