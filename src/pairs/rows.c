/* rows.c - see rows.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/opt.h"
#include "pairs/rows.h"
#include "seq/packer.h"
#include "shard/example.h"
#include "shard/shard.h"
#include "spm/encode.h"
#include "spm/header.h"
#include "spm/vocab.h"

struct side {    // of a pair: ids, cut to a row, with EOS
    int32_t *id;
    size_t n, most;
};

struct rows {
    struct vocab *vocab;
    struct encoder *encoder;
    struct encoding enc;
    struct side input, target;
    struct packer *packer;
    struct example_writer *shard;
    struct rows_count count;
    int alone;
};

static int put(void *to, const struct example_row *row, struct err *err)
{
    struct rows *r = to;

    r->count.rows++;
    r->count.inputs += row->n_input;
    r->count.targets += row->n_target;
    return example_write(r->shard, row, err);
}

static int create(struct rows *r, const struct rows_plan *plan, struct err *err)
{
    struct shard_header *h = shard_header_new("examples");
    int rc = header_set_vocab(h, r->vocab, plan->model, plan->n_extra, err);

    header_set_lang(h, plan->lang);
    shard_header_set(h, "objective", "text_to_text");
    shard_header_set(h, "task", "%s", plan->task);
    shard_header_set(h, "inputs", "%" PRId64, plan->inputs);
    shard_header_set(h, "targets", "%" PRId64, plan->targets);
    shard_header_sign(h, opt_line(), 0);
    if (rc == 0)
        r->shard = example_create(plan->output, h, err);
    shard_header_free(h);
    return r->shard ? 0 : -1;
}

static void side_init(struct side *s, int64_t most)
{
    s->most = (size_t)most;
    s->id = xreallocarray(NULL, s->most, sizeof(*s->id));
}

struct rows *rows_open(const struct rows_plan *plan, struct err *err)
{
    const struct encode_option option = { .plain_sentinels = 1 };
    const struct packer_rule rule = { (size_t)plan->inputs, (size_t)plan->targets, PACKER_FIRST,
                                      plan->alone ? 1 : plan->n_open };
    struct rows *r = xcalloc(1, sizeof(*r));

    r->alone = plan->alone;
    r->vocab = vocab_open(plan->model, err);
    if (!r->vocab || !(r->encoder = encoder_new(r->vocab, &option, err)))
        goto fail;
    if (r->vocab->eos < 0) {
        err_set(err, "%s: the model has no EOS", plan->model);
        goto fail;
    }
    if (create(r, plan, err) < 0)
        goto fail;
    side_init(&r->input, plan->inputs);
    side_init(&r->target, plan->targets);
    r->packer = packer_new(&rule, (struct packer_sink){ put, r });
    return r;

fail:
    rows_free(r);
    return NULL;
}

/* 1 when the text was cut. */
static int encode(struct rows *r, struct side *s, struct bytes text, struct err *err)
{
    if (encoder_run(r->encoder, &r->enc, text, err))
        return -1;
    s->n = r->enc.n < s->most ? r->enc.n : s->most - 1;
    memcpy(s->id, r->enc.id, s->n * sizeof(*s->id));
    s->id[s->n++] = r->vocab->eos;
    return s->n - 1 < r->enc.n;
}

int rows_add(struct rows *r, struct bytes input, struct bytes target, int lang, struct err *err)
{
    int cut_input = encode(r, &r->input, input, err);
    int cut_target = cut_input < 0 ? -1 : encode(r, &r->target, target, err);

    if (cut_target < 0 ||
        packer_add(r->packer, lang, r->input.id, r->input.n, r->target.id, r->target.n,
                   r->count.pairs, err) ||
        (r->alone && packer_end_lang(r->packer, lang, err)))
        return -1;
    r->count.pairs++;
    return (cut_input ? ROWS_CUT_INPUT : 0) | (cut_target ? ROWS_CUT_TARGET : 0);
}

int rows_finish(struct rows *r, struct err *err)
{
    struct example_writer *shard = r->shard;

    if (packer_end(r->packer, err))
        return -1;
    r->shard = NULL;
    return example_finish(shard, err);
}

struct rows_count rows_counts(const struct rows *r)
{
    return r->count;
}

void rows_free(struct rows *r)
{
    if (!r)
        return;
    example_abandon(r->shard);
    packer_free(r->packer);
    encoding_release(&r->enc);
    free(r->input.id);
    free(r->target.id);
    encoder_free(r->encoder);
    vocab_free(r->vocab);
    free(r);
}
