/* batch.c - see batch.h. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "seq/batch.h"
#include "shard/example.h"

void batch_init(struct batch *b, int n_row, int n_input, int n_target)
{
    size_t input = (size_t)n_row * (size_t)n_input, target = (size_t)n_row * (size_t)n_target;

    assert(n_row > 0 && n_input > 0 && n_target > 0);
    *b = (struct batch){ .n_row = n_row, .n_input = n_input, .n_target = n_target };
    b->input = xcalloc(input, sizeof(*b->input));
    b->input_segment = xcalloc(input, sizeof(*b->input_segment));
    b->target = xcalloc(target, sizeof(*b->target));
    b->decoder = xcalloc(target, sizeof(*b->decoder));
    b->target_segment = xcalloc(target, sizeof(*b->target_segment));
    b->tag = xcalloc((size_t)n_row, sizeof(*b->tag));
    b->number = xcalloc((size_t)n_row, sizeof(*b->number));
}

static void clear_row(struct batch *b, size_t i)
{
    size_t s = (size_t)b->n_input, t = (size_t)b->n_target;

    memset(b->input + i * s, 0, s * sizeof(*b->input));
    memset(b->input_segment + i * s, 0, s * sizeof(*b->input_segment));
    memset(b->target + i * t, 0, t * sizeof(*b->target));
    memset(b->decoder + i * t, 0, t * sizeof(*b->decoder));
    memset(b->target_segment + i * t, 0, t * sizeof(*b->target_segment));
    b->tag[i] = 0;
    b->number[i] = 0;
}

void batch_clear(struct batch *b)
{
    size_t i;

    for (i = 0; i < (size_t)b->n_row; i++)
        clear_row(b, i);
}

static int row_check(const struct batch *b, const struct example_row *row, uint64_t number,
                     struct err *err)
{
    size_t k, n_input = 0, n_target = 0;

    if (row->n_input > (size_t)b->n_input || row->n_target > (size_t)b->n_target)
        return err_set(err, "row %" PRIu64 ": %zu inputs and %zu targets do not fit into %d and %d",
                       number, row->n_input, row->n_target, b->n_input, b->n_target);
    for (k = 0; k < row->n_segment; k++) {
        n_input += row->segment_input[k];
        n_target += row->segment_target[k];
    }
    if (n_input != row->n_input || n_target != row->n_target)
        return err_set(err, "row %" PRIu64 ": its segments do not add up to its length", number);
    return 0;
}

int batch_set(struct batch *b, int i, const struct example_row *row, int tag, uint64_t number,
              struct err *err)
{
    size_t at_input = (size_t)i * (size_t)b->n_input, at = (size_t)i * (size_t)b->n_target;
    int32_t *in = b->input_segment + at_input, *out = b->target_segment + at;
    int32_t *decoder = b->decoder + at;
    const int32_t *target = row->target;
    size_t k, j;

    assert(i >= 0 && i < b->n_row);
    if (row_check(b, row, number, err))
        return -1;
    clear_row(b, (size_t)i);
    if (row->n_input)
        memcpy(b->input + at_input, row->input, row->n_input * sizeof(*row->input));
    if (row->n_target)
        memcpy(b->target + at, row->target, row->n_target * sizeof(*row->target));
    for (k = 0; k < row->n_segment; k++) {
        for (j = 0; j < row->segment_input[k]; j++)
            *in++ = (int32_t)k + 1;
        for (j = 0; j < row->segment_target[k]; j++) {
            *out++ = (int32_t)k + 1;
            *decoder++ = j ? target[j - 1] : 0;
        }
        target += row->segment_target[k];
    }
    b->tag[i] = tag;
    b->number[i] = number;
    return 0;
}

uint64_t batch_targets(const struct batch *b)
{
    size_t i, n = (size_t)b->n_row * (size_t)b->n_target;
    uint64_t sum = 0;

    for (i = 0; i < n; i++)
        sum += b->target[i] != 0;
    return sum;
}

void batch_release(struct batch *b)
{
    free(b->input);
    free(b->input_segment);
    free(b->target);
    free(b->decoder);
    free(b->target_segment);
    free(b->tag);
    free(b->number);
    *b = (struct batch){ 0 };
}
