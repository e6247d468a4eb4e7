/* schedule.c - see schedule.h. */
#include <math.h>

#include "optim/schedule.h"

double schedule_lr(const struct schedule *s, uint64_t step)
{
    double t = (double)step, lr = s->lr, left = (double)s->n_step - t;

    if (s->kind == SCHEDULE_RSQRT)
        lr /= sqrt(fmax(fmax(t, s->warmup), 1.0));
    if (s->ramp_down > 0)
        lr *= fmax(0.0, fmin(1.0, left / (s->ramp_down * (double)s->n_step)));
    return lr;
}
