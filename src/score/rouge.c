/* rouge.c - ROUGE-1, -2, -L and -Lsum: F, as the rouge-score package has it, the best over
 * references; see measure.h.
 *
 * Lsum: for each sentence of the reference the union of its longest common subsequences with all
 * sentences said; a word is a hit at most as often as either text has it. Which of several
 * longest subsequences is taken decides the score, so the walk back is that of the package.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "score/lexicon.h"
#include "score/measure.h"
#include "score/trials.h"

#define LCS_STEPS_MAX ((size_t)1 << 32)
#define LCS_CELLS_MAX ((size_t)1 << 26)

static double f(double common, double said, double want)
{
    return common > 0 ? 2 * common / (said + want) : 0;
}

static double best(const double *a, double b)
{
    return *a < b ? b : *a;
}

static int row_ngrams(struct measure_how *how, const struct trial *p, size_t order, double *row)
{
    struct words *w = how->words;
    struct grams *g = how->gram;
    size_t i;

    *row = 0;
    lexicon_reset(how->word);
    words_cut(&w[0], how->rouge, p->prediction, how->word);
    grams_count(&g[0], w[0].id, w[0].n, order);
    for (i = 0; i < p->n_ref; i++) {
        words_cut(&w[1], how->rouge, p->ref[i], how->word);
        grams_count(&g[1], w[1].id, w[1].n, order);
        *row = best(row, f((double)grams_common(&g[0], &g[1]), (double)grams_total(&g[0]),
                           (double)grams_total(&g[1])));
    }
    return 0;
}

static int row_1(struct measure_how *how, const struct trial *p, double *row, struct err *err)
{
    (void)err;
    return row_ngrams(how, p, 1, row);
}

static int row_2(struct measure_how *how, const struct trial *p, double *row, struct err *err)
{
    (void)err;
    return row_ngrams(how, p, 2, row);
}

/* The length of the longest common subsequence. */
static size_t lcs(const struct words *a, const struct words *b)
{
    uint32_t *len = xcalloc(b->n + 1, sizeof(*len));
    size_t i, j, n;

    for (i = 0; i < a->n; i++) {
        uint32_t corner = 0, up;    // of the row before

        for (j = 1; j <= b->n; j++, corner = up) {
            up = len[j];
            if (a->id[i] == b->id[j - 1])
                len[j] = corner + 1;
            else if (len[j] < len[j - 1])
                len[j] = len[j - 1];
        }
    }
    n = len[b->n];
    free(len);
    return n;
}

static int row_l(struct measure_how *how, const struct trial *p, double *row, struct err *err)
{
    struct words *w = how->words;
    size_t i;

    *row = 0;
    lexicon_reset(how->word);
    words_cut(&w[0], how->rouge, p->prediction, how->word);
    for (i = 0; i < p->n_ref; i++) {
        words_cut(&w[1], how->rouge, p->ref[i], how->word);
        if (w[0].n && w[1].n > LCS_STEPS_MAX / w[0].n)
            return err_set(err, "%zu and %zu words are too many for rougeL", w[0].n, w[1].n);
        *row = best(row, f((double)lcs(&w[0], &w[1]), (double)w[0].n, (double)w[1].n));
    }
    return 0;
}

/* --- Lsum --- */

struct sentences {
    struct words *list;
    size_t n, n_word;
};

static void sentences_release(struct sentences *s)
{
    size_t i;

    for (i = 0; i < s->n; i++)
        words_release(&s->list[i]);
    free(s->list);
    *s = (struct sentences){ 0 };
}

/* Cut at line ends and, as T5 does, behind " . ". */
static struct sentences sentences_of(struct measure_how *how, struct bytes s)
{
    struct sentences to = { 0 };
    size_t i, from = 0;

    to.list = xcalloc(s.n + 1, sizeof(*to.list));
    for (i = 0; i <= s.n; i++) {
        int stop = i + 3 <= s.n && !memcmp(s.p + i, " . ", 3);

        if (i < s.n && s.p[i] != '\n' && !stop)
            continue;
        if (stop)
            i += 2;    // the second space is the line end
        if (i > from) {
            words_cut(&to.list[to.n], how->rouge, (struct bytes){ s.p + from, i - from },
                      how->word);
            to.n_word += to.list[to.n++].n;
        }
        from = i + 1;
    }
    return to;
}

/* Mark the words of a that are in its longest common subsequence with b. */
static int lcs_mark(const struct words *a, const struct words *b, unsigned char *mark,
                    struct err *err)
{
    size_t width = b->n + 1, i, j;
    uint32_t *t;

    if (a->n + 1 > LCS_CELLS_MAX / width)
        return err_set(err, "%zu and %zu words are too many for rougeLsum", a->n, b->n);
    t = xcalloc((a->n + 1) * width, sizeof(*t));
    for (i = 1; i <= a->n; i++)
        for (j = 1; j <= b->n; j++) {
            uint32_t up = t[(i - 1) * width + j], left = t[i * width + j - 1];

            if (a->id[i - 1] == b->id[j - 1])
                t[i * width + j] = t[(i - 1) * width + j - 1] + 1;
            else
                t[i * width + j] = up > left ? up : left;
        }
    for (i = a->n, j = b->n; i && j;)
        if (a->id[i - 1] == b->id[j - 1]) {
            mark[--i] = 1;
            j--;
        } else if (t[i * width + j - 1] > t[(i - 1) * width + j]) {
            j--;
        } else {
            i--;
        }
    free(t);
    return 0;
}

static void words_count(const struct sentences *s, uint32_t *times)
{
    size_t i, k;

    for (i = 0; i < s->n; i++)
        for (k = 0; k < s->list[i].n; k++)
            times[s->list[i].id[k]]++;
}

/* How many words of the reference are hit; -1: too long. */
static int64_t hits(const struct sentences *want, const struct sentences *said, size_t n_word,
                    struct err *err)
{
    uint32_t *left = xcalloc(n_word + 1, 2 * sizeof(*left)), *right = left + n_word + 1;
    unsigned char *mark = xcalloc(want->n_word + 1, 1);
    int64_t n = 0;
    size_t i, k;

    words_count(want, left);
    words_count(said, right);
    for (i = 0; i < want->n && n >= 0; i++) {
        const struct words *w = &want->list[i];

        memset(mark, 0, w->n);
        for (k = 0; k < said->n && n >= 0; k++)
            if (lcs_mark(w, &said->list[k], mark, err) < 0)
                n = -1;
        for (k = 0; k < w->n && n >= 0; k++)
            if (mark[k] && left[w->id[k]] && right[w->id[k]]) {
                left[w->id[k]]--;
                right[w->id[k]]--;
                n++;
            }
    }
    free(left);
    free(mark);
    return n;
}

static int row_lsum(struct measure_how *how, const struct trial *p, double *row, struct err *err)
{
    struct sentences said, want;
    int64_t n = 0;
    size_t i;

    *row = 0;
    lexicon_reset(how->word);
    said = sentences_of(how, p->prediction);
    for (i = 0; i < p->n_ref && n >= 0; i++) {
        want = sentences_of(how, p->ref[i]);
        n = hits(&want, &said, lexicon_size(how->word), err);
        *row = best(row, f((double)n, (double)said.n_word, (double)want.n_word));
        sentences_release(&want);
    }
    sentences_release(&said);
    return n < 0 ? -1 : 0;
}

const struct measure measure_rouge[] = {
    { "rouge1", "ROUGE-1, F", 1, MEASURE_EACH, row_1, measure_mean },
    { "rouge2", "ROUGE-2, F", 1, MEASURE_EACH, row_2, measure_mean },
    { "rougeL", "ROUGE-L, F", 1, MEASURE_EACH, row_l, measure_mean },
    { "rougeLsum", "ROUGE-L of summaries, F", 1, MEASURE_EACH, row_lsum, measure_mean },
    { 0 },
};
