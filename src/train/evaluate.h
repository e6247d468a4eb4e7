/* evaluate.h - how good a model is on example shards, by language. */
#ifndef TRAIN_EVALUATE_H
#define TRAIN_EVALUATE_H

#include <stddef.h>

struct comm;
struct config;
struct err;
struct eval_set;
struct model;

struct eval_rule {
    int group_rows, micro_rows;    // rows of a routing group; of a forward pass, whole groups
    double capacity_factor;
    int min_capacity, hf_compat;
    int cap;            // enum route_cap
    int router_bf16;    // as in model.h
};

/* Sums over a language's tokens, of all ranks. */
struct eval_sums {
    double rows, targets, ce;           // ce: nats
    double routed, dropped, entropy;    // over tokens and sparse blocks; entropy: nats
};
enum { N_EVAL_SUMS = sizeof(struct eval_sums) / sizeof(double) };

struct evaluation {
    int n_lang, n_sparse, n_expert;
    const char **lang;         // sorted; valid as long as the set
    struct eval_sums *sums;    // [n_lang + 1], the last of all languages
    double *chosen;            // [n_lang + 1, n_sparse, E] tokens that chose the expert
};

/* Open shards: files, and of a folder all its *.ex. NULL on failure. */
struct eval_set *eval_open(const char *const *path, int n, struct err *err);
int eval_inputs(const struct eval_set *s);    // the most of any shard
int eval_targets(const struct eval_set *s);
long long eval_vocab(const struct eval_set *s);
void eval_close(struct eval_set *s);

/* Run all rows. The model must have been made for eval_inputs() and eval_targets(). Sparse
 * blocks are numbered through the encoder, then the decoder. -1 on every rank when a row cannot
 * be read on one (err.msg is empty on the others). Collective. */
int evaluate(struct eval_set *s, struct model *m, const struct config *c, struct comm *comm,
             const struct eval_rule *rule, struct evaluation *e, struct err *err);
void evaluation_release(struct evaluation *e);

#endif
