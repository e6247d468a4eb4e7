/* doc.h - documents as JSON Lines in the allenai/c4 form: {"text": , "timestamp": , "url": ,
 * then ours ("lang", "lang_p", ...)}. A hand-made reader and writer of one line: this is
 * the stream that everything flows through. */
#ifndef IO_DOC_H
#define IO_DOC_H

#include "base/mem.h"

struct err;
struct out;

struct doc {    // views into the line or the parser's memory; p is NULL where a key is absent
    struct bytes text, timestamp, url, lang;
    struct bytes extra;    // the members not named above, as raw JSON "k":v,"k":v
};

struct doc_parser;    // owns the unescaped strings of the document last parsed

struct doc_parser *doc_parser_new(void);
void doc_parser_free(struct doc_parser *p);

/* Parse one line, with or without its line end. 0, or -1 when it is not a JSON object with
 * a string "text" (err says where: "byte N: trouble"). d is valid until the next call on p,
 * and as long as line is. Of equal keys the last one counts. Escapes become UTF-8; a lone
 * surrogate becomes U+FFFD; invalid UTF-8 is kept. A timestamp, url or lang that is no string
 * is kept in extra. */
int doc_parse(struct doc_parser *p, struct bytes line, struct doc *d, struct err *err);

/* Append d as one line with its LF to b; d->text.p must not be NULL. Control characters,
 * quotes and backslashes are escaped; since JSON cannot hold invalid UTF-8, each longest
 * piece that could have begun a character becomes one U+FFFD, as in other decoders. */
void doc_format(struct buf *b, const struct doc *d);

/* Append extra to b, but for its members called key. */
void doc_extra_without(struct buf *b, struct bytes extra, const char *key);

#endif
