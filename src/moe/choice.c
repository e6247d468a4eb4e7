/* choice.c - see choice.h. */
#include <string.h>

#include "moe/choice.h"
#include "moe/router.h"

static const double EPSILON = 1e-9;    // of the normalised gates

int choice_best(const float *p, int n)
{
    int i, best = 0;

    for (i = 1; i < n; i++)
        if (p[i] > p[best])
            best = i;
    return best;
}

int choice_next(const float *p, int n, int before)
{
    int i, best = -1;

    for (i = 0; i < n; i++) {
        int after = p[i] < p[before] || (p[i] == p[before] && i > before);

        if (after && (best < 0 || p[i] > p[best]))
            best = i;
    }
    return best;
}

int choice_drawn(const float *p, int n, double coin)
{
    double sum = 0;
    int i, last = 0;

    for (i = 0; i < n; i++) {
        if (p[i] <= 0)
            continue;
        sum += p[i];
        last = i;
        if (coin < sum)
            break;
    }
    return last;    // where rounding left the sum below coin: the last that can be
}

int choice_drawn_next(const float *p, int n, int before, double coin)
{
    double all = 0, sum = 0;
    int i, last = -1;

    for (i = 0; i < n; i++)
        all += i != before ? p[i] : 0;
    for (i = 0; i < n; i++) {
        if (i == before || p[i] <= 0)
            continue;
        sum += p[i];
        last = i;
        if (coin * all < sum)
            break;
    }
    return last >= 0 ? last : choice_next(p, n, before);
}

static int second_is_tried(const struct route_rule *rule, double gate, double coin)
{
    switch (rule->second) {
    case SECOND_RANDOM:
        return coin * rule->threshold < gate;
    case SECOND_THRESHOLD:
        return gate > rule->threshold;
    case SECOND_ALL:
        return 1;
    default:
        return 0;
    }
}

void choice_second(const struct route_rule *rule, struct route *r, size_t i, double which,
                   double coin)
{
    const float *p = r->probs + i * (size_t)rule->n_expert;
    int32_t *expert = r->expert + 2 * i;
    float *gate = r->gate + 2 * i;
    double sum;

    expert[1] = rule->sample ? choice_drawn_next(p, rule->n_expert, expert[0], which)
                             : choice_next(p, rule->n_expert, expert[0]);
    sum = (double)p[expert[0]] + p[expert[1]] + EPSILON;
    gate[0] = (float)(p[expert[0]] / sum);
    gate[1] = (float)(p[expert[1]] / sum);
    r->slot[2 * i + 1] = second_is_tried(rule, gate[1], coin) ? 0 : -1;
}

/* Second choices go on from the first ones that were kept. */
static uint64_t place_second(const struct route_rule *rule, struct route *r, size_t from, size_t to,
                             int32_t *count)
{
    int capacity = route_capacity(rule), e;
    uint64_t dropped = 0;
    size_t i;

    for (e = 0; e < rule->n_expert; e++)
        if (count[e] > capacity)
            count[e] = capacity;
    for (i = from; i < to; i++) {
        size_t at = 2 * i + 1;

        if (r->expert[2 * i] < 0)
            continue;
        if (r->slot[at] >= 0) {
            r->slot[at] = count[r->expert[at]]++;
            r->kept[at] = r->slot[at] < capacity;
        }
        dropped += !r->kept[2 * i] && !r->kept[at];
    }
    return dropped;
}

/* One pass for each further choice, over the tokens that have no slot yet. */
static uint64_t place_left(const struct route_rule *rule, struct route *r, size_t from, size_t to,
                           int32_t *count)
{
    int n_choice = route_choices(rule), n_expert = rule->n_expert, capacity = route_capacity(rule);
    uint64_t dropped = 0;
    size_t i;
    int k, e;

    for (k = 1; k <= n_choice; k++) {
        dropped = 0;
        for (e = 0; e < n_expert; e++)
            if (count[e] > capacity)
                count[e] = capacity;
        for (i = from; i < to; i++) {
            size_t at = i * (size_t)n_choice + (size_t)k;
            const float *p = r->probs + i * (size_t)n_expert;

            if (r->expert[at - 1] < 0 || r->kept[at - 1])
                continue;
            dropped++;
            if (k == n_choice)
                continue;
            r->expert[at] = choice_next(p, n_expert, r->expert[at - 1]);
            r->gate[at] = p[r->expert[at]];
            r->slot[at] = count[r->expert[at]]++;
            r->kept[at] = r->slot[at] < capacity;
        }
        if (dropped == 0)
            break;
    }
    return dropped;
}

uint64_t choice_place_rest(const struct route_rule *rule, struct route *r, size_t from, size_t to,
                           int32_t *count)
{
    return rule->kind == ROUTE_TOP2 ? place_second(rule, r, from, to, count)
                                    : place_left(rule, r, from, to, count);
}

/* 1 / (sum of the probabilities without the first choice). */
static double without_first(const struct route_rule *rule, const float *p, int first)
{
    double sum = EPSILON;
    int e;

    for (e = 0; e < rule->n_expert; e++)
        if (e != first)
            sum += p[e];
    return 1 / sum;
}

void choice_second_slopes(const struct route_rule *rule, const struct route *r, size_t from,
                          size_t to, uint64_t n_real, double *own2)
{
    int e;
    size_t i;

    for (e = 0; e < rule->n_expert; e++)
        own2[e] = 0;
    for (i = from; i < to; i++)
        if (r->expert[2 * i] >= 0)
            own2[r->expert[2 * i + 1]]++;
    for (e = 0; n_real > 0 && e < rule->n_expert; e++)
        own2[e] *= 0.5 * rule->n_expert / (double)n_real;
}

double choice_second_loss(const struct route_rule *rule, const struct route *r, size_t from,
                          size_t to, uint64_t n_real)
{
    double own2[ROUTE_EXPERT_MAX], sum = 0;
    size_t i;
    int e;

    choice_second_slopes(rule, r, from, to, n_real, own2);
    for (i = from; i < to; i++) {
        const float *p = r->probs + i * (size_t)rule->n_expert;
        int first = r->expert[2 * i];
        double one = 0;

        if (first < 0)
            continue;
        for (e = 0; e < rule->n_expert; e++)
            one += e != first ? own2[e] * p[e] : 0;
        sum += one * without_first(rule, p, first);
    }
    return n_real ? sum / (double)n_real : 0;
}

static void second_loss_back(const struct route_rule *rule, const float *p, int first,
                             const double *own2, double *dp)
{
    double rest = without_first(rule, p, first), mean = 0;
    int e;

    for (e = 0; e < rule->n_expert; e++)
        mean += e != first ? own2[e] * p[e] * rest : 0;
    for (e = 0; e < rule->n_expert; e++)
        dp[e] += e != first ? (own2[e] - mean) * rest : 0;
}

void choice_back(const struct route_rule *rule, const struct route *r, size_t i,
                 const float *d_gate, const double *own2, double *dp)
{
    size_t n_choice = (size_t)route_choices(rule), k;
    const int32_t *expert = r->expert + i * n_choice;
    const float *p = r->probs + i * (size_t)rule->n_expert, *gate = r->gate + i * n_choice;

    if (rule->kind == ROUTE_TOP2) {
        double sum = (double)p[expert[0]] + p[expert[1]] + EPSILON;
        double mean = (double)d_gate[0] * gate[0] + (double)d_gate[1] * gate[1];

        dp[expert[0]] += (d_gate[0] - mean) / sum;
        dp[expert[1]] += (d_gate[1] - mean) / sum;
    } else {
        for (k = 0; k < n_choice && expert[k] >= 0; k++)
            dp[expert[k]] += d_gate[k];
    }
    if (own2)
        second_loss_back(rule, p, expert[0], own2, dp);
}
