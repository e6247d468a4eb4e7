/* packer.c - see packer.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "seq/pack.h"
#include "seq/packer.h"
#include "shard/example.h"

struct window {           // of a language
    struct pack *open;    // [n_made], of which n hold something, the oldest first
    int n, n_made;
};

struct packer {
    struct packer_rule rule;
    struct packer_sink sink;
    struct window *window;    // [n_lang]
    int n_lang;
};

struct packer *packer_new(const struct packer_rule *rule, struct packer_sink sink)
{
    struct packer *p = xcalloc(1, sizeof(*p));

    assert(rule->n_open > 0 && rule->n_open <= PACKER_OPEN_MAX);
    p->rule = *rule;
    p->sink = sink;
    return p;
}

static struct window *window_of(struct packer *p, int lang)
{
    assert(lang >= 0);
    if (lang >= p->n_lang) {
        p->window = xreallocarray(p->window, (size_t)lang + 1, sizeof(*p->window));
        memset(p->window + p->n_lang, 0, (size_t)(lang + 1 - p->n_lang) * sizeof(*p->window));
        p->n_lang = lang + 1;
    }
    return &p->window[lang];
}

static size_t room_input(const struct pack *k)
{
    return k->inputs - k->row.n_input;
}

static size_t room_target(const struct pack *k)
{
    return k->targets - k->row.n_target;
}

/* How much room a row has where it has least, as a share of its length, times both lengths. */
static uint64_t room_after(const struct pack *k, size_t n_input, size_t n_target)
{
    uint64_t in = (uint64_t)(room_input(k) - n_input) * k->targets;
    uint64_t out = (uint64_t)(room_target(k) - n_target) * k->inputs;

    return in < out ? in : out;
}

/* The open row that an example of these lengths goes to; -1: it fits into none. */
static int choose(const struct packer *p, const struct window *w, size_t n_input, size_t n_target)
{
    uint64_t least = 0, room;
    int i, best = -1;

    for (i = 0; i < w->n; i++) {
        const struct pack *k = &w->open[i];

        if (n_input > room_input(k) || n_target > room_target(k))
            continue;
        if (p->rule.fit == PACKER_FIRST)
            return i;
        room = room_after(k, n_input, n_target);
        if (best < 0 || room < least) {
            best = i;
            least = room;
        }
    }
    return best;
}

static int close_row(struct packer *p, int lang, int i, struct err *err)
{
    struct window *w = &p->window[lang];
    struct pack closed = w->open[i];
    struct example_row row = closed.row;
    int bad;

    row.lang = lang;
    bad = p->sink.put(p->sink.to, &row, err);
    pack_reset(&closed);
    w->n--;
    memmove(&w->open[i], &w->open[i + 1], (size_t)(w->n - i) * sizeof(*w->open));
    w->open[w->n] = closed;
    return bad;
}

/* An empty row behind the open ones, for which the fullest makes room. */
static int begin_row(struct packer *p, int lang, struct err *err)
{
    struct window *w = &p->window[lang];
    int i, full = 0;

    if (w->n == p->rule.n_open) {
        for (i = 1; i < w->n; i++)
            if (room_after(&w->open[i], 0, 0) < room_after(&w->open[full], 0, 0))
                full = i;
        if (close_row(p, lang, full, err))
            return -1;
    }
    if (w->n == w->n_made) {
        w->open = xreallocarray(w->open, (size_t)w->n_made + 1, sizeof(*w->open));
        pack_init(&w->open[w->n_made++], p->rule.inputs, p->rule.targets);
    }
    w->n++;
    return 0;
}

int packer_add(struct packer *p, int lang, const int32_t *input, size_t n_input,
               const int32_t *target, size_t n_target, uint64_t doc, struct err *err)
{
    struct window *w = window_of(p, lang);
    size_t in = pack_length(input, n_input, p->rule.inputs);
    size_t out = pack_length(target, n_target, p->rule.targets);
    int i = choose(p, w, in, out);

    if (!in && !out)
        return 0;
    if (i < 0) {
        if (begin_row(p, lang, err))
            return -1;
        i = w->n - 1;
    }
    pack_add(&w->open[i], input, in, target, out, doc);
    if (p->rule.n_open > 1 && (!room_input(&w->open[i]) || !room_target(&w->open[i])))
        return close_row(p, lang, i, err);    // nothing else can go in
    return 0;
}

int packer_n_open(const struct packer *p, int lang)
{
    return lang < p->n_lang ? p->window[lang].n : 0;
}

void packer_room(const struct packer *p, int lang, int row, size_t *input, size_t *target)
{
    int open = row < packer_n_open(p, lang);

    *input = open ? room_input(&p->window[lang].open[row]) : p->rule.inputs;
    *target = open ? room_target(&p->window[lang].open[row]) : p->rule.targets;
}

int packer_mark(const struct packer *p, int lang, int row)
{
    return row < packer_n_open(p, lang) ? p->window[lang].open[row].mark : 0;
}

/* Too little room of a side for another example? Of a short side a sixteenth is little. */
static int is_full(size_t room, size_t length, size_t least)
{
    return room < least && room <= length / 16;
}

int packer_put(struct packer *p, int lang, int row, const struct example_row *example, int mark,
               size_t least, struct err *err)
{
    struct window *w = window_of(p, lang);
    struct pack *k;
    int fitted;

    if (row == w->n) {
        if (begin_row(p, lang, err))
            return -1;
        row = w->n - 1;
    }
    k = &w->open[row];
    fitted = pack_add(k, example->input, example->n_input, example->target, example->n_target,
                      example->doc);
    assert(fitted);
    (void)fitted;
    k->mark = mark;
    if (is_full(room_input(k), k->inputs, least) || is_full(room_target(k), k->targets, least))
        return close_row(p, lang, row, err);
    return 0;
}

/* All of row `from` goes to row `to`, which has room. */
static void merge(struct window *w, int to, int from)
{
    struct pack emptied = w->open[from];
    const struct example_row *row = &emptied.row;
    size_t in = 0, out = 0, i;

    for (i = 0; i < row->n_segment; i++) {
        pack_add(&w->open[to], row->input + in, row->segment_input[i], row->target + out,
                 row->segment_target[i], row->doc);
        in += row->segment_input[i];
        out += row->segment_target[i];
    }
    pack_reset(&emptied);
    w->n--;
    memmove(&w->open[from], &w->open[from + 1], (size_t)(w->n - from) * sizeof(*w->open));
    w->open[w->n] = emptied;
}

/* No example follows: rows with room for each other become one, those that fit best first. */
static void merge_rows(struct window *w)
{
    int i, k, to, from;

    do {
        uint64_t least = UINT64_MAX;

        to = from = -1;
        for (i = 0; i < w->n; i++)
            for (k = i + 1; k < w->n; k++) {
                const struct example_row *b = &w->open[k].row;
                uint64_t room;

                if (b->n_input > room_input(&w->open[i]) || b->n_target > room_target(&w->open[i]))
                    continue;
                room = room_after(&w->open[i], b->n_input, b->n_target);
                if (room < least) {
                    least = room;
                    to = i;
                    from = k;
                }
            }
        if (to >= 0)
            merge(w, to, from);
    } while (to >= 0);
}

int packer_end_lang(struct packer *p, int lang, struct err *err)
{
    if (lang < p->n_lang)
        merge_rows(&p->window[lang]);
    while (lang < p->n_lang && p->window[lang].n)
        if (close_row(p, lang, 0, err))
            return -1;
    return 0;
}

int packer_end(struct packer *p, struct err *err)
{
    int lang;

    for (lang = 0; lang < p->n_lang; lang++)
        if (packer_end_lang(p, lang, err))
            return -1;
    return 0;
}

void packer_free(struct packer *p)
{
    int lang, i;

    if (!p)
        return;
    for (lang = 0; lang < p->n_lang; lang++) {
        for (i = 0; i < p->window[lang].n_made; i++)
            pack_release(&p->window[lang].open[i]);
        free(p->window[lang].open);
    }
    free(p->window);
    free(p);
}
