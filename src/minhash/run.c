/* run.c - see run.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "io/doc.h"
#include "io/ledger.h"
#include "io/out.h"
#include "minhash/cluster.h"
#include "minhash/read.h"
#include "minhash/run.h"
#include "minhash/sets.h"
#include "spill/sort.h"
#include "spill/stash.h"

struct dedup {
    const struct dedup_plan *plan;
    struct stash *stash;
    struct sorter *buckets, *verdicts;
    uint64_t n_document;
    struct doc_parser *parser;
    struct buf line;
    struct verdict next;    // the next member of a cluster
    int has_next;
};

struct dedup *dedup_open(const struct dedup_plan *plan, struct err *err)
{
    struct dedup *d = xcalloc(1, sizeof(*d));

    d->plan = plan;
    d->stash = stash_open(plan->tmpdir, err);
    if (!d->stash) {
        dedup_close(d);
        return NULL;
    }
    d->buckets = sorter_new(DEDUP_BUCKET, plan->mem, plan->tmpdir);
    d->parser = doc_parser_new();
    return d;
}

void dedup_close(struct dedup *d)
{
    if (!d)
        return;
    stash_close(d->stash);
    sorter_free(d->buckets);
    sorter_free(d->verdicts);
    doc_parser_free(d->parser);
    buf_release(&d->line);
    free(d);
}

int dedup_read(struct dedup *d, char **file, struct err *err)
{
    return dedup_read_files(d->plan, file, d->stash, d->buckets, &d->n_document, err);
}

/* A row of the table of clusters. The document was parsed before, so it parses again. */
static int tell(struct dedup *d, const struct verdict *v, struct bytes line, struct err *err)
{
    double n = (double)(d->plan->n_bucket * d->plan->n_hash);
    struct buf *b = &d->line;
    struct doc doc;
    size_t i;

    if (doc_parse(d->parser, line, &doc, err) < 0)
        return -1;
    buf_reset(b);
    buf_printf(b, "%" PRIu64 "\t%" PRIu64 "\t", v->cluster + 1, v->document + 1);
    for (i = 0; i < doc.url.n; i++)    // a tab or a line end would be another column or row
        buf_add_byte(b, doc.url.p[i] < ' ' ? ' ' : doc.url.p[i]);
    buf_printf(b, "\t%s\t%.4f\n", v->is_kept ? "kept" : "removed", (double)v->agree / n);
    return out_write(d->plan->clusters, b->p, b->n, err);
}

static int write_line(struct dedup *d, struct out *to, struct bytes line, struct err *err)
{
    buf_reset(&d->line);
    buf_add(&d->line, line.p, line.n);
    buf_add_byte(&d->line, '\n');
    return out_write(to, d->line.p, d->line.n, err);
}

static int write_document(struct dedup *d, uint64_t document, const struct dedup_head *h,
                          struct bytes line, struct err *err)
{
    struct verdict v = d->next;
    struct ledger *l = d->plan->ledger;

    if (!d->has_next || v.document != document)
        v.is_kept = 1;
    else {
        if (d->plan->clusters && tell(d, &v, line, err) < 0)
            return -1;
        if ((d->has_next = cluster_next(d->verdicts, &d->next, err)) < 0)
            return -1;
    }
    if (v.is_kept) {
        ledger_out(l, dedup_lang(h), h->text);
        return write_line(d, d->plan->out, line, err);
    }
    ledger_drop(l, dedup_lang(h), "near_duplicate", h->text);
    return d->plan->rejects ? write_line(d, d->plan->rejects, line, err) : 0;
}

static int write_block(struct dedup *d, const struct stash_block *b, uint64_t *document,
                       struct err *err)
{
    size_t at, step = sizeof(struct dedup_head) + dedup_sketch(d->plan);
    struct bytes line = { b->body.p, 0 };
    struct dedup_head h;

    for (at = 0; at < b->head.n; at += step, line.p += line.n) {
        memcpy(&h, b->head.p + at, sizeof(h));
        line.n = h.line;
        if (h.is_document && write_document(d, (*document)++, &h, line, err) < 0)
            return -1;
    }
    return 0;
}

/* Verdicts from buckets. What sorts, sorts alone, so that --mem is there for each in turn. */
static int judge(struct dedup *d, struct err *err)
{
    struct sets *sets = cluster_join(d->buckets, d->n_document, err);

    sorter_free(d->buckets);
    d->buckets = NULL;
    if (!sets)
        return -1;
    d->verdicts = cluster_judge(d->plan, d->stash, sets, err);
    sets_free(sets);
    return d->verdicts ? 0 : -1;
}

int dedup_write(struct dedup *d, struct err *err)
{
    static const char header[] = "cluster\tdocument\turl\tfate\tsimilarity\n";
    struct stash_block block = { 0 };
    uint64_t document = 0;
    int got;

    if (judge(d, err) < 0)
        return -1;
    if (d->plan->clusters && out_write(d->plan->clusters, header, sizeof(header) - 1, err) < 0)
        return -1;
    if ((d->has_next = cluster_next(d->verdicts, &d->next, err)) < 0)
        return -1;
    stash_rewind(d->stash, 1);
    while ((got = stash_next(d->stash, &block, err)) == 1)
        if ((got = write_block(d, &block, &document, err)) < 0)
            break;
    stash_block_release(&block);
    return got;
}
