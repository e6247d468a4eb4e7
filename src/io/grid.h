/* grid.h - a table of text, fields parted by tabs, written row by row. */
#ifndef IO_GRID_H
#define IO_GRID_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct err;
struct out;

struct grid {    // { 0 } is none
    struct out *out;
    struct buf row;
    int n_field, failed;
    struct err *err;
};

/* Open path and write the title, a row as it is (NULL: none). 0 or -1. A later failure is kept in
 * err, which must live on, and returned by grid_close(). */
int grid_open(struct grid *t, const char *path, const char *title, struct err *err);

void grid_text(struct grid *t, const char *field);    // tabs and line feeds become spaces
void grid_bytes(struct grid *t, struct bytes field);
void grid_number(struct grid *t, uint64_t x);
void grid_format(struct grid *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void grid_row(struct grid *t);    // ends the row

int grid_close(struct grid *t);    // 0, or -1: err says why, nothing is left at path
void grid_abandon(struct grid *t);

#endif
