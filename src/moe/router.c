/* router.c - see router.h.
 *
 * Groups are independent; a group's tokens are counted in their order, all first choices before
 * any other. The log of the sum of exponentials is not stored: it is logit minus log
 * probability, taken where the probability is the largest.
 */
#include <assert.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "kernel/kernel.h"
#include "moe/choice.h"
#include "moe/router.h"
#include "nn/gemm.h"

int route_choices(const struct route_rule *rule)
{
    switch (rule->kind) {
    case ROUTE_TOP2:
        return 2;
    case ROUTE_NTLB:
        return rule->n_choice < rule->n_expert ? rule->n_choice : rule->n_expert;
    default:
        return 1;
    }
}

int route_capacity(const struct route_rule *rule)
{
    double c = rule->group_tokens * rule->capacity_factor / rule->n_expert;
    int most = rule->cap == CAP_ROUND ? INT_MAX : rule->group_tokens;

    if (rule->fixed_capacity > 0)
        return rule->fixed_capacity;
    if (rule->cap == CAP_NONE)
        return INT_MAX;
    c = rule->cap == CAP_ROUND ? rint(c) : floor(c);
    if (c < most)
        most = (int)c;
    return most > rule->min_capacity ? most : rule->min_capacity;
}

static void round_bf16(float *x, size_t n)
{
    uint16_t half[64];
    size_t i, k;

    for (i = 0; i < n; i += k) {
        k = n - i < 64 ? n - i : 64;
        kern.half(half, x + i, k);
        kern.whole(x + i, half, k);
    }
}

static void probabilities(const struct route_rule *rule, float *logits, float *probs)
{
    size_t n_expert = (size_t)rule->n_expert;

    if (rule->bf16)
        round_bf16(logits, n_expert);
    memcpy(probs, logits, n_expert * sizeof(*probs));
    kern.scale(probs, 1 / kern.exp_shift(probs, kern.max(logits, n_expert), n_expert), n_expert);
    if (rule->bf16)
        round_bf16(probs, n_expert);
}

/* What a coin of a token decides. One who draws nothing has but one, for SECOND_RANDOM. */
enum { COIN_FIRST, COIN_SECOND, COIN_TRIED };

/* In [0, 1), of token i's number. */
static double coin(const struct route_rule *rule, const struct route_input *in, size_t i,
                   uint64_t what)
{
    return rng_uniform(rule->key, in->number[i / in->length], i % in->length + (what << 32));
}

static void choose_second(const struct route_rule *rule, const struct route_input *in,
                          struct route *r, size_t i)
{
    double which = rule->sample ? coin(rule, in, i, COIN_SECOND) : 0, tried = 0;

    if (rule->second == SECOND_RANDOM)
        tried = coin(rule, in, i, rule->sample ? COIN_TRIED : COIN_FIRST);
    choice_second(rule, r, i, which, tried);
}

/* The choices of token i but for their slots; ntlb's later ones are made when they are tried. */
static void choose(const struct route_rule *rule, const struct route_input *in, struct route *r,
                   size_t i)
{
    size_t n_expert = (size_t)rule->n_expert, n_choice = (size_t)route_choices(rule);
    size_t at = i * n_choice, k;
    float *p = r->probs + i * n_expert;

    probabilities(rule, r->logits + i * n_expert, p);
    for (k = 0; k < n_choice; k++) {
        r->expert[at + k] = r->slot[at + k] = -1;
        r->kept[at + k] = 0;
        r->gate[at + k] = 0;
    }
    if (!rule->route_padding && in->segment && in->segment[i] == 0)
        return;
    r->expert[at] = rule->sample ? choice_drawn(p, rule->n_expert, coin(rule, in, i, COIN_FIRST))
                                 : choice_best(p, rule->n_expert);
    r->gate[at] = p[r->expert[at]];
    if (rule->kind == ROUTE_TOP2)
        choose_second(rule, in, r, i);
    if (rule->bf16)
        round_bf16(r->gate + at, n_choice);
}

static double log_sum(const struct route_rule *rule, const struct route *r, size_t i)
{
    size_t n_expert = (size_t)rule->n_expert;
    const float *h = r->logits + i * n_expert, *p = r->probs + i * n_expert;
    int32_t best = r->expert[i * (size_t)route_choices(rule)];

    if (rule->sample)
        return kern.max(h, n_expert) - log(kern.max(p, n_expert));
    return h[best] - log(p[best]);
}

/* Slots of the group of tokens from..to, and what it adds to the sums. */
static struct route_sums count_group(const struct route_rule *rule, struct route *r, size_t from,
                                     size_t to)
{
    int32_t count[ROUTE_EXPERT_MAX];
    double share[ROUTE_EXPERT_MAX];    // sums of probabilities
    int e, n_expert = rule->n_expert, n_choice = route_choices(rule);
    int capacity = route_capacity(rule);
    struct route_sums s = { 0 };
    size_t i;

    memset(count, 0, n_expert * sizeof(*count));
    for (e = 0; e < n_expert; e++)
        share[e] = 0;
    for (i = from; i < to; i++) {
        size_t at = i * n_choice;
        double z;

        if (r->expert[at] < 0)
            continue;
        r->slot[at] = count[r->expert[at]]++;
        r->kept[at] = r->slot[at] < capacity;
        for (e = 0; e < n_expert; e++)
            share[e] += r->probs[i * n_expert + e];
        z = log_sum(rule, r, i);
        s.z += z * z;
        s.routed++;
        s.dropped += !r->kept[at];
    }
    if (s.routed == 0)
        return s;
    for (e = 0; e < n_expert; e++) {
        s.aux += n_expert * (count[e] / (double)s.routed) * (share[e] / (double)s.routed);
        if ((uint64_t)count[e] > s.load_max)
            s.load_max = (uint64_t)count[e];
    }
    s.z /= (double)s.routed;
    if (n_choice > 1)
        s.dropped = choice_place_rest(rule, r, from, to, count);
    if (rule->kind == ROUTE_TOP2 && rule->second_loss)
        s.aux += choice_second_loss(rule, r, from, to, s.routed);
    return s;
}

void route_choose(const struct route_rule *rule, const struct route_input *in, struct route *r,
                  struct route_sums *sums)
{
    size_t n_expert = rule->n_expert, size = rule->group_tokens, i;

    assert(n_expert >= 1 && n_expert <= ROUTE_EXPERT_MAX && size > 0 && in->n % size == 0);
    assert(route_choices(rule) <= (int)n_expert && route_choices(rule) <= ROUTE_CHOICE_MAX);
    *sums = (struct route_sums){ 0 };
#pragma omp parallel for schedule(static)
    for (i = 0; i < in->n; i++)
        choose(rule, in, r, i);
#pragma omp parallel for ordered schedule(static, 1)
    for (i = 0; i < in->n / size; i++) {
        struct route_sums s = count_group(rule, r, i * size, (i + 1) * size);

#pragma omp ordered
        {
            sums->aux += s.aux;
            sums->z += s.z;
            sums->routed += s.routed;
            sums->dropped += s.dropped;
            sums->load_max += s.load_max;
        }
    }
}

void route_forward(const struct route_rule *rule, const struct route_input *in, struct route *r,
                   struct route_sums *sums)
{
    size_t n_expert = rule->n_expert;

    gemm_nt(in->n, n_expert, in->m, in->a, in->m, in->w, in->m, 0, r->logits, n_expert);
    route_choose(rule, in, r, sums);
}

/* d_logits of one token of one choice. own[e] is what the balance loss gives every token's
 * p_e. */
static void token_back(const struct route *r, size_t i, int n_expert, const double *own,
                       float d_gate, double z, float *d)
{
    const float *p = r->probs + i * n_expert;
    double sum = 0;
    int e;

    for (e = 0; e < n_expert; e++)
        sum += p[e] * own[e];
    sum += (double)p[r->expert[i]] * d_gate;
    for (e = 0; e < n_expert; e++)
        d[e] = (float)(p[e] * (own[e] + (e == r->expert[i] ? d_gate : 0) - sum + z));
}

/* The same of several choices; own2 is of the second-place loss, or NULL. */
static void choices_back(const struct route_rule *rule, const struct route *r, size_t i,
                         const double *own, const double *own2, const float *d_gate, double z,
                         float *d)
{
    const float *p = r->probs + i * (size_t)rule->n_expert;
    double dp[ROUTE_EXPERT_MAX], sum = 0;
    int e;

    memcpy(dp, own, (size_t)rule->n_expert * sizeof(*dp));
    choice_back(rule, r, i, d_gate, own2, dp);
    for (e = 0; e < rule->n_expert; e++)
        sum += p[e] * dp[e];
    for (e = 0; e < rule->n_expert; e++)
        d[e] = (float)(p[e] * (dp[e] - sum + z));
}

/* Slopes of the losses by the probabilities of each of the group's tokens; returns how many
 * are real. */
static size_t slopes(const struct route_rule *rule, const struct route *r, double aux_scale,
                     size_t from, size_t to, double *own, double *own2)
{
    int e, n_expert = rule->n_expert, n_choice = route_choices(rule);
    double scale;
    size_t i, n_real = 0;

    for (e = 0; e < n_expert; e++)
        own[e] = 0;
    for (i = from; i < to; i++)
        if (r->expert[i * n_choice] >= 0) {
            own[r->expert[i * n_choice]]++;
            n_real++;
        }
    if (n_real == 0)
        return 0;
    scale = aux_scale / (double)n_real;
    for (e = 0; e < n_expert; e++)    // E f_e / n_real
        own[e] *= scale * n_expert / (double)n_real;
    if (own2)
        choice_second_slopes(rule, r, from, to, n_real, own2);
    for (e = 0; own2 && e < n_expert; e++)
        own2[e] *= scale;
    return n_real;
}

static void group_back(const struct route_rule *rule, const struct route *r, const float *d_gate,
                       double aux_scale, double z_scale, size_t from, float *d_logits)
{
    double own[ROUTE_EXPERT_MAX], second[ROUTE_EXPERT_MAX];
    double *own2 = rule->kind == ROUTE_TOP2 && rule->second_loss ? second : NULL;
    size_t n_expert = (size_t)rule->n_expert, n_choice = (size_t)route_choices(rule), i;
    size_t to = from + (size_t)rule->group_tokens;
    size_t n_real = slopes(rule, r, aux_scale, from, to, own, own2);

    for (i = from; i < to; i++) {
        float *d = d_logits + i * n_expert;
        double z;

        if (r->expert[i * n_choice] < 0) {
            memset(d, 0, n_expert * sizeof(*d));
            continue;
        }
        z = z_scale ? 2 * z_scale / (double)n_real * log_sum(rule, r, i) : 0;
        if (n_choice == 1)
            token_back(r, i, rule->n_expert, own, d_gate[i], z, d);
        else
            choices_back(rule, r, i, own, own2, d_gate + i * n_choice, z, d);
    }
}

void route_backward(const struct route_rule *rule, const struct route_input *in,
                    const struct route *r, const float *d_gate, double aux_scale, double z_scale,
                    float *d_logits, float *da, float *dw)
{
    size_t n_expert = rule->n_expert, size = rule->group_tokens, m = in->m, i;

#pragma omp parallel for schedule(static)
    for (i = 0; i < in->n / size; i++)
        group_back(rule, r, d_gate, aux_scale, z_scale, i * size, d_logits);
    gemm_nn(in->n, m, n_expert, d_logits, n_expert, in->w, m, 0, da, m);
    gemm_tn(n_expert, m, in->n, d_logits, n_expert, in->a, m, 1, dw, m);
}
