/* dedup.h - who owns a URL and who owns a line: two hash tables, and no text in them. */
#ifndef CLEAN_DEDUP_H
#define CLEAN_DEDUP_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

/* URLs: of the pages with one key the highest rank wins, of equal ranks the first entered. */
struct url_table;

struct url_table *url_table_new(void);

/* A page: its number (0, 1, ...), key and rank. */
void url_table_add(struct url_table *t, const unsigned char key[16], uint64_t page, uint64_t rank);

/* The page that owns key, which was entered. */
uint64_t url_table_owner(const struct url_table *t, const unsigned char key[16]);

/* A WARC-Date as a rank in the order of strings. Those that are not YYYY-MM-DDThh:mm:ssZ are
 * remembered by the table, which is why a rank is good for it alone. */
uint64_t url_table_rank_date(struct url_table *t, struct bytes date);

uint64_t url_rank_md5(const unsigned char md5[16]);    // by the first 8 bytes
void url_table_free(struct url_table *t);              // t may be NULL

/* Lines: of the pages that have one, that with the smallest number owns it. */
struct line_table;

struct line_table *line_table_new(void);

/* The key of a line: MD5 of it without white space around, in lower case. low is room. */
void line_key(struct bytes line, struct buf *low, unsigned char key[16]);

/* A page's number among owners: from the MD5 of its URL. */
uint64_t line_owner(const unsigned char url_md5[16]);

void line_table_prefetch(const struct line_table *t, const unsigned char key[16]);
void line_table_add(struct line_table *t, const unsigned char key[16], uint64_t owner);

enum line_fate { LINE_MINE, LINE_OTHERS, LINE_AGAIN };

/* Whether owner may keep a line that was entered: yes the first time it asks. */
enum line_fate line_table_take(struct line_table *t, const unsigned char key[16], uint64_t owner);

size_t line_table_lines(const struct line_table *t);
void line_table_free(struct line_table *t);    // t may be NULL

#endif
