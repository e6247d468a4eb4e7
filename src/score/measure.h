/* measure.h - the metrics. Each turns an example into a row of numbers, and any set of rows into
 * a score: so that scores by language, of all, and of resamples are the same thing.
 */
#ifndef SCORE_MEASURE_H
#define SCORE_MEASURE_H

#include <stddef.h>

#include "score/answer.h"
#include "score/gram.h"
#include "score/words.h"

struct err;
struct lexicon;
struct trial;

enum { MEASURE_WIDTH = 24 };    // no measure has longer rows

enum measure_group { MEASURE_EACH, MEASURE_ALL, MEASURE_BEST };

/* What the measures are told, and what they work in. */
struct measure_how {
    enum answer_norm norm;
    enum words_cut bleu, rouge;
    struct lexicon *label;    // whatever a reference or a prediction of class.c was
    struct buf is_label;      // by number: whether it is one of the classes
    size_t n_fixed;           // the first labels were given, negative before positive; 0: none
    struct lexicon *word;
    struct buf text[2];
    struct words words[2];
    struct grams gram[3];
};

struct measure {
    const char *name, *about;
    size_t width;
    /* How the rows of one group become one: not at all, the least (all must be right), the
     * best. */
    enum measure_group group;
    /* Fill row[width]. -1 and err (without the place): the example is not what it needs. */
    int (*row)(struct measure_how *how, const struct trial *p, double *row, struct err *err);
    /* The score of rows pick[0..n), n > 0, times 100; NAN when it is not defined. */
    double (*value)(const struct measure_how *how, const double *row, const size_t *pick, size_t n);
};

struct measure_task {
    const char *name, *measures, *labels;    // parted by commas; labels NULL: none
    enum answer_norm norm;
};

/* By name; NULL: there is none. i counts them all up to NULL. */
const struct measure *measure_find(const char *name, size_t n);
const struct measure *measure_at(size_t i);
/* Names parted by commas into to[], which has room for most: how many, or -1 and err. */
int measure_parse(const char *names, const struct measure **to, int most, struct err *err);
const struct measure_task *measure_task(const char *name);
const struct measure_task *measure_task_at(size_t i);

void measure_how_init(struct measure_how *how);
/* Labels parted by commas. */
void measure_set_labels(struct measure_how *how, const char *labels);
void measure_how_release(struct measure_how *how);

/* Sum of column i of the picked rows of that width; for the measures' value functions. */
double measure_sum(const double *row, size_t width, const size_t *pick, size_t n, size_t i);
double measure_mean(const struct measure_how *how, const double *row, const size_t *pick,
                    size_t n);    // 100 * mean, width 1

extern const struct measure measure_class[], measure_answer[], measure_number[], measure_bleu[],
    measure_rouge[], measure_span[];    // each ends with a row without a name

#endif
