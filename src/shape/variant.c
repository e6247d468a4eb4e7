/* variant.c - see variant.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "shape/config.h"
#include "shape/variant.h"

static struct {    // what the options said; before, nothing
    const char *router, *second, *precision;
    const char *sparse[2], *mixed[2];    // by enum stack: BLOCKS
    int64_t n_choice, n_expert, d_ff_mixed;
    double threshold;
} variant = { .threshold = NAN, .d_ff_mixed = -1 };

struct opt router_opts[] = {
    { 0, "router", "top1|top2|ntlb", OPT_CHOICE, &variant.router, 0, 0,
      "experts of a token: the best; the best two; the next best while there is no room "
      "(default: the config's)" },
    { 0, "choices", "K", OPT_INT, &variant.n_choice, 1, ROUTE_CHOICE_MAX,
      "experts that ntlb tries (default: the config's, or 4)" },
    { 0, "second", "random|threshold|all|none", OPT_CHOICE, &variant.second, 0, 0,
      "when top2 tries the second (default: the config's, or random)" },
    { 0, "second-threshold", "G", OPT_NUM, &variant.threshold, 0, 1,
      "gate from which random always and threshold ever tries it (default: the config's, or 0.2)" },
    { 0, "router-precision", "float32|bfloat16", OPT_CHOICE, &variant.precision, 0, 0,
      "of the router's outputs (default: the config's)" },
    { 0 },
};

struct opt variant_opts[] = {
    { 0, "experts", "E", OPT_INT, &variant.n_expert, 1, ROUTE_EXPERT_MAX,
      "experts of a sparse layer (default: the config's)" },
    { 0, "sparse-encoder", "BLOCKS", OPT_STR, &variant.sparse[ENCODER], 0, 0,
      "encoder blocks with experts: none, all, every/K, first/K or 1,3,5 (default: the config's)" },
    { 0, "sparse-decoder", "BLOCKS", OPT_STR, &variant.sparse[DECODER], 0, 0,
      "decoder blocks with experts (default: the config's)" },
    { 0, "attention-encoder", "BLOCKS", OPT_STR, &variant.mixed[ENCODER], 0, 0,
      "encoder blocks with experts in self-attention (default: the config's)" },
    { 0, "attention-decoder", "BLOCKS", OPT_STR, &variant.mixed[DECODER], 0, 0,
      "decoder blocks with experts in self-attention (default: the config's)" },
    { 0, "attention-width", "F", OPT_INT, &variant.d_ff_mixed, 0, 1 << 24,
      "hidden units of those experts; 0: linear ones (default: the config's)" },
    { .to = router_opts },
};

/* "every/K" and "first/K": K, or 0 where word is another. */
static int period(const char *word, const char *before, int n_block)
{
    size_t n = strlen(before);
    char *end;
    long k;

    if (strncmp(word, before, n) != 0)
        return 0;
    k = strtol(word + n, &end, 10);
    return end != word + n && !*end && k >= 1 && k <= n_block ? (int)k : 0;
}

/* "1,3,5" */
static int read_numbers(const char *word, int n_block, unsigned char *blocks)
{
    const char *at = word;
    char *end;

    for (;;) {
        long i = strtol(at, &end, 10);

        if (end == at || i < 0 || i >= n_block || (*end && *end != ','))
            return -1;
        blocks[i] = 1;
        if (!*end)
            return 0;
        at = end + 1;
    }
}

static int read_blocks(const char *name, const char *word, int n_block, unsigned char *blocks,
                       struct err *err)
{
    int every = period(word, "every/", n_block), first = period(word, "first/", n_block), i;
    int all = strcmp(word, "all") == 0, none = strcmp(word, "none") == 0;

    memset(blocks, 0, BLOCK_MAX);
    for (i = 0; i < n_block; i++)
        blocks[i] = all || (every && i % every == every - 1) || (first && i % first == 0);
    if (!all && !none && !every && !first && read_numbers(word, n_block, blocks) < 0)
        return err_set(err, "--%s: '%s' is not none, all, every/K, first/K or numbers below %d",
                       name, word, n_block);
    return 0;
}

static int apply_blocks(struct config *c, struct err *err)
{
    static const char *const name[][2] = { { "sparse-encoder", "sparse-decoder" },
                                           { "attention-encoder", "attention-decoder" } };
    int s;

    for (s = 0; s < 2; s++) {
        if (variant.sparse[s] &&
            read_blocks(name[0][s], variant.sparse[s], c->n_block[s], c->sparse[s], err) < 0)
            return -1;
        if (variant.mixed[s] &&
            read_blocks(name[1][s], variant.mixed[s], c->n_block[s], c->mixed[s], err) < 0)
            return -1;
    }
    if (variant.n_expert)
        c->n_expert = (int)variant.n_expert;
    if (!config_is_sparse(c)) {
        c->n_expert = 0;
        return 0;
    }
    if (!c->n_expert)
        return err_set(err, "--experts is needed: the config has none");
    if (strcmp(c->model_type, "switch_transformers") != 0)
        config_make_switch(c);
    if (variant.d_ff_mixed >= 0)
        c->d_ff_mixed = (int)variant.d_ff_mixed;
    return 0;
}

int variant_apply(struct config *c, struct err *err)
{
    if (apply_blocks(c, err) < 0)
        return -1;
    if (variant.router)
        c->router = (enum route_kind)word_of(router_words, variant.router);
    if (variant.n_choice)
        c->n_choice = (int)variant.n_choice;
    if (variant.second)
        c->second = (enum route_second)word_of(second_words, variant.second);
    if (!isnan(variant.threshold))
        c->threshold = variant.threshold;
    if (variant.precision)
        c->router_bf16 = strcmp(variant.precision, "bfloat16") == 0;
    return config_check(c, err);
}
