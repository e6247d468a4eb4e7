/* tongue.h - text to ids and back, with sentinels, which SentencePiece knows nothing of. */
#ifndef GENERATE_TONGUE_H
#define GENERATE_TONGUE_H

#include <stdint.h>

#include "base/mem.h"

struct err;
struct tongue;

struct ids {    // { 0 } is empty
    int32_t *id;
    size_t n, cap;
};

void ids_add(struct ids *to, int32_t id);
void ids_release(struct ids *x);

/* path: a SentencePiece model; n_extra as in lines.h. NULL on failure. */
struct tongue *tongue_open(const char *path, int64_t n_extra, struct err *err);
void tongue_close(struct tongue *t);    // t may be NULL

int32_t tongue_size(const struct tongue *t);    // ids, sentinels too
int32_t tongue_end(const struct tongue *t);     // the id that ends a text

int32_t tongue_sentinel(const struct tongue *t, int k);            // id of <extra_id_k>, -1 if none
int tongue_sentinel_number(const struct tongue *t, int32_t id);    // k, -1 if id is none

/* The next name of a sentinel in text: where it begins, or text.n; *len its bytes, *id its id. */
size_t tongue_find(const struct tongue *t, struct bytes text, size_t *len, int32_t *id);

/* Append the ids of a text, without an end. <extra_id_k> becomes a sentinel. */
int tongue_encode(struct tongue *t, struct bytes text, struct ids *to, struct err *err);

/* The same, but the name of a sentinel is text, as in what pack-pairs(1) makes. */
int tongue_encode_plain(struct tongue *t, struct bytes text, struct ids *to, struct err *err);

/* Empties out and puts the text there. */
int tongue_decode(struct tongue *t, const int32_t *id, size_t n, struct buf *out, struct err *err);

#endif
