/* search.c - see search.h.
 *
 * All requests of a batch step together, each with as many live hypotheses as it has left; a row of
 * the net is a live one. A beam follows tensor2tensor and T5: of the 2 x n_beam best continuations,
 * those that end are set aside if they are among the first n_beam, and the n_beam best others live
 * on; it is done when none of these can come to more than the worst of n_beam set aside.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "generate/net.h"
#include "generate/search.h"

enum { SMALL = 1 << 14 };    // logits not worth a second thread

struct hypothesis {
    int request, row;    // row: of the last step
    int draw;            // which of its request's
    int n;               // ids so far
    double log_p;
    int32_t *id;    // [length]
};

struct choice {    // how a hypothesis may go on
    int from;      // index of the hypothesis
    int32_t id;
    double log_p;    // with it
};

struct search_state {
    struct net *net;
    const struct search_rule *rule;
    struct search_request *request;
    int n_request, length;
    struct hypothesis *live, *next;    // [rows]; those of one request stand together
    int n_live, n_next;
    struct pick *pick;              // [rows, most] candidates of each live one, or work to draw
    size_t *n_pick;                 // [rows]
    size_t most;                    // picks a row
    double *log_sum;                // [rows]
    int32_t *id, *text, *parent;    // [rows] for the net
    struct choice *choice;          // [n_beam * most]
    uint64_t key;
};

int search_rows(const struct search_rule *rule)
{
    return rule->kind == SEARCH_BEAM ? rule->n_beam : rule->n_best;
}

static double penalty(const struct search_rule *rule, int length)
{
    return pow((5.0 + length) / 6.0, rule->alpha);
}

static int ends(const struct search_state *s, const struct search_request *r, int32_t id)
{
    return (s->rule->end >= 0 && id == s->rule->end) || (r->stop >= 0 && id == r->stop);
}

static void copy(struct hypothesis *to, const struct hypothesis *from)
{
    int32_t *id = to->id;

    *to = *from;
    to->id = id;
    memcpy(id, from->id, (size_t)from->n * sizeof(*id));
}

/* A result of h, which went on with a choice or was cut (last -1). */
static struct search_result result(const struct search_state *s, const struct hypothesis *h,
                                   double log_p, int ended)
{
    const struct search_request *r = &s->request[h->request];
    struct search_result x = { .n = h->n, .ended = ended, .log_p = log_p };

    x.length = h->n - r->n_force + ended;
    x.score = log_p / penalty(s->rule, x.length);
    x.id = xreallocarray(NULL, (size_t)h->n + 1, sizeof(*x.id));
    memcpy(x.id, h->id, (size_t)h->n * sizeof(*x.id));
    return x;
}

void search_result_release(struct search_result *r)
{
    free(r->id);
    *r = (struct search_result){ 0 };
}

/* Into the results of a beam, the best first, of equals the earlier; the worst of too many goes. */
static void set_aside(struct search_request *r, int most, struct search_result x)
{
    int k;

    if (r->n_result == most && !(x.score > r->result[most - 1].score)) {
        search_result_release(&x);
        return;
    }
    if (r->n_result == most)
        search_result_release(&r->result[--r->n_result]);
    for (k = r->n_result++; k > 0 && r->result[k - 1].score < x.score; k--)
        r->result[k] = r->result[k - 1];
    r->result[k] = x;
}

/* A hypothesis goes on to the next step with id, if there may be more. */
static void live_on(struct search_state *s, const struct hypothesis *h, int32_t id, double log_p)
{
    struct hypothesis *to = &s->next[s->n_next++];

    copy(to, h);
    to->id[to->n++] = id;
    to->log_p = log_p;
}

/* One answer of its own: greedy or drawn. */
static void step_single(struct search_state *s, int i)
{
    struct hypothesis *h = &s->live[i];
    struct search_request *r = &s->request[h->request];
    const struct pick *p = &s->pick[(size_t)i * s->most];

    h->log_p += (double)p->logit - s->log_sum[i];
    if (ends(s, r, p->id)) {
        r->result[h->draw] = result(s, h, h->log_p, 1);
        return;
    }
    h->id[h->n++] = p->id;
    if (h->n - r->n_force < r->limit)
        copy(&s->next[s->n_next++], h);
    else
        r->result[h->draw] = result(s, h, h->log_p, 0);
}

static int by_log_p(const void *a, const void *b)
{
    const struct choice *x = a, *y = b;

    if (x->log_p != y->log_p)
        return x->log_p > y->log_p ? -1 : 1;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

/* All continuations of the hypotheses [from, to) worth a look, the best first. */
static size_t choices(struct search_state *s, int from, int to)
{
    size_t n = 0, k;
    int i;

    for (i = from; i < to; i++)
        for (k = 0; k < s->n_pick[i]; k++) {
            const struct pick *p = &s->pick[(size_t)i * s->most + k];

            s->choice[n++] =
                (struct choice){ i, p->id, s->live[i].log_p + (double)p->logit - s->log_sum[i] };
        }
    qsort(s->choice, n, sizeof(*s->choice), by_log_p);
    return n < s->most ? n : s->most;
}

/* Can a hypothesis of this log probability still come before the worst result? It only loses by
 * going on, but the longest is penalized least. */
static int hopeless(const struct search_state *s, const struct search_request *r, double log_p)
{
    int n_beam = s->rule->n_beam;

    return r->n_result == n_beam &&
           log_p / penalty(s->rule, r->limit) <= r->result[n_beam - 1].score;
}

/* The beam of one request: the hypotheses [from, to). */
static void step_beam(struct search_state *s, int from, int to)
{
    struct search_request *r = &s->request[s->live[from].request];
    int n_beam = s->rule->n_beam, first = s->n_next, i;
    size_t n = choices(s, from, to), k;

    for (k = 0; k < n; k++) {
        const struct choice *c = &s->choice[k];
        const struct hypothesis *h = &s->live[c->from];

        if (!ends(s, r, c->id) && s->n_next - first < n_beam)
            live_on(s, h, c->id, c->log_p);
        else if (ends(s, r, c->id) && k < (size_t)n_beam)
            set_aside(r, n_beam, result(s, h, c->log_p, 1));
    }
    if (s->live[from].n + 1 - r->n_force >= r->limit) {
        for (i = first; i < s->n_next; i++)
            set_aside(r, n_beam, result(s, &s->next[i], s->next[i].log_p, 0));
        s->n_next = first;
    } else if (s->n_next > first && hopeless(s, r, s->next[first].log_p))
        s->n_next = first;
}

/* What each live hypothesis may say next: rows are independent of each other. */
static void look(struct search_state *s, const float *logits)
{
    size_t n_vocab = (size_t)net_vocab(s->net), n_id = (size_t)s->rule->n_id;
    int i;

#pragma omp parallel for schedule(dynamic) if ((size_t)s->n_live * n_vocab > SMALL)
    for (i = 0; i < s->n_live; i++) {
        const struct hypothesis *h = &s->live[i];
        const struct search_request *r = &s->request[h->request];
        const float *row = logits + (size_t)i * n_vocab;
        struct pick *pick = s->pick + (size_t)i * s->most;

        if (h->n < r->n_force)
            continue;
        s->log_sum[i] = pick_log_sum(row, n_vocab);
        if (s->rule->kind == SEARCH_DRAW) {
            double u = rng_uniform(s->key, r->number,
                                   (uint64_t)h->draw << 32 | (uint64_t)(h->n - r->n_force));

            pick->id = pick_draw(&s->rule->draw, row, n_id, u, pick);
            pick->logit = row[pick->id];
            s->n_pick[i] = 1;
        } else
            s->n_pick[i] = pick_best(row, n_id, pick, s->most);
        if (s->n_pick[i] == 0) {    // no number is one: the model is damaged
            *pick = (struct pick){ 0, row[0] };
            s->n_pick[i] = 1;
        }
    }
}

/* From the logits of this step to the hypotheses of the next. */
static void advance(struct search_state *s, const float *logits)
{
    struct hypothesis *swap;
    int i, to;

    look(s, logits);
    s->n_next = 0;
    for (i = 0; i < s->n_live; i = to) {
        const struct hypothesis *h = &s->live[i];
        const struct search_request *r = &s->request[h->request];

        to = i + 1;
        if (h->n < r->n_force)
            live_on(s, h, r->force[h->n], h->log_p);
        else if (s->rule->kind != SEARCH_BEAM)
            step_single(s, i);
        else {
            while (to < s->n_live && s->live[to].request == h->request)
                to++;
            step_beam(s, i, to);
        }
    }
    swap = s->live;
    s->live = s->next;
    s->next = swap;
    s->n_live = s->n_next;
}

static void state_begin(struct search_state *s)
{
    const struct search_rule *rule = s->rule;
    int i, n_row = net_n_row(s->net);
    size_t rows = (size_t)n_row;

    s->length = net_length(s->net);
    s->most = rule->kind == SEARCH_BEAM   ? 2 * (size_t)rule->n_beam
              : rule->kind == SEARCH_DRAW ? (size_t)net_vocab(s->net)
                                          : 1;
    s->live = xcalloc(rows, sizeof(*s->live));
    s->next = xcalloc(rows, sizeof(*s->next));
    for (i = 0; i < n_row; i++) {
        s->live[i].id = xreallocarray(NULL, (size_t)s->length + 1, sizeof(int32_t));
        s->next[i].id = xreallocarray(NULL, (size_t)s->length + 1, sizeof(int32_t));
    }
    s->pick = xreallocarray(NULL, rows * s->most, sizeof(*s->pick));
    s->n_pick = xcalloc(rows, sizeof(*s->n_pick));
    s->log_sum = xcalloc(rows, sizeof(*s->log_sum));
    s->id = xcalloc(rows, sizeof(*s->id));
    s->text = xcalloc(rows, sizeof(*s->text));
    s->parent = xcalloc(rows, sizeof(*s->parent));
    if (rule->kind == SEARCH_BEAM)
        s->choice = xreallocarray(NULL, (size_t)rule->n_beam * s->most, sizeof(*s->choice));
    s->key = rng_key(rule->seed, "generate");
}

static void state_end(struct search_state *s)
{
    int i;

    for (i = 0; i < net_n_row(s->net); i++) {
        free(s->live[i].id);
        free(s->next[i].id);
    }
    free(s->live);
    free(s->next);
    free(s->pick);
    free(s->n_pick);
    free(s->log_sum);
    free(s->id);
    free(s->text);
    free(s->parent);
    free(s->choice);
}

/* The first hypotheses: those of a request that may say nothing are done. */
static void start(struct search_state *s)
{
    int i, k, n = s->rule->kind == SEARCH_BEAM ? 1 : s->rule->n_best;

    for (i = 0; i < s->n_request; i++) {
        struct search_request *r = &s->request[i];

        assert(r->n_force + r->limit <= s->length);
        r->n_result = s->rule->kind == SEARCH_BEAM && r->limit > 0 ? 0 : n;
        for (k = 0; k < n; k++) {
            struct hypothesis *h = &s->live[s->n_live];

            h->request = i;
            h->draw = k;
            h->n = h->row = 0;
            h->log_p = 0;
            if (r->limit > 0) {
                s->n_live++;
                continue;
            }
            for (; h->n < r->n_force; h->n++)
                h->id[h->n] = r->force[h->n];
            r->result[k] = result(s, h, 0, 0);
        }
        if (r->limit > 0)
            net_encode(s->net, i, r->input, (size_t)r->n_input, s->rule->capacity);
    }
}

void search_run(struct net *net, const struct search_rule *rule, struct search_request *r, int n)
{
    struct search_state s = { .net = net, .rule = rule, .request = r, .n_request = n };
    int i, t;

    assert(n <= net_texts(net) && n * search_rows(rule) <= net_n_row(net));
    state_begin(&s);
    start(&s);
    net_begin_steps(net);
    for (t = 0; s.n_live > 0; t++) {
        for (i = 0; i < s.n_live; i++) {
            struct hypothesis *h = &s.live[i];

            s.id[i] = h->n ? h->id[h->n - 1] : 0;    // T5 starts with padding
            s.text[i] = h->request;
            s.parent[i] = h->row;
            h->row = i;
        }
        advance(&s, net_step(net, s.n_live, s.id, s.text, s.parent));
    }
    state_end(&s);
}
