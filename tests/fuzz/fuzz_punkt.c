/* fuzz_punkt.c - parameters up to a NUL, then text: sentences lie in the text, in their order; and
 * what text teaches can be written and read. */
#define _GNU_SOURCE    // memfd_create
#include "fuzz.h"

#include "base/err.h"
#include "io/out.h"
#include "punkt/params.h"
#include "punkt/split.h"
#include "punkt/train.h"

static void split(const struct punkt_params *params, struct bytes text)
{
    struct punkt *p = punkt_new(params);
    const unsigned char *at = text.p;
    struct bytes s;
    size_t n = 0;

    punkt_start(p, text);
    while (punkt_next(p, &s)) {
        fuzz_check(s.n > 0 && s.p >= at && s.p + s.n <= text.p + text.n);
        at = s.p + s.n;
        n++;
    }
    fuzz_check(punkt_count(p, text, SIZE_MAX) == n);
    fuzz_check(punkt_count(p, text, 2) == (n < 2 ? n : 2));
    punkt_free(p);
}

static struct punkt_params *learn(struct bytes text)
{
    struct punkt_trainer *t = punkt_trainer_new();
    struct punkt_bars bars = { 0.01, 5, 0.1, 0.1, 1, 0 };
    struct punkt_params *p;
    const unsigned char *lf, *end = text.p + text.n;

    for (; text.p < end; text.p = lf + 1) {
        lf = memchr(text.p, '\n', (size_t)(end - text.p));
        if (!lf)
            lf = end;
        punkt_trainer_line(t, (struct bytes){ text.p, (size_t)(lf - text.p) });
    }
    punkt_trainer_vote(t, &bars);
    p = punkt_trainer_learn(t, &bars);
    punkt_trainer_free(t);
    return p;
}

/* Written, and read again, it is the same. */
static void check_saved(const struct punkt_params *p)
{
    char path[64];
    struct punkt_params *again;
    struct err err;
    struct out *out;

    snprintf(path, sizeof(path), "/dev/shm/fuzz-punkt-%ld", (long)getpid());
    out = out_open(path, &err);
    fuzz_check(out && !punkt_save(p, "# fuzz\n", out, &err) && !out_close(out, &err));
    again = punkt_load(path, &err);
    unlink(path);
    fuzz_check(again && punkt_fingerprint(again) == punkt_fingerprint(p));
    punkt_params_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const uint8_t *nul = memchr(data, 0, n);
    size_t n_params = nul ? (size_t)(nul - data) : 0;
    struct bytes text = { data, n };
    struct punkt_params *p;
    struct err err;

    if (nul)
        text = (struct bytes){ nul + 1, n - n_params - 1 };
    p = punkt_load(fuzz_file(data, n_params), &err);
    if (p) {
        check_saved(p);
        split(p, text);
        punkt_params_free(p);
    }
    p = learn(text);
    split(p, text);
    check_saved(p);
    punkt_params_free(p);
    return 0;
}
