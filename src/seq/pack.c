/* pack.c - see pack.h. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "seq/pack.h"

void pack_init(struct pack *p, size_t inputs, size_t targets)
{
    *p = (struct pack){ .inputs = inputs, .targets = targets };
    p->input = xreallocarray(NULL, inputs, sizeof(*p->input));
    p->target = xreallocarray(NULL, targets, sizeof(*p->target));
    p->row.input = p->input;
    p->row.target = p->target;
}

static void need_segment(struct pack *p)
{
    if (p->row.n_segment < p->n_room)
        return;
    p->n_room = p->n_room ? 2 * p->n_room : 8;
    p->segment_input = xreallocarray(p->segment_input, p->n_room, sizeof(*p->segment_input));
    p->segment_target = xreallocarray(p->segment_target, p->n_room, sizeof(*p->segment_target));
    p->row.segment_input = p->segment_input;
    p->row.segment_target = p->segment_target;
}

size_t pack_length(const int32_t *id, size_t n, size_t most)
{
    if (n > most)
        n = most;
    while (n && id[n - 1] == 0)
        n--;
    return n;
}

int pack_add(struct pack *p, const int32_t *input, size_t n_input, const int32_t *target,
             size_t n_target, uint64_t doc)
{
    struct example_row *row = &p->row;

    n_input = pack_length(input, n_input, p->inputs);
    n_target = pack_length(target, n_target, p->targets);
    if (!n_input && !n_target)
        return 1;
    if (row->n_input + n_input > p->inputs || row->n_target + n_target > p->targets)
        return 0;
    if (!row->n_segment)
        row->doc = doc;
    need_segment(p);
    memcpy(p->input + row->n_input, input, n_input * sizeof(*input));
    memcpy(p->target + row->n_target, target, n_target * sizeof(*target));
    p->segment_input[row->n_segment] = (uint32_t)n_input;
    p->segment_target[row->n_segment++] = (uint32_t)n_target;
    row->n_input += n_input;
    row->n_target += n_target;
    return 1;
}

void pack_reset(struct pack *p)
{
    p->row.n_input = p->row.n_target = p->row.n_segment = 0;
    p->row.doc = 0;
    p->mark = 0;
}

void pack_release(struct pack *p)
{
    free(p->input);
    free(p->target);
    free(p->segment_input);
    free(p->segment_target);
    *p = (struct pack){ 0 };
}
