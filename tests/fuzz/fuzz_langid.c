/* fuzz_langid.c - any text: the letters of it the fast way and the plain one, and its features; any
 * bytes as a model. */
#define _GNU_SOURCE    // memfd_create
#include "fuzz.h"

#include "base/err.h"
#include "base/mem.h"
#include "langid/feature.h"
#include "langid/langid.h"
#include "langid/ngram.h"
#include "langid/scan.h"

static const struct langid_shape shape = { { { LANGID_CHARS, 1, 64, 1 },
                                             { LANGID_CHARS, 2, 100, 1 },
                                             { LANGID_CHARS, 3, 1000, 1 },
                                             { LANGID_CHARS, 4, 5000, 1 },
                                             { LANGID_CHARS, 6, 777, 1 },
                                             { LANGID_CLASSES, 0, 12, 1 },
                                             { LANGID_SCRIPT, 0, 103, 1 },
                                             { LANGID_SHARES, 0, 103, 1 },
                                             { LANGID_WORDS, 0, 300, 1 } },
                                           9,
                                           1,
                                           2 };

static int same(const struct buf *a, const struct buf *b)
{
    return a->n == b->n && (!a->n || !memcmp(a->p, b->p, a->n));
}

static void pad(struct buf *b)
{
    buf_need(b, b->n + SCAN_PAD);
    memset(b->p + b->n, 0, SCAN_PAD);
}

static void scan(struct bytes text, size_t max)
{
    struct buf fast = { 0 }, plain = { 0 };

    scan_clean(&fast, text, max);
    scan_clean_plain(&plain, text, max);
    fuzz_check(same(&fast, &plain));
    pad(&fast);
    pad(&plain);
    fast.n = scan_squeeze(fast.p, fast.n);
    plain.n = scan_squeeze_plain(plain.p, plain.n);
    fuzz_check(same(&fast, &plain));
    buf_release(&fast);
    buf_release(&plain);
}

static void features(struct bytes text, size_t max)
{
    struct feature_room *r = feature_room_new(&shape);
    struct features f;
    size_t i;
    int g;

    if (feature_find(r, text, 1, max, &f))
        for (g = 0; g < shape.n_group; g++) {
            float sum = 0;

            for (i = f.begin[g]; i < f.begin[g + 1]; i++) {
                fuzz_check(f.f[i].id < shape.group[g].ids && f.f[i].weight > 0);
                sum += f.f[i].weight;
            }
            fuzz_check(f.begin[g] == f.begin[g + 1] || (sum > 0.99f && sum < 1.01f));
        }
    feature_room_free(r);
}

static void model(const uint8_t *p, size_t n, struct bytes text)
{
    struct err err;
    struct langid *m = langid_load(fuzz_file(p, n), &err);
    struct langid_room *r;
    struct langid_answer a;

    if (!m)
        return;
    r = langid_room_new(m);
    a = langid_find(m, r, text, 0, 10000);
    fuzz_check(a.label && a.p >= 0 && a.p <= 1);
    langid_room_free(r);
    langid_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)    // how; what
{
    size_t max;

    if (n < 1)
        return 0;
    max = p[0] < 128 ? 10000 : p[0] - 127;
    if (p[0] == 255)
        model(p + 1, n - 1, (struct bytes){ p + 1, n - 1 });
    scan((struct bytes){ p + 1, n - 1 }, max);
    features((struct bytes){ p + 1, n - 1 }, max);
    return 0;
}
