/* denoiser.c - see denoiser.h. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/rng.h"
#include "seq/denoiser.h"

const char denoiser_ul2[] = "span:0.15:3:1,span:0.15:8:1,prefix:1,"
                            "span:0.5:3:1,span:0.5:8:1,span:0.15:64:1,span:0.5:64:1";

/* A number of [min, max] up to ':', ',' or the end; *s moves behind a ':'. */
static int number(const char **s, double min, double max, double *to)
{
    char *end;

    errno = 0;
    *to = strtod(*s, &end);
    if (end == *s || errno || !(*to >= min && *to <= max) || !strchr(":,", *end))
        return -1;
    *s = end + (*end == ':');
    return 0;
}

static int parse_one(const char *s, const struct span_rule *from, struct denoiser *k)
{
    size_t n = strcspn(s, ",");
    double mode = 0;
    const char *end = s + n;

    *k = (struct denoiser){ .span = *from };
    k->prefix = !strncmp(s, "prefix:", 7);
    if (!k->prefix && strncmp(s, "span:", 5) != 0)
        return -1;
    s += k->prefix ? 7 : 5;
    if (!k->prefix &&
        (number(&s, 0.01, 0.9, &k->span.density) || number(&s, 1, 1000, &k->span.mean)))
        return -1;
    if (number(&s, 1e-6, 1e6, &k->share))
        return -1;
    if (s < end && (number(&s, 1, 1 << 24, &mode) || mode != floor(mode)))
        return -1;
    k->mode = (int32_t)mode;
    return s == end && s[-1] != ':' ? 0 : -1;
}

int denoiser_parse(const char *text, const struct span_rule *from, struct denoiser *k,
                   struct err *err)
{
    const char *s = text;
    int n = 0;

    do {
        size_t len = strcspn(s, ",");

        if (n == DENOISER_MAX)
            return err_set(err, "more than %d denoisers", DENOISER_MAX);
        if (parse_one(s, from, &k[n++]))
            return err_set(err,
                           "'%.*s' is no span:DENSITY:MEAN:SHARE[:MODE] or prefix:SHARE[:MODE]",
                           (int)(len < 60 ? len : 60), s);
        s += len;
    } while (*s++);
    return n;
}

struct span_size denoiser_size(const struct denoiser *k, uint32_t n)
{
    uint32_t mode = k->mode != 0;
    struct span_size size;

    if (k->prefix && k->pair)    // (n - n / 2) / 2 .. of each half, and an end for each
        return (struct span_size){ .n_input = (n + 1) / 2 + 2 + 2 * mode,
                                   .n_target = (n + 1) / 2 + 2 };
    if (k->prefix)
        return (struct span_size){ .n_input = n + mode, .n_target = n };
    size = span_size(&k->span, n);
    size.n_input += mode;
    return size;
}

int denoiser_fits(const struct denoiser *k, uint32_t n, size_t inputs, size_t targets)
{
    struct span_size size = denoiser_size(k, n);

    return size.n_input <= inputs && size.n_target <= targets && size.n_span <= SPAN_MAX &&
           size.n_span <= (uint32_t)k->span.n_sentinel;
}

int denoiser_fit(struct denoiser *k, uint32_t inputs, uint32_t targets, uint32_t most,
                 struct err *err)
{
    k->piece = 0;
    while (k->piece < most && denoiser_fits(k, k->piece + 1, inputs, targets))
        k->piece++;
    if (k->piece < 2)
        return err_set(err, "no example fits into %" PRIu32 " inputs and %" PRIu32 " targets",
                       inputs, targets);
    return 0;
}

int denoiser_pick(const struct denoiser *k, int n, double u)
{
    double sum = 0, upto = 0;
    int i;

    for (i = 0; i < n; i++)
        sum += k[i].share;
    for (i = 0; i < n - 1; i++) {
        upto += k[i].share;
        if (u * sum < upto)
            break;
    }
    return i;
}

uint32_t denoiser_split(uint32_t n, struct rng *rng)
{
    return n < 2 ? 0 : 1 + (uint32_t)rng_below(rng, n - 1);
}
