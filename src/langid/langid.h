/* langid.h - which language a text is in: a small network over its character n-grams, in the
 * shape of cld3 (Botha et al. 2017, "Natural language processing with small feed-forward
 * networks"). The model file says which n-grams, how many labels, how wide.
 */
#ifndef LANGID_LANGID_H
#define LANGID_LANGID_H

#include <stddef.h>

#include "base/mem.h"
#include "text/lang.h"

struct err;
struct langid;         // a model; read only, so threads share it
struct langid_room;    // what one thread needs

/* Load a model: switchyard-langid(5), or cld3's own numbers as safetensors. NULL on failure. */
struct langid *langid_load(const char *path, struct err *err);
void langid_free(struct langid *m);    // m may be NULL

struct langid_room *langid_room_new(const struct langid *m);
void langid_room_free(struct langid_room *r);    // r may be NULL

int langid_n_label(const struct langid *m);
const char *langid_label(const struct langid *m, int i);    // "sr", "hr", "zh-Latn", "zxx"

struct langid_answer {
    const char *label;          // of the model, or "und" when there is too little text (p = 0)
    const struct lang *lang;    // its row; NULL when it is none of ours (cld3's hr, bs)
    float p;                    // probability of label
    int reliable;               // p reaches the model's own bar (cld3: 0.7, of hr and bs 0.5)
};

/* Judge the first max bytes of text, of any bytes; fewer than min bytes of letters are "und". mC4
 * has min 100, max 10000. */
struct langid_answer langid_find(const struct langid *m, struct langid_room *r, struct bytes text,
                                 size_t min, size_t max);

/* As langid_find() where label i is weight[i] times as likely beforehand, 0 being impossible; the
 * probabilities of all of them sum to 1. When no label is possible it is "und", p 0. */
struct langid_answer langid_find_among(const struct langid *m, struct langid_room *r,
                                       struct bytes text, size_t min, size_t max,
                                       const float *weight);

/* The number of the label that a tag means: itself, or another name of it ("he" of iw); -1. */
int langid_label_find(const struct langid *m, struct bytes tag);

/* As langid_find() with the probability of each label into p[langid_n_label(m)]; 0 when there is
 * too little text (p is then not touched), else 1. */
int langid_all(const struct langid *m, struct langid_room *r, struct bytes text, size_t min,
               size_t max, float *p);

#endif
