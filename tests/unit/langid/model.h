/* model.h - a small model with numbers from a generator, and one of two labels told apart by
 * script. */
#ifndef TEST_LANGID_MODEL_H
#define TEST_LANGID_MODEL_H

#include <stdio.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "langid/langid.h"
#include "langid/model.h"

static inline void model_fill(float *x, size_t n, uint64_t key, double size)
{
    size_t i;

    for (i = 0; i < n; i++)
        x[i] = (float)(size * rng_normal(key, i, 0, 0));
}

/* All kinds of groups, n_label labels "l0", "l1", ... */
static inline struct langid *model_make(int n_label)
{
    struct langid_shape shape = { .group = { { LANGID_CHARS, 1, 50, 4 },
                                             { LANGID_CHARS, 3, 300, 7 },
                                             { LANGID_CHARS, 5, 500, 8 },
                                             { LANGID_CLASSES, 0, 12, 3 },
                                             { LANGID_SCRIPT, 0, 103, 4 },
                                             { LANGID_SHARES, 0, 103, 5 },
                                             { LANGID_WORDS, 0, 200, 6 } },
                                  .n_group = 7,
                                  .hidden = 9,
                                  .n_label = n_label };
    struct err err;
    struct langid *m = langid_new(&shape, &err);
    int g;

    for (g = 0; g < shape.n_group; g++)
        model_fill(m->embed[g], (size_t)shape.group[g].ids * (size_t)shape.group[g].dim,
                   rng_key((uint64_t)g, "embed"), 1);
    model_fill(m->hidden_w, (size_t)langid_width(&shape) * 9, rng_key(1, "hidden"), 0.5);
    model_fill(m->hidden_b, 9, rng_key(2, "hidden"), 0.5);
    model_fill(m->out_w, 9 * (size_t)n_label, rng_key(1, "out"), 1);
    model_fill(m->out_b, (size_t)n_label, rng_key(2, "out"), 1);
    for (g = 0; g < n_label; g++)
        m->label[g] = xasprintf("l%d", g);
    return m;
}

/* Latin is "en", Cyrillic "ru" (one script feature, one hidden unit each). */
static inline struct langid *model_scripts(void)
{
    struct langid_shape shape = {
        .group = { { LANGID_SHARES, 0, 103, 2 } }, .n_group = 1, .hidden = 2, .n_label = 3
    };
    static const char *const label[] = { "en", "ru", "hr" };
    struct err err;
    struct langid *m = langid_new(&shape, &err);
    int i;

    m->embed[0][1 * 2 + 0] = 1;    // [script, dim]
    m->embed[0][3 * 2 + 1] = 1;
    m->hidden_w[0] = m->hidden_w[3] = 1;
    m->out_w[0] = m->out_w[4] = 6;
    for (i = 0; i < 3; i++)
        m->label[i] = xstrdup(label[i]);
    m->bar[2] = 0.25f;
    m->origin = xstrdup("made for a test");
    return m;
}

#endif
