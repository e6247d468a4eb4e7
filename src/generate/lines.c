/* lines.c - see lines.h.
 *
 * A window of lines is read, its texts sorted by length and answered a batch at a time, so that
 * those of a batch end at about the same step; then it is written in the order it came.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/progress.h"
#include "generate/lines.h"
#include "generate/net.h"
#include "generate/tongue.h"
#include "generate/weights.h"
#include "io/doc.h"
#include "io/out.h"
#include "io/stream.h"

enum { WINDOW_BATCHES = 32, LINE_MAX_BYTES = 1 << 28 };

struct line {
    struct ids input;
    struct buf kept;    // a document's line
    int n_sentinel;     // in input
    int limit;          // ids of its answer
    uint64_t number;    // from 0
    int n_result;
    struct search_result *result;    // [search_rows()]
};

struct job {
    const struct lines_plan *plan;
    struct search_rule rule;
    struct weights *weights;
    struct tongue *tongue;
    struct net *net;
    struct out *out;
    struct doc_parser *parser;
    struct ids force, span;
    struct line *line, **order;    // [n_window]
    struct search_request *request;
    int n_window, n_line;
    uint64_t n_read, n_cut;
    struct buf text, part, row;    // an answer, a span of it, a line of output
    struct progress progress;
};

/* The text of a line, as ids with an end. */
static int take_text(struct job *j, struct line *l, struct bytes text, struct err *err)
{
    size_t most = (size_t)j->plan->max_input - 1, i;

    l->input.n = 0;
    if (tongue_encode(j->tongue, text, &l->input, err) < 0)
        return -1;
    if (l->input.n > most) {
        l->input.n = most;
        j->n_cut++;
    }
    for (i = 0, l->n_sentinel = 0; i < l->input.n; i++)
        if (tongue_sentinel_number(j->tongue, l->input.id[i]) >= 0)
            l->n_sentinel++;
    ids_add(&l->input, j->rule.end);
    l->limit = j->plan->fill && l->n_sentinel == 0 ? 0 : j->plan->limit;
    return 0;
}

/* The next line into the window. 1, 0 at the end, -1. */
static int take_line(struct job *j, struct stream *s, uint64_t *at, struct err *err)
{
    struct line *l = &j->line[j->n_line];
    struct err why = { 0 };
    struct bytes text;
    struct doc doc;
    int got = stream_line(s, &text, LINE_MAX_BYTES, err);

    if (got <= 0)
        return got;
    ++*at;
    if (text.n > 0 && text.p[text.n - 1] == '\r')
        text.n--;
    buf_reset(&l->kept);
    buf_add(&l->kept, text.p, text.n);
    if (j->plan->json) {
        if (doc_parse(j->parser, text, &doc, &why) < 0)
            return err_set(err, "%s:%" PRIu64 ": %s", stream_path(s), *at, why.msg);
        text = doc.text;
    }
    if (take_text(j, l, text, &why) < 0)
        return err_set(err, "%s:%" PRIu64 ": %s", stream_path(s), *at, why.msg);
    l->number = j->n_read++;
    j->n_line++;
    return 1;
}

static int by_length(const void *a, const void *b)
{
    const struct line *x = *(struct line *const *)a, *y = *(struct line *const *)b;

    if (x->input.n != y->input.n)
        return x->input.n < y->input.n ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

/* Batch after batch of the window. */
static void answer(struct job *j)
{
    int from, i, n;

    for (i = 0; i < j->n_line; i++)
        j->order[i] = &j->line[i];
    qsort(j->order, (size_t)j->n_line, sizeof(*j->order), by_length);
    for (from = 0; from < j->n_line; from += n) {
        n = j->n_line - from < j->plan->n_text ? j->n_line - from : j->plan->n_text;
        for (i = 0; i < n; i++) {
            struct line *l = j->order[from + i];

            j->request[i] = (struct search_request){
                .input = l->input.id,
                .n_input = (int)l->input.n,
                .force = j->force.id,
                .n_force = (int)j->force.n,
                .limit = l->limit,
                .stop = j->plan->fill ? tongue_sentinel(j->tongue, l->n_sentinel) : -1,
                .number = l->number,
                .result = l->result,
            };
        }
        search_run(j->net, &j->rule, j->request, n);
        for (i = 0; i < n; i++)
            j->order[from + i]->n_result = j->request[i].n_result;
        progress_show(&j->progress, j->n_read - (uint64_t)(j->n_line - from - n), 0);
    }
}

/* Into span what the model said for sentinel id: from its name to the next one's. 0: nothing. */
static int find_span(struct job *j, const struct search_result *r, int32_t id)
{
    int i, k;

    for (i = 0; i < r->n && r->id[i] != id; i++)
        ;
    j->span.n = 0;
    for (k = i + 1; k < r->n && tongue_sentinel_number(j->tongue, r->id[k]) < 0; k++)
        ids_add(&j->span, r->id[k]);
    return i < r->n;
}

/* The text with its sentinels filled; those that the model left out stay. */
static int fill(struct job *j, struct bytes text, const struct search_result *r, struct err *err)
{
    buf_reset(&j->text);
    while (text.n > 0) {
        int32_t id = -1;
        size_t len, at = tongue_find(j->tongue, text, &len, &id);
        struct bytes put = { text.p + at, len };

        buf_add(&j->text, text.p, at);
        if (len > 0 && find_span(j, r, id)) {
            if (tongue_decode(j->tongue, j->span.id, j->span.n, &j->part, err) < 0)
                return -1;
            put = buf_bytes(&j->part);
        }
        if (put.n > 0)
            buf_add(&j->text, put.p, put.n);
        text.p += at + len;
        text.n -= at + len;
    }
    return 0;
}

/* The answer as text; when filling, within the text it answers. */
static int say(struct job *j, struct bytes text, const struct search_result *r, struct err *err)
{
    return j->plan->fill ? fill(j, text, r, err)
                         : tongue_decode(j->tongue, r->id, (size_t)r->n, &j->text, err);
}

/* A text goes into a line: what would end it, or a column, becomes a space. */
static void put_plain(struct buf *to, struct bytes text)
{
    size_t i;

    for (i = 0; i < text.n; i++) {
        unsigned char c = text.p[i];

        buf_add_byte(to, c == '\n' || c == '\t' || c == '\r' ? ' ' : c);
    }
}

/* The document with the answer for its text. */
static void put_json(struct job *j, struct doc *doc, const struct search_result *r, int rank)
{
    struct buf extra = { 0 };

    buf_need(&j->text, 1);    // text is never NULL
    doc->text = buf_bytes(&j->text);
    if (j->plan->table) {
        buf_add(&extra, doc->extra.p, doc->extra.n);
        buf_printf(&extra, "%s\"rank\":%d,\"score\":%.9g", extra.n ? "," : "", rank + 1, r->score);
        doc->extra = buf_bytes(&extra);
    }
    doc_format(&j->row, doc);
    buf_release(&extra);
}

static int put_result(struct job *j, const struct line *l, int k, struct err *err)
{
    const struct search_result *r = &l->result[k];
    struct doc doc = { .text = buf_bytes(&l->kept) };

    if (j->plan->json && doc_parse(j->parser, buf_bytes(&l->kept), &doc, err) < 0)
        return -1;
    if (say(j, doc.text, r, err) < 0)
        return -1;
    buf_reset(&j->row);
    if (j->plan->json)
        put_json(j, &doc, r, k);
    else {
        if (j->plan->table)
            buf_printf(&j->row, "%" PRIu64 "\t%d\t%.9g\t%.9g\t%d\t", l->number + 1, k + 1, r->score,
                       r->log_p, r->length);
        put_plain(&j->row, buf_bytes(&j->text));
        buf_add_byte(&j->row, '\n');
    }
    return out_write(j->out, j->row.p, j->row.n, err);
}

static int put_window(struct job *j, struct err *err)
{
    int i, k, rc = 0;

    for (i = 0; i < j->n_line; i++) {
        struct line *l = &j->line[i];

        for (k = 0; k < l->n_result; k++) {
            if (rc == 0 && k < j->rule.n_best)
                rc = put_result(j, l, k, err);
            search_result_release(&l->result[k]);
        }
    }
    j->n_line = 0;
    return rc;
}

static int flush(struct job *j, struct err *err)
{
    answer(j);
    return put_window(j, err);
}

static int run_file(struct job *j, const char *path, struct err *err)
{
    struct stream *s = stream_open(path, err);
    uint64_t at = 0;
    int got = 1;

    if (!s)
        return -1;
    while ((got = take_line(j, s, &at, err)) > 0)
        if (j->n_line == j->n_window && flush(j, err) < 0) {
            got = -1;
            break;
        }
    stream_close(s);
    return got;
}

/* The vocabularies of text and model must go together. */
static int check(const struct job *j, struct err *err)
{
    const struct config *c = &j->weights->c;
    int32_t n = tongue_size(j->tongue);

    if (n > c->n_vocab)
        return err_set(err,
                       "%s: %d pieces and sentinels, but the vocab_size of %s is %d (--extra-ids "
                       "says how many sentinels)",
                       j->plan->model, (int)n, j->plan->checkpoint, c->n_vocab);
    if (j->plan->fill && tongue_sentinel(j->tongue, 0) < 0)
        return err_set(err, "%s: no sentinels to fill", j->plan->model);
    return 0;
}

static int job_begin(struct job *j, struct err *err)
{
    const struct lines_plan *p = j->plan;
    int i, rows = search_rows(&p->rule);
    struct bytes prefix = { (const unsigned char *)p->prefix, p->prefix ? strlen(p->prefix) : 0 };

    j->tongue = tongue_open(p->model, p->n_extra, err);
    j->weights = j->tongue ? weights_open(p->checkpoint, err) : NULL;
    if (!j->weights || check(j, err) < 0 || tongue_encode(j->tongue, prefix, &j->force, err) < 0)
        return -1;
    if (j->force.n > FORCE_MAX)
        return err_set(err, "the prefix has %zu ids, more than %d", j->force.n, FORCE_MAX);
    j->rule = p->rule;
    j->rule.end = tongue_end(j->tongue);
    j->rule.n_id = tongue_size(j->tongue);
    j->rule.capacity = p->hf_compat ? j->weights->c.expert_capacity : 0;
    j->net = net_new(j->weights, p->n_text, p->n_text * rows, p->limit + (int)j->force.n);
    j->parser = doc_parser_new();
    j->n_window = WINDOW_BATCHES * p->n_text;
    j->line = xcalloc((size_t)j->n_window, sizeof(*j->line));
    j->order = xcalloc((size_t)j->n_window, sizeof(struct line *));
    j->request = xcalloc((size_t)p->n_text, sizeof(*j->request));
    for (i = 0; i < j->n_window; i++)
        j->line[i].result = xcalloc((size_t)rows, sizeof(*j->line[i].result));
    j->out = out_open(p->output, err);
    if (!j->out)
        return -1;
    progress_init(&j->progress, "texts", 0, p->quiet || out_is_terminal(j->out));
    if (p->table && !p->json)
        return out_printf(j->out, err, "line\trank\tscore\tlog_p\tlength\ttext\n");
    return 0;
}

static void job_release(struct job *j)
{
    int i;

    for (i = 0; j->line && i < j->n_window; i++) {
        ids_release(&j->line[i].input);
        buf_release(&j->line[i].kept);
        free(j->line[i].result);
    }
    free(j->line);
    free(j->order);
    free(j->request);
    ids_release(&j->force);
    ids_release(&j->span);
    buf_release(&j->text);
    buf_release(&j->part);
    buf_release(&j->row);
    doc_parser_free(j->parser);
    net_free(j->net);
    weights_close(j->weights);
    tongue_close(j->tongue);
    out_abandon(j->out);
}

int lines_run(const struct lines_plan *plan, char **files, struct err *err)
{
    struct job j = { .plan = plan };
    int rc = job_begin(&j, err);

    if (rc == 0 && !*files)
        rc = run_file(&j, "-", err);
    for (; rc == 0 && *files; files++)
        rc = run_file(&j, *files, err);
    if (rc == 0)
        rc = flush(&j, err);
    progress_end(&j.progress);
    if (rc == 0) {
        rc = out_close(j.out, err);
        j.out = NULL;
    }
    if (j.n_cut && !plan->quiet)
        warn("%" PRIu64 " texts were cut to %d ids", j.n_cut, plan->max_input);
    job_release(&j);
    return rc;
}
