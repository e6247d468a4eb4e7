/* span.c - spans written out, "TYPE: text $$ TYPE: text": micro F1 over all; see measure.h.
 *
 * As in mT5: a part that has not exactly one colon is passed over, pairs count as often as they
 * stand there. Rows are (right, said, wanted).
 */
#include <string.h>

#include "score/lexicon.h"
#include "score/measure.h"
#include "score/trials.h"
#include "text/unicode.h"

static const char parting[] = " $$ ";

/* A pair as one word: the type, a colon (neither has one), the text. */
static void span_add(struct measure_how *how, struct bytes s, struct words *w)
{
    struct buf *b = &how->text[0];
    const unsigned char *colon = s.n ? memchr(s.p, ':', s.n) : NULL;
    struct bytes type, text;

    if (!colon || memchr(colon + 1, ':', s.n - (size_t)(colon + 1 - s.p)))
        return;
    type = unicode_strip((struct bytes){ s.p, (size_t)(colon - s.p) });
    text = unicode_strip((struct bytes){ colon + 1, s.n - (size_t)(colon + 1 - s.p) });
    buf_reset(b);
    buf_add(b, type.p, type.n);
    buf_add_byte(b, ':');
    buf_add(b, text.p, text.n);
    words_add(w, lexicon_add(how->word, buf_bytes(b)));
}

static void spans_of(struct measure_how *how, struct bytes s, struct words *w)
{
    size_t n = sizeof(parting) - 1, i = 0;

    w->n = 0;
    while (i + n <= s.n)
        if (!memcmp(s.p + i, parting, n)) {
            span_add(how, (struct bytes){ s.p, i }, w);
            s = (struct bytes){ s.p + i + n, s.n - i - n };
            i = 0;
        } else {
            i++;
        }
    span_add(how, s, w);
}

static double f1(const double *row)
{
    return row[0] > 0 ? 200 * row[0] / (row[1] + row[2]) : 0;
}

static int row_spans(struct measure_how *how, const struct trial *p, double *row, struct err *err)
{
    struct words *w = how->words;
    struct grams *g = how->gram;
    size_t i;

    (void)err;
    lexicon_reset(how->word);
    spans_of(how, p->prediction, &w[0]);
    grams_count(&g[0], w[0].id, w[0].n, 1);
    for (i = 0; i < p->n_ref; i++) {
        double try[3];

        spans_of(how, p->ref[i], &w[1]);
        grams_count(&g[1], w[1].id, w[1].n, 1);
        try[0] = (double)grams_common(&g[0], &g[1]);
        try[1] = (double)w[0].n;
        try[2] = (double)w[1].n;
        if (!i || f1(try) > f1(row))
            memcpy(row, try, sizeof(try));
    }
    return 0;
}

static double value_spans(const struct measure_how *how, const double *row, const size_t *pick,
                          size_t n)
{
    double sum[3];
    size_t k;

    (void)how;
    for (k = 0; k < 3; k++)
        sum[k] = measure_sum(row, 3, pick, n, k);
    return f1(sum);
}

const struct measure measure_span[] = {
    { "span-f1", "F1 of \"TYPE: text $$ ...\"", 3, MEASURE_EACH, row_spans, value_spans },
    { 0 },
};
