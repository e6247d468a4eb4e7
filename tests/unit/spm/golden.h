/* golden.h - reading the golden encodings below $SHARED/data, which may be absent: then skip. */
#ifndef GOLDEN_H
#define GOLDEN_H

#include <stdio.h>
#include <stdlib.h>

#include "../test.h"
#include "base/err.h"
#include "base/mem.h"
#include "spm/vocab.h"

/* The whole file below data, 0 if there is none. */
static inline int golden_read(const char *name, struct buf *b)
{
    char *path = xasprintf("%s/data/%s", test_shared, name);
    FILE *f = fopen(path, "rb");
    size_t got;

    free(path);
    buf_reset(b);
    if (!f)
        return 0;
    do {
        buf_need(b, b->n + 65536);
        got = fread(b->p + b->n, 1, b->cap - b->n, f);
        b->n += got;
    } while (got);
    fclose(f);
    return 1;
}

static inline struct vocab *golden_vocab(const char *model)
{
    char *path = xasprintf("%s/data/spm/%s.model", test_shared, model);
    FILE *f = fopen(path, "rb");
    struct vocab *v;
    struct err err;

    if (!f) {
        free(path);
        return NULL;
    }
    fclose(f);
    v = vocab_open(path, &err);
    if (!v)
        fail_msg("%s", err.msg);
    free(path);
    return v;
}

/* A set of inputs: nasty.rec, whose records may hold newlines, or the lines of another. */
struct golden_set {
    struct buf all;
    struct bytes left;
    int is_rec;
};

static inline int golden_open(struct golden_set *g, const char *set)
{
    char *name;
    int is_rec = !strcmp(set, "nasty"), got;

    name = xasprintf("golden-spm/%s.%s", set, is_rec ? "rec" : "txt");
    *g = (struct golden_set){ .is_rec = is_rec };
    got = golden_read(name, &g->all);
    g->left = buf_bytes(&g->all);
    free(name);
    return got;
}

static inline int golden_line(struct bytes *left, struct bytes *line)
{
    const unsigned char *end;

    if (!left->n)
        return 0;
    end = memchr(left->p, '\n', left->n);
    *line = (struct bytes){ left->p, end ? (size_t)(end - left->p) : left->n };
    left->p += line->n + (end != NULL);
    left->n -= line->n + (end != NULL);
    return 1;
}

static inline int golden_next(struct golden_set *g, struct bytes *in)
{
    uint32_t n;

    if (!g->is_rec)
        return golden_line(&g->left, in);
    if (!g->left.n)
        return 0;
    memcpy(&n, g->left.p, 4);
    *in = (struct bytes){ g->left.p + 4, n };
    g->left.p += 4 + n;
    g->left.n -= 4 + n;
    return 1;
}

/* As the golden files spell text: \xNN, \n, \t, \r, a doubled backslash. */
static inline void golden_escape(struct buf *b, const void *text, size_t n)
{
    const unsigned char *p = text;

    for (; n; n--, p++) {
        if (*p == '\n' || *p == '\t' || *p == '\r')
            buf_printf(b, "\\%c", *p == '\n' ? 'n' : *p == '\t' ? 't' : 'r');
        else if (*p == '\\')
            buf_add_str(b, "\\\\");
        else if (*p < 0x20 || *p == 0x7F)
            buf_printf(b, "\\x%02x", *p);
        else
            buf_add_byte(b, *p);
    }
}

static inline int golden_equal(struct bytes a, struct bytes b)
{
    return a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n));
}

#endif
