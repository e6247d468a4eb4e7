/* params.h - every parameter of a network in one table: it sizes, initialises, places, saves
 * and names them. One allocation for values, one for gradients; tensors are views.
 *
 * Order: what all ranks share first, the embedding, then each tensor where the forward pass meets
 * it; then the experts of this rank. Names, shapes and layouts are HF's (spec hf_names).
 */
#ifndef SHAPE_PARAMS_H
#define SHAPE_PARAMS_H

#include <stddef.h>
#include <stdint.h>

struct config;
struct err;
struct tensor;
struct tensors;

enum param_role {
    PARAM_EMBEDDING,
    PARAM_MATRIX,    // of feed-forward nets, experts, the head
    PARAM_QUERY,
    PARAM_ATTENTION,    // keys, values, outputs
    PARAM_ROUTER,
    PARAM_NORM,
    PARAM_RELPOS,
};

/* Whose first weights: the paper's, Mesh TensorFlow's, T5X's (spec model.md section 3). */
enum init_scheme { INIT_PAPER, INIT_MTF, INIT_T5X };
extern const char *const init_words[];

struct param {
    char *name;
    int n_dim;
    int64_t dim[2];    // of what is here
    size_t n;
    int axis, slice, n_slice;    // which of so many slices along dim[axis]; n_slice 0: whole
    enum param_role role;        // decides how it is drawn
    int expert;                  // number of the expert, -1: shared
    float *w, *g;                // values; gradients (NULL without)
    uint16_t *half;              // values in bf16, for products (NULL without)
};

struct params {
    struct param *p;               // shared ones first, then this rank's experts
    size_t n, n_shared;            // tensors
    size_t size, size_shared;      // floats
    float *w, *g;                  // tensors start at multiples of 64 bytes; gaps stay 0
    uint16_t *half;                // as w, or NULL
    int first_expert, n_expert;    // of this rank
    struct param **by_name;        // in order of names
};

struct params_part {               // what a rank holds of a model
    int first_expert, n_expert;    // of each sparse block
    int slice, n_slice;            // which of how many: see slice.h
};
struct params *params_new_part(const struct config *c, const struct params_part *part,
                               int with_grad);
struct params *params_table_part(const struct config *c, const struct params_part *part);

/* The table for the experts [first, first + n_expert) of each sparse block, not sliced. */
struct params *params_new(const struct config *c, int first_expert, int n_expert, int with_grad);
/* Its names and shapes alone: no memory for numbers (w and g are NULL). */
struct params *params_table(const struct config *c, int first_expert, int n_expert);

/* From now on it has its values in bf16, too. Who changes w then calls params_halve(). */
void params_add_half(struct params *p);
void params_halve(struct params *p);    // half = w rounded; nothing to do without

/* Look up by name; NULL when it is not here. */
struct param *params_find(const struct params *p, const char *name);

/* Draw all: a function of (seed, name, element). scale is s of spec model.md section 3. */
void params_init(struct params *p, const struct config *c, uint64_t seed, double scale);
void params_init_as(struct params *p, const struct config *c, uint64_t seed, double scale,
                    enum init_scheme scheme);

/* Draw one parameter into to[p->n], as params_init() does. */
void params_draw(const struct param *p, const struct config *c, uint64_t seed, double scale,
                 float *to);

/* Where a file has p: under its own name, or for the embedding one of HF's aliases. NULL. */
const struct tensor *params_source(const struct param *p, const struct config *c,
                                   const struct tensors *from);
/* Is name one that repeats the embedding, or says nothing? */
int params_is_alias(const struct config *c, const char *name);
/* Is x of p's shape? */
int params_fits(const struct param *p, const struct tensor *x);

/* Is name one of the model's expert tensors, on whatever rank? */
int params_is_expert(const struct config *c, const char *name);

/* Copy from tensors. Missing, misshapen and unknown names are errors; HF's aliases are known. */
int params_load(struct params *p, const struct config *c, const struct tensors *from,
                struct err *err);

/* Total parameters of the whole model (all experts), without allocating any. */
uint64_t params_count(const struct config *c);
uint64_t params_count_shared(const struct config *c);
uint64_t params_count_expert(const struct config *c);    // one expert number, over all its blocks
void params_free(struct params *p);

#endif
