/* lines.h - the lines of files one after another, for tools that pass over damage and count it. */
#ifndef IO_LINES_H
#define IO_LINES_H

#include <stdint.h>

struct bytes;
struct err;
struct ledger;
struct lines;

enum { LINES_END, LINES_LINE, LINES_GAP };

/* file: paths with a NULL behind the last ("-": standard input), which outlive the lines, as
 * ledger does: each file that is done goes to it, and damage. strict: damage ends all. */
struct lines *lines_new(char **file, int strict, struct ledger *ledger);

/* LINES_LINE: the next line without its LF, valid until the next call. LINES_GAP: what comes is of
 * another file, or behind damage. LINES_END, or -1: a file does not open, or all must be whole. */
int lines_next(struct lines *l, struct bytes *line, struct err *err);

const char *lines_path(const struct lines *l);    // of the last line, as messages name it
uint64_t lines_number(const struct lines *l);     // the last line's in its file, from 1
void lines_free(struct lines *l);                 // l may be NULL

#endif
