/* rows.c - see rows.h. */
#include <inttypes.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"
#include "model/rows.h"
#include "nn/attention.h"
#include "seq/batch.h"
#include "tensors/tensors.h"

enum { ROW_MAX = 1 << 20, LENGTH_MAX = ATTENTION_KEY_MAX };

struct reader {
    const char *path;
    const struct tensors *t;
    struct err *err;
};

/* Rows of ids by name: 1, 0 if there are none, or -1. *n_row and *length are set or, where they
 * are set already, must agree. */
static int read_ids(const struct reader *r, const char *name, int32_t **id, int *n_row, int *length)
{
    const struct tensor *x = tensors_find(r->t, name);
    struct err why;

    if (!x)
        return 0;
    if (x->n_dim != 2 || x->dim[0] < 1 || x->dim[1] < 1 || x->dim[0] > ROW_MAX ||
        x->dim[1] > LENGTH_MAX)
        return err_set(r->err, "%s: %s: not 1 to %d rows of 1 to %d ids", r->path, name, ROW_MAX,
                       LENGTH_MAX);
    if (*n_row && *n_row != x->dim[0])
        return err_set(r->err, "%s: %s: %" PRId64 " rows, not %d", r->path, name, x->dim[0],
                       *n_row);
    if (*length && *length != x->dim[1])
        return err_set(r->err, "%s: %s: rows of %" PRId64 " ids, not %d", r->path, name, x->dim[1],
                       *length);
    *n_row = (int)x->dim[0];
    *length = (int)x->dim[1];
    *id = xcalloc(x->n, sizeof(**id));
    if (tensor_copy_i32(x, *id, x->n, &why) < 0)
        return err_set(r->err, "%s: %s", r->path, why.msg);
    return 1;
}

/* The one of two names that is there. */
static int read_either(const struct reader *r, const char *name, const char *other, int32_t **id,
                       int *n_row, int *length)
{
    int got;

    if (tensors_find(r->t, name) && tensors_find(r->t, other))
        return err_set(r->err, "%s: both %s and %s", r->path, name, other);
    got = read_ids(r, name, id, n_row, length);
    return got ? got : read_ids(r, other, id, n_row, length);
}

/* 1 where id is not padding. */
static int32_t *segments_of(const int32_t *id, size_t n)
{
    int32_t *segment = xcalloc(n, sizeof(*segment));
    size_t i;

    for (i = 0; i < n; i++)
        segment[i] = id[i] != 0;
    return segment;
}

/* Each segment's targets, one place later; 0 first. */
static int32_t *shift(const int32_t *target, const int32_t *segment, size_t n, size_t length)
{
    int32_t *id = xcalloc(n, sizeof(*id));
    size_t i;

    for (i = 0; i < n; i++)
        if (i % length && segment[i] == segment[i - 1])
            id[i] = target[i - 1];
    return id;
}

static int read_encoder(const struct reader *r, struct batch *b)
{
    int got = read_ids(r, "input_ids", &b->input, &b->n_row, &b->n_input);

    if (got <= 0)
        return got ? got : err_set(r->err, "%s: no input_ids", r->path);
    got = read_either(r, "encoder_segment_ids", "attention_mask", &b->input_segment, &b->n_row,
                      &b->n_input);
    if (got == 0)
        b->input_segment = segments_of(b->input, (size_t)b->n_row * (size_t)b->n_input);
    return got < 0 ? -1 : 0;
}

/* What of the decoder's arrays was not given. */
static void complete_decoder(struct batch *b)
{
    size_t i, length = (size_t)b->n_target, n = (size_t)b->n_row * length;

    for (i = 0; b->target && i < n; i++)
        if (b->target[i] == -100)    // HF's "no loss"
            b->target[i] = 0;
    if (!b->target_segment) {
        b->target_segment = segments_of(b->target ? b->target : b->decoder, n);
        for (i = 0; !b->target && i < n; i += length)
            b->target_segment[i] = 1;    // the start id is 0
    }
    if (!b->target)
        b->target = xcalloc(n, sizeof(*b->target));
    if (!b->decoder)
        b->decoder = shift(b->target, b->target_segment, n, length);
}

static int read_decoder(const struct reader *r, struct batch *b)
{
    int *n_row = &b->n_row, *length = &b->n_target;

    if (read_either(r, "targets", "labels", &b->target, n_row, length) < 0 ||
        read_ids(r, "decoder_segment_ids", &b->target_segment, n_row, length) < 0 ||
        read_ids(r, "decoder_input_ids", &b->decoder, n_row, length) < 0)
        return -1;
    if (!b->target && !b->decoder)
        return err_set(r->err, "%s: neither targets, labels nor decoder_input_ids", r->path);
    complete_decoder(b);
    return 0;
}

static int check_range(const struct reader *r, const char *name, const int32_t *id, int n_row,
                       int length, int32_t most)
{
    int row, i;

    for (row = 0; row < n_row; row++)
        for (i = 0; i < length; i++, id++)
            if (*id < 0 || *id > most)
                return err_set(r->err, "%s: %s: row %d, place %d: %d is not in 0..%d", r->path,
                               name, row, i, *id, most);
    return 0;
}

static int check(const struct reader *r, const struct batch *b, int most)
{
    int n = b->n_row;

    if (check_range(r, "input_ids", b->input, n, b->n_input, most) < 0 ||
        check_range(r, "encoder segments", b->input_segment, n, b->n_input, INT32_MAX) < 0 ||
        check_range(r, "targets", b->target, n, b->n_target, most) < 0 ||
        check_range(r, "decoder_input_ids", b->decoder, n, b->n_target, most) < 0 ||
        check_range(r, "decoder segments", b->target_segment, n, b->n_target, INT32_MAX) < 0)
        return -1;
    return 0;
}

int rows_read(struct batch *b, const char *path, int n_vocab, struct rows_names *names,
              struct err *err)
{
    struct tensors *t = tensors_open(path, err);
    struct reader r = { path, t, err };
    int i, rc;

    *b = (struct batch){ 0 };
    if (!t)
        return -1;
    names->hf = tensors_find(t, "attention_mask") || tensors_find(t, "labels");
    names->targets = tensors_find(t, "targets") || tensors_find(t, "labels");
    rc = read_encoder(&r, b);
    if (rc == 0)
        rc = read_decoder(&r, b);
    if (rc == 0)
        rc = check(&r, b, n_vocab - 1);
    tensors_close(t);
    if (rc < 0) {
        batch_release(b);
        return -1;
    }
    b->tag = xcalloc((size_t)b->n_row, sizeof(*b->tag));
    b->number = xcalloc((size_t)b->n_row, sizeof(*b->number));
    for (i = 0; i < b->n_row; i++)
        b->number[i] = (uint64_t)i;
    return 0;
}
