/* tile.c - see tile.h. */
#include <assert.h>
#include <math.h>

#include "seq/packer.h"
#include "seq/tile.h"

enum { PARTS = 8 };      // a row is cut into no more, and no piece below that of its longest
enum { PROMISE = 3 };    // how much more a row may waste that waited for just this denoiser
enum { QUEUE = 3 };      // rows that wait for a denoiser before pieces are shortened for its sake
static const double poor = 0.1;    // share of a row, both sides together, that may stay empty

struct spot {    // a place in a row, and what a piece does to it
    struct tile tile;
    double waste;    // room left, as a share of both sides
};

/* Sizes are nearly linear in the ids of a piece: rounding is worth less than an id. */
static struct tile_shape shape_of(const struct denoiser *k)
{
    uint32_t most = k->piece, least = most / PARTS > TILE_SHORTEST ? most / PARTS : TILE_SHORTEST;
    struct tile_shape s = { .most = most, .least = least < most ? least : most, .share = k->share };
    struct span_size low = denoiser_size(k, 1), high = denoiser_size(k, most);

    if (most > 1) {
        s.in = (double)(high.n_input - low.n_input) / (most - 1);
        s.out = (double)(high.n_target - low.n_target) / (most - 1);
    }
    s.more_in = high.n_input - s.in * most;
    s.more_out = high.n_target - s.out * most;
    return s;
}

void tile_init(struct tile_rule *rule, const struct denoiser *kind, int n_kind, size_t inputs,
               size_t targets, int n_open)
{
    int i;

    assert(n_kind > 0 && n_kind <= DENOISER_MAX);
    *rule = (struct tile_rule){ .inputs = inputs, .targets = targets, .n_open = n_open };
    rule->n_kind = n_kind;
    rule->kind = kind;
    for (i = 0; i < n_kind; i++)
        rule->shape[i] = shape_of(&kind[i]);
}

static double waste_of(const struct tile_rule *rule, double in, double out)
{
    return in / (double)rule->inputs + out / (double)rule->targets;
}

/* How many ids fill the room, by the line, and in how many pieces; 0 when that is less than any
 * piece may be. */
static double reach(const struct tile_shape *s, double in, double out, int *parts)
{
    double n = fmin((in - s->more_in) / s->in, (out - s->more_out) / s->out);

    *parts = 1;
    if (n < s->least)
        return 0;
    *parts = (int)ceil(n / s->most);
    return n - (*parts - 1) * fmax(s->more_in / s->in, s->more_out / s->out);
}

/* How many ids leave room in the proportion of another denoiser, and for how many of its pieces; 0
 * when none do, or no pieces are as long as they would have to be. */
static double leave(const struct tile_shape *s, const struct tile_shape *next, double in,
                    double out, int *parts)
{
    double det = s->in * next->out - s->out * next->in, n, rest;

    *parts = 1;
    in -= s->more_in + next->more_in;
    out -= s->more_out + next->more_out;
    if (fabs(det) < 0.02)    // nearly the same proportion
        return 0;
    n = (in * next->out - out * next->in) / det;
    if (!(n >= s->least && n <= PARTS * s->most))
        return 0;
    rest = next->in > next->out ? (in - n * s->in) / next->in : (out - n * s->out) / next->out;
    *parts = (int)ceil(rest / next->most);
    return rest >= next->least && *parts <= PARTS ? n : 0;
}

/* From the line to whole ids: what fits; for a piece that is to fill the room, all that fits. */
static uint32_t settle(const struct denoiser *k, uint32_t n, size_t in, size_t out, int fill)
{
    uint32_t i;

    n = n < 2 ? 2 : n < k->piece ? n : k->piece;
    for (i = 0; fill && i < 4 && n < k->piece && denoiser_fits(k, n + 1, in, out); i++)
        n++;
    while (n > 1 && !denoiser_fits(k, n, in, out))
        n--;
    return k->pair && n > 2 ? n - n % 2 : n;
}

/* The same, where there is another place: a little, and an id on each side for rounding. */
static double slack(const struct tile_rule *rule)
{
    return 0.005 + waste_of(rule, 1, 1);
}

/* The row that a piece completes best, or begins to complete, and a new one only when no open row
 * will do; waste > 2 when there is none. */
static struct spot complete(const struct tile_rule *rule, const struct packer *p, int lang,
                            int kind)
{
    const struct tile_shape *s = &rule->shape[kind];
    struct spot best = { .waste = 3 };
    int i, n_open = packer_n_open(p, lang), parts;

    for (i = 0; i <= n_open && (i < n_open || best.waste > slack(rule)); i++) {
        size_t in, out;
        double n, waste;

        packer_room(p, lang, i, &in, &out);
        n = reach(s, (double)in, (double)out, &parts);
        if (n <= 0)
            continue;
        waste = waste_of(rule, (double)in - parts * s->more_in - n * s->in,
                         (double)out - parts * s->more_out - n * s->out);
        if (packer_mark(p, lang, i) == 1 + kind)    // it was promised
            waste /= PROMISE;
        if (parts > 1 && waste > slack(rule))
            continue;
        if (i < n_open ? waste < best.waste
                       : best.waste > (waste <= slack(rule) ? slack(rule) : poor))
            best = (struct spot){ { (uint32_t)(n / parts), i, parts > 1 ? 1 + kind : 0 }, waste };
    }
    return best;
}

/* A piece that leaves a row to a denoiser for which few rows wait; n is 0 when there is none.
 * A row that is begun goes before a new one. When many wait already, the pieces of this denoiser
 * outnumber those of the other, and several have to share what one could take in a new row. */
static struct tile prepare(const struct tile_rule *rule, const struct packer *p, int lang, int kind)
{
    const struct tile_shape *s = &rule->shape[kind];
    int waiting[DENOISER_MAX + 1] = { 0 }, i, k, n_open = packer_n_open(p, lang);
    struct tile best = { 0 };
    double least = INFINITY;

    for (i = 0; i < n_open; i++)
        waiting[packer_mark(p, lang, i) > 0 ? packer_mark(p, lang, i) : 0]++;
    for (i = n_open; i >= 0; i--) {
        int mark = packer_mark(p, lang, i), parts = mark < 0 ? -mark : 1;
        size_t in, out;

        if (mark > 0)
            continue;
        packer_room(p, lang, i, &in, &out);
        for (k = 0; k < rule->n_kind; k++) {
            double rows = waiting[1 + k] / rule->shape[k].share + (i == n_open ? 1e9 : 0), n;
            int more;

            if (rows >= least)
                continue;
            n = leave(s, &rule->shape[k], (double)in, (double)out, &more);
            rows += more > 1 ? 1e12 : 0;
            if (n <= 0 || rows >= least)
                continue;
            if (i == n_open)
                parts = 1 + waiting[1 + k] / QUEUE;
            parts = n > parts * (double)s->most ? (int)ceil(n / s->most) : parts;
            while (parts > 1 && n / parts < s->least)
                parts--;
            best = (struct tile){ (uint32_t)(n / parts), i, parts > 1 ? 1 - parts : 1 + k };
            least = rows;
        }
    }
    return best;
}

/* Of an open row that waits for nobody, or of a new one, what this denoiser alone can fill. */
static struct tile divide(const struct tile_rule *rule, const struct packer *p, int lang, int kind)
{
    int row, parts = 1, n_open = packer_n_open(p, lang);
    double n = 0;

    for (row = 0; row <= n_open && !n; row++) {
        size_t in, out;

        if (packer_mark(p, lang, row) > 0)
            continue;
        packer_room(p, lang, row, &in, &out);
        n = reach(&rule->shape[kind], (double)in, (double)out, &parts);
    }
    return (struct tile){ (uint32_t)(n / parts), row - 1, 0 };
}

struct tile tile_choose(const struct tile_rule *rule, const struct packer *p, int lang, int kind)
{
    struct spot end = complete(rule, p, lang, kind);
    int crowded = packer_n_open(p, lang) >= rule->n_open / 4 * 3;
    struct tile t = end.tile;
    size_t in, out;

    if (end.waste > (crowded ? poor : slack(rule))) {
        t = prepare(rule, p, lang, kind);
        if (!t.n)
            t = end.waste <= poor ? end.tile : divide(rule, p, lang, kind);
    }
    packer_room(p, lang, t.row, &in, &out);
    t.n = settle(&rule->kind[kind], t.n, in, out, end.waste <= slack(rule) && !t.mark);
    return t;
}
