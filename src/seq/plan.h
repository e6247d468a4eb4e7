/* plan.h - a mixture plan: which row of which language comes as number n, for ever. Its text
 * is switchyard-plan(5).
 *
 * Weights are whole numbers that sum to the period. In each period's rows a language comes
 * exactly weight times, in an order drawn anew; the rows of a language come each once an
 * epoch, in an order drawn anew for each epoch. All of it follows from the plan and n, so
 * that any row is found, and any run resumed, with one number.
 *
 * A plan may have stages: weights that hold from a period on. A language goes on where the stage
 * before left it.
 */
#ifndef SEQ_PLAN_H
#define SEQ_PLAN_H

#include <stdint.h>

struct err;
struct example_file;

enum { PLAN_PERIOD = 65536, PLAN_PERIOD_MAX = 1 << 30, PLAN_LANG_MAX = 4096, PLAN_STAGE_MAX = 16 };

struct plan_facts {    // of an example shard
    uint64_t rows, tokens;
    int64_t inputs, targets, vocab;
    char vocab_sha256[65];    // "" when the shard does not say
    char sha256[65];          // of the fingerprints of its segments
    char lang[80];
};

struct plan_lang {
    char *file;    // as this process would open it
    struct plan_facts is;
    double share;          // of all rows (or tokens)
    double probability;    // what it should be drawn with, in the first stage
    double weight;         // asked for, whatever it holds; 0: as the rule says
    uint64_t key;          // of the order of its rows
};

struct plan_draw {              // of a language in a stage
    uint64_t weight, before;    // of the period; sum of the weights before it
    uint64_t drawn;             // its rows in the stages before
};

struct plan_stage {
    uint64_t first, key;       // its first row; of the order of languages
    struct plan_draw *draw;    // [n_lang]
};

struct plan_rule {    // how weights come about
    double alpha;
    uint64_t cap;     // count no more of a language; 0: any number
    int by_tokens;    // what is counted
    double floor;     // least probability of a language with rows
    double epochs;    // most epochs of a language in `rows` rows; 0: any number
    uint64_t rows;
};

struct plan {
    struct plan_rule rule;    // of the first stage
    uint64_t seed, period;
    struct plan_lang *lang;    // in the order of tags
    int n_lang;
    struct plan_stage *stage;    // none before plan_weigh()
    int n_stage;
};

/* Read them off an example shard, of which lang is the first language; 0 or -1. */
int plan_facts_of(const struct example_file *f, const char *path, struct plan_facts *facts,
                  struct err *err);
/* The same by path, and an error when the shard holds more than one language. */
int plan_facts_read(const char *path, struct plan_facts *facts, struct err *err);

struct plan *plan_new(uint64_t seed);
/* One more language. -1 when it is there already or does not agree with the others. */
int plan_add(struct plan *p, const char *file, const struct plan_facts *facts, struct err *err);
/* Shares, probabilities proportional to min(n, cap) ^ alpha, n being rows or tokens, within floor
 * and epochs: what these take or leave goes to the others in proportion. Weights by largest
 * remainder, at least 1 for a language that has a row, so that one may be over its epochs by less
 * than a row in a period. -1 when floor or epochs cannot be kept. */
int plan_weigh(struct plan *p, const struct plan_rule *rule, uint64_t period, struct err *err);
/* A plan of the n plans p as stages, the first for rows[0] rows, ..., the last for ever: whole
 * periods. They must agree in seed, period and shards; a language need not be in all. NULL on
 * failure. */
struct plan *plan_join(struct plan *const *p, const uint64_t *rows, int n, struct err *err);
/* One more stage from row `first` on, a multiple of the period, to which weight[n_lang] sums. 0 or
 * -1. */
int plan_stage(struct plan *p, uint64_t first, const uint64_t *weight, struct err *err);
int plan_find(const struct plan *p, const char *lang);    // its number, -1 when there is none
int plan_draws(const struct plan *p, int lang);           // whether it has a weight in any stage

struct plan_place {
    int lang;
    uint64_t epoch, row;
};

struct plan_place plan_at(const struct plan *p, uint64_t n);    // of a weighed or read plan
/* How often each language comes in the first n rows. */
void plan_count(const struct plan *p, uint64_t n, uint64_t *count);

/* The text; file names in it are relative to its own folder, absolute ones stay. */
int plan_write(const struct plan *p, const char *path, struct err *err);
struct plan *plan_read(const char *path, struct err *err);
/* Hex SHA-256 of what decides on rows: seed, weights, shards; not of where they lie. */
void plan_fingerprint(const struct plan *p, char out[65]);
void plan_free(struct plan *p);

/* path, given from here, as seen from folder: both may be relative. NULL and err. Free it. */
char *plan_relative(const char *path, const char *folder, struct err *err);

#endif
