/* bpe.c - byte-pair encoding: of all neighbours that are a piece together, those of the highest
 * score are merged, the leftmost of equals first, until there are none.
 *
 * Pairs wait in a heap. A pair whose sides have changed since is recognised by its size: what is
 * at a place only grows. Char and word models, which merge nothing, are at the end.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "spm/encoder.h"

enum { NOWHERE = -1, SPLIT_DEPTH = 100 };

struct symbol {
    uint32_t at, n;    // bytes of the text; 0 when merged away
    int32_t prev, next;
    int frozen;    // a user-defined piece: never merged
};

struct pair {
    float score;
    int32_t left, right;
    uint32_t n;    // bytes of both
};

struct bpe {
    struct symbol *symbol;
    struct pair *heap;
    uint32_t *split;    // by id: of an unused piece, the bytes of its left part
    size_t n_symbol, cap_symbol, n_heap, cap_heap;
};

void bpe_free(struct bpe *b)
{
    if (!b)
        return;
    free(b->symbol);
    free(b->heap);
    free(b->split);
    free(b);
}

static int goes_first(const struct pair *a, const struct pair *b)
{
    return a->score > b->score || (a->score == b->score && a->left < b->left);
}

static void heap_push(struct bpe *b, struct pair p)
{
    size_t i, up;

    if (b->n_heap == b->cap_heap) {
        b->cap_heap = b->cap_heap ? 2 * b->cap_heap : 256;
        b->heap = xreallocarray(b->heap, b->cap_heap, sizeof(*b->heap));
    }
    for (i = b->n_heap++; i; i = up) {
        up = (i - 1) / 2;
        if (!goes_first(&p, &b->heap[up]))
            break;
        b->heap[i] = b->heap[up];
    }
    b->heap[i] = p;
}

static struct pair heap_pop(struct bpe *b)
{
    struct pair top = b->heap[0], p = b->heap[--b->n_heap];
    size_t i = 0, child;

    for (; (child = 2 * i + 1) < b->n_heap; i = child) {
        child += child + 1 < b->n_heap && goes_first(&b->heap[child + 1], &b->heap[child]);
        if (!goes_first(&b->heap[child], &p))
            break;
        b->heap[i] = b->heap[child];
    }
    b->heap[i] = p;
    return top;
}

static void offer(const struct encoder *e, struct bpe *b, const unsigned char *t, int32_t left,
                  int32_t right)
{
    struct symbol *l, *r;
    struct pair p = { .left = left, .right = right };
    int32_t id;

    if (left == NOWHERE || right == NOWHERE)
        return;
    l = &b->symbol[left];
    r = &b->symbol[right];
    if (l->frozen || r->frozen || l->n + r->n >= PIECE_MAX)
        return;
    p.n = l->n + r->n;
    id = encoder_find(e, (struct bytes){ t + l->at, p.n });
    if (id < 0 || (e->vocab->piece[id].type != PIECE_NORMAL &&
                   e->vocab->piece[id].type != PIECE_USER_DEFINED &&
                   e->vocab->piece[id].type != PIECE_UNUSED))
        return;
    p.score = e->vocab->piece[id].score;
    heap_push(b, p);
    if (e->any_unused)
        b->split[id] = l->n;
}

/* Characters and user-defined pieces, each next to the other. */
static void cut(const struct encoder *e, struct bpe *b, const unsigned char *t, uint32_t n)
{
    uint32_t at;

    b->n_symbol = b->n_heap = 0;
    for (at = 0; at < n;) {
        int32_t i = (int32_t)b->n_symbol;
        size_t len = trie_longest(&e->trie, (struct bytes){ t + at, n - at });
        struct symbol s = { at, (uint32_t)len, i - 1, i + 1, len > 0 };

        if (!len)
            s.n = char_length(t[at], n - at);
        if (b->n_symbol == b->cap_symbol) {
            b->cap_symbol = b->cap_symbol ? 2 * b->cap_symbol : 256;
            b->symbol = xreallocarray(b->symbol, b->cap_symbol, sizeof(*b->symbol));
        }
        b->symbol[b->n_symbol++] = s;
        at += s.n;
    }
    b->symbol[b->n_symbol - 1].next = NOWHERE;
}

/* With dropout, a pair that comes up is passed over now and then, for good. */
static void merge(const struct encoder *e, struct bpe *b, const unsigned char *t, struct rng *draw)
{
    while (b->n_heap) {
        struct pair p = heap_pop(b);
        struct symbol *l = &b->symbol[p.left], *r = &b->symbol[p.right];

        if (!l->n || !r->n || l->n + r->n != p.n)
            continue;
        if (draw && draw_uniform(draw) < e->option.alpha)
            continue;
        l->n = p.n;
        l->next = r->next;
        if (r->next != NOWHERE)
            b->symbol[r->next].prev = p.left;
        r->n = 0;
        offer(e, b, t, l->prev, p.left);
        offer(e, b, t, p.left, l->next);
    }
}

/* An unused piece is taken apart into what was last offered to make it, anywhere in the text. */
static void put_symbol(const struct encoder *e, struct encoding *to, uint32_t at, uint32_t n,
                       int depth)
{
    const unsigned char *t = to->text.p;
    int32_t id = encoder_find(e, (struct bytes){ t + at, n });
    uint32_t left;

    if (id < 0 || e->vocab->piece[id].type != PIECE_UNUSED || depth == SPLIT_DEPTH ||
        n <= char_length(t[at], n)) {
        encoding_put(e, to, id, n);
        return;
    }
    left = to->work->bpe->split[id];
    assert(left > 0 && left < n);
    put_symbol(e, to, at, left, depth + 1);
    put_symbol(e, to, at + left, n - left, depth + 1);
}

void bpe_run(const struct encoder *e, struct encoding *to)
{
    if (to->text.n)
        bpe_part(e, to, 0, (uint32_t)to->text.n);
}

void bpe_part(const struct encoder *e, struct encoding *to, uint32_t at, uint32_t n)
{
    const unsigned char *t = to->text.p + at;
    struct bpe *b = to->work->bpe;
    int32_t i;
    size_t k;

    if (!b)
        b = to->work->bpe = xcalloc(1, sizeof(*b));
    if (e->any_unused && !b->split)
        b->split = xcalloc((size_t)e->vocab->n_piece, sizeof(*b->split));
    cut(e, b, t, n);
    for (k = 1; k < b->n_symbol; k++)
        offer(e, b, t, (int32_t)k - 1, (int32_t)k);
    merge(e, b, t, e->option.draw ? &to->work->draw : NULL);
    for (i = 0; i != NOWHERE; i = b->symbol[i].next)
        put_symbol(e, to, at + b->symbol[i].at, b->symbol[i].n, 0);
}

/* ---- char and word models: the text is cut before anything is looked up ---- */

static const unsigned char SPACE[] = { 0xE2, 0x96, 0x81 };

void char_run(const struct encoder *e, struct encoding *to)
{
    const unsigned char *t = to->text.p;
    size_t i, n = to->text.n, len;

    for (i = 0; i < n; i += len) {
        len = trie_longest(&e->trie, (struct bytes){ t + i, n - i });
        if (!len)
            len = char_length(t[i], n - i);
        encoding_put(e, to, encoder_find(e, (struct bytes){ t + i, len }), (uint32_t)len);
    }
}

/* Where the word that begins at i ends: before the next space. */
static size_t word_end(const unsigned char *t, size_t n, size_t i)
{
    do {
        i += char_length(t[i], n - i);
    } while (i < n && !(n - i >= sizeof(SPACE) && !memcmp(t + i, SPACE, sizeof(SPACE))));
    return i;
}

void word_run(const struct encoder *e, struct encoding *to)
{
    const unsigned char *t = to->text.p;
    size_t i, n = to->text.n, end;

    for (i = 0; i < n; i = end) {
        end = word_end(t, n, i);
        encoding_put(e, to, encoder_find(e, (struct bytes){ t + i, end - i }), (uint32_t)(end - i));
    }
}
