/* schedule.h - the learning rate of a step, counted from 0. */
#ifndef OPTIM_SCHEDULE_H
#define OPTIM_SCHEDULE_H

#include <stdint.h>

enum schedule_kind { SCHEDULE_RSQRT, SCHEDULE_CONSTANT };

struct schedule {
    enum schedule_kind kind;
    double lr;    // rsqrt: lr / sqrt(max(step, warmup)); constant: lr
    double warmup;
    double ramp_down;    // over the last share of n_step it falls linearly to 0; 0: never
    int64_t n_step;      // only for ramp_down
};

double schedule_lr(const struct schedule *s, uint64_t step);

#endif
