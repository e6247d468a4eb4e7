/* http.h - the HTTP response that a WARC record holds: its head, and its body without the codings
 * it was sent in. Crawlers keep heads that no longer fit their bodies: what a head says of the
 * body is believed where the body agrees. */
#ifndef CRAWL_HTTP_H
#define CRAWL_HTTP_H

#include "base/mem.h"

struct http {    // views into the block; p is NULL where a field is absent, the last one counts
    int status;
    struct bytes type;        // Content-Type
    struct bytes encoding;    // Content-Encoding
    struct bytes transfer;    // Transfer-Encoding
    struct bytes body;        // as stored
};

/* 0, or -1 when block does not begin with a status line. Lines end in CRLF or LF; a head without
 * an end is all head. */
int http_parse(struct bytes block, struct http *h);

enum {                        // what was found wrong with a body
    HTTP_BAD_CHUNKS = 1,      // what came before the bad one is kept
    HTTP_BAD_CODING = 2,      // what could be decoded is kept
    HTTP_OTHER_CODING = 4,    // one that is not decoded here: there is no body
    HTTP_TOO_LONG = 8,        // cut at HTTP_BODY_MAX
};

enum { HTTP_BODY_MAX = 32 << 20 };

struct http_room;    // for one body at a time

struct http_room *http_room_new(void);
void http_room_free(struct http_room *r);    // r may be NULL

/* The body decoded: a view into h's block or into r, until the next call with r. Returns what was
 * wrong, a set of the above. */
int http_body(struct http_room *r, const struct http *h, struct bytes *body);

/* Empty what bodies were decoded to, and keep no buffer larger than that. */
void http_room_trim(struct http_room *r, size_t keep);

/* Is a media type plain text? */
int http_is_plain(struct bytes type);

/* Why a body of this type is no page: ":type"; NULL: it may be one, which is HTML, XHTML or plain
 * text, or does not say. */
const char *http_type_trouble(struct bytes type);

/* Why a block is no page: ":not-http", ":status" when that is not 200, ":type"; NULL when it is.
 * type becomes its Content-Type. */
const char *http_page_trouble(struct bytes block, struct bytes *type);

#endif
