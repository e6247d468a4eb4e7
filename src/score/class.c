/* class.c - labels: accuracy, F1, Matthews; see measure.h.
 *
 * A label is the whole text. A prediction that is none of the classes (those that were given, or
 * else those that any reference is) counts as class -1, as in T5. Rows are (reference, prediction)
 * as numbers of how->label.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "score/lexicon.h"
#include "score/measure.h"
#include "score/trials.h"
#include "text/unicode.h"

static int same(struct bytes a, struct bytes b)
{
    return a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n));
}

static int row_exact(struct measure_how *how, const struct trial *p, double *row, struct err *err)
{
    size_t i;

    (void)how;
    (void)err;
    *row = 0;
    for (i = 0; i < p->n_ref; i++)
        if (same(p->ref[i], p->prediction))
            *row = 1;
    return 0;
}

static uint32_t label_number(struct measure_how *how, struct bytes s)
{
    uint32_t i = lexicon_add(how->label, s);

    while (how->is_label.n <= i)
        buf_add_byte(&how->is_label, 0);
    return i;
}

static int row_label(struct measure_how *how, const struct trial *p, double *row, struct err *err)
{
    uint32_t want = label_number(how, p->ref[0]);

    if (how->n_fixed && want >= how->n_fixed)
        return err_set(err, "reference '%.*s' is none of the labels",
                       (int)(p->ref[0].n < 80 ? p->ref[0].n : 80),
                       p->ref[0].n ? (const char *)p->ref[0].p : "");
    how->is_label.p[want] = 1;
    row[0] = want;
    row[1] = label_number(how, p->prediction);
    return 0;
}

static int row_binary(struct measure_how *how, const struct trial *p, double *row, struct err *err)
{
    if (how->n_fixed != 2)
        return err_set(err, "f1-binary needs two labels, the positive one last");
    return row_label(how, p, row, err);
}

static double f1(double right, double predicted, double wanted)
{
    return predicted + wanted > 0 ? 200 * right / (predicted + wanted) : 0;
}

static double value_binary(const struct measure_how *how, const double *row, const size_t *pick,
                           size_t n)
{
    double right = 0, predicted = 0, wanted = 0;
    size_t k;

    for (k = 0; k < n; k++) {
        int want = row[2 * pick[k]] == 1;
        int got = row[2 * pick[k] + 1] < (double)how->n_fixed ? row[2 * pick[k] + 1] == 1 : !want;

        right += want && got;
        predicted += got;
        wanted += want;
    }
    return f1(right, predicted, wanted);
}

struct counts {    // by class; the one behind the last is -1
    double *right, *predicted, *wanted;
    size_t n;
};

static void count(struct counts *c, const struct measure_how *how, const double *row,
                  const size_t *pick, size_t n)
{
    size_t k;

    c->n = how->is_label.n + 1;
    c->right = xcalloc(3 * c->n, sizeof(double));
    c->predicted = c->right + c->n;
    c->wanted = c->predicted + c->n;
    for (k = 0; k < n; k++) {
        size_t want = (size_t)row[2 * pick[k]], got = (size_t)row[2 * pick[k] + 1];

        if (!how->is_label.p[got])
            got = c->n - 1;
        c->wanted[want]++;
        c->predicted[got]++;
        c->right[want] += want == got;
    }
}

static double value_mean_f1(const struct measure_how *how, const double *row, const size_t *pick,
                            size_t n)
{
    struct counts c;
    double sum = 0;
    size_t i, n_class = 0;

    count(&c, how, row, pick, n);
    for (i = 0; i < how->is_label.n; i++)
        if (how->is_label.p[i]) {
            sum += f1(c.right[i], c.predicted[i], c.wanted[i]);
            n_class++;
        }
    free(c.right);
    return sum / (double)n_class;
}

/* Gorodkin's R_K, for two classes Matthews' coefficient. */
static double value_mcc(const struct measure_how *how, const double *row, const size_t *pick,
                        size_t n)
{
    double s = (double)n, right = 0, both = 0, predicted = s * s, wanted = s * s;
    struct counts c;
    size_t i;

    count(&c, how, row, pick, n);
    for (i = 0; i < c.n; i++) {
        right += c.right[i];
        both += c.predicted[i] * c.wanted[i];
        predicted -= c.predicted[i] * c.predicted[i];
        wanted -= c.wanted[i] * c.wanted[i];
    }
    free(c.right);
    return predicted * wanted > 0 ? 100 * (right * s - both) / sqrt(predicted * wanted) : 0;
}

/* --- Winograd schemas: the words of one within those of the other --- */

static const char determiners[] = " a an few her his each every many much my our some that the "
                                  "their these this those which whose your ";

static int is_determiner(struct bytes w)
{
    const char *p;

    for (p = determiners; p[1]; p = strchr(p + 1, ' '))
        if (!strncmp(p + 1, (const char *)w.p, w.n) && p[1 + w.n] == ' ')
            return 1;
    return 0;
}

static void referent_words(struct measure_how *how, struct bytes s, struct words *w)
{
    struct buf kept = { 0 }, low = { 0 };
    struct bytes rest, word;

    unicode_lower(&low, s);
    rest = buf_bytes(&low);
    while (unicode_word(&rest, &word))
        if (!is_determiner(word)) {
            buf_add(&kept, word.p, word.n);
            buf_add_byte(&kept, ' ');
        }
    words_cut(w, WORDS_SPACE, buf_bytes(&kept), how->word);
    buf_release(&low);
    buf_release(&kept);
}

static int within(const struct words *a, const struct words *b)
{
    size_t i, j;

    for (i = 0; i < a->n; i++) {
        for (j = 0; j < b->n && a->id[i] != b->id[j]; j++)
            ;
        if (j == b->n)
            return 0;
    }
    return 1;
}

static int has_apostrophe(struct bytes s)
{
    return s.n && memchr(s.p, '\'', s.n);
}

static int label_truth(struct bytes s, struct err *err)
{
    if (!s.n || same(s, (struct bytes){ (const unsigned char *)"1", 1 }) ||
        same(s, (struct bytes){ (const unsigned char *)"True", 4 }))
        return 1;
    if (same(s, (struct bytes){ (const unsigned char *)"0", 1 }) ||
        same(s, (struct bytes){ (const unsigned char *)"False", 5 }))
        return 0;
    return err_set(err, "label is none of 0, 1, False, True");
}

static int row_wsc(struct measure_how *how, const struct trial *p, double *row, struct err *err)
{
    struct words *said = &how->words[0], *referent = &how->words[1];
    int truth = label_truth(p->label, err), match;

    if (truth < 0)
        return -1;
    lexicon_reset(how->word);
    referent_words(how, p->prediction, said);
    referent_words(how, p->ref[0], referent);
    match = has_apostrophe(p->prediction) == has_apostrophe(p->ref[0]) &&
            (within(said, referent) || within(referent, said));
    *row = said->n && match == truth;
    return 0;
}

const struct measure measure_class[] = {
    { "accuracy", "equal to a reference", 1, MEASURE_EACH, row_exact, measure_mean },
    { "group-accuracy", "groups that are all right", 1, MEASURE_ALL, row_exact, measure_mean },
    { "f1-binary", "F1 of the second label", 2, MEASURE_EACH, row_binary, value_binary },
    { "f1-mean", "unweighted mean of the classes' F1", 2, MEASURE_EACH, row_label, value_mean_f1 },
    { "mcc", "Matthews, with more classes R_K", 2, MEASURE_EACH, row_label, value_mcc },
    { "wsc", "referent found, but for determiners", 1, MEASURE_EACH, row_wsc, measure_mean },
    { 0 },
};
