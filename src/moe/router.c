/* router.c - see router.h.
 *
 * Groups are independent; a group's tokens are counted in their order. The log of the sum of
 * exponentials is not stored: it is logit minus log probability, taken at the chosen expert,
 * whose probability is the largest.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "kernel/kernel.h"
#include "moe/router.h"
#include "nn/gemm.h"

int route_capacity(const struct route_rule *rule)
{
    double c = rule->group_tokens * rule->capacity_factor / rule->n_expert;
    int most = rule->group_tokens;

    if (rule->fixed_capacity > 0)
        return rule->fixed_capacity;
    if (c < most)
        most = (int)floor(c);
    return most > rule->min_capacity ? most : rule->min_capacity;
}

/* probs of one token from its logits; returns the expert. */
static int choose(const float *logits, float *probs, int n_expert)
{
    float top = kern.max(logits, n_expert);
    int i, best = 0;

    memcpy(probs, logits, n_expert * sizeof(*probs));
    kern.scale(probs, 1 / kern.exp_shift(probs, top, n_expert), n_expert);
    for (i = 1; i < n_expert; i++)
        if (probs[i] > probs[best])
            best = i;
    return best;
}

static double log_sum(const struct route *r, size_t i, int n_expert)
{
    return r->logits[i * n_expert + r->expert[i]] - log(r->gate[i]);
}

/* Slots of the group of tokens from..to, and what it adds to the sums. */
static struct route_sums count_group(const struct route_rule *rule, struct route *r, size_t from,
                                     size_t to)
{
    int32_t count[ROUTE_EXPERT_MAX];
    double share[ROUTE_EXPERT_MAX];    // sums of probabilities
    int e, n_expert = rule->n_expert, capacity = route_capacity(rule);
    struct route_sums s = { 0 };
    size_t i;

    memset(count, 0, n_expert * sizeof(*count));
    for (e = 0; e < n_expert; e++)
        share[e] = 0;
    for (i = from; i < to; i++) {
        if (r->expert[i] < 0)
            continue;
        r->slot[i] = count[r->expert[i]]++;
        r->kept[i] = r->slot[i] < capacity;
        for (e = 0; e < n_expert; e++)
            share[e] += r->probs[i * n_expert + e];
        s.z += log_sum(r, i, n_expert) * log_sum(r, i, n_expert);
        s.routed++;
        s.dropped += !r->kept[i];
    }
    if (s.routed == 0)
        return s;
    for (e = 0; e < n_expert; e++) {
        s.aux += n_expert * (count[e] / (double)s.routed) * (share[e] / (double)s.routed);
        if ((uint64_t)count[e] > s.load_max)
            s.load_max = (uint64_t)count[e];
    }
    s.z /= (double)s.routed;
    return s;
}

void route_forward(const struct route_rule *rule, const float *a, const float *w,
                   const int32_t *segment, size_t n, size_t m, struct route *r,
                   struct route_sums *sums)
{
    size_t n_expert = rule->n_expert, size = rule->group_tokens, i;

    assert(n_expert >= 1 && n_expert <= ROUTE_EXPERT_MAX && size > 0 && n % size == 0);
    gemm_nt(n, n_expert, m, a, m, w, m, 0, r->logits, n_expert);
    *sums = (struct route_sums){ 0 };
#pragma omp parallel for schedule(static)
    for (i = 0; i < n; i++) {
        int e = choose(r->logits + i * n_expert, r->probs + i * n_expert, rule->n_expert);
        int real = rule->route_padding || !segment || segment[i] != 0;

        r->expert[i] = real ? e : -1;
        r->gate[i] = real ? r->probs[i * n_expert + e] : 0;
        r->slot[i] = -1;
        r->kept[i] = 0;
    }
#pragma omp parallel for ordered schedule(static, 1)
    for (i = 0; i < n / size; i++) {
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

/* d_logits of one token. own[e] is what the balance loss gives every token's p_e. */
static void token_back(const struct route *r, size_t i, int n_expert, const double *own,
                       float d_gate, double z_scale, float *d)
{
    const float *p = r->probs + i * n_expert;
    double sum = 0, z = 2 * z_scale * log_sum(r, i, n_expert);
    int e;

    for (e = 0; e < n_expert; e++)
        sum += p[e] * own[e];
    sum += (double)p[r->expert[i]] * d_gate;
    for (e = 0; e < n_expert; e++)
        d[e] = (float)(p[e] * (own[e] + (e == r->expert[i] ? d_gate : 0) - sum + z));
}

static void group_back(const struct route_rule *rule, const struct route *r, const float *d_gate,
                       double aux_scale, double z_scale, size_t from, float *d_logits)
{
    double own[ROUTE_EXPERT_MAX];
    int e, n_expert = rule->n_expert;
    size_t i, to = from + rule->group_tokens, n_real = 0;

    for (e = 0; e < n_expert; e++)
        own[e] = 0;
    for (i = from; i < to; i++)
        if (r->expert[i] >= 0) {
            own[r->expert[i]]++;
            n_real++;
        }
    for (e = 0; n_real > 0 && e < n_expert; e++)    // E f_e / n_real
        own[e] *= aux_scale * n_expert / (double)n_real / (double)n_real;
    for (i = from; i < to; i++) {
        float *d = d_logits + i * n_expert;

        if (r->expert[i] >= 0)
            token_back(r, i, n_expert, own, d_gate[i], z_scale / (double)n_real, d);
        else
            memset(d, 0, n_expert * sizeof(*d));
    }
}

void route_backward(const struct route_rule *rule, const struct route *r, const float *d_gate,
                    double aux_scale, double z_scale, const float *a, const float *w,
                    const int32_t *segment, size_t n, size_t m, float *d_logits, float *da,
                    float *dw)
{
    size_t n_expert = rule->n_expert, size = rule->group_tokens, i;

    (void)segment;    // who takes part is in r->expert
#pragma omp parallel for schedule(static)
    for (i = 0; i < n / size; i++)
        group_back(rule, r, d_gate, aux_scale, z_scale, i * size, d_logits);
    gemm_nn(n, m, n_expert, d_logits, n_expert, w, m, 0, da, m);
    gemm_tn(n_expert, m, n, d_logits, n_expert, a, m, 1, dw, m);
}
