/* convert.h - a model from one folder into another: other files, other numbers, or a dense model's
 * weights in a Switch model. One tensor is in memory at a time, the input is mapped.
 */
#ifndef CONVERT_CONVERT_H
#define CONVERT_CONVERT_H

#include <stdint.h>

struct err;

enum convert_layout {
    LAYOUT_OURS,     // model-shared.safetensors and a file an expert
    LAYOUT_FILES,    // model.safetensors, or model-00001-of-00003.safetensors and so on
};

struct convert_plan {
    enum convert_layout layout;
    const char *dtype;      // "keep", "f32", "bf16", "f16"
    uint64_t file_bytes;    // most bytes of numbers in a file of LAYOUT_FILES
};

/* from: a folder with config.json and safetensors (one file, several with an index, or ours). to: a
 * folder, made if there is none, that may hold no model yet; config.json is written last. Names
 * that only repeat the embedding are left out. 0 or -1. */
int convert_model(const char *from, const char *to, const struct convert_plan *plan,
                  struct err *err);

struct upcycle_plan {
    int n_expert;    // of each sparse block
    int every;       // block i becomes sparse where i mod every = 1 (every block for 1)
    double noise;    // deviation added to experts, as a share of that of their weights; 0: copies
    double init_scale;    // of the routers, which are drawn
    uint64_t seed;
};

/* A dense model as a Switch model whose experts are copies of its feed-forward layers (Komatsuzaki
 * et al. 2023). */
int upcycle_model(const char *from, const char *to, const struct convert_plan *plan,
                  const struct upcycle_plan *up, struct err *err);

#endif
