/* slots.c - what the optimizer keeps of a tensor; see adafactor.h. */
#include "optim/adafactor.h"
#include "shape/params.h"
#include "shape/slice.h"

int adafactor_is_factored(const struct adafactor_rule *rule, const struct param *p)
{
    return p->n_dim == 2 && slice_dim(p, 0) >= rule->min_dim && slice_dim(p, 1) >= rule->min_dim;
}

size_t adafactor_slots(const struct adafactor_rule *rule, const struct param *p)
{
    return adafactor_is_factored(rule, p) ? (size_t)(p->dim[0] + p->dim[1]) : p->n;
}
