/* window.c - see window.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>

#include "base/rng.h"
#include "learn/window.h"
#include "text/utf8.h"

enum {
    BARE_END = 0x2000,    // Latin, Greek and Cyrillic letters with accents lie below
    FOREIGN_MAX = 40,     // characters of another text
};

struct windows {
    const struct corpus *c;
    struct window_rule rule;
    size_t *text;     // numbers of the texts, those of a label together
    size_t *begin;    // [n_label + 1]: where those of a label begin
    double *up_to;    // [n_label]: sum of the shares of the labels so far
    int donor;        // the label that most foreign words are of: en; -1: none
    uint64_t key;
    uint16_t bare[BARE_END];    // letters without their accents
};

/* c without accents, where it is a letter of ours with some. */
static uint16_t bare_of(const UNormalizer2 *nfd, uint32_t c)
{
    UErrorCode code = U_ZERO_ERROR;
    UChar out[8];
    int32_t n = unorm2_getDecomposition(nfd, (UChar32)c, out, 8, &code);

    if (U_FAILURE(code) || n < 2 || out[0] < 'A' || out[0] >= 0x530 || !u_isalpha(out[0]))
        return (uint16_t)c;
    if (out[0] == 0x438 || out[0] == 0x418)    // й is no и with an accent to anybody
        return (uint16_t)c;
    return out[0];
}

static void bare_fill(struct windows *w)
{
    UErrorCode code = U_ZERO_ERROR;
    const UNormalizer2 *nfd = unorm2_getNFDInstance(&code);
    uint32_t c;

    for (c = 0; c < BARE_END; c++)
        w->bare[c] = U_SUCCESS(code) && c >= 0xC0 ? bare_of(nfd, c) : (uint16_t)c;
}

struct windows *windows_new(const struct corpus *c, const struct window_rule *rule, int held_out)
{
    struct windows *w = xcalloc(1, sizeof(*w));
    double sum = 0;
    size_t i, n = 0;
    int l = 0;

    w->c = c;
    w->rule = *rule;
    w->key = rng_key(rule->seed, held_out ? "held-out window" : "window");
    w->donor = -1;
    w->text = xreallocarray(NULL, c->n + 1, sizeof(*w->text));
    w->begin = xcalloc((size_t)c->n_label + 1, sizeof(*w->begin));
    w->up_to = xcalloc((size_t)c->n_label + 1, sizeof(*w->up_to));
    for (i = 0, l = 0; l < c->n_label; l++) {    // texts are sorted by label
        w->begin[l] = n;
        for (; i < c->n && c->text[i].label == l; i++)
            if (c->text[i].held_out == held_out)
                w->text[n++] = i;
        if (n > w->begin[l]) {
            sum +=
                (rule->weight ? rule->weight[l] : 1) * pow((double)(n - w->begin[l]), rule->power);
            if (!strcmp(c->label[l], "en"))
                w->donor = l;
        }
        w->up_to[l] = sum;
    }
    w->begin[c->n_label] = n;
    bare_fill(w);
    if (n)
        return w;
    windows_free(w);
    return NULL;
}

void windows_free(struct windows *w)
{
    if (!w)
        return;
    free(w->text);
    free(w->begin);
    free(w->up_to);
    free(w);
}

/* A number in [0, 1). */
static double draw(struct rng *r)
{
    return (double)(rng_next(r) >> 11) * 0x1p-53;
}

static int draw_label(const struct windows *w, struct rng *r)
{
    int l = 0, n = w->c->n_label;
    double x = draw(r) * w->up_to[n - 1];

    while (l < n - 1 && w->up_to[l] <= x)
        l++;
    while (w->begin[l] == w->begin[l + 1])    // rounding must not end on a label without texts
        l--;
    return l;
}

static struct bytes draw_text(const struct windows *w, struct rng *r, int label)
{
    size_t n = w->begin[label + 1] - w->begin[label];

    return w->c->text[w->text[w->begin[label] + (size_t)rng_below(r, n)]].text;
}

/* n characters of s, from a word's beginning where words are parted. */
static struct bytes draw_part(struct rng *r, struct bytes s, size_t n)
{
    size_t all = utf8_count(s), skip, from = 0, to;

    if (n >= all)
        return s;
    skip = (size_t)rng_below(r, all - n + 1);
    for (; skip; skip--)
        from += (size_t)(s.p[from] < 0x80 ? 1 : s.p[from] < 0xE0 ? 2 : s.p[from] < 0xF0 ? 3 : 4);
    for (to = from; to < s.n && to < from + 60; to++)
        if (from && s.p[to] == ' ') {
            from = to + 1;
            break;
        }
    for (to = from; n && to < s.n; n--)
        to += (size_t)(s.p[to] < 0x80 ? 1 : s.p[to] < 0xE0 ? 2 : s.p[to] < 0xF0 ? 3 : 4);
    return (struct bytes){ s.p + from, to - from };
}

static void add_bare(const struct windows *w, struct buf *to, struct bytes s)
{
    size_t at = 0;

    while (at < s.n) {
        unsigned char u[4];
        int len;
        uint32_t c = utf8_get(s.p + at, s.n - at, &len);

        if (c == 0x2BB || c == 0x2BC || c == 0x2018 || c == 0x2019)
            ;    // the letter that Hawaiian or Uzbek has for a glottal stop, or a quote for it
        else if (c < BARE_END)
            buf_add(to, u, (size_t)utf8_put(u, w->bare[c]));
        else
            buf_add(to, s.p + at, (size_t)len);
        at += (size_t)len;
    }
}

/* Some words that are not the label's: of English mostly, as on the web. */
static struct bytes draw_foreign(const struct windows *w, struct rng *r, size_t room)
{
    int label = w->donor >= 0 && draw(r) < 0.6 ? w->donor : draw_label(w, r);
    size_t n = 4 + (size_t)rng_below(r, FOREIGN_MAX - 3);

    return draw_part(r, draw_text(w, r, label), n < room ? n : room);
}

int windows_get(const struct windows *w, uint64_t i, struct buf *piece)
{
    struct rng r = rng_at(w->key, i);
    int label = draw_label(w, &r), bare;
    double ratio = (double)w->rule.max / w->rule.min;
    size_t n = (size_t)(w->rule.min * pow(ratio, draw(&r)) + 0.5);
    struct bytes part = draw_part(&r, draw_text(w, &r, label), n), other;
    size_t at = 0;

    buf_reset(piece);
    bare = draw(&r) < w->rule.bare;
    if (draw(&r) < w->rule.foreign && n / 5 >= 4 && strcmp(w->c->label[label], "zxx") != 0) {
        other = draw_foreign(w, &r, n / 5);
        if (draw(&r) < 0.4)    // inside; else in front
            while (at < part.n / 2 || (at < part.n && part.p[at] != ' '))
                at++;
        buf_add(piece, part.p, at);
        buf_add_byte(piece, ' ');
        buf_add(piece, other.p, other.n);
        buf_add_byte(piece, ' ');
    }
    if (bare)
        add_bare(w, piece, (struct bytes){ part.p + at, part.n - at });
    else
        buf_add(piece, part.p + at, part.n - at);
    return label;
}
