/* mix-langs.c - example shards by language to a mixture plan. */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/die.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/opt.h"
#include "io/out.h"
#include "seq/plan.h"

static double alpha = -1, temperature;
static int64_t cap, seed, period = PLAN_PERIOD, simulate;
static const char *by = "rows", *output = "-";

static const struct opt opts[] = {
    { 'a', "alpha", "A", OPT_NUM, &alpha, 0, 4, "draw in proportion to rows ^ A (0.3)" },
    { 't', "temperature", "T", OPT_NUM, &temperature, 0.25, 1e6, "the same as --alpha 1/T" },
    { 'c', "cap", "N", OPT_INT, &cap, 1, 0x1p53, "count no more than N rows of a language" },
    { 'b', "by", "rows|tokens", OPT_CHOICE, &by, 0, 0, "what is counted (rows)" },
    { 'p', "period", "N", OPT_INT, &period, 1, PLAN_PERIOD_MAX,
      "rows after which the shares are exact (65536)" },
    { 's', "seed", "N", OPT_INT, &seed, 0, 0x1p53, "of the order (0)" },
    { 'n', "simulate", "N", OPT_INT, &simulate, 1, 0x1p53,
      "read a plan, and tell what its first N rows hold" },
    { 'o', "output", "FILE", OPT_STR, &output, 0, 0, "write to FILE (standard output)" },
    { 0 },
};

static const struct tool tool = { "mix-langs", "[option ...] shard ... | -n N [option ...] [plan]",
                                  "Plan how languages are mixed.", opts };

static void mix(char **path)
{
    struct err err;
    struct plan *p = plan_new((uint64_t)seed);
    int i;

    for (; *path; path++) {
        struct plan_facts facts;

        if (plan_facts_read(*path, &facts, &err) || plan_add(p, *path, &facts, &err))
            die("%s", err.msg);
    }
    if (alpha < 0)
        alpha = temperature > 0 ? 1 / temperature : 0.3;
    if (plan_weigh(p, alpha, (uint64_t)cap, by[0] == 't', (uint64_t)period, &err))
        die("%s", err.msg);
    for (i = 0; i < p->n_lang; i++)
        if (!p->lang[i].is.rows)
            warn("%s: has no row: %s is not drawn", p->lang[i].file, p->lang[i].is.lang);
    if (plan_write(p, output, &err))
        die("%s", err.msg);
    plan_free(p);
}

static int table(struct out *o, const struct plan *p, const uint64_t *count, struct err *err)
{
    int i, bad = out_printf(o, err, "lang\trows\tdrawn\tshare\tepochs\tunseen\n");

    for (i = 0; !bad && i < p->n_lang; i++) {
        uint64_t rows = p->lang[i].is.rows;

        bad = out_printf(o, err, "%s\t%" PRIu64 "\t%" PRIu64 "\t%.6g\t%.6g\t%" PRIu64 "\n",
                         p->lang[i].is.lang, rows, count[i], (double)count[i] / (double)simulate,
                         rows ? (double)count[i] / (double)rows : 0,
                         rows > count[i] ? rows - count[i] : 0);
    }
    return bad;
}

static void tell(const char *path)
{
    struct err err;
    struct plan *p = plan_read(path, &err);
    struct out *o;
    uint64_t *count;

    if (!p)
        die("%s", err.msg);
    count = xcalloc((size_t)p->n_lang, sizeof(*count));
    plan_count(p, (uint64_t)simulate, count);
    o = out_open(output, &err);
    if (!o)
        die("%s", err.msg);
    if (table(o, p, count, &err)) {
        out_abandon(o);
        die("%s", err.msg);
    }
    if (out_close(o, &err))
        die("%s", err.msg);
    free(count);
    plan_free(p);
}

int main(int argc, char **argv)
{
    int n;

    n = argc - opt_parse(&tool, argc, argv);
    argv += argc - n;
    if (alpha >= 0 && temperature > 0)
        die_misuse("--alpha and --temperature say the same thing twice");
    if (simulate) {
        if (n > 1 || (n == 0 && isatty(STDIN_FILENO)))
            die_misuse("--simulate reads one plan");
        tell(n ? *argv : "-");
        return 0;
    }
    if (n == 0)
        die_misuse("no shard given");
    mix(argv);
    return 0;
}
