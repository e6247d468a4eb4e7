/* lengths.c - see lengths.h. */
#include <inttypes.h>
#include <math.h>

#include "base/err.h"
#include "seq/denoise.h"
#include "seq/lengths.h"
#include "seq/tile.h"

enum { MANY = 1024 };    // ids, so that rounding says little of the proportion of a mixture

static int fit_spans(struct denoise_rule *rule, uint32_t targets, uint32_t piece, struct err *err)
{
    struct denoiser *k = &rule->kind[0];
    uint32_t most = span_piece(&k->span, rule->inputs, &targets, err);

    if (!most)
        return -1;
    k->piece = piece && piece < most ? piece : most;
    rule->targets = targets;
    rule->whole_alone = k->piece == most;
    return 0;
}

/* Pieces of all denoisers are equally long, more or less, so inputs and targets come in the
 * proportion in which pieces of one length need them. */
static uint32_t targets_of(const struct denoise_rule *rule)
{
    double in = 0, out = 0;
    int i;

    for (i = 0; i < rule->n_kind; i++) {
        struct span_size size = denoiser_size(&rule->kind[i], MANY);

        in += rule->kind[i].share * size.n_input;
        out += rule->kind[i].share * size.n_target;
    }
    return (uint32_t)ceil(rule->inputs * out / in);
}

int lengths_fit(struct denoise_rule *rule, uint32_t targets, uint32_t piece, struct err *err)
{
    int i;

    if (rule->whole_alone)
        return fit_spans(rule, targets, piece, err);
    for (i = 0; i < rule->n_kind; i++) {
        struct denoiser *k = &rule->kind[i];

        k->pair = k->prefix && rule->tiles;
        if (k->pair)
            k->share /= 2;    // that of pieces, each of them two examples
    }
    rule->targets = targets ? targets : rule->tiles ? targets_of(rule) : rule->inputs;
    for (i = 0; i < rule->n_kind; i++) {
        struct denoiser *k = &rule->kind[i];
        uint32_t most = k->prefix && !k->pair ? rule->inputs - 1 : SPAN_PIECE_MAX;    // as T5's

        if (denoiser_fit(k, rule->inputs, rule->targets, piece ? piece : most, err))
            return -1;
        if (rule->tiles && k->piece < TILE_SHORTEST)
            return err_set(err,
                           "pieces of at most %" PRIu32 " ids are too short to tile rows; --pack "
                           "best-fit takes them",
                           k->piece);
    }
    return 0;
}
