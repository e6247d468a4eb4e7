/* packer.h - examples of several languages into rows, with some rows of each language open.
 *
 * One open row is T5's way (pack.h). With more, an example goes to the first open row that it
 * fits into, or to the one that it leaves least room in (of inputs or targets, whichever is
 * scarcer); where it fits into none and n_open are open, the fullest in that sense is closed. Rows
 * are those of one language, and in the order in which they close.
 */
#ifndef SEQ_PACKER_H
#define SEQ_PACKER_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct example_row;
struct packer;

enum packer_fit { PACKER_FIRST, PACKER_BEST };
enum { PACKER_OPEN_MAX = 1024 };

struct packer_rule {
    size_t inputs, targets;    // the lengths of a row
    enum packer_fit fit;
    int n_open;    // rows of a language, at most
};

struct packer_sink {    // takes a finished row (row->lang is set): 0, or -1 with err
    int (*put)(void *to, const struct example_row *row, struct err *err);
    void *to;
};

struct packer *packer_new(const struct packer_rule *rule, struct packer_sink sink);

/* As pack_add(), and language lang, a small number from 0. 0, or -1 when the sink failed. */
int packer_add(struct packer *p, int lang, const int32_t *input, size_t n_input,
               const int32_t *target, size_t n_target, uint64_t doc, struct err *err);

/* The open rows, in the order of languages, the oldest first. */
int packer_end(struct packer *p, struct err *err);
int packer_end_lang(struct packer *p, int lang, struct err *err);    // those of one
void packer_free(struct packer *p);                                  // p may be NULL

#endif
