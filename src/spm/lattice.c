/* lattice.c - all ways through a text, for what is drawn by chance and for the n best.
 *
 * A lattice is an array of edges, in order of their starts, and lists of those that end at each
 * place. Places are bytes of the part of the text that the lattice is over. Where no piece spans
 * a place the lattice falls apart, and the parts can be drawn one after the other.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "spm/encoder.h"

enum { NO_EDGE = -1, PART_MAX = 1 << 20 };        // bytes drawn at once, if no place divides them
enum { AGENDA_MAX = 10000, AGENDA_MIN = 512 };    // as in SentencePiece

struct edge {
    uint32_t from, to;
    int32_t piece;    // -1 for the unknown
    int32_t next;     // that ends at the same place
    float score;
};

struct place {
    int32_t first, last;    // of the edges that end here
    double sum;             // log of the sum over the ways to here
    float best;             // score of the best of them
};

struct step {    // of a way that is built from its end: the edge before those of `next`
    int32_t edge, next;
    float whole, done;    // scores: of the best way with this end, of this end
};

struct lattice {
    struct edge *edge;
    struct place *place;
    struct step *step;
    int32_t *agenda;    // a heap of steps
    int32_t *found;     // steps at the start, one a way
    float *score;
    size_t n_edge, cap_edge, cap_place, n_step, cap_step, n_agenda, n_found;
    uint32_t n;    // bytes
};

void lattice_free(struct lattice *l)
{
    if (!l)
        return;
    free(l->edge);
    free(l->place);
    free(l->step);
    free(l->agenda);
    free(l->found);
    free(l->score);
    free(l);
}

static void add_edge(struct lattice *l, struct edge edge)
{
    struct place *end = &l->place[edge.to];
    int32_t i = (int32_t)l->n_edge;

    if (l->n_edge == l->cap_edge) {
        l->cap_edge = l->cap_edge ? 2 * l->cap_edge : 1024;
        l->edge = xreallocarray(l->edge, l->cap_edge, sizeof(*l->edge));
    }
    if (end->first == NO_EDGE)
        end->first = i;
    else
        l->edge[end->last].next = i;
    end->last = i;
    l->edge[l->n_edge++] = edge;
}

/* A user-defined piece is worth more than what it could be cut into. */
static float edge_score(const struct encoder *e, int32_t id)
{
    struct bytes p = vocab_piece(e->vocab, id);
    uint32_t n = 0;
    size_t i;

    if (e->vocab->piece[id].type != PIECE_USER_DEFINED)
        return e->score[id];
    for (i = 0; i < p.n; n++)
        i += char_length(p.p[i], p.n - i);
    return e->option.old ? (float)((float)n * FLT_MIN - 0.1) : (float)(0.1 * (n - 1));
}

/* All edges of the n bytes at t, or up to the first place after 0 that no piece spans, if there
 * is one and `part` is wanted. */
static void build(const struct encoder *e, struct lattice *l, const unsigned char *t, uint32_t n,
                  int part)
{
    uint32_t a, len, k, i, frontier = 0, cleared = 0;

    if (n + 1 > l->cap_place) {
        l->cap_place = (size_t)n + 1;
        l->place = xreallocarray(l->place, l->cap_place, sizeof(*l->place));
    }
    l->n_edge = 0;
    l->place[0] = (struct place){ NO_EDGE, NO_EDGE, 0, 0 };
    for (a = 0; a < n && !(part && a && a == frontier); a += len) {
        uint32_t base = e->trie.root;
        int single = 0;

        len = char_length(t[a], n - a);
        for (k = a; k < n;) {
            int32_t id = trie_step(&e->trie, &base, t[k]);

            if (id < 0)
                break;
            k++;
            if (id == TRIE_NONE)
                continue;
            for (; cleared < k; cleared++)
                l->place[cleared + 1] = (struct place){ NO_EDGE, NO_EDGE, 0, 0 };
            add_edge(l, (struct edge){ a, k, id, NO_EDGE, edge_score(e, id) });
            single |= k - a == len;
        }
        for (i = a + len; cleared < i; cleared++)
            l->place[cleared + 1] = (struct place){ NO_EDGE, NO_EDGE, 0, 0 };
        if (!single)
            add_edge(l, (struct edge){ a, a + len, -1, NO_EDGE, e->unknown_score });
        frontier = cleared;
    }
    l->n = a;
}

/* Is the place a character's start that a way can lead to? */
static int is_reached(const struct lattice *l, uint32_t at)
{
    return at == 0 || l->place[at].first != NO_EDGE;
}

/* The log of the sum of exp(alpha x score) over all ways to each place. */
static void sum_up(struct lattice *l, double alpha)
{
    uint32_t at;
    int32_t i;

    for (at = 1; at <= l->n; at++) {
        struct place *p = &l->place[at];
        double high = -INFINITY, sum = 0;

        for (i = p->first; i != NO_EDGE; i = l->edge[i].next)
            high = fmax(high, l->place[l->edge[i].from].sum + alpha * (double)l->edge[i].score);
        p->sum = -INFINITY;
        if (!(high > -INFINITY))
            continue;
        for (i = p->first; i != NO_EDGE; i = l->edge[i].next)
            sum += exp(l->place[l->edge[i].from].sum + alpha * (double)l->edge[i].score - high);
        p->sum = high + log(sum);
    }
}

/* Draw a way through the lattice from its end. */
static size_t draw_part(const struct lattice *l, struct rng *draw, double alpha, int32_t *back)
{
    uint32_t at = l->n;
    size_t n = 0;

    while (at > 0) {
        double left = draw_uniform(draw);
        int32_t i = l->place[at].first, chosen = i;

        for (; i != NO_EDGE && left >= 0; i = l->edge[i].next) {
            chosen = i;    // the last one if rounding leaves something
            left -= exp(l->place[l->edge[i].from].sum + alpha * (double)l->edge[i].score -
                        l->place[at].sum);
        }
        back[n++] = chosen;
        at = l->edge[chosen].from;
    }
    return n;
}

static void put_edge(const struct encoder *e, struct encoding *to, const struct edge *edge)
{
    encoding_put(e, to, edge->piece, edge->to - edge->from);
}

static struct lattice *lattice_of(struct encoding *to)
{
    if (!to->work->lattice)
        to->work->lattice = xcalloc(1, sizeof(*to->work->lattice));
    return to->work->lattice;
}

/* At most PART_MAX bytes of n, whole characters. */
static uint32_t part_length(const unsigned char *t, size_t n)
{
    uint32_t i;

    if (n <= PART_MAX)
        return (uint32_t)n;
    for (i = PART_MAX; i > PART_MAX - 4 && (t[i] & 0xC0) == 0x80; i--)
        ;
    return i;
}

void lattice_draw(const struct encoder *e, struct encoding *to)
{
    struct lattice *l = lattice_of(to);
    const unsigned char *t = to->text.p;
    size_t at, n = to->text.n, n_back;

    for (at = 0; at < n; at += l->n) {
        uint32_t part = part_length(t + at, n - at);

        build(e, l, t + at, part, 1);
        to->n_cut += l->n == part && part < n - at;
        sum_up(l, e->option.alpha);
        work_need(to->work, l->n);
        n_back = draw_part(l, &to->work->draw, e->option.alpha, to->work->back);
        while (n_back)
            put_edge(e, to, &l->edge[to->work->back[--n_back]]);
    }
}

/* The score of the best way to each place. */
static void find_best(struct lattice *l)
{
    uint32_t at;
    int32_t i;

    for (at = 1; at <= l->n; at++) {
        struct place *p = &l->place[at];

        p->best = -INFINITY;
        for (i = p->first; i != NO_EDGE; i = l->edge[i].next) {
            float score = l->place[l->edge[i].from].best + l->edge[i].score;

            p->best = score > p->best ? score : p->best;
        }
    }
}

static int goes_first(const struct lattice *l, int32_t a, int32_t b)
{
    float x = l->step[a].whole, y = l->step[b].whole;

    return x > y || (x == y && a < b);
}

static void agenda_push(struct lattice *l, int32_t step)
{
    size_t i, up;

    for (i = l->n_agenda++; i; i = up) {
        up = (i - 1) / 2;
        if (!goes_first(l, step, l->agenda[up]))
            break;
        l->agenda[i] = l->agenda[up];
    }
    l->agenda[i] = step;
}

static int32_t agenda_pop(struct lattice *l)
{
    int32_t top = l->agenda[0], step = l->agenda[--l->n_agenda];
    size_t i = 0, child;

    for (; (child = 2 * i + 1) < l->n_agenda; i = child) {
        child += child + 1 < l->n_agenda && goes_first(l, l->agenda[child + 1], l->agenda[child]);
        if (!goes_first(l, l->agenda[child], step))
            break;
        l->agenda[i] = l->agenda[child];
    }
    l->agenda[i] = step;
    return top;
}

/* When there are too many, only the best go on. */
static void agenda_trim(struct lattice *l, size_t n_best)
{
    size_t keep = n_best * 10 < AGENDA_MIN ? n_best * 10 : AGENDA_MIN, i;
    int32_t kept[AGENDA_MIN];

    for (i = 0; i < keep; i++)
        kept[i] = agenda_pop(l);
    l->n_agenda = 0;
    for (i = 0; i < keep; i++)
        agenda_push(l, kept[i]);
}

static int32_t add_step(struct lattice *l, struct step s)
{
    if (l->n_step == l->cap_step) {
        l->cap_step = l->cap_step ? 2 * l->cap_step : 4096;
        l->step = xreallocarray(l->step, l->cap_step, sizeof(*l->step));
    }
    l->step[l->n_step] = s;
    return (int32_t)l->n_step++;
}

/* A step for each edge that ends where this way begins. */
static void extend(struct lattice *l, int32_t top)
{
    uint32_t at = l->step[top].edge == NO_EDGE ? l->n : l->edge[l->step[top].edge].from;
    float done = l->step[top].done;
    int32_t i;

    for (i = l->place[at].first; i != NO_EDGE; i = l->edge[i].next) {
        const struct edge *edge = &l->edge[i];

        if (!is_reached(l, edge->from))
            continue;
        agenda_push(
            l, add_step(l, (struct step){ i, top, (l->place[edge->from].best + edge->score) + done,
                                          edge->score + done }));
    }
}

size_t lattice_best(const struct encoder *e, struct encoding *to, size_t n)
{
    struct lattice *l = lattice_of(to);

    l->n_step = l->n_agenda = l->n_found = 0;
    if (to->text.n > LATTICE_MAX)
        return 0;
    build(e, l, to->text.p, (uint32_t)to->text.n, 0);
    find_best(l);
    if (!l->agenda) {
        l->agenda = xreallocarray(NULL, AGENDA_MAX + (size_t)PIECE_MAX + 1, sizeof(*l->agenda));
        l->found = xreallocarray(NULL, N_BEST_MAX, sizeof(*l->found));
        l->score = xreallocarray(NULL, N_BEST_MAX, sizeof(*l->score));
    }
    agenda_push(l, add_step(l, (struct step){ NO_EDGE, NO_EDGE, l->place[l->n].best, 0 }));
    while (l->n_agenda && l->n_found < n) {
        int32_t top = agenda_pop(l);
        const struct step *s = &l->step[top];

        if (l->n == 0 || (s->edge != NO_EDGE && l->edge[s->edge].from == 0)) {
            l->score[l->n_found] = s->whole;
            l->found[l->n_found++] = top;
            continue;
        }
        extend(l, top);
        if (l->n_agenda >= AGENDA_MAX)
            agenda_trim(l, n);
    }
    return l->n_found;
}

float lattice_score(const struct lattice *l, size_t i)
{
    return l->score[i];
}

void lattice_put(const struct encoder *e, struct encoding *to, size_t i)
{
    const struct lattice *l = to->work->lattice;
    int32_t step;

    for (step = l->found[i]; step != NO_EDGE && l->step[step].edge != NO_EDGE;
         step = l->step[step].next)
        put_edge(e, to, &l->edge[l->step[step].edge]);
}

size_t lattice_draw_best(const struct encoder *e, struct encoding *to, size_t n)
{
    const struct lattice *l = to->work->lattice;
    double sum = 0, left;
    size_t i;

    for (i = 0; i < n; i++)
        sum += exp(e->option.alpha * ((double)l->score[i] - (double)l->score[0]));
    left = sum * draw_uniform(&to->work->draw);
    for (i = 0; i + 1 < n; i++) {
        left -= exp(e->option.alpha * ((double)l->score[i] - (double)l->score[0]));
        if (left < 0)
            break;
    }
    return i;
}
