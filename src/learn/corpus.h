/* corpus.h - labelled texts in memory, to train a model on or to try one with. */
#ifndef LEARN_CORPUS_H
#define LEARN_CORPUS_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct err;
struct corpus_apart;

struct corpus_text {
    struct bytes text;    // valid UTF-8, not empty
    int label;
    int held_out;    // to measure with, not to train on
};

struct corpus {
    struct corpus_text *text;
    size_t n, cap;
    char **label;    // in the order of their names, once corpus_sort() was called
    int n_label;
    struct arena *store;
    struct corpus_apart *apart;
    uint64_t n_bad;               // lines that are no labelled text
    uint64_t n_apart, n_again;    // texts left out: too close to a test; seen before
    void (*complain)(const char *file, uint64_t line, const char *why);    // NULL: nobody listens
    int strict;                                                            // a bad line is an error
};

void corpus_init(struct corpus *c);
void corpus_release(struct corpus *c);

/* Texts of "-", or a file that is not to be trained on: from then on a text that shares a run of
 * 32 characters (letters and digits alone, in lower case) with one of them is left out. The file
 * has a text a line, in the last column. */
int corpus_keep_apart(struct corpus *c, const char *path, struct err *err);

/* Add the lines `label<TAB>text` of a file, plain or compressed. A first line `lang<TAB>text` or
 * `label<TAB>text` is a header. Labels go by lang_find(): "he" and "heb" are "iw"; what it does
 * not know is a label as it stands. Text is cut at text_max bytes. 0, or -1: it cannot be read,
 * or strict and bad. */
int corpus_read(struct corpus *c, const char *path, size_t text_max, struct err *err);

/* Put labels and texts in an order that does not depend on that of the files. */
void corpus_sort(struct corpus *c);

/* For training, once sorted: of texts that come twice one stays; a share of them, chosen by what
 * they say, is held out. */
void corpus_part(struct corpus *c, double hold_out);
void corpus_take_held_out(struct corpus *c);    // the others go

#endif
