/* config.h - the shape of a network: HF's config.json (t5, mt5, switch_transformers) and ours.
 *
 * Ours adds "sparse_encoder_blocks" and "sparse_decoder_blocks", lists of block numbers; where
 * absent they follow from HF's *_sparse_step (i mod k = 1; every block at k = 1). Gated, tied
 * and so on are derived as hf_names.md section 3 says.
 */
#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include <stdint.h>

struct err;

enum { BLOCK_MAX = 512 };
enum stack { ENCODER, DECODER };

struct config {
    char model_type[32];                         // "t5", "mt5" or "switch_transformers"
    int n_vocab, d_model, d_ff, d_kv, n_head;    // V, M, F, D, H
    int n_block[2];                              // by enum stack
    unsigned char sparse[2][BLOCK_MAX];          // block is sparse
    int n_expert;                                // E; 0 in a dense model
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
char *config_text(const struct config *c);       // what config_write() writes; free() it
int config_is_sparse(const struct config *c);    // some block is
int config_check(const struct config *c, struct err *err);

#endif
