/* fuzz_model.c - any bytes as a model file, any text for it, any ids back. */
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "spm/decode.h"
#include "spm/encode.h"
#include "spm/vocab.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void encode(const struct vocab *v, struct bytes text, int how)
{
    struct encode_option o = { .old = how & 1, .plain_sentinels = how >> 1 & 1 };
    struct encoding enc = { .want_map = how >> 2 & 1 };
    struct err err;
    struct encoder *e = encoder_new(v, &o, &err);

    if (e)
        encoder_run(e, &enc, text, &err);
    encoding_release(&enc);
    encoder_free(e);
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
    encode(v, text, p[0]);
    decode(v, text, p[0]);
    vocab_free(v);
    return 0;
}
