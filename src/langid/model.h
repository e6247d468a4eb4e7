/* model.h - a language identification model: which features of a text it looks at, and its
 * numbers. The format is switchyard-langid(5). For those who make models; langid.h uses them.
 *
 *     x = for each group, the sum of weight * embed[group][id] over its features, one after another
 *     h = relu(x hidden_w + hidden_b)
 *     p = softmax(h out_w + out_b)
 */
#ifndef LANGID_MODEL_H
#define LANGID_MODEL_H

#include <stddef.h>
#include <stdint.h>

struct err;

enum {
    LANGID_GROUP_MAX = 16,
    LANGID_ID_MAX = 1 << 22,
    LANGID_DIM_MAX = 256,
    LANGID_HIDDEN_MAX = 4096,
    LANGID_LABEL_MAX = 1024,
    LANGID_NGRAM_MAX = 8,
    LANGID_NAME = 32,
    LANGID_NUMBERS_MAX = 1 << 26,    // in all embeddings
    LANGID_SCRIPTS = 103,            // ids of the groups of scripts: the numbers of script.h
    LANGID_SCRIPT_CLASSES = 12,      // ids of LANGID_CLASSES
};

enum langid_kind {
    LANGID_CHARS,      // n-grams of characters of a word, "^" before it and "$" after it
    LANGID_CLASSES,    // shares of cld3's "relevant scripts", 12 ids
    LANGID_SCRIPT,     // script of the first span (cld3), one id of weight 1
    LANGID_SHARES,     // share of each script among the letters
    LANGID_WORDS,      // whole words
};
enum { N_LANGID_KIND = LANGID_WORDS + 1 };

struct langid_group {
    enum langid_kind kind;
    int n;           // LANGID_CHARS: characters of an n-gram, 1 .. LANGID_NGRAM_MAX; else 0
    uint32_t ids;    // rows: features hash to [0, ids)
    int dim;
};

enum langid_store {    // how embedding rows lie in a file
    LANGID_F32,
    LANGID_BF16,
    LANGID_Q8,    // (byte - 128) * scale, a BF16 scale a row, as cld3
};

struct langid_shape {
    struct langid_group group[LANGID_GROUP_MAX];
    int n_group, hidden, n_label;
};

struct langid {
    struct langid_shape shape;
    char *label[LANGID_LABEL_MAX];
    float bar[LANGID_LABEL_MAX];       // an answer is reliable from this probability on
    float *embed[LANGID_GROUP_MAX];    // [ids, dim], 64-byte aligned: parts of all_embed
    float *all_embed;
    size_t n_embed;
    float *hidden_w, *hidden_b;    // [D, hidden], [hidden]; D is the sum of the dims
    float *out_w, *out_b;          // [hidden, n_label], [n_label]
    char *origin;                  // free text, one line: what it was made of
};

/* Whether it can be: groups, their kinds once each, limits; labels and numbers of a whole model
 * too: each label once, of letters, digits and hyphens, each number of a modest size. 0 or -1. */
int langid_shape_check(const struct langid_shape *shape, struct err *err);
int langid_check(const struct langid *m, struct err *err);

/* A model of that shape: all numbers 0, all labels NULL, all bars 0.7. NULL: a senseless shape. */
struct langid *langid_new(const struct langid_shape *shape, struct err *err);

int langid_width(const struct langid_shape *shape);    // D

/* Write it, whole or not at all. Hidden and output layers are F32 always; what was quantised
 * is so when it is loaded again. 0 or -1: a label is missing, or it cannot be written. */
int langid_save(const struct langid *m, enum langid_store store, const char *path, struct err *err);

/* "char4", "relevant_scripts", "text_script", "script_shares", "words": as files name them. */
void langid_group_name(const struct langid_group *g, char name[LANGID_NAME]);
int langid_group_parse(const char *name, struct langid_group *g);    // kind and n; 0 or -1

#endif
