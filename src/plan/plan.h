/* plan.h - what a training step costs, without running it: parameters, floating-point
 * operations, bytes a rank holds, bytes it sends. */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include <stdint.h>

#include "base/spent.h"
#include "comm/mesh.h"

struct config;
struct err;

struct plan_ask {
    struct mesh mesh;    // complete
    int n_row;           // B: rows of a step, all ranks
    int n_micro;         // rows of a rank's microbatch
    int n_input;         // S
    int n_target;        // T
    int group_rows;      // rows of a routing group
    int min_capacity;
    int min_dim;    // of a factored matrix: see adafactor.h
    int remat;      // blocks are made again in the backward pass: see enum keep
    int half;       // products are of bf16 numbers: see enum precision
    double capacity_factor;
};

struct plan {
    uint64_t parameters, shared;
    uint64_t expert;    // one expert of one feed-forward layer, or where none is, of attention
    int n_sparse, n_mixed;    // sparse blocks, both stacks; those with self-attention by experts
    int experts_per_rank;     // the most
    double flops_sequence;    // forward, as the paper counts: see plan_flops()
    double flops_step;        // forward and backward of all rows: 3 times as many
    int capacity[2];          // tokens an expert takes of a group, by stack
    /* Bytes of the fullest rank. */
    double weights, gradients, slots, activations;
    double packed;    // by the library of products
    double memory;    // all of these
    /* Bytes a rank sends in a step. */
    double exchange_buffer;    // every expert's block of C slots full: an upper bound
    double exchange;           // tokens spread evenly, all taken that there is room for
    double sum;                // the gradients that ranks add up
    double slices;             // along the model: sums of what its slices make of tokens
};

/* 2 operations for each weight a token meets (of top2, both experts'), 2 x context x H x D for
 * each block's attention and token, the logits of targets only; the router is left out. */
double plan_flops(const struct config *c, int n_input, int n_target);

/* What a rank does in a step, in units of each part: floating-point operations; pairs of a query
 * and a key; logits; parameters updated; numbers read or written by all else, and by the router;
 * bytes sent to experts and between slices, and in sums. 0: nothing, or not counted. */
void plan_work(const struct config *c, const struct plan_ask *ask, const struct plan *p,
               double work[SPENT_PARTS]);

/* Units a second, from what a profile printed: 0 for a part that it did no work in. 0 or -1. */
int plan_read_rates(const char *path, double rate[SPENT_PARTS], struct err *err);

/* Seconds of a step. What a profile of one rank has no rate for goes by that of all else: the
 * router as numbers, and as 4 bytes each what is sent. */
double plan_seconds(const double work[SPENT_PARTS], const double rate[SPENT_PARTS],
                    double seconds[SPENT_PARTS]);

void plan_make(struct plan *p, const struct config *c, const struct plan_ask *ask);

#endif
