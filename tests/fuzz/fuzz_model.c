/* fuzz_model.c - any bytes as a model file, any text for it, any ids back; the lanes of the encoder
 * agree. */
#define _GNU_SOURCE    // memfd_create, in fuzz.h
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "fuzz.h"
#include "spm/decode.h"
#include "spm/encode.h"
#include "spm/vocab.h"

static void best(const struct encoder *e, struct encoding *enc, struct bytes text)
{
    struct err err;
    size_t n, i;

    if (encoder_best(e, enc, text, 5, &n, &err))
        return;
    fuzz_check(n <= 5);
    for (i = 0; i < n; i++) {
        encoding_best(e, enc, i);
        fuzz_check(enc->text.n == (enc->n ? enc->end[enc->n - 1] : 0));
    }
}

/* how: bits of options. Twice, for what is remembered. */
static void encode(const struct vocab *v, struct bytes text, int how, struct encoding *enc,
                   int plain)
{
    struct encode_option o = { .old = how & 1, .plain_sentinels = how >> 1 & 1, .plain = plain };
    struct err err;
    struct encoder *e;
    int i;

    enc->want_map = how >> 2 & 1;
    o.draw = how >> 3 & 1;
    o.n_best = o.draw && how >> 4 & 1 ? 3 : 0;
    o.many = how >> 5 & 1 && !o.draw;
    o.alpha = (how >> 6) / 3.0;
    e = encoder_new(v, &o, &err);
    for (i = 0; e && i < 3; i++)
        if (encoder_run(e, enc, text, &err) == 0)
            fuzz_check(enc->text.n == (enc->n ? enc->end[enc->n - 1] : 0));
    if (e && o.many)
        best(e, enc, text);
    encoder_free(e);
}

static void encode_both(const struct vocab *v, struct bytes text, int how)
{
    struct encoding enc[2] = { { 0 }, { 0 } };
    int i;

    for (i = 0; i < 2; i++)
        encode(v, text, how, &enc[i], i);
    if (!(how >> 5 & 1)) {
        fuzz_check(enc[0].n == enc[1].n);
        fuzz_check(!enc[0].n || !memcmp(enc[0].id, enc[1].id, enc[0].n * sizeof(*enc[0].id)));
    }
    for (i = 0; i < 2; i++)
        encoding_release(&enc[i]);
}

static void decode(const struct vocab *v, struct bytes ids, int how)
{
    int32_t id[64];
    size_t k = ids.n / sizeof(*id) < 64 ? ids.n / sizeof(*id) : 64;
    struct buf out = { 0 };
    struct err err;
    struct decoder *d = decoder_new(v, how, &err);

    memcpy(id, ids.p, k * sizeof(*id));
    if (d)
        decoder_run(d, id, k, &out, NULL, &err);
    decoder_free(d);
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)    // how; length of the text; text; model
{
    struct bytes text, model;
    struct vocab *v;
    struct err err;
    char hex[65];

    if (n < 2 || n - 2 < p[1])
        return 0;
    text = (struct bytes){ p + 2, p[1] };
    model = (struct bytes){ p + 2 + p[1], n - 2 - p[1] };
    v = vocab_parse(model, "fuzz", &err);
    if (!v)
        return 0;
    vocab_sha256(v, hex);
    encode_both(v, text, p[0]);
    decode(v, text, p[0]);
    vocab_free(v);
    return 0;
}
