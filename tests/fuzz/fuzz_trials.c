/* fuzz_trials.c - any bytes as a table, and as lines, through every metric. */
#define _GNU_SOURCE    // memfd_create
#include "fuzz.h"

#include <string.h>

#include "base/err.h"
#include "score/measure.h"
#include "score/score.h"
#include "score/trials.h"

enum { METRICS_MAX = 64 };

static void run(struct trials *in)
{
    const struct measure *list[METRICS_MAX];
    struct measure_how how;
    struct score_value v;
    struct score *s;
    struct trial t;
    struct err err;
    size_t n = 0, i;

    if (!in)
        return;
    for (i = 0; measure_at(i); i++)    // those that refuse examples would hide the others
        if (!measure_at(i)->group && strcmp(measure_at(i)->name, "pearson") &&
            strcmp(measure_at(i)->name, "spearman") && strcmp(measure_at(i)->name, "f1-binary"))
            list[n++] = measure_at(i);
    measure_how_init(&how);
    how.norm = ANSWER_MLQA;
    s = score_new(&how, list, n);
    while (trials_next(in, &t, &err) == 1 && score_add(s, &t, &err) == 0)
        ;
    if (score_examples(s)) {
        score_compute(s, 3, 0, 95);
        for (i = 0; score_get(s, i, &v); i++)
            fuzz_check(v.score >= -100.0001 && v.score <= 100.0001);
    }
    score_free(s);
    measure_how_release(&how);
    trials_close(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct trials_how how = { .separator = "||", .lang = "zh-Hant", .escaped = 1 };
    const char *path[2];
    struct err err;

    path[0] = path[1] = fuzz_file(data, n);
    run(trials_open(path[0], &how, &err));
    run(trials_open_lines(path, 2, &how, &err));
    return 0;
}
