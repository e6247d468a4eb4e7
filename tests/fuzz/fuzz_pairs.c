/* fuzz_pairs.c - any file is records of a task, sound or dropped: the first byte says of which. */
#define _GNU_SOURCE    // memfd_create
#include "fuzz.h"

#include "base/err.h"
#include "pairs/pairs.h"
#include "pairs/task.h"

static const char *const names[] = { "text",  "cola",   "stsb",     "wnli",    "xnli",
                                     "boolq", "record", "wsc",      "multirc", "wikiann-raw",
                                     "squad", "webq",   "triviaqa", "arc-easy" };

enum { N_TASK = sizeof(names) / sizeof(names[0]) };

static uint64_t fold(uint64_t h, struct bytes b)
{
    size_t i;

    for (i = 0; i < b.n; i++)
        h = (h ^ b.p[i]) * 0x100000001b3u;
    return h * 31 + b.n;
}

/* A hash of all pairs; *end is what the last call said. */
static uint64_t read_all(const struct task *t, const char *path, int *end)
{
    struct err err;
    struct pairs *p = pairs_open(t, path, &err);
    struct pair pair;
    uint64_t h = 1;
    int n = 0;

    fuzz_check(p != NULL);
    while ((*end = pairs_next(p, &pair, &err)) > 0 && n++ < 100000) {
        fuzz_check(!pair.dropped == !pair.why);
        fuzz_check(!pair.dropped || !pair.target.n);
        fuzz_check(pair.dropped || !pair.unlabelled || pair.target.n);
        h = fold(fold(fold(h, pair.input), pair.target), pair.lang);
    }
    fuzz_check(*end >= 0 || *err.msg);
    pairs_close(p);
    return h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct task *task[N_TASK];
    struct err err;
    int which = n ? data[0] % N_TASK : 0, end, again;
    const char *path;
    uint64_t h;

    if (!task[which])
        task[which] = task_read("share/tasks.tsv", names[which], &err);
    fuzz_check(task[which] != NULL);    // from the project's root
    path = fuzz_file(data + (n > 0), n - (n > 0));
    h = read_all(task[which], path, &end);
    fuzz_check(h == read_all(task[which], path, &again) && end == again);
    return 0;
}
