/* label.c - see label.h. A batch is about a megabyte of lines that follow one another in a file. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/crew.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/progress.h"
#include "io/doc.h"
#include "io/json.h"
#include "io/ledger.h"
#include "io/lines.h"
#include "io/out.h"
#include "langid/label.h"
#include "langid/langid.h"

enum { BATCH = 1 << 20 };    // bytes

struct batch {
    struct buf in, out, extra;    // in: lines, each with an LF
    const char *path;
    uint64_t first;    // number of the first line
    uint64_t n;        // lines
    struct ledger *ledger;
};

struct hand {    // what a thread needs
    struct langid_room *room;
    struct doc_parser *parser;
    struct buf plain;
};

struct job {
    const struct label_plan *plan;
    struct lines *lines;
    struct hand *hand;
    uint64_t n_doc, n_byte;
};

static void *batch_new(void *ctx)
{
    (void)ctx;
    return xcalloc(1, sizeof(struct batch));
}

static void batch_free(void *ctx, void *batch)
{
    struct batch *b = batch;

    (void)ctx;
    buf_release(&b->in);
    buf_release(&b->out);
    buf_release(&b->extra);
    ledger_free(b->ledger);
    free(b);
}

static int take(void *ctx, void *batch, struct err *err)
{
    struct job *j = ctx;
    struct batch *b = batch;
    struct bytes line;
    int got = LINES_GAP;

    buf_reset(&b->in);
    for (b->n = 0; b->in.n < BATCH && (got == LINES_LINE || !b->n);) {
        got = lines_next(j->lines, &line, err);
        if (got <= 0)
            break;
        if (got == LINES_GAP)
            continue;
        if (!b->n++) {
            b->path = lines_path(j->lines);
            b->first = lines_number(j->lines);
        }
        buf_add(&b->in, line.p, line.n);
        buf_add_byte(&b->in, '\n');
    }
    return got < 0 ? -1 : b->n > 0;
}

static struct langid_answer judge(const struct label_plan *p, struct langid_room *r,
                                  struct bytes text)
{
    struct langid_answer a = langid_find_among(p->model, r, text, p->min, p->max, p->weight);

    if (p->min_prob < 0 ? !a.reliable : !(a.p >= (float)p->min_prob))
        a.label = "und";
    return a;
}

/* The members of extra but those called key, each with a comma before it. */
static void add_members(struct buf *b, struct buf *plain, struct bytes extra, const char *key)
{
    struct json s = { extra.p, bytes_end(extra), NULL };

    while (s.p < s.end) {
        const unsigned char *start = s.p;
        struct bytes name;

        buf_reset(plain);
        buf_need(plain, extra.n + 1);
        if (json_take_string(&s, plain, &name) < 0 || json_colon(&s) < 0 ||
            json_value(&s, plain, 1) < 0)
            return;    // cannot be: it was parsed before
        if (name.n != strlen(key) || memcmp(name.p, key, name.n) != 0) {
            buf_add_byte(b, ',');
            buf_add(b, start, (size_t)(s.p - start));
        }
        if (s.p < s.end)
            s.p++;    // the comma
    }
}

static void put_doc(struct batch *b, struct hand *h, struct doc *d, const struct langid_answer *a)
{
    struct bytes extra = d->extra;

    d->lang = (struct bytes){ (const unsigned char *)a->label, strlen(a->label) };
    buf_reset(&b->extra);
    buf_printf(&b->extra, "\"lang_p\":%.4f", (double)a->p);
    add_members(&b->extra, &h->plain, extra, "lang_p");
    d->extra = buf_bytes(&b->extra);
    doc_format(&b->out, d);
}

static int work_line(const struct label_plan *p, struct batch *b, struct hand *h, struct bytes line,
                     uint64_t number, struct err *err)
{
    struct doc d = { .text = line };
    struct langid_answer a;
    struct err why;

    if (!p->lines && doc_parse(h->parser, line, &d, &why) < 0) {
        if (p->strict)
            return err_set(err, "%s:%" PRIu64 ": %s", b->path, number, why.msg);
        ledger_in(b->ledger, NULL, line.n);
        ledger_drop(b->ledger, NULL, "no_document", line.n);
        return 0;
    }
    a = judge(p, h->room, d.text);
    ledger_in(b->ledger, a.label, d.text.n);
    ledger_out(b->ledger, a.label, d.text.n);
    if (p->lines)
        buf_printf(&b->out, "%s\t%.4f\n", a.label, (double)a.p);
    else
        put_doc(b, h, &d, &a);
    return 0;
}

static int work(void *ctx, int thread, void *batch, struct err *err)
{
    struct job *j = ctx;
    struct batch *b = batch;
    struct bytes rest = buf_bytes(&b->in);
    uint64_t i;

    buf_reset(&b->out);
    ledger_free(b->ledger);
    b->ledger = ledger_new("");
    for (i = 0; i < b->n; i++) {
        const unsigned char *lf = memchr(rest.p, '\n', rest.n);
        struct bytes line = { rest.p, (size_t)(lf - rest.p) };

        if (work_line(j->plan, b, &j->hand[thread], line, b->first + i, err) < 0)
            return -1;
        rest = (struct bytes){ lf + 1, rest.n - line.n - 1 };
    }
    return 0;
}

static int put(void *ctx, void *batch, struct err *err)
{
    struct job *j = ctx;
    struct batch *b = batch;

    ledger_merge(j->plan->ledger, b->ledger);
    j->n_doc += b->n;
    j->n_byte += b->in.n;
    progress_show(j->plan->progress, j->n_doc, j->n_byte);
    return out_write(j->plan->out, b->out.p, b->out.n, err);
}

int label_run(const struct label_plan *plan, char **file, struct err *err)
{
    static const struct crew crew = { batch_new, batch_free, take, work, put };
    struct job j = { .plan = plan };
    size_t n = (size_t)plan->n_thread, i;
    int bad;

    j.lines = lines_new(file, plan->strict, plan->ledger);
    j.hand = xcalloc(n, sizeof(*j.hand));
    for (i = 0; i < n; i++) {
        j.hand[i].room = langid_room_new(plan->model);
        j.hand[i].parser = doc_parser_new();
    }
    bad = crew_run(&crew, &j, plan->n_thread, err);
    lines_free(j.lines);
    for (i = 0; i < n; i++) {
        langid_room_free(j.hand[i].room);
        doc_parser_free(j.hand[i].parser);
        buf_release(&j.hand[i].plain);
    }
    free(j.hand);
    return bad;
}
