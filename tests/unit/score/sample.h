/* sample.h - a metric's score of some examples, for tests of single metrics. */
#include <math.h>
#include <stddef.h>

#include "base/err.h"
#include "score/measure.h"
#include "score/trials.h"

enum { SAMPLE_REFS = 3, SAMPLES = 16 };

struct sample {
    const char *said, *want[SAMPLE_REFS];    // references up to the first NULL
    const char *lang, *label;                // NULL: ""
};

static struct measure_how how;
static struct err sample_err;

static inline struct bytes sample_text(const char *s)
{
    return s ? (struct bytes){ (const unsigned char *)s, strlen(s) } : (struct bytes){ 0 };
}

static inline int how_begin(void **state)
{
    (void)state;
    measure_how_init(&how);
    return 0;
}

static inline int how_end(void **state)
{
    (void)state;
    measure_how_release(&how);
    return 0;
}

/* The row of one example, or -1 where the metric refuses it. */
static inline int sample_row(const struct measure *m, const struct sample *s, double *row)
{
    struct bytes ref[SAMPLE_REFS];
    struct trial t = { .lang = sample_text(s->lang),
                       .label = sample_text(s->label),
                       .prediction = sample_text(s->said),
                       .ref = ref };

    for (; t.n_ref < SAMPLE_REFS && s->want[t.n_ref]; t.n_ref++)
        ref[t.n_ref] = sample_text(s->want[t.n_ref]);
    return m->row(&how, &t, row, &sample_err);
}

static inline double score_of(const char *metric, const struct sample *s, size_t n)
{
    const struct measure *m = measure_find(metric, strlen(metric));
    double row[SAMPLES * MEASURE_WIDTH];
    size_t pick[SAMPLES], i;

    assert_non_null(m);
    assert_true(n <= SAMPLES);
    for (i = 0; i < n; i++) {
        pick[i] = i;
        if (sample_row(m, &s[i], row + i * m->width) < 0)
            fail_msg("%s", sample_err.msg);
    }
    return m->value(&how, row, pick, n);
}

/* Of one example with one reference. */
static inline double score_pair(const char *metric, const char *said, const char *want)
{
    struct sample s = { said, { want }, NULL, NULL };

    return score_of(metric, &s, 1);
}

/* To the rounding of a few operations on doubles. */
static inline void near(double got, double want)
{
    if (!(fabs(got - want) <= 1e-12 * fmax(1, fabs(want))))
        fail_msg("%.17g, not %.17g", got, want);
}

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))
#define WITH_HOW(test) cmocka_unit_test_setup_teardown(test, how_begin, how_end)
