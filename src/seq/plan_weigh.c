/* plan_weigh.c - from counts to weights, and from plans to stages; see plan.h. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "seq/plan.h"

enum { HALVINGS = 200 };    // of the interval a factor is looked for in: more than a double has

/* Bounds of a language's probability. */
struct bounds {
    double least, most;
};

static double clamp(double x, struct bounds b)
{
    return x < b.least ? b.least : x > b.most ? b.most : x;
}

static double sum_clamped(const double *w, const struct bounds *b, int n, double factor)
{
    double sum = 0;
    int i;

    for (i = 0; i < n; i++)
        sum += w[i] > 0 ? clamp(factor * w[i], b[i]) : 0;
    return sum;
}

/* Scale w by the one factor with which it sums to 1 within the bounds. The sum grows with the
 * factor, so it is found by halving; what is left to the last bit goes to those within. */
static void fill(double *w, const struct bounds *b, int n)
{
    double low = 0, high = 1, mid;
    int i;

    while (sum_clamped(w, b, n, high) < 1 && high < 1e300)
        high *= 2;
    for (i = 0; i < HALVINGS; i++) {
        mid = low + (high - low) / 2;
        if (sum_clamped(w, b, n, mid) < 1)
            low = mid;
        else
            high = mid;
    }
    for (i = 0; i < n; i++)
        w[i] = w[i] > 0 ? clamp(high * w[i], b[i]) : 0;
}

/* The bounds that rule sets; -1 when no probabilities keep them. */
static int bound(const struct plan *p, const struct plan_rule *rule, struct bounds *b,
                 struct err *err)
{
    double least = 0, most = 0;
    int i;

    for (i = 0; i < p->n_lang; i++) {
        double rows = (double)p->lang[i].is.rows;

        b[i] = (struct bounds){ rule->floor, 1 };
        if (rule->epochs > 0 && rule->epochs * rows / (double)rule->rows < 1)
            b[i].most = rule->epochs * rows / (double)rule->rows;
        if (b[i].least > b[i].most)
            b[i].least = b[i].most;
        least += rows > 0 ? b[i].least : 0;
        most += rows > 0 ? b[i].most : 0;
    }
    if (least > 1)
        return err_set(err, "a floor of %g is more than there is for %d languages", rule->floor,
                       p->n_lang);
    if (most < 1)
        return err_set(err, "%" PRIu64 " rows are more than %g epochs of all languages", rule->rows,
                       rule->epochs);
    return 0;
}

static int heaviest(const struct plan *p, const struct plan_draw *d)
{
    int i, best = 0;

    for (i = 1; i < p->n_lang; i++)
        if (d[i].weight > d[best].weight)
            best = i;
    return best;
}

/* The language that is next to get one more: of the largest remainder, the first winning ties, of
 * those that stay within their bounds if there are any. */
static int neediest(const struct plan *p, const struct plan_draw *d, const double *rest,
                    const struct bounds *b)
{
    int i, in = -1, best = 0;

    for (i = 0; i < p->n_lang; i++) {
        if (rest[i] > rest[best])
            best = i;
        if ((double)d[i].weight + 1 <= b[i].most * (double)p->period &&
            (in < 0 || rest[i] > rest[in]))
            in = i;
    }
    return in < 0 ? best : in;
}

/* Whole weights for the probabilities: floors, then one more by largest remainder; then a 1 for
 * those with a row and none, taken from the heaviest. */
static void weigh(const struct plan *p, const struct bounds *b, struct plan_draw *d)
{
    uint64_t given = 0;
    double *rest = xcalloc((size_t)p->n_lang, sizeof(*rest));
    int i, best;

    for (i = 0; i < p->n_lang; i++) {
        double exact = p->lang[i].probability * (double)p->period;

        d[i].weight = (uint64_t)exact;
        rest[i] = exact - floor(exact);
        given += d[i].weight;
    }
    for (; given < p->period; given++) {
        best = neediest(p, d, rest, b);
        d[best].weight++;
        rest[best] -= 1;
    }
    for (; given > p->period; given--)    // a sum of floors over it: rounding of double
        d[heaviest(p, d)].weight--;
    for (i = 0; i < p->n_lang; i++)
        if (p->lang[i].is.rows && !d[i].weight) {
            d[heaviest(p, d)].weight--;
            d[i].weight = 1;
        }
    free(rest);
}

static struct plan_draw *stage_add(struct plan *p, uint64_t first)
{
    char purpose[32] = "mix";
    struct plan_stage *s;

    if (p->n_stage)    // the first has the key that plans without stages have
        snprintf(purpose, sizeof(purpose), "mix %d", p->n_stage + 1);
    p->stage = xreallocarray(p->stage, (size_t)p->n_stage + 1, sizeof(*p->stage));
    s = &p->stage[p->n_stage++];
    *s = (struct plan_stage){ first, rng_key(p->seed, purpose),
                              xcalloc((size_t)p->n_lang, sizeof(*s->draw)) };
    return s->draw;
}

static void set_before(const struct plan *p, struct plan_draw *d)
{
    uint64_t before = 0;
    int i;

    for (i = 0; i < p->n_lang; before += d[i++].weight)
        d[i].before = before;
}

int plan_stage(struct plan *p, uint64_t first, const uint64_t *weight, struct err *err)
{
    uint64_t sum = 0, *drawn = xcalloc((size_t)p->n_lang, sizeof(*drawn));
    struct plan_draw *d;
    int i, bad = 0;

    if (p->n_stage == PLAN_STAGE_MAX)
        bad = err_set(err, "more than %d stages", PLAN_STAGE_MAX);
    else if (p->n_stage ? first <= p->stage[p->n_stage - 1].first : first)
        bad = err_set(err, "stage %d begins at row %" PRIu64, p->n_stage + 1, first);
    else if (first % p->period)
        bad = err_set(err, "stage %d does not begin with a period of %" PRIu64 " rows",
                      p->n_stage + 1, p->period);
    else if (p->n_stage)
        plan_count(p, first, drawn);
    for (i = 0; i < p->n_lang; i++)
        sum += weight[i];
    if (!bad && sum != p->period)
        bad =
            err_set(err, "weights sum to %" PRIu64 ", but the period is %" PRIu64, sum, p->period);
    if (!bad) {
        d = stage_add(p, first);
        for (i = 0; i < p->n_lang; i++)
            d[i] = (struct plan_draw){ .weight = weight[i], .drawn = drawn[i] };
        set_before(p, d);
    }
    free(drawn);
    return bad;
}

/* Shares of all rows or tokens, and rows ^ alpha as probabilities that are not yet scaled. */
static int set_shares(struct plan *p, const struct plan_rule *rule, double *w, struct err *err)
{
    double all = 0;
    uint64_t n_full = 0;
    int i;

    for (i = 0; i < p->n_lang; i++) {
        struct plan_lang *l = &p->lang[i];
        double n = (double)(rule->by_tokens ? l->is.tokens : l->is.rows);

        all += n;
        l->share = n;
        if (rule->cap && n > (double)rule->cap)
            n = (double)rule->cap;
        w[i] = l->is.rows ? (l->weight > 0 ? l->weight : pow(n, rule->alpha)) : 0;
        n_full += l->is.rows > 0;
    }
    for (i = 0; i < p->n_lang; i++)
        p->lang[i].share /= all > 0 ? all : 1;
    if (!n_full)
        return err_set(err, "no shard has a row");
    if (n_full > p->period)
        return err_set(err, "%" PRIu64 " languages in a period of %" PRIu64 " rows", n_full,
                       p->period);
    return 0;
}

int plan_weigh(struct plan *p, const struct plan_rule *rule, uint64_t period, struct err *err)
{
    double *w = xcalloc((size_t)p->n_lang + 1, sizeof(*w));
    struct bounds *b = xcalloc((size_t)p->n_lang + 1, sizeof(*b));
    struct plan_draw *d = xcalloc((size_t)p->n_lang + 1, sizeof(*d));
    uint64_t *weight = xcalloc((size_t)p->n_lang + 1, sizeof(*weight));
    int i, bad;

    while (p->n_stage)
        free(p->stage[--p->n_stage].draw);
    p->rule = *rule;
    p->period = period;
    bad = set_shares(p, rule, w, err) || bound(p, rule, b, err);
    if (!bad) {
        fill(w, b, p->n_lang);
        for (i = 0; i < p->n_lang; i++)
            p->lang[i].probability = w[i];
        weigh(p, b, d);
    }
    for (i = 0; i < p->n_lang; i++)
        weight[i] = d[i].weight;
    bad = bad || plan_stage(p, 0, weight, err);
    free(w);
    free(b);
    free(d);
    free(weight);
    return bad ? -1 : 0;
}

/* All languages of the plans, in one; shares and probabilities are those of the first. */
static int gather(struct plan *all, struct plan *const *p, int n, struct err *err)
{
    int i, k, at;

    for (i = 0; i < n; i++)
        for (k = 0; k < p[i]->n_lang; k++) {
            const struct plan_lang *l = &p[i]->lang[k];

            at = plan_find(all, l->is.lang);
            if (at < 0) {
                if (plan_add(all, l->file, &l->is, err))
                    return -1;
                at = plan_find(all, l->is.lang);
                all->lang[at].share = i ? 0 : l->share;
                all->lang[at].probability = i ? 0 : l->probability;
            } else if (strcmp(all->lang[at].is.sha256, l->is.sha256) != 0) {
                return err_set(err, "%s: another shard in stage %d than before", l->is.lang, i + 1);
            }
        }
    return 0;
}

static int join_stage(struct plan *all, const struct plan *p, uint64_t first, struct err *err)
{
    uint64_t *weight = xcalloc((size_t)all->n_lang, sizeof(*weight));
    int i, bad;

    for (i = 0; i < p->n_lang; i++)
        weight[plan_find(all, p->lang[i].is.lang)] = p->stage[0].draw[i].weight;
    bad = plan_stage(all, first, weight, err);
    free(weight);
    return bad;
}

struct plan *plan_join(struct plan *const *p, const uint64_t *rows, int n, struct err *err)
{
    struct plan *all = plan_new(p[0]->seed);
    uint64_t first = 0;
    int i, bad;

    all->rule = p[0]->rule;
    all->period = p[0]->period;
    for (i = 0, bad = gather(all, p, n, err); !bad && i < n; first += rows[i++]) {
        if (p[i]->seed != all->seed || p[i]->period != all->period)
            bad = err_set(err, "stage %d: another seed or period than in stage 1", i + 1);
        else if (p[i]->n_stage > 1)
            bad = err_set(err, "stage %d: has stages itself", i + 1);
        else
            bad = join_stage(all, p[i], first, err);
    }
    if (!bad)
        return all;
    plan_free(all);
    return NULL;
}
