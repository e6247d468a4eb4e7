/* report.h - what is known of some models: their training curves, their loss by language. */
#ifndef EVAL_REPORT_H
#define EVAL_REPORT_H

#include <stddef.h>

#include "eval/curve.h"
#include "eval/marks.h"

struct err;

struct report_lang {
    char *tag;               // as in the evaluation: "fi", ..., never "all"
    double targets, loss;    // of the final evaluation; targets 0: none was made
    struct curve curve;      // loss over steps, from evaluations during training
};

struct report_model {
    size_t n_lost;    // steps of training whose loss is no finite number
    char *name;
    struct curve train;               // loss over steps
    struct curve drop, pace;          // share of tokens dropped, tokens a second; over steps
    struct curve score;               // of answers, what decided, over steps of fine-tuning
    struct curve all;                 // loss of all languages, from evaluations during training
    double steps, tokens, seconds;    // of training; 0 when unknown
    double targets, loss;             // final, all languages
    double dropped;                   // share of tokens dropped in the last tenth of training
    struct report_lang *lang;
    size_t n_lang;
};

struct report {
    struct report_model *model;
    size_t n_model;
    struct marks marks;
    int baseline;    // number of the model the others are compared with; -1: none
    int teacher;     // number, from 1, of the one whose gain others keep (share.h); 0: none
};

/* A training folder: metrics.tsv and, if there, eval.tsv and scores.tsv. A model named before is
 * added to. */
int report_add_run(struct report *r, const char *name, const char *dir, struct err *err);
/* A table of switch-eval ("-": standard input): columns lang, targets and loss are needed. name
 * may be NULL: then column "model" says it, or else the file's name. */
int report_add_eval(struct report *r, const char *name, const char *path, struct err *err);
/* A table of eval-score for the model called name. */
int report_add_marks(struct report *r, const char *name, const char *path, struct err *err);
/* By name; NULL: the last of two or more models. */
int report_set_baseline(struct report *r, const char *name, struct err *err);

/* A language of model m by its tag, or NULL. */
const struct report_lang *report_lang(const struct report_model *m, const char *tag);
/* All tags that some model has, sorted, each once; the caller frees the array only. */
const char **report_tags(const struct report *r, size_t *n);
/* Last step of the baseline over the first step at which m is as good on the language (tag
 * NULL: on all together); 0 when it never is, NAN when there are no curves to tell. */
double report_speed_up(const struct report *r, const struct report_model *m, const char *tag);
void report_release(struct report *r);

#endif
