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

static double alpha = -1, temperature, least, epochs;
static int64_t cap, seed, period = PLAN_PERIOD, simulate, rows;
static const char *by = "rows", *output = "-", *stages;

static const struct opt opts[] = {
    { 'a', "alpha", "A", OPT_NUM, &alpha, 0, 4, "draw in proportion to rows ^ A (0.3)" },
    { 't', "temperature", "T", OPT_NUM, &temperature, 0.25, 1e6, "the same as --alpha 1/T" },
    { 'c', "cap", "N", OPT_INT, &cap, 1, 0x1p53, "count no more than N rows of a language" },
    { 'b', "by", "rows|tokens", OPT_CHOICE, &by, 0, 0, "what is counted (rows)" },
    { 'f', "floor", "P", OPT_NUM, &least, 0, 1, "draw every language with probability P at least" },
    { 'e', "max-epochs", "E", OPT_NUM, &epochs, 1e-9, 1e18,
      "repeat no language more than E times in --for rows" },
    { 'r', "for", "N", OPT_INT, &rows, 1, 0x1p53, "rows that training takes, for --max-epochs" },
    { 'S', "stages", "N[,N...]", OPT_STR, &stages, 0, 0,
      "join plans: the first for N rows, ..., the last for ever" },
    { 'p', "period", "N", OPT_INT, &period, 1, PLAN_PERIOD_MAX,
      "rows after which the shares are exact (65536)" },
    { 's', "seed", "N", OPT_INT, &seed, 0, 0x1p53, "of the order (0)" },
    { 'n', "simulate", "N", OPT_INT, &simulate, 1, 0x1p53,
      "read a plan, and tell what its first N rows hold" },
    { 'o', "output", "FILE", OPT_STR, &output, 0, 0, "write to FILE (standard output)" },
    { 0 },
};

static const struct tool tool = {
    "mix-langs", "[option ...] shard ... | -n N [plan] | --stages N[,N...] plan plan ...",
    "Plan how languages are mixed.", opts
};

/* What the rounding of weights makes of --max-epochs, where it matters. */
static void check_epochs(const struct plan *p)
{
    int i;

    for (i = 0; i < p->n_lang; i++) {
        double part = (double)p->stage[0].draw[i].weight / (double)p->period,
               takes = part * (double)rows / (double)p->lang[i].is.rows;

        if (part > 0 && takes > 1.01 * epochs)
            warn("%s: %.3g epochs: a longer --period comes nearer to %g", p->lang[i].is.lang, takes,
                 epochs);
    }
}

static void mix(char **path)
{
    struct plan_rule rule = { .cap = (uint64_t)cap,
                              .by_tokens = by[0] == 't',
                              .floor = least,
                              .epochs = epochs,
                              .rows = (uint64_t)rows };
    struct err err;
    struct plan *p = plan_new((uint64_t)seed);
    int i;

    for (; *path; path++) {
        struct plan_facts facts;

        if (plan_facts_read(*path, &facts, &err) || plan_add(p, *path, &facts, &err))
            die("%s", err.msg);
    }
    rule.alpha = alpha >= 0 ? alpha : temperature > 0 ? 1 / temperature : 0.3;
    if (plan_weigh(p, &rule, (uint64_t)period, &err))
        die("%s", err.msg);
    for (i = 0; i < p->n_lang; i++)
        if (!p->lang[i].is.rows)
            warn("%s: has no row: %s is not drawn", p->lang[i].file, p->lang[i].is.lang);
    if (epochs > 0)
        check_epochs(p);
    if (plan_write(p, output, &err))
        die("%s", err.msg);
    plan_free(p);
}

/* Round n up to whole periods. */
static uint64_t whole_periods(uint64_t n, uint64_t of)
{
    uint64_t whole = n + (of - n % of) % of;

    if (whole != n)
        warn("a stage of %" PRIu64 " rows becomes one of %" PRIu64 ": whole periods of %" PRIu64, n,
             whole, of);
    return whole;
}

/* The numbers of --stages: one fewer than plans. */
static void read_stages(uint64_t *n, int n_plan)
{
    const char *at = stages;
    char *end;
    int i;

    for (i = 0; i < n_plan - 1; i++, at = end + 1) {
        n[i] = strtoull(at, &end, 10);
        if (*at < '1' || *at > '9' || n[i] > (uint64_t)0x1p53 ||
            *end != (i < n_plan - 2 ? ',' : '\0'))
            die_misuse("--stages %s: %d plans need %d numbers of rows, parted by commas", stages,
                       n_plan, n_plan - 1);
    }
    n[i] = 0;
}

static void join(char **path, int n)
{
    struct plan *p[PLAN_STAGE_MAX], *all;
    uint64_t rows_of[PLAN_STAGE_MAX];
    struct err err;
    int i;

    if (n < 2 || n > PLAN_STAGE_MAX)
        die_misuse("--stages joins 2 to %d plans", PLAN_STAGE_MAX);
    read_stages(rows_of, n);
    for (i = 0; i < n; i++)
        if (!(p[i] = plan_read(path[i], &err)))
            die("%s", err.msg);
    for (i = 0; i < n - 1; i++)
        rows_of[i] = whole_periods(rows_of[i], p[0]->period);
    if (!(all = plan_join(p, rows_of, n, &err)) || plan_write(all, output, &err))
        die("%s", err.msg);
    for (i = 0; i < n; i++)
        plan_free(p[i]);
    plan_free(all);
}

static int table(struct out *o, const struct plan *p, const uint64_t *count, struct err *err)
{
    int i, bad = out_printf(o, err, "lang\trows\tdrawn\ttokens\tshare\tepochs\tunseen\n");

    for (i = 0; !bad && i < p->n_lang; i++) {
        const struct plan_facts *is = &p->lang[i].is;
        double times = is->rows ? (double)count[i] / (double)is->rows : 0;

        bad = out_printf(o, err, "%s\t%" PRIu64 "\t%" PRIu64 "\t%.0f\t%.6g\t%.6g\t%" PRIu64 "\n",
                         is->lang, is->rows, count[i], times * (double)is->tokens,
                         (double)count[i] / (double)simulate, times,
                         is->rows > count[i] ? is->rows - count[i] : 0);
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
    if (stages) {
        join(argv, n);
        return 0;
    }
    if (n == 0)
        die_misuse("no shard given");
    if ((epochs > 0) != (rows > 0))
        die_misuse("--max-epochs and --for go together");
    mix(argv);
    return 0;
}
