/* config.h - the shape of a network: HF's config.json (t5, mt5, switch_transformers) and ours.
 *
 * Ours adds "sparse_encoder_blocks" and "sparse_decoder_blocks", lists of block numbers; where
 * absent they follow from HF's *_sparse_step (i mod k = 1; every block at k = 1). Gated, tied
 * and so on are derived as hf_names.md section 3 says. Ours too, written where they are not the
 * Switch Transformer's: "router_kind" (top1, top2, ntlb), "router_choices" (of ntlb),
 * "router_second" (random, threshold, all, none) and "router_threshold" (of top2);
 * "sparse_encoder_attention_blocks", "sparse_decoder_attention_blocks", and
 * "attention_expert_d_ff" (d_ff; 0: linear experts) of Switch layers in self-attention.
 */
#ifndef SHAPE_CONFIG_H
#define SHAPE_CONFIG_H

#include <stdint.h>

#include "moe/router.h"

struct err;

enum { BLOCK_MAX = 512 };
enum stack { ENCODER, DECODER };

struct config {
    char model_type[32];                         // "t5", "mt5" or "switch_transformers"
    int n_vocab, d_model, d_ff, d_kv, n_head;    // V, M, F, D, H
    int n_block[2];                              // by enum stack
    unsigned char sparse[2][BLOCK_MAX];          // block's feed-forward layer is sparse
    unsigned char mixed[2][BLOCK_MAX];           // block's self-attention is: experts make q and kv
    int n_expert;                                // E; 0 in a dense model
    int d_ff_mixed;                              // hidden units of those; 0: none, linear
    enum route_kind router;
    int n_choice;    // of ntlb
    enum route_second second;
    double threshold;    // of the second choice
    int router_bf16;     // router_dtype is bfloat16: its outputs are rounded
    int gated, tied;
    int n_bucket, max_distance;
    double dropout, eps;
    int expert_capacity;        // HF's constant, for hf-compat
    double router_z, jitter;    // router_z_loss_coef, router_jitter_noise as written
    int router_bias;            // refused by the reader: no released model has it
};

/* Read path: a config.json or a folder that has one. Unknown keys are ignored, impossible
 * sizes refused. 0 or -1. */
int config_read(struct config *c, const char *path, struct err *err);
int config_write(const struct config *c, const char *path, struct err *err);
char *config_text(const struct config *c);         // what config_write() writes; free() it
int config_is_sparse(const struct config *c);      // some block is, in whatever layer
int config_is_mixed(const struct config *c);       // some self-attention is
int config_mixed_width(const struct config *c);    // what q and kv of those experts read
int config_check(const struct config *c, struct err *err);
/* Of a dense network a Switch one, with no sparse block and no expert yet. */
void config_make_switch(struct config *c);

/* Words of config.json and of options, in the order of the enums; NULL ends. */
extern const char *const router_words[], *const second_words[];
extern const char *const cap_words[], *const explore_words[];    // explore: without the usual
int word_of(const char *const *words, const char *word);         // its number, or -1

#endif
