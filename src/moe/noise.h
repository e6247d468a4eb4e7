/* noise.h - what makes the router's input noisy, so that it explores: a function of the call's
 * key and the tokens' numbers, made anew in the backward pass. */
#ifndef MOE_NOISE_H
#define MOE_NOISE_H

#include <stddef.h>
#include <stdint.h>

struct moe_call;

uint64_t moe_token_number(const struct moe_call *c, size_t token);

int moe_is_noisy(const struct moe_call *c);
/* to [n, M] = x times the noise; to may be x. Its own gradient too. */
void moe_noise(const struct moe_call *c, const float *x, float *to, size_t m);

#endif
