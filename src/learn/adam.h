/* adam.h - Adam (Kingma, Ba 2015) over the rows of a matrix, most of which a step does not touch:
 * a row that has no gradient stays as it is, and so do its moments. */
#ifndef LEARN_ADAM_H
#define LEARN_ADAM_H

#include <stddef.h>
#include <stdint.h>

struct adam {
    size_t n_row, width;
    float *grad, *first, *second;    // [n_row, width]
    uint32_t *count;                 // [n_row]: steps that touched it
    unsigned char *touched;          // [n_row]: it has a gradient now
    float *fix1, *fix2;              // 1 / (1 - beta ^ count)
};

void adam_init(struct adam *a, size_t n_row, size_t width);
void adam_release(struct adam *a);

/* Where to add the gradient of a row, all 0 at first. One thread a row. */
float *adam_grad(struct adam *a, size_t row);

/* Move those rows of w that have a gradient and whose number modulo n_part is part. */
void adam_step(struct adam *a, float *w, double rate, size_t part, size_t n_part);

#endif
