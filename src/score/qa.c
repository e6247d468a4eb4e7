/* qa.c - answers to questions: exact match and F1 of words, the best over references; see
 * measure.h. */
#include <string.h>

#include "score/lexicon.h"
#include "score/measure.h"
#include "score/trials.h"

static int row_em(struct measure_how *how, const struct trial *p, double *row, struct err *err)
{
    struct buf *said = &how->text[0], *want = &how->text[1];
    size_t i;

    (void)err;
    *row = 0;
    answer_normal(how->norm, p->lang, p->prediction, said);
    for (i = 0; i < p->n_ref; i++) {
        answer_normal(how->norm, p->lang, p->ref[i], want);
        if (said->n == want->n && (!said->n || !memcmp(said->p, want->p, said->n)))
            *row = 1;
    }
    return 0;
}

/* The words of the normal form of s, counted. */
static size_t bag(struct measure_how *how, const struct trial *p, struct bytes s, struct grams *g)
{
    answer_normal(how->norm, p->lang, s, &how->text[0]);
    words_cut(&how->words[0], WORDS_SPACE, buf_bytes(&how->text[0]), how->word);
    grams_count(g, how->words[0].id, how->words[0].n, 1);
    return how->words[0].n;
}

static int row_f1(struct measure_how *how, const struct trial *p, double *row, struct err *err)
{
    size_t i, n_said, n_want;
    double common, f1;

    (void)err;
    *row = 0;
    lexicon_reset(how->word);
    n_said = bag(how, p, p->prediction, &how->gram[0]);
    for (i = 0; i < p->n_ref; i++) {
        n_want = bag(how, p, p->ref[i], &how->gram[1]);
        common = (double)grams_common(&how->gram[0], &how->gram[1]);
        f1 = common > 0 ? 2 * common / (double)(n_said + n_want) : 0;
        if (*row < f1)
            *row = f1;
    }
    return 0;
}

const struct measure measure_answer[] = {
    { "em", "normalised answers that are equal", 1, MEASURE_EACH, row_em, measure_mean },
    { "f1", "F1 of the answers' words", 1, MEASURE_EACH, row_f1, measure_mean },
    { "group-em", "em, once for a group", 1, MEASURE_BEST, row_em, measure_mean },
    { "group-f1", "f1, once for a group", 1, MEASURE_BEST, row_f1, measure_mean },
    { 0 },
};
