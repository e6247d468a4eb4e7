/* plan.h - a mixture plan: which row of which language comes as number n, for ever. Its text
 * is switchyard-plan(5).
 *
 * Weights are whole numbers that sum to the period. In each period's rows a language comes
 * exactly weight times, in an order drawn anew; the rows of a language come each once an
 * epoch, in an order drawn anew for each epoch. All of it follows from the plan and n, so
 * that any row is found, and any run resumed, with one number.
 */
#ifndef SEQ_PLAN_H
#define SEQ_PLAN_H

#include <stdint.h>

struct err;
struct example_file;

enum { PLAN_PERIOD = 65536, PLAN_PERIOD_MAX = 1 << 30, PLAN_LANG_MAX = 4096 };

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
    double share;               // of all rows (or tokens)
    double probability;         // what it should be drawn with
    uint64_t weight, before;    // of the period; sum of the weights before it
    uint64_t key;               // of the order of its rows
};

struct plan {
    double alpha;
    uint64_t cap, seed, period;    // cap 0: none
    int by_tokens;
    struct plan_lang *lang;    // in the order of tags
    int n_lang;
    uint64_t key;    // of the order of languages
};

/* Read them off an example shard, of which lang is the first language; 0 or -1. */
int plan_facts_of(const struct example_file *f, const char *path, struct plan_facts *facts,
                  struct err *err);
/* The same by path, and an error when the shard holds more than one language. */
int plan_facts_read(const char *path, struct plan_facts *facts, struct err *err);

struct plan *plan_new(uint64_t seed);
/* One more language. -1 when it is there already or does not agree with the others. */
int plan_add(struct plan *p, const char *file, const struct plan_facts *facts, struct err *err);
/* Shares, probabilities proportional to min(n, cap) ^ alpha, n being rows or tokens, and
 * weights by largest remainder, at least 1 for a language that has a row. */
int plan_weigh(struct plan *p, double alpha, uint64_t cap, int by_tokens, uint64_t period,
               struct err *err);

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
