/* table.h - a TSV file with a header line, whole in memory: metrics, losses, scores. */
#ifndef EVAL_TABLE_H
#define EVAL_TABLE_H

#include <stddef.h>

#include "base/mem.h"

struct err;
struct table;

/* Read path ("-": standard input). A row with fewer or more fields than the header is an error
 * that names file and line. NULL on failure. */
struct table *table_read(const char *path, struct err *err);
size_t table_rows(const struct table *t);
int table_column(const struct table *t, const char *name);    // -1: no such column
/* A column that must be there: -1 and err otherwise. */
int table_need(const struct table *t, const char *name, struct err *err);
/* Valid until the table is freed. */
const char *table_text(const struct table *t, size_t row, int column);
/* A finite number; -1 and err (file, line, column) otherwise. */
int table_num(const struct table *t, size_t row, int column, double *x, struct err *err);
void table_free(struct table *t);    // t may be NULL

#endif
