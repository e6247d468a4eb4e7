/* router.h - which token goes to which experts, in which slots, by which gates; and the losses
 * that keep the router honest. On one process, without communication: routing is local.
 *
 * A token makes up to K choices, and all arrays of choices are [n, K]:
 *   top1  one: its best expert (the Switch Transformer)
 *   top2  two: the best two (or two drawn), their gates made to sum to 1; the second by a policy
 *   ntlb  up to K: the next best as long as none had a slot (No-Token-Left-Behind)
 */
#ifndef MOE_ROUTER_H
#define MOE_ROUTER_H

#include <stddef.h>
#include <stdint.h>

enum { ROUTE_EXPERT_MAX = 8192 };    // experts a layer
enum { ROUTE_CHOICE_MAX = 64 };      // K

enum route_kind { ROUTE_TOP1, ROUTE_TOP2, ROUTE_NTLB };
/* The second expert of top2 is tried with probability min(1, gate / threshold); where its gate
 * is above the threshold; always; never. */
enum route_second { SECOND_RANDOM, SECOND_THRESHOLD, SECOND_ALL, SECOND_NONE };
/* C = max(Cmin, min(Sg, floor(Sg cf / E))); max(Cmin, round(Sg cf / E)); nothing is dropped. */
enum route_cap { CAP_FLOOR, CAP_ROUND, CAP_NONE };

struct route_rule {
    int n_expert;
    int group_tokens;    // Sg: tokens of a routing group, padding included
    double capacity_factor;
    int min_capacity;
    int fixed_capacity;    // > 0: this many instead of the formula (hf-compat)
    int route_padding;     // padding takes part in routing, slots and losses (hf-compat)
    enum route_cap cap;
    enum route_kind kind;
    int n_choice;    // K of ntlb; more than there are experts are those
    enum route_second second;
    double threshold;    // of the second expert
    int second_loss;     // aux also has half the same of the second choices
    int sample;          // top1, top2: experts are drawn by probability, the second from the others
    int bf16;            // logits, probabilities and gates rounded to bfloat16
    uint64_t key;        // of the draws of sample and SECOND_RANDOM
};

int route_choices(const struct route_rule *rule);    // K
/* C: INT_MAX for CAP_NONE. */
int route_capacity(const struct route_rule *rule);

struct route {                // caller's arrays, for n tokens
    float *logits, *probs;    // [n, E]
    int32_t *expert;          // [n, K] lowest on ties; -1: padding, or not tried (ntlb)
    int32_t *slot;            // [n, K] exclusive count in the expert and group; -1: not tried
    int32_t *kept;            // [n, K] slot < C
    float *gate;              // [n, K] weight of the expert (0 where expert is -1)
};

/* What the losses of the layer need: sums over this rank's groups. */
struct route_sums {
    double aux;                  // sum over groups of E sum_i f_i P_i
    double z;                    // sum over groups of mean over real tokens of logsumexp(h)^2
    uint64_t routed, dropped;    // tokens; those no expert took
    uint64_t load_max;    // most first choices an expert got, over experts, summed over groups
};

/* What is routed. n is a multiple of group_tokens. */
struct route_input {
    const float *a, *w;        // [n, M] the router's input (after jitter); [E, M]
    const int32_t *segment;    // [n], 0 = padding; NULL: none is
    size_t n, m;
    const uint64_t *number;    // [n / length] the rows' global numbers; read where draws are made
    size_t length;
};

/* The same of logits that are there: in->a, w and m are not read. */
void route_choose(const struct route_rule *rule, const struct route_input *in, struct route *r,
                  struct route_sums *sums);
void route_forward(const struct route_rule *rule, const struct route_input *in, struct route *r,
                   struct route_sums *sums);

/* d_gate [n, K] (0 where dropped); aux_scale = alpha / n_groups, z_scale = c_z / n_groups over
 * all groups of the step. d_logits [n, E] is work and out. da [n, M] overwritten, dw [E, M] +=.
 * Rounding to bfloat16 counts as if it were none. */
void route_backward(const struct route_rule *rule, const struct route_input *in,
                    const struct route *r, const float *d_gate, double aux_scale, double z_scale,
                    float *d_logits, float *da, float *dw);

#endif
