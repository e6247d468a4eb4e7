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

/* For who chooses rows himself (tile.h): how many rows of lang are open, and of one of these, or
 * of a new one (row is how many are open), the room and the mark: 0 in an empty row. */
int packer_n_open(const struct packer *p, int lang);
void packer_room(const struct packer *p, int lang, int row, size_t *input, size_t *target);
int packer_mark(const struct packer *p, int lang, int row);

/* To that open row, or to a new one, an example that fits, and the row's mark. Where n_open are
 * open, a new one closes the fullest. A row closes when less than `least` room is left on a side,
 * and no more than a sixteenth of it; the numbers of those after it are then one less. 0, or -1
 * when the sink failed. */
int packer_put(struct packer *p, int lang, int row, const struct example_row *example, int mark,
               size_t least, struct err *err);

/* The open rows, those that fit into one another as one, in the order of languages, the oldest
 * first. */
int packer_end(struct packer *p, struct err *err);
int packer_end_lang(struct packer *p, int lang, struct err *err);    // those of one
void packer_free(struct packer *p);                                  // p may be NULL

#endif
