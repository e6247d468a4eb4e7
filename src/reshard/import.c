/* import.c - see import.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/opt.h"
#include "reshard/import.h"
#include "shard/shard.h"

int import_open(struct import *im, const char *to, const struct import_plan *plan, struct err *err)
{
    struct shard_header *h = shard_header_new(plan->inputs ? "examples" : "ids");

    *im = (struct import){ .plan = plan };
    shard_header_set(h, "vocab.size", "%" PRId64, plan->vocab);
    shard_header_set(h, "lang", "%s", plan->lang);
    if (plan->eos >= 0)
        shard_header_set(h, "eos", "%" PRId64, plan->eos);
    if (plan->inputs) {
        shard_header_set(h, "inputs", "%" PRId64, plan->inputs);
        shard_header_set(h, "targets", "%" PRId64, plan->targets);
    }
    shard_header_sign(h, opt_line(), 0);
    im->w = record_create(to, h, err);
    shard_header_free(h);
    return im->w ? 0 : -1;
}

void import_room(struct import *im, size_t n)
{
    if (n <= im->cap)
        return;
    im->cap = n + n / 2 + 1024;
    im->id = xreallocarray(im->id, im->cap, sizeof(*im->id));
}

static int put(struct import *im, size_t n_input, size_t n_target, struct err *err)
{
    uint32_t in = (uint32_t)n_input, out = (uint32_t)n_target;
    struct record rec = { .lang = im->plan->lang, .has_target = im->plan->inputs > 0 };
    struct err why;
    size_t i;

    for (i = 0; i < n_input + n_target; i++)
        if (im->id[i] < 0 || im->id[i] >= im->plan->vocab)
            return err_set(err, "record %" PRIu64 ": id %" PRId32 " is not below --vocab-size",
                           im->n, im->id[i]);
    rec.row = (struct example_row){ .input = im->id,
                                    .target = im->id + n_input,
                                    .n_input = n_input,
                                    .n_target = n_target,
                                    .segment_input = &in,
                                    .segment_target = &out,
                                    .n_segment = 1,
                                    .doc = im->n++ };
    if (record_write(im->w, &rec, &why) == 0)
        return 0;
    return err_set(err, "record %" PRIu64 ": %.400s", im->n - 1, why.msg);
}

int import_put(struct import *im, size_t n, struct err *err)
{
    return put(im, n, 0, err);
}

int import_put_row(struct import *im, size_t n_input, size_t n_target, struct err *err)
{
    if (n_input > (size_t)im->plan->inputs || n_target > (size_t)im->plan->targets)
        return err_set(err, "record %" PRIu64 ": %zu inputs and %zu targets are more than a row",
                       im->n, n_input, n_target);
    return put(im, n_input, n_target, err);
}

int import_close(struct import *im, int bad, struct err *err)
{
    free(im->id);
    im->id = NULL;
    if (!bad)
        return record_finish(im->w, err);
    record_abandon(im->w);
    return -1;
}

int import_count(void *sum, const struct record *rec, struct err *err)
{
    (void)err;
    record_sum_add(sum, rec);
    return 0;
}
