/* doc.h - documents as JSON Lines in the allenai/c4 form: {"text": , "timestamp": , "url": ,
 * then ours ("lang", "lang_p", ...)}. A hand-made reader and writer of one line: this is
 * the stream that everything flows through. */
#ifndef IO_DOC_H
#define IO_DOC_H

#include "base/mem.h"

struct err;
struct out;

struct doc {    // views into the line or the reader's buffer; p is NULL where a key is absent
    struct bytes text, timestamp, url, lang;
    struct bytes extra;    // the members not named above, as raw JSON "k":v,"k":v
};

struct doc_parser;    // owns the unescaped strings of the document last parsed

struct doc_parser *doc_parser_new(void);
void doc_parser_free(struct doc_parser *p);

/* Parse one line. 0, or -1 when it is not a JSON object with a string "text" (err says
 * where). Escapes become UTF-8; a lone surrogate becomes U+FFFD; invalid UTF-8 is kept. */
int doc_parse(struct doc_parser *p, struct bytes line, struct doc *d, struct err *err);

/* Append d as one line with its LF to b. Control characters, quotes and backslashes are
 * escaped; invalid UTF-8 bytes become U+FFFD, since JSON cannot hold them. */
void doc_format(struct buf *b, const struct doc *d);

#endif
