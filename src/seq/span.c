/* span.c - see span.h.
 *
 * A segmentation of n items into k parts is a choice of k - 1 of the n - 1 gaps. T5 shuffles
 * all marks; Floyd's selection gives each choice the same chance with k - 1 draws.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/rng.h"
#include "seq/span.h"

enum { MARK_WORDS = SPAN_PIECE_MAX / 64 };

struct span_size span_size(const struct span_rule *rule, uint32_t n)
{
    uint32_t length = n < 2 ? 2 : n, noise, span;

    assert(n > 0);
    noise = (uint32_t)rintf((float)length * (float)rule->density);    // halves to even
    noise = noise < 1 ? 1 : noise > length - 1 ? length - 1 : noise;
    span = (uint32_t)rintf((float)noise / (float)rule->mean);
    span = span < 1 ? 1 : span;
    if (span > noise)
        span = noise;
    if (span > length - noise)
        span = length - noise;
    if (n == 1)    // the mask of two is cut: the one id is kept, its sentinel stands alone
        return (struct span_size){ 0, 0, 2, 2 };
    return (struct span_size){ noise, span, n - noise + span + 1, noise + span + 1 };
}

static struct span_size helper_size(const struct span_rule *rule, uint32_t n)
{
    uint32_t noise = (uint32_t)rint(n * rule->density);
    uint32_t span = (uint32_t)rint(noise / rule->mean);

    return (struct span_size){ noise, span, n - noise + span + 1, noise + span + 1 };
}

uint32_t span_helper(const struct span_rule *rule, uint32_t inputs, uint32_t *targets)
{
    uint32_t n = inputs - 1;

    assert(inputs > 1 && inputs <= SPAN_PIECE_MAX);
    while (helper_size(rule, n + 1).n_input <= inputs)
        n++;
    *targets = helper_size(rule, n).n_target;
    if (rule->density == 0.5 && *targets > inputs) {    // as the original has it
        n--;
        --*targets;
    }
    return n;
}

uint32_t span_piece(const struct span_rule *rule, uint32_t inputs, uint32_t *targets,
                    struct err *err)
{
    struct span_size size = { 0 };
    uint32_t derived, n, most = span_helper(rule, inputs, &derived), room = *targets;

    if (most > SPAN_PIECE_MAX)
        most = SPAN_PIECE_MAX;
    for (n = 0; n < most; n++) {    // tails are shorter: all up to n must fit
        struct span_size next = span_size(rule, n + 1);

        if (next.n_input > inputs || (room && next.n_target > room))
            break;
        if (next.n_target > derived)
            derived = next.n_target;
        size = next;
    }
    if (n < 2) {
        err_set(err, "no example fits into %u inputs and %u targets", inputs,
                room ? room : derived);
        return 0;
    }
    if (size.n_span > SPAN_MAX || size.n_span > (uint32_t)rule->n_sentinel) {
        err_set(err, "a piece of %u ids has %u spans, but there are %d sentinels", n, size.n_span,
                rule->n_sentinel < SPAN_MAX ? rule->n_sentinel : SPAN_MAX);
        return 0;
    }
    if (!room)
        *targets = derived;
    return n;
}

uint32_t span_segments(const uint64_t *marks, uint32_t n_item, uint32_t *length)
{
    uint32_t n = 0, begin = 0, w;

    for (w = 0; w * 64 < n_item; w++) {
        uint64_t left = marks[w];

        for (; left; left &= left - 1) {
            uint32_t end = w * 64 + (uint32_t)__builtin_ctzll(left) + 1;

            length[n++] = end - begin;
            begin = end;
        }
    }
    length[n++] = n_item - begin;
    return n;
}

/* n_item items into n_segment parts. */
static void draw_segments(struct rng *rng, uint32_t n_item, uint32_t n_segment, uint32_t *length)
{
    uint64_t marks[MARK_WORDS];
    uint32_t gap = n_item - 1, n;

    assert(n_segment > 0 && n_segment <= n_item && n_item <= SPAN_PIECE_MAX);
    memset(marks, 0, (n_item + 63) / 64 * sizeof(*marks));
    for (n = gap - (n_segment - 1); n < gap; n++) {
        uint32_t at = (uint32_t)rng_below(rng, (uint64_t)n + 1);

        if (marks[at / 64] >> at % 64 & 1)
            at = n;
        marks[at / 64] |= (uint64_t)1 << at % 64;
    }
    n = span_segments(marks, n_item, length);
    assert(n == n_segment);
    (void)n;
}

void span_draw(const struct span_rule *rule, uint32_t n, struct rng *rng, struct span_mask *mask)
{
    struct span_size size = span_size(rule, n);

    assert(size.n_span <= SPAN_MAX);
    if (size.n_span == 0) {
        mask->n_run = 1;
        mask->kept[0] = n;
        mask->noise[0] = 0;
        return;
    }
    mask->n_run = size.n_span;
    draw_segments(rng, size.n_noise, size.n_span, mask->noise);
    draw_segments(rng, n - size.n_noise, size.n_span, mask->kept);
}

static int32_t *copy(int32_t *to, const int32_t *from, uint32_t n)
{
    uint32_t i;

    for (i = 0; i < n; i++)    // runs are short: a call would cost more
        to[i] = from[i];
    return to + n;
}

void span_apply(const struct span_rule *rule, const int32_t *id, const struct span_mask *mask,
                int32_t *input, size_t *n_input, int32_t *target, size_t *n_target)
{
    int32_t *in = input, *out = target;
    int32_t in_sentinel = rule->sentinel0, out_sentinel = in_sentinel;
    uint32_t i;

    for (i = 0; i < mask->n_run; i++) {
        in = copy(in, id, mask->kept[i]);
        if (mask->noise[i])
            *in++ = in_sentinel--;
        if (mask->kept[i])
            *out++ = out_sentinel--;
        out = copy(out, id + mask->kept[i], mask->noise[i]);
        id += mask->kept[i] + mask->noise[i];
    }
    *in++ = rule->eos;
    *out++ = rule->eos;
    *n_input = (size_t)(in - input);
    *n_target = (size_t)(out - target);
}
