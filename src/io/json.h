/* json.h - the pieces of JSON text, for hand-made readers and writers of lines that everything
 * flows through. Trees of JSON (configs, ledgers) are jansson's.
 *
 * Strict RFC 8259, but that invalid UTF-8 in strings is kept. Each reader starts at s->p,
 * leaves it behind what it read and returns -1 with s->trouble set where that is not there.
 */
#ifndef IO_JSON_H
#define IO_JSON_H

#include "base/mem.h"

struct json {    // where the reader stands
    const unsigned char *p, *end;
    const char *trouble;
};

int json_bad(struct json *s, const char *trouble);    // sets it, returns -1
void json_space(struct json *s);
int json_at(const struct json *s, unsigned char c);    // does c stand here?
int json_colon(struct json *s);                        // with white space around it

/* After a member or an item: 1 when a comma says that there is one more, 0 at close. */
int json_comma(struct json *s, unsigned char close);

/* A string. out is a view of the text itself or, where there were escapes, of bytes put
 * behind plain->n, for which the caller has made room: as many as the text has. Escapes
 * become UTF-8, a lone surrogate U+FFFD. out NULL: it is only passed over. */
int json_take_string(struct json *s, struct buf *plain, struct bytes *out);

/* Pass over any value; depth is how many groups it already stands in. */
int json_value(struct json *s, struct buf *plain, int depth);

/* Append a JSON string with its quotes. Control characters, quotes and backslashes are
 * escaped; since JSON cannot hold invalid UTF-8, each longest piece that could have begun a
 * character becomes one U+FFFD, as in other decoders. */
void json_write_string(struct buf *b, struct bytes s);

#endif
