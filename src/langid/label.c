/* label.c - see label.h. A batch is about a megabyte of lines that follow one another in a file. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/crew.h"
#include "base/die.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/progress.h"
#include "io/doc.h"
#include "io/json.h"
#include "io/ledger.h"
#include "io/out.h"
#include "io/stream.h"
#include "langid/label.h"
#include "langid/langid.h"

enum { BATCH = 1 << 20, LONGEST_LINE = 1 << 28 };    // bytes

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
    char **file;    // the one that is read, or the next
    struct stream *s;
    uint64_t number;    // lines read of it
    struct err trouble;
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

static int open_next(struct job *j, struct err *err)
{
    j->number = 0;
    j->trouble.msg[0] = 0;
    j->s = stream_open(*j->file, err);
    return j->s ? 0 : -1;
}

static void close_this(struct job *j)
{
    ledger_file(j->plan->ledger, stream_path(j->s), stream_offset(j->s),
                *j->trouble.msg ? j->trouble.msg : NULL);
    stream_close(j->s);
    j->s = NULL;
    j->file++;
}

/* After damage: 1 to go on behind it, 0 when nothing is left of the file, -1. */
static int pass_damage(struct job *j, struct err *err)
{
    if (j->plan->strict)
        return -1;
    warn("%s", err->msg);
    j->trouble = *err;
    ledger_count(j->plan->ledger, "damage", 1);
    return stream_resume(j->s, err);
}

/* Lines of the file into b: 1 when there may be more, 0 at its end, -1. */
static int fill(struct job *j, struct batch *b, struct err *err)
{
    struct bytes line;
    int got = 1;

    b->path = *j->file;
    b->first = j->number + 1;
    while (got == 1 && b->in.n < BATCH) {
        got = stream_line(j->s, &line, LONGEST_LINE, err);
        if (got < 0) {
            j->number++;
            got = pass_damage(j, err);
            return got;    // numbers in a batch follow one another
        }
        if (got == 1) {
            buf_add(&b->in, line.p, line.n);
            buf_add_byte(&b->in, '\n');
            b->n++;
            j->number++;
        }
    }
    return got;
}

static int take(void *ctx, void *batch, struct err *err)
{
    struct job *j = ctx;
    struct batch *b = batch;
    int got;

    buf_reset(&b->in);
    b->n = 0;
    while (!b->n && *j->file) {
        if (!j->s && open_next(j, err) < 0)
            return -1;
        got = fill(j, b, err);
        if (got < 0)
            return -1;
        if (!got)
            close_this(j);
    }
    return b->n > 0;
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
    struct job j = { .plan = plan, .file = file };
    size_t n = (size_t)plan->n_thread, i;
    int bad;

    j.hand = xcalloc(n, sizeof(*j.hand));
    for (i = 0; i < n; i++) {
        j.hand[i].room = langid_room_new(plan->model);
        j.hand[i].parser = doc_parser_new();
    }
    bad = crew_run(&crew, &j, plan->n_thread, err);
    stream_close(j.s);
    for (i = 0; i < n; i++) {
        langid_room_free(j.hand[i].room);
        doc_parser_free(j.hand[i].parser);
        buf_release(&j.hand[i].plain);
    }
    free(j.hand);
    return bad;
}
