/* intake.c - see intake.h. A batch is a megabyte of lines: they are parsed and normalised by any
 * thread, and counted in their order, so that spilling does not depend on threads. */
#include <stdlib.h>
#include <string.h>

#include "base/crew.h"
#include "base/err.h"
#include "base/progress.h"
#include "io/doc.h"
#include "io/ledger.h"
#include "io/stream.h"
#include "text/lang.h"
#include "vocab/intake.h"

enum { BATCH = 1 << 20, LINE_MAX_BYTES = 256 << 20 };

struct piece_of_text {
    size_t at, n;    // of the line in raw, then of the text in text
    size_t bytes;    // of the document
    int lang;        // -1: no document
};

struct batch {
    struct buf raw, text, one;
    struct piece_of_text *doc;
    size_t n, cap;
    struct doc_parser *parser;
};

struct reading {
    struct intake *in;
    struct stream *s;
};

static void *batch_new(void *ctx)
{
    struct batch *b = xcalloc(1, sizeof(*b));

    (void)ctx;
    b->parser = doc_parser_new();
    return b;
}

static void batch_free(void *ctx, void *batch)
{
    struct batch *b = batch;

    (void)ctx;
    doc_parser_free(b->parser);
    buf_release(&b->raw);
    buf_release(&b->text);
    buf_release(&b->one);
    free(b->doc);
    free(b);
}

static int take(void *ctx, void *batch, struct err *err)
{
    struct reading *r = ctx;
    struct batch *b = batch;
    struct bytes line;
    int got = 0;

    b->n = 0;
    buf_reset(&b->raw);
    while (b->raw.n < BATCH && (got = stream_line(r->s, &line, LINE_MAX_BYTES, err)) == 1) {
        if (b->n == b->cap) {
            b->cap = b->cap ? 2 * b->cap : 256;
            b->doc = xreallocarray(b->doc, b->cap, sizeof(*b->doc));
        }
        b->doc[b->n++] = (struct piece_of_text){ .at = b->raw.n, .n = line.n };
        buf_add(&b->raw, line.p, line.n);
    }
    return got < 0 ? -1 : b->n > 0;
}

/* The text of a line, and whose it is: 0, or -1 when it is no document. */
static int find_text(const struct intake *in, struct batch *b, struct bytes line,
                     struct piece_of_text *d, struct bytes *text)
{
    const struct lang *known = NULL;
    struct doc doc;
    struct err err;

    *text = line;
    d->lang = in->lang;
    if (!in->lines) {
        if (doc_parse(b->parser, line, &doc, &err) < 0)
            return -1;
        *text = doc.text;
        known = doc.lang.p ? lang_find(doc.lang) : NULL;
    }
    if (!known)
        known = lang_find((struct bytes){ (const unsigned char *)"und", 3 });
    if (d->lang < 0)
        d->lang = (int)(known - langs);
    d->bytes = text->n;
    return 0;
}

static int work(void *ctx, int thread, void *batch, struct err *err)
{
    const struct intake *in = ((struct reading *)ctx)->in;
    struct batch *b = batch;
    size_t i;

    (void)thread;
    buf_reset(&b->text);
    for (i = 0; i < b->n; i++) {
        struct bytes line = { b->raw.p + b->doc[i].at, b->doc[i].n }, text;

        b->doc[i].at = b->text.n;
        b->doc[i].n = 0;
        if (find_text(in, b, line, &b->doc[i], &text) < 0) {
            b->doc[i].lang = -1;
            b->doc[i].bytes = line.n;
            continue;
        }
        if (normal_run(in->normal, text, &b->one, NULL, err) < 0)
            return -1;
        buf_add(&b->text, b->one.p, b->one.n);
        b->doc[i].n = b->one.n;
    }
    return 0;
}

static int put(void *ctx, void *batch, struct err *err)
{
    struct intake *in = ((struct reading *)ctx)->in;
    const struct batch *b = batch;
    size_t i;

    for (i = 0; i < b->n; i++) {
        const struct piece_of_text *d = &b->doc[i];
        const char *label = d->lang < 0 ? NULL : langs[d->lang].label;

        ledger_in(in->ledger, label, d->bytes);
        if (d->lang < 0) {
            ledger_drop(in->ledger, NULL, "no_document", d->bytes);
            in->n_bad++;
            continue;
        }
        if (corpus_add(in->corpus, (struct bytes){ b->text.p + d->at, d->n }, d->lang, err) < 0)
            return -1;
        ledger_out(in->ledger, label, d->bytes);
        in->n_byte += d->bytes;
        progress_show(in->progress, ++in->n_doc, in->n_byte);
    }
    return 0;
}

int intake_file(struct intake *in, const char *path, struct err *err)
{
    static const struct crew crew = { batch_new, batch_free, take, work, put };
    struct reading r = { in, stream_open(path, err) };
    int bad = r.s ? crew_run(&crew, &r, in->n_thread, err) : -1;

    if (!bad)
        ledger_file(in->ledger, stream_path(r.s), stream_offset(r.s), NULL);
    stream_close(r.s);
    return bad;
}
