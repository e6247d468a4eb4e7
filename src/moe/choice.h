/* choice.h - the experts a token may choose, and what router.c leaves to more than one choice.
 * Of the router alone; its contract is router.h. */
#ifndef MOE_CHOICE_H
#define MOE_CHOICE_H

#include <stddef.h>
#include <stdint.h>

struct route;
struct route_rule;

int choice_best(const float *p, int n);                  // lowest on ties
int choice_next(const float *p, int n, int before);      // the best after one; n > 1
int choice_drawn(const float *p, int n, double coin);    // coin in [0, 1)
/* Drawn from all but one, in proportion to p; where they have none, the next best. n > 1 */
int choice_drawn_next(const float *p, int n, int before, double coin);

/* The second choice of token i of top2, and both gates. Of two in [0, 1), which draws it where
 * experts are drawn, and coin decides SECOND_RANDOM. */
void choice_second(const struct route_rule *rule, struct route *r, size_t i, double which,
                   double coin);

/* Places the choices after the first, of tokens from..to. count[E] first choices were placed.
 * Returns the tokens without a slot. */
uint64_t choice_place_rest(const struct route_rule *rule, struct route *r, size_t from, size_t to,
                           int32_t *count);

/* The second-place loss of n_real tokens among from..to: half of E sum_i f_i P_i, where f is of
 * second choices and P of probabilities with the first choice left out. */
double choice_second_loss(const struct route_rule *rule, const struct route *r, size_t from,
                          size_t to, uint64_t n_real);

/* own2[e] = E f_e / (2 n_real), the slope of that loss by P_e's terms. */
void choice_second_slopes(const struct route_rule *rule, const struct route *r, size_t from,
                          size_t to, uint64_t n_real, double *own2);

/* Adds to dp[E] what the gates of token i (d_gate [K]), and the second-place loss (own2, or
 * NULL) give its probabilities. */
void choice_back(const struct route_rule *rule, const struct route *r, size_t i,
                 const float *d_gate, const double *own2, double *dp);

#endif
