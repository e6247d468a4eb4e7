/* grader.c - see grader.h.
 *
 * Examples go round the ranks in order of their length, so that each has about as much to do; their
 * answers meet on rank 0, which scores them.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "comm/comm.h"
#include "generate/net.h"
#include "generate/search.h"
#include "generate/weights.h"
#include "io/out.h"
#include "model/threads.h"
#include "score/score.h"
#include "score/trials.h"
#include "train/best.h"
#include "tune/command.h"
#include "tune/dev.h"
#include "tune/grader.h"

struct grader {
    const struct grader_plan *plan;
    struct comm *comm;
    struct search_request *request;    // [n_text]
    struct search_result *result;      // [n_text]
};

struct answers {        // to a set
    struct ids *one;    // [n]
    int n;
    char **text;    // [n] on rank 0
};

struct grader *grader_new(const struct grader_plan *plan, struct comm *comm)
{
    struct grader *g = xcalloc(1, sizeof(*g));

    g->plan = plan;
    g->comm = comm;
    g->request = xcalloc((size_t)plan->n_text, sizeof(*g->request));
    g->result = xcalloc((size_t)plan->n_text, sizeof(*g->result));
    return g;
}

void grader_free(struct grader *g)
{
    if (!g)
        return;
    free(g->request);
    free(g->result);
    free(g);
}

static int by_length(const void *a, const void *b)
{
    const struct dev_example *x = *(const struct dev_example *const *)a;
    const struct dev_example *y = *(const struct dev_example *const *)b;

    if (x->input.n != y->input.n)
        return x->input.n < y->input.n ? -1 : 1;
    return (x > y) - (x < y);
}

/* This rank's share of a set. */
static void answer(struct grader *g, struct net *net, const struct dev *d, struct answers *to)
{
    const struct search_rule rule = { .kind = SEARCH_GREEDY,
                                      .n_beam = 1,
                                      .n_best = 1,
                                      .end = tongue_end(g->plan->tongue),
                                      .n_id = tongue_size(g->plan->tongue) };
    const struct dev_example **order = xcalloc((size_t)d->n, sizeof(const struct dev_example *));
    int n, i, at, k, size = comm_size(g->comm);

    for (i = 0; i < d->n; i++)
        order[i] = &d->one[i];
    qsort(order, (size_t)d->n, sizeof(const struct dev_example *), by_length);
    for (at = comm_rank(g->comm); at < d->n; at += n * size) {
        for (n = 0; n < g->plan->n_text && at + n * size < d->n; n++)
            g->request[n] = (struct search_request){ .input = order[at + n * size]->input.id,
                                                     .n_input = (int)order[at + n * size]->input.n,
                                                     .limit = g->plan->limit,
                                                     .stop = -1,
                                                     .result = &g->result[n] };
        search_run(net, &rule, g->request, n);
        for (i = 0; i < n; i++) {
            struct ids *ids = &to->one[order[at + i * size] - d->one];

            for (k = 0; k < g->result[i].n; k++)
                ids_add(ids, g->result[i].id[k]);
            search_result_release(&g->result[i]);
        }
    }
    free(order);
}

/* All ranks' answers to rank 0: each sends number, length, ids of its own. */
static void gather(struct grader *g, struct answers *a)
{
    int size = comm_size(g->comm), root = comm_rank(g->comm) == 0, i, k;
    double *n = xcalloc((size_t)size, sizeof(*n));
    size_t *bytes = xcalloc((size_t)size, sizeof(*bytes)), sum = 0, at;
    struct ids mine = { 0 };
    int32_t *all;

    for (i = 0; i < a->n; i++) {
        if (!a->one[i].n)
            continue;
        ids_add(&mine, i);
        ids_add(&mine, (int32_t)a->one[i].n);
        for (k = 0; k < (int)a->one[i].n; k++)
            ids_add(&mine, a->one[i].id[k]);
    }
    n[comm_rank(g->comm)] = (double)(mine.n * sizeof(*mine.id));
    comm_sum_f64(g->comm, n, (size_t)size);
    for (i = 0; i < size; i++)
        sum += bytes[i] = (size_t)n[i];
    all = xmalloc(sum + 1);
    comm_gather(g->comm, mine.id, mine.n * sizeof(*mine.id), all, bytes, 0);
    for (at = root ? bytes[0] / sizeof(*all) : sum; at < sum / sizeof(*all);) {
        struct ids *to = &a->one[all[at]];
        int32_t end = all[at + 1];

        for (at += 2; end > 0; end--)
            ids_add(to, all[at++]);
    }
    free(all);
    free(bytes);
    free(n);
    ids_release(&mine);
}

static int decode(struct grader *g, struct answers *a, struct err *err)
{
    struct buf text = { 0 };
    int i, rc = 0;

    a->text = xcalloc((size_t)a->n, sizeof(char *));
    for (i = 0; i < a->n && rc == 0; i++) {
        buf_reset(&text);
        rc = tongue_decode(g->plan->tongue, a->one[i].id, a->one[i].n, &text, err);
        a->text[i] = xstrndup(text.n ? (const char *)text.p : "", text.n);
    }
    buf_release(&text);
    return rc;
}

/* Tabs and line ends of a field become blanks. */
static int put_field(struct out *o, const char *s, const char *end, struct err *err)
{
    char *copy = xasprintf("%s%s", s, end), *c;
    int rc;

    for (c = copy; c[0] && c[1]; c++)
        if (strchr("\t\r\n", *c))
            *c = ' ';
    rc = out_write(o, copy, strlen(copy), err);
    free(copy);
    return rc;
}

static int put_row(struct out *o, const struct dev_example *e, const char *said, int n_ref,
                   struct err *err)
{
    const char *const head[] = { e->id, e->lang, e->group, e->label, said };
    size_t i;
    int k, rc = 0;

    for (i = 0; i < sizeof(head) / sizeof(head[0]) && rc == 0; i++)
        rc = put_field(o, head[i], "\t", err);
    for (k = 0; k < n_ref && rc == 0; k++)
        rc = put_field(o, k < e->n_ref ? e->ref[k] : "", k + 1 < n_ref ? "\t" : "\n", err);
    return rc;
}

/* A table for eval-score(1), in the order of the set. */
static int put_table(const char *path, const struct dev *d, const struct answers *a,
                     struct err *err)
{
    struct out *o = out_open(path, err);
    int i, n_ref = 1, rc = o ? out_printf(o, err, "id\tlang\tgroup\tlabel\tprediction") : -1;

    for (i = 0; i < d->n; i++)
        n_ref = d->one[i].n_ref > n_ref ? d->one[i].n_ref : n_ref;
    for (i = 0; i < n_ref && rc == 0; i++)
        rc = out_printf(o, err, "\treference");
    if (rc == 0)
        rc = out_printf(o, err, "\n");
    for (i = 0; i < d->n && rc == 0; i++)
        rc = put_row(o, &d->one[i], a->text[i], n_ref, err);
    if (rc < 0)
        out_abandon(o);
    return rc < 0 ? -1 : out_close(o, err);
}

static struct bytes view(const char *s)
{
    return (struct bytes){ (const unsigned char *)s, strlen(s) };
}

static int add_trial(struct score *s, const struct dev_example *e, const char *said, int number,
                     struct err *err)
{
    struct bytes *ref = xcalloc((size_t)e->n_ref, sizeof(*ref));
    struct trial t = { .id = view(e->id),
                       .lang = view(e->lang),
                       .group = view(e->group),
                       .label = view(e->label),
                       .prediction = view(said),
                       .ref = ref,
                       .n_ref = (size_t)e->n_ref };
    struct err why;
    int k, rc;

    for (k = 0; k < e->n_ref; k++)
        ref[k] = view(e->ref[k]);
    rc = score_add(s, &t, &why);
    if (rc < 0)
        err_set(err, "example %d%s%s: %s", number + 1, *e->id ? ", id " : "", e->id, why.msg);
    free(ref);
    return rc;
}

/* Rows of all scores; *mean of the metrics', each over languages if there are several. */
static int put_scores(const struct score *s, const char *set, uint64_t step, struct best *b,
                      double *mean, struct err *err)
{
    const struct measure *done = NULL;    // has a mean over languages, which stands before "all"
    struct score_value v;
    double sum = 0;
    size_t i;
    int n = 0, rc = 0;

    for (i = 0; score_get(s, i, &v) && rc == 0; i++) {
        int is_mean = strcmp(v.lang, "mean") == 0;

        rc = best_row(b, step, set, v.measure->name, v.lang, v.n, v.score, err);
        if (!is_mean && (strcmp(v.lang, "all") != 0 || v.measure == done))
            continue;
        done = is_mean ? v.measure : done;
        sum += v.score;
        n++;
    }
    *mean = n ? sum / n : NAN;
    return rc;
}

static int measure(const struct grader_by *by, const struct dev *d, const struct answers *a,
                   uint64_t step, struct best *b, double *mean, struct err *err)
{
    struct measure_how how;
    struct score *s;
    int i, rc = 0;

    measure_how_init(&how);
    how.norm = by->norm;
    if (by->labels)
        measure_set_labels(&how, by->labels);
    s = score_new(&how, by->measure, (size_t)by->n_measure);
    for (i = 0; i < d->n && rc == 0; i++)
        rc = add_trial(s, &d->one[i], a->text[i], i, err);
    if (rc == 0) {
        score_compute(s, 0, 0, 95);
        rc = put_scores(s, d->name, step, b, mean, err);
    }
    score_free(s);
    measure_how_release(&how);
    return rc;
}

/* Of rank 0: from answers to a score. */
static int grade(struct grader *g, const struct dev *d, struct answers *a, uint64_t step,
                 const char *checkpoint, struct best *b, double *mean, struct err *err)
{
    const struct grader_plan *p = g->plan;
    char *path = xasprintf("%s/predictions-%s.tsv", checkpoint, d->name);
    int rc = decode(g, a, err);

    if (rc == 0)
        rc = put_table(path, d, a, err);
    if (rc == 0 && !p->command)
        rc = measure(&p->by[d - p->set], d, a, step, b, mean, err);
    if (rc == 0 && p->command)
        rc = command_number(p->command, path, p->seconds, mean, err);
    if (rc == 0 && p->command)
        rc = best_row(b, step, d->name, "command", "all", (uint64_t)d->n, *mean, err);
    free(path);
    return rc;
}

static int grade_set(struct grader *g, struct net *net, const struct dev *d, uint64_t step,
                     const char *checkpoint, struct best *b, double *mean, struct err *err)
{
    struct answers a = { xcalloc((size_t)d->n, sizeof(*a.one)), d->n, NULL };
    int i, rc = 0;

    answer(g, net, d, &a);
    gather(g, &a);
    *mean = 0;
    if (b)
        rc = grade(g, d, &a, step, checkpoint, b, mean, err);
    for (i = 0; i < a.n; i++) {
        ids_release(&a.one[i]);
        if (a.text)
            free(a.text[i]);
    }
    free(a.one);
    free(a.text);
    return rc;
}

static int agree(struct grader *g, int rc)
{
    int64_t bad = rc < 0;

    comm_max_i64(g->comm, &bad, 1);
    return bad ? -1 : 0;
}

int grader_score(void *to, uint64_t step, const char *checkpoint, struct best *b, double *score,
                 struct err *err)
{
    struct grader *g = to;
    const struct grader_plan *p = g->plan;
    struct weights *w = weights_open(checkpoint, err);
    struct net *net = NULL;
    double mean, sum = 0;
    int i, rc = agree(g, w ? 0 : -1);

    net_threads((int)p->threads);
    if (rc == 0)
        net = net_new(w, p->n_text, p->n_text, p->limit);
    for (i = 0; i < p->n_set && rc == 0; i++) {
        rc = agree(g, grade_set(g, net, &p->set[i], step, checkpoint, b, &mean, err));
        sum += rc == 0 ? mean : 0;
    }
    net_free(net);
    weights_close(w);
    threads_set(p->threads, g->comm);
    sum = p->lower ? -sum : sum;
    comm_broadcast(g->comm, &sum, sizeof(sum), 0);
    *score = sum / p->n_set;
    return rc;
}
