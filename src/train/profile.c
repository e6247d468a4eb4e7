/* profile.c - see profile.h. */
#include <inttypes.h>
#include <math.h>

#include "nn/gemm.h"
#include "train/loop.h"
#include "train/profile.h"

/* Bytes of memory that belong to no file. What ranks of one machine see of one another counts in
 * equal parts with each that does. 0: the system does not say. */
static double resident(void)
{
    FILE *f = fopen("/proc/self/smaps_rollup", "r");
    unsigned long kb;
    char line[128];
    double sum = 0;

    while (f && fgets(line, sizeof(line), f))
        if (sscanf(line, "Pss_Anon: %lu", &kb) == 1 || sscanf(line, "Pss_Shmem: %lu", &kb) == 1)
            sum += 1024.0 * (double)kb;
    if (f)
        fclose(f);
    return sum;
}

void profile_open(struct profile *p)
{
    p->resident_at = resident();
}

void profile_start(struct profile *p)
{
    int i;

    for (i = 0; i < SPENT_PARTS; i++)
        p->at[i] = spent_seconds(i);
    p->flops_at = gemm_flops();
}

void profile_step(struct profile *p, struct step_report *r)
{
    int i;

    for (i = 0; i < SPENT_PARTS; i++)
        r->spent[i] = spent_seconds(i) - p->at[i];
    r->flops = gemm_flops() - p->flops_at;
    if (!p->n_seen++)
        return;
    if (p->resident_at > 0)
        p->memory = fmax(p->memory, resident() - p->resident_at);
    for (i = 0; i < SPENT_PARTS; i++)
        p->spent[i] += r->spent[i];
    p->seconds += r->seconds;
    p->flops += r->flops;
    p->tokens += r->tokens;
    p->n_step++;
}

void profile_print(const struct profile *p, const double work[SPENT_PARTS], FILE *to)
{
    double n = (double)p->n_step;
    int i;

    if (!p->n_step) {
        fprintf(to, "profile: no step but the first, in which memory is taken\n");
        return;
    }
    fprintf(to, "part\tseconds\tshare\trate\n");
    for (i = 0; i < SPENT_PARTS; i++)
        fprintf(to, "%s\t%.4f\t%.3f\t%.6g\n", spent_name(i), p->spent[i] / n,
                p->spent[i] / p->seconds, p->spent[i] > 0 ? work[i] * n / p->spent[i] : 0);
    fprintf(to, "step\t%.4f\t1\n", p->seconds / n);
    if (p->memory > 0)
        fprintf(to, "memory\t%.0f\tbytes\n", p->memory);
    fprintf(to,
            "%" PRIu64 " steps on this rank: %.3f GFLOP of products a step, %.1f GFLOP/s in "
            "products, %.1f in all; %.0f tokens/s\n",
            p->n_step, p->flops / n / 1e9,
            p->spent[SPENT_GEMM] > 0 ? p->flops / p->spent[SPENT_GEMM] / 1e9 : 0,
            p->flops / p->seconds / 1e9, p->tokens / p->seconds);
}
