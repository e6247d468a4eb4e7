/* print.h - ids and pieces as text. */
#ifndef SPM_PRINT_H
#define SPM_PRINT_H

struct buf;
struct encoding;
struct vocab;

/* Append them with spaces between. */
void print_ids(struct buf *b, const struct encoding *e);

/* The same; a line feed within a piece, which would make two lines of one, becomes a space. */
void print_pieces(struct buf *b, const struct encoding *e, const struct vocab *v);

#endif
