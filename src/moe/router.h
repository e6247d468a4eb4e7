/* router.h - which token goes to which expert, in which slot, by which gate; and the losses
 * that keep the router honest. On one process, without communication: routing is local. */
#ifndef MOE_ROUTER_H
#define MOE_ROUTER_H

#include <stddef.h>
#include <stdint.h>

enum { ROUTE_EXPERT_MAX = 8192 };    // experts a layer

struct route_rule {
    int n_expert;
    int group_tokens;    // Sg: tokens of a routing group, padding included
    double capacity_factor;
    int min_capacity;
    int fixed_capacity;    // > 0: this many instead of the formula (hf-compat)
    int route_padding;     // padding takes part in routing, slots and losses (hf-compat)
};

/* C = max(Cmin, min(Sg, floor(Sg cf / E))), or the fixed capacity. */
int route_capacity(const struct route_rule *rule);

struct route {                // caller's arrays, for n tokens
    float *logits, *probs;    // [n, E]
    int32_t *expert;          // [n] argmax, lowest on ties; -1: padding, not routed
    int32_t *slot;            // [n] exclusive count in the expert and group; -1: not routed
    int32_t *kept;            // [n] slot < C
    float *gate;              // [n] probs at expert (0 where not routed)
};

/* What the losses of the layer need: sums over this rank's groups. */
struct route_sums {
    double aux;    // sum over groups of E sum_i f_i P_i
    double z;      // sum over groups of mean over real tokens of logsumexp(h)^2
    uint64_t routed, dropped;
    uint64_t load_max;    // most tokens an expert was chosen by, over experts, summed over groups
};

/* a [n, M] is the router's input (after jitter), w [E, M]; segment [n], 0 = padding. n is a
 * multiple of group_tokens. */
void route_forward(const struct route_rule *rule, const float *a, const float *w,
                   const int32_t *segment, size_t n, size_t m, struct route *r,
                   struct route_sums *sums);

/* d_gate [n] (0 where dropped); aux_scale = alpha / n_groups, z_scale = c_z / n_groups over all
 * groups of the step. d_logits [n, E] is work and out. da [n, M] overwritten, dw [E, M] +=. */
void route_backward(const struct route_rule *rule, const struct route *r, const float *d_gate,
                    double aux_scale, double z_scale, const float *a, const float *w,
                    const int32_t *segment, size_t n, size_t m, float *d_logits, float *da,
                    float *dw);

#endif
