/* bleu.c - BLEU, chrF and chrF++ of a corpus, as sacreBLEU 2 computes them; see measure.h.
 *
 * BLEU's rows are (words said, words of the nearest reference, right n-grams [4], n-grams said
 * [4]), chrF's, for each order, (n-grams said, n-grams of the reference, common).
 */
#include <math.h>

#include "score/lexicon.h"
#include "score/measure.h"
#include "score/trials.h"

enum { BLEU_ORDER = 4, BLEU_WIDTH = 2 + 2 * BLEU_ORDER, CHRF_CHARS = 6, CHRF_WORDS = 2 };

static double distance(double a, double b)
{
    return a < b ? b - a : a - b;
}

static int row_bleu(struct measure_how *how, const struct trial *p, double *row, struct err *err)
{
    struct words *said = &how->words[0], *want = &how->words[1];
    struct grams *g = how->gram;
    size_t i, k;

    (void)err;
    lexicon_reset(how->word);
    words_cut(said, how->bleu, p->prediction, how->word);
    row[0] = (double)said->n;
    row[1] = -1;
    for (k = 0; k < BLEU_ORDER; k++) {
        g[1].n = 0;
        for (i = 0; i < p->n_ref; i++) {
            words_cut(want, how->bleu, p->ref[i], how->word);
            if (row[1] < 0 || distance(row[0], (double)want->n) < distance(row[0], row[1]) ||
                (distance(row[0], (double)want->n) == distance(row[0], row[1]) &&
                 (double)want->n < row[1]))
                row[1] = (double)want->n;
            grams_count(&g[2], want->id, want->n, k + 1);
            grams_max(&g[1], &g[2]);
        }
        grams_count(&g[0], said->id, said->n, k + 1);
        row[2 + k] = (double)grams_common(&g[0], &g[1]);
        row[2 + BLEU_ORDER + k] = (double)grams_total(&g[0]);
    }
    return 0;
}

static double value_bleu(const struct measure_how *how, const double *row, const size_t *pick,
                         size_t n)
{
    double sum[BLEU_WIDTH], logs = 0, smooth = 1, any = 0, brevity = 1;
    size_t k;

    (void)how;
    for (k = 0; k < BLEU_WIDTH; k++)
        sum[k] = measure_sum(row, BLEU_WIDTH, pick, n, k);
    for (k = 0; k < BLEU_ORDER; k++)
        any += sum[2 + k];
    if (any == 0)
        return 0;
    for (k = 0; k < BLEU_ORDER; k++) {
        double right = sum[2 + k], said = sum[2 + BLEU_ORDER + k];

        if (said == 0)
            return 0;    // no n-gram of that order was said at all
        if (right == 0)
            right = 1 / (smooth *= 2);
        logs += log(right / said);
    }
    if (sum[0] < sum[1])
        brevity = exp(1 - sum[1] / sum[0]);
    return 100 * brevity * exp(logs / BLEU_ORDER);
}

static double chrf(const double *stat, size_t order)
{
    double precision = 0, recall = 0, n = 0;
    size_t k;

    for (k = 0; k < order; k++, stat += 3)
        if (stat[0] > 0 && stat[1] > 0) {
            precision += stat[2] / stat[0];
            recall += stat[2] / stat[1];
            n++;
        }
    if (precision + recall == 0)
        return 0;
    precision /= n;
    recall /= n;
    return 100 * 5 * precision * recall / (4 * precision + recall);    // beta is 2
}

static void compare(struct measure_how *how, size_t order, double *stat)
{
    struct grams *g = how->gram;

    grams_count(&g[0], how->words[0].id, how->words[0].n, order);
    grams_count(&g[1], how->words[1].id, how->words[1].n, order);
    stat[1] = (double)grams_total(&g[1]);
    stat[0] = g[1].n ? (double)grams_total(&g[0]) : 0;
    stat[2] = (double)grams_common(&g[0], &g[1]);
}

/* The counts against the reference that is best for this example. */
static int row_ngrams(struct measure_how *how, const struct trial *p, size_t n_words, double *row)
{
    double stat[3 * (CHRF_CHARS + CHRF_WORDS)], best = -1;
    size_t order = CHRF_CHARS + n_words, i, k;

    for (i = 0; i < p->n_ref; i++) {
        words_chars(&how->words[0], p->prediction);
        words_chars(&how->words[1], p->ref[i]);
        for (k = 0; k < CHRF_CHARS; k++)
            compare(how, k + 1, stat + 3 * k);
        if (n_words) {
            lexicon_reset(how->word);
            words_cut(&how->words[0], WORDS_CHRF, p->prediction, how->word);
            words_cut(&how->words[1], WORDS_CHRF, p->ref[i], how->word);
        }
        for (k = 0; k < n_words; k++)
            compare(how, k + 1, stat + 3 * (CHRF_CHARS + k));
        if (chrf(stat, order) > best) {
            best = chrf(stat, order);
            for (k = 0; k < 3 * order; k++)
                row[k] = stat[k];
        }
    }
    return 0;
}

static int row_chrf(struct measure_how *how, const struct trial *p, double *row, struct err *err)
{
    (void)err;
    return row_ngrams(how, p, 0, row);
}

static int row_chrf_words(struct measure_how *how, const struct trial *p, double *row,
                          struct err *err)
{
    (void)err;
    return row_ngrams(how, p, CHRF_WORDS, row);
}

static double value_ngrams(const double *row, const size_t *pick, size_t n, size_t order)
{
    double sum[3 * (CHRF_CHARS + CHRF_WORDS)];
    size_t k;

    for (k = 0; k < 3 * order; k++)
        sum[k] = measure_sum(row, 3 * order, pick, n, k);
    return chrf(sum, order);
}

static double value_chrf(const struct measure_how *how, const double *row, const size_t *pick,
                         size_t n)
{
    (void)how;
    return value_ngrams(row, pick, n, CHRF_CHARS);
}

static double value_chrf_words(const struct measure_how *how, const double *row, const size_t *pick,
                               size_t n)
{
    (void)how;
    return value_ngrams(row, pick, n, CHRF_CHARS + CHRF_WORDS);
}

const struct measure measure_bleu[] = {
    { "bleu", "BLEU of the corpus", BLEU_WIDTH, MEASURE_EACH, row_bleu, value_bleu },
    { "chrf", "chrF2 of the corpus", 3 * CHRF_CHARS, MEASURE_EACH, row_chrf, value_chrf },
    { "chrf++", "chrF2++ of the corpus", 3 * (CHRF_CHARS + CHRF_WORDS), MEASURE_EACH,
      row_chrf_words, value_chrf_words },
    { 0 },
};
