/* tongue.c - see tongue.h. A text is cut at the names of sentinels; what is between them is encoded
 * piece by piece, as Hugging Face's tokenizer of T5 does. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "generate/tongue.h"
#include "spm/decode.h"
#include "spm/encode.h"
#include "spm/vocab.h"

enum { SENTINELS = 100, END = 1, NAME_MAX_BYTES = 24 };    // of a sentinel

struct tongue {
    struct vocab *vocab;
    struct encoder *encoder;
    struct encoding encoding;
    struct decoder *decoder;
    int32_t n_extra;
};

void ids_add(struct ids *to, int32_t id)
{
    if (to->n == to->cap) {
        to->cap = to->cap ? 2 * to->cap : 64;
        to->id = xreallocarray(to->id, to->cap, sizeof(*to->id));
    }
    to->id[to->n++] = id;
}

void ids_release(struct ids *x)
{
    free(x->id);
    *x = (struct ids){ 0 };
}

struct tongue *tongue_open(const char *path, int64_t n_extra, struct err *err)
{
    struct tongue *t = xcalloc(1, sizeof(*t));
    struct encode_option option = { .plain_sentinels = 1 };

    t->vocab = vocab_open(path, err);
    if (!t->vocab)
        goto fail;
    t->n_extra = n_extra >= 0 ? (int32_t)n_extra : t->vocab->sentinel0 < 0 ? SENTINELS : 0;
    t->encoder = encoder_new(t->vocab, &option, err);
    t->decoder = t->encoder ? decoder_new(t->vocab, t->n_extra, err) : NULL;
    if (!t->decoder)
        goto fail;
    return t;

fail:
    tongue_close(t);
    return NULL;
}

void tongue_close(struct tongue *t)
{
    if (!t)
        return;
    encoding_release(&t->encoding);
    encoder_free(t->encoder);
    decoder_free(t->decoder);
    vocab_free(t->vocab);
    free(t);
}

int32_t tongue_size(const struct tongue *t)
{
    return t->vocab->n_piece + t->n_extra;
}

int32_t tongue_end(const struct tongue *t)
{
    return t->vocab->eos >= 0 ? t->vocab->eos : END;
}

int32_t tongue_sentinel(const struct tongue *t, int k)
{
    if (t->n_extra > 0)
        return k < t->n_extra ? tongue_size(t) - 1 - k : -1;
    return t->vocab->sentinel0 >= 0 && k < t->vocab->n_sentinel ? t->vocab->sentinel0 - k : -1;
}

int tongue_sentinel_number(const struct tongue *t, int32_t id)
{
    int32_t first = tongue_sentinel(t, 0);
    int32_t n = t->n_extra > 0 ? t->n_extra : t->vocab->n_sentinel;

    return first >= 0 && id <= first && id > first - n ? (int)(first - id) : -1;
}

size_t tongue_find(const struct tongue *t, struct bytes s, size_t *len, int32_t *id)
{
    const unsigned char *p = s.p, *end = bytes_end(s), *close;
    int32_t k;

    for (; p < end && (p = memchr(p, '<', (size_t)(end - p))) != NULL; p++) {
        close = memchr(p, '>', end - p < NAME_MAX_BYTES ? (size_t)(end - p) : NAME_MAX_BYTES);
        if (!close)
            continue;
        k = vocab_sentinel((struct bytes){ p, (size_t)(close - p) + 1 });
        *id = k >= 0 ? tongue_sentinel(t, k) : -1;
        if (*id >= 0) {
            *len = (size_t)(close - p) + 1;
            return (size_t)(p - s.p);
        }
    }
    *len = 0;
    return s.n;
}

int tongue_encode_plain(struct tongue *t, struct bytes text, struct ids *to, struct err *err)
{
    size_t i;

    if (encoder_run(t->encoder, &t->encoding, text, err) < 0)
        return -1;
    for (i = 0; i < t->encoding.n; i++)
        ids_add(to, t->encoding.id[i]);
    return 0;
}

int tongue_encode(struct tongue *t, struct bytes text, struct ids *to, struct err *err)
{
    while (text.n > 0) {
        int32_t sentinel = -1;
        size_t len, at = tongue_find(t, text, &len, &sentinel);

        if (tongue_encode_plain(t, (struct bytes){ text.p, at }, to, err) < 0)
            return -1;
        if (len > 0)
            ids_add(to, sentinel);
        text.p += at + len;
        text.n -= at + len;
    }
    return 0;
}

int tongue_decode(struct tongue *t, const int32_t *id, size_t n, struct buf *out, struct err *err)
{
    return decoder_run(t->decoder, id, n, out, NULL, err);
}
