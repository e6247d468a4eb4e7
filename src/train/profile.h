/* profile.h - where the time of steps went, on this rank. */
#ifndef TRAIN_PROFILE_H
#define TRAIN_PROFILE_H

#include <stdint.h>
#include <stdio.h>

#include "base/spent.h"

struct step_report;

struct profile {
    double at[SPENT_PARTS], flops_at;    // when the step began
    /* Of all steps but the first, in which memory is taken. */
    double spent[SPENT_PARTS], seconds, flops, tokens;
    uint64_t n_step, n_seen;
    double resident_at;    // bytes before there was a model; 0: no one asks
    double memory;         // the most after a step, without those
};

void profile_open(struct profile *p);    // before there is a model, where memory is asked for

void profile_start(struct profile *p);    // a step begins
/* It took r->seconds: fills r's spent and flops. */
void profile_step(struct profile *p, struct step_report *r);
/* work: see plan_work(). A table: part, seconds a step, share, units of work a second; the bytes
 * that the run held after a step, above what it began with; then floating-point operations and
 * tokens. */
void profile_print(const struct profile *p, const double work[SPENT_PARTS], FILE *to);

#endif
