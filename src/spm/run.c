/* run.c - see run.h. A batch is some lines of one file; what becomes of them is made by any
 * thread and put out in order. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/crew.h"
#include "base/die.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/progress.h"
#include "io/doc.h"
#include "io/ledger.h"
#include "io/lines.h"
#include "io/out.h"
#include "shard/ids.h"
#include "spm/header.h"
#include "spm/print.h"
#include "spm/run.h"
#include "spm/vocab.h"
#include "text/lang.h"

enum { BATCH_BYTES = 1 << 18, BATCH_LINES = 1 << 14 };

struct record {
    size_t n;         // ids
    size_t n_byte;    // of its text
    int lang;
};

struct batch {
    struct buf text;    // lines, one after the other
    size_t *end;        // where they end
    size_t n_line;
    const char *path;
    uint64_t first;    // number of the first in its file

    struct buf out;    // text formats: what to write; else ids, one record's after another's
    struct record *record;
    size_t n_record;
    uint64_t n_byte;
};

enum {
    IDS,
    EMPTY,
    SENTINELS_IN_TEXT,
    INVALID_UTF8,
    NUL,
    UNKNOWN_LANG,
    FORCED_CUTS,
    TOO_LONG,
    N_COUNT
};

struct worker {
    struct doc_parser *parser;
    struct encoding enc;
    struct ledger *ledger;
    uint64_t count[N_COUNT];
};

struct run {
    const struct run_plan *plan;
    struct vocab *vocab;
    struct encoder *encoder;
    struct worker *worker;

    struct lines *lines;
    struct ledger *reading;

    struct ids_writer *shard;    // or
    struct out *text;
    struct progress progress;
    uint64_t n_doc, n_byte;
    const char *lang_label;    // of all documents, or NULL
    int und;                   // its number in langs
};

static void *batch_new(void *ctx)
{
    struct batch *b = xcalloc(1, sizeof(*b));

    (void)ctx;
    b->end = xreallocarray(NULL, BATCH_LINES, sizeof(*b->end));
    b->record = xreallocarray(NULL, BATCH_LINES, sizeof(*b->record));
    return b;
}

static void batch_free(void *ctx, void *batch)
{
    struct batch *b = batch;

    (void)ctx;
    buf_release(&b->text);
    buf_release(&b->out);
    free(b->end);
    free(b->record);
    free(b);
}

/* Lines up to the end of a batch, of the file or of what is whole: 1, 0 at the end, -1. */
static int take(void *ctx, void *batch, struct err *err)
{
    struct run *r = ctx;
    struct batch *b = batch;
    struct bytes line;
    int got = LINES_GAP;

    buf_reset(&b->text);
    b->n_line = 0;
    while (b->n_line < BATCH_LINES && b->text.n < BATCH_BYTES &&
           (got == LINES_LINE || !b->n_line)) {
        got = lines_next(r->lines, &line, err);
        if (got <= 0)
            break;
        if (got == LINES_GAP)
            continue;
        if (!b->n_line) {
            b->path = lines_path(r->lines);
            b->first = lines_number(r->lines);
        }
        buf_add(&b->text, line.p, line.n);
        b->end[b->n_line++] = b->text.n;
    }
    return got < 0 ? -1 : b->n_line > 0;
}

/* Number of the document's language in langs, or 0 if the header names the one. */
static int lang_number(struct run *r, struct worker *w, const struct doc *d)
{
    const struct lang *known;

    if (r->plan->lang || r->plan->lines)
        return 0;
    known = d->lang.p ? lang_find(d->lang) : NULL;
    w->count[UNKNOWN_LANG] += d->lang.p && !known;
    return known ? (int)(known - langs) : r->und;
}

static void add_output(const struct run *r, struct worker *w, struct batch *b)
{
    if (r->plan->format == RUN_SHARD)
        buf_add(&b->out, w->enc.id, w->enc.n * sizeof(*w->enc.id));
    else if (r->plan->format == RUN_IDS)
        print_ids(&b->out, &w->enc);
    else
        print_pieces(&b->out, &w->enc, r->vocab);
}

static int encode(const struct run *r, struct worker *w, struct batch *b, struct bytes text,
                  struct err *err)
{
    size_t n = 1, i;

    if (!r->plan->list) {
        if (encoder_run(r->encoder, &w->enc, text, err))
            return -1;
        add_output(r, w, b);
    } else {
        if (encoder_best(r->encoder, &w->enc, text, (size_t)r->plan->list, &n, err))
            return -1;
        for (i = 0; i < n; i++) {
            buf_printf(&b->out, "%s%.6g", i ? "\t" : "",
                       (double)encoding_best(r->encoder, &w->enc, i));
            if (w->enc.n)
                buf_add_byte(&b->out, ' ');
            add_output(r, w, b);
        }
    }
    if (r->plan->format != RUN_SHARD)
        buf_add_byte(&b->out, '\n');
    return 0;
}

static int work_doc(struct run *r, struct worker *w, struct batch *b, const struct doc *d,
                    struct err *err)
{
    struct record rec = { .n_byte = d->text.n, .lang = lang_number(r, w, d) };
    const char *label = r->lang_label ? r->lang_label : langs[rec.lang].label;
    size_t before = b->out.n;

    ledger_in(w->ledger, label, d->text.n);
    b->n_byte += d->text.n;
    if (encode(r, w, b, d->text, err))
        return -1;
    rec.n = w->enc.n;
    if (r->plan->format == RUN_SHARD && rec.n > IDS_RECORD_MAX) {
        if (r->plan->strict)
            return err_set(err, "%zu ids, more than a record holds", rec.n);
        rec.n = IDS_RECORD_MAX;
        b->out.n = before + rec.n * sizeof(*w->enc.id);
        w->count[TOO_LONG]++;
    }
    b->record[b->n_record++] = rec;
    ledger_out(w->ledger, label, d->text.n);
    w->count[IDS] += rec.n;
    w->count[EMPTY] += rec.n == 0;
    w->count[SENTINELS_IN_TEXT] += w->enc.n_sentinel;
    w->count[INVALID_UTF8] += w->enc.n_invalid > 0;
    w->count[NUL] += d->text.n && memchr(d->text.p, 0, d->text.n);
    w->count[FORCED_CUTS] += w->enc.n_cut;
    return 0;
}

static int work(void *ctx, int thread, void *batch, struct err *err)
{
    struct run *r = ctx;
    struct worker *w = &r->worker[thread];
    struct batch *b = batch;
    struct err why;
    size_t i, from = 0;

    buf_reset(&b->out);
    b->n_record = 0;
    b->n_byte = 0;
    for (i = 0; i < b->n_line; from = b->end[i++]) {
        struct bytes line = { b->text.p + from, b->end[i] - from };
        struct doc d = { .text = line };
        int bad = !r->plan->lines && doc_parse(w->parser, line, &d, &why);

        if (bad && !r->plan->strict) {
            ledger_in(w->ledger, NULL, line.n);
            ledger_drop(w->ledger, NULL, "no_document", line.n);
        } else if (bad || work_doc(r, w, b, &d, &why)) {
            return err_set(err, "%s:%" PRIu64 ": %s", b->path, b->first + i, why.msg);
        }
    }
    return 0;
}

static int put_records(struct run *r, const struct batch *b, struct err *err)
{
    const int32_t *id = (const int32_t *)(const void *)b->out.p;
    size_t i;

    for (i = 0; i < b->n_record; i++) {
        struct ids_record rec = { id, b->record[i].n, r->n_doc + i, b->record[i].lang };

        if (ids_write(r->shard, &rec, err))
            return -1;
        id += rec.n;
    }
    return 0;
}

static int put(void *ctx, void *batch, struct err *err)
{
    struct run *r = ctx;
    const struct batch *b = batch;

    if (r->shard ? put_records(r, b, err) : out_write(r->text, b->out.p, b->out.n, err))
        return -1;
    r->n_doc += b->n_record;
    r->n_byte += b->n_byte;
    progress_show(&r->progress, r->n_doc, r->n_byte);
    return 0;
}

static int begin(struct run *r, char **files, struct err *err)
{
    static char dash[] = "-", *standard[] = { dash, NULL };
    const struct run_plan *p = r->plan;
    struct encode_option option = p->option;
    int t;

    option.many = p->list > 0;

    r->vocab = vocab_open(p->model, err);
    if (!r->vocab || !(r->encoder = encoder_new(r->vocab, &option, err)))
        return -1;
    if (p->format == RUN_SHARD)
        r->shard = header_create(p, r->vocab, err);
    else
        r->text = out_open(p->output, err);
    if (!r->shard && !r->text)
        return -1;
    r->worker = xcalloc((size_t)p->n_thread, sizeof(*r->worker));
    for (t = 0; t < p->n_thread; t++) {
        r->worker[t].parser = doc_parser_new();
        r->worker[t].ledger = ledger_new(p->tool);
        r->worker[t].enc.seed = p->seed;
    }
    r->lang_label = p->lang || p->lines ? header_lang(p->lang) : NULL;
    r->reading = ledger_new(p->tool);
    r->lines = lines_new(*files ? files : standard, p->strict, r->reading);
    ledger_set(r->reading, "vocab", r->vocab->name);
    r->und = (int)(lang_find((struct bytes){ (const unsigned char *)"und", 3 }) - langs);
    progress_init(&r->progress, "documents", 0, p->quiet || (r->text && out_is_terminal(r->text)));
    return 0;
}

/* The ledgers of all threads are one, which must come out even. */
static int settle(struct run *r, struct err *err)
{
    static const char *const names[N_COUNT] = { "ids",          "empty",   "sentinels_in_text",
                                                "invalid_utf8", "nul",     "unknown_lang",
                                                "forced_cuts",  "too_long" };
    uint64_t bad;
    int t, i;

    for (t = 0; t < r->plan->n_thread; t++) {
        ledger_merge(r->reading, r->worker[t].ledger);
        for (i = 0; i < N_COUNT; i++)
            ledger_count(r->reading, names[i], r->worker[t].count[i]);
    }
    if (ledger_write(r->reading, r->plan->stats, err))
        return -1;
    bad = ledger_records_dropped(r->reading);
    if (bad && !r->plan->quiet)
        warn("%" PRIu64 " of %" PRIu64 " lines dropped: no documents", bad,
             ledger_records_in(r->reading));
    return 0;
}

static void release(struct run *r)
{
    int t;

    ids_abandon(r->shard);
    out_abandon(r->text);
    lines_free(r->lines);
    for (t = 0; r->worker && t < r->plan->n_thread; t++) {
        doc_parser_free(r->worker[t].parser);
        ledger_free(r->worker[t].ledger);
        encoding_release(&r->worker[t].enc);
    }
    free(r->worker);
    ledger_free(r->reading);
    encoder_free(r->encoder);
    vocab_free(r->vocab);
}

int run_encode(const struct run_plan *plan, char **files, struct err *err)
{
    static const struct crew crew = { batch_new, batch_free, take, work, put };
    struct run r = { .plan = plan };
    struct ids_writer *shard;
    struct out *text;
    int bad = begin(&r, files, err);

    if (!bad) {
        bad = crew_run(&crew, &r, plan->n_thread, err);
        progress_end(&r.progress);
    }
    if (!bad) {
        shard = r.shard;
        text = r.text;
        r.shard = NULL;
        r.text = NULL;
        bad = shard ? ids_finish(shard, err) : out_close(text, err);
    }
    if (!bad)
        bad = settle(&r, err);
    release(&r);
    return bad ? -1 : 0;
}
