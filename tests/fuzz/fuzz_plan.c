/* fuzz_plan.c - any bytes as a mixture plan: a plan that is read gives any row's place, and comes
 * back from what it writes. */
#define _GNU_SOURCE    // memfd_create
#include "fuzz.h"

#include <string.h>

#include "base/err.h"
#include "seq/plan.h"

static void walk(const struct plan *p)
{
    uint64_t *count = calloc((size_t)p->n_lang + 1, sizeof(*count)), n, sum = 0;
    int i;

    fuzz_check(count != NULL);
    for (n = 0; n < 300; n++) {
        uint64_t at = n < 100 ? n : n < 200 ? p->period - 100 + n : UINT64_MAX - n;
        struct plan_place place = plan_at(p, at);

        fuzz_check(place.lang >= 0 && place.lang < p->n_lang);
        fuzz_check(place.row < p->lang[place.lang].is.rows);
    }
    plan_count(p, 1000, count);
    for (i = 0; i < p->n_lang; i++)
        sum += count[i];
    fuzz_check(sum == 1000);
    free(count);
}

static void write_and_read(const struct plan *p)
{
    char one[65], two[65], copy[64];
    struct err err;
    struct plan *again;

    snprintf(copy, sizeof(copy), "/tmp/switchyard-fuzz-plan-%d", (int)getpid());
    if (plan_write(p, copy, &err))    // a name that no table can hold
        return;
    again = plan_read(copy, &err);
    unlink(copy);
    fuzz_check(again != NULL);
    plan_fingerprint(p, one);
    plan_fingerprint(again, two);
    fuzz_check(strcmp(one, two) == 0);
    plan_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct err err = { "" };
    struct plan *p = plan_read(fuzz_file(data, n), &err);

    fuzz_check(p || *err.msg);
    if (!p)
        return 0;
    walk(p);
    write_and_read(p);
    plan_free(p);
    return 0;
}
