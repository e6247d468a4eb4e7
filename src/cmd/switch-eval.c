/* switch-eval - losses of a model on example shards, by language. */
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/opt.h"
#include "checkpoint/folder.h"
#include "checkpoint/weights.h"
#include "comm/comm.h"
#include "io/out.h"
#include "kernel/kernel.h"
#include "model/model.h"
#include "model/threads.h"
#include "shape/config.h"
#include "shape/params.h"
#include "shape/slice.h"
#include "shape/variant.h"
#include "train/evaluate.h"
#include "train/loop.h"

enum { USUAL_ROWS = 8 };

static const char *out_path = "-", *experts_path, *model_name, *mesh, *cap = "floor",
                  *precision = "fp32";
static struct opt_list folders;
static int64_t group_rows = 1, rows, min_capacity = 4, threads;
static double capacity_factor = 2.0;
static int hf_compat;

static const struct opt opts[] = {
    { 'l', "lang-dir", "DIR", OPT_LIST, &folders, 0, 0, "all example shards DIR/*.ex" },
    { 'o', "output", "FILE", OPT_STR, &out_path, 0, 0, "write the table to FILE" },
    { 'e', "experts", "FILE", OPT_STR, &experts_path, 0, 0,
      "write the use of experts by language, block and expert" },
    { 'm', "model", "NAME", OPT_STR, &model_name, 0, 0, "add a column model with this name" },
    { 'b', "rows", "N", OPT_INT, &rows, 1, 1e6, "rows run at a time on a rank (default: about 8)" },
    { 0, "group-rows", "N", OPT_INT, &group_rows, 1, 1e6, "rows of a routing group (default 1)" },
    { 0, "capacity-factor", "X", OPT_NUM, &capacity_factor, 0, 1e6,
      "an expert's share of a group, times even (default 2)" },
    { 0, "min-capacity", "N", OPT_INT, &min_capacity, 1, 1e6,
      "least tokens an expert takes of a group (default 4)" },
    { 0, "hf-compat", NULL, OPT_FLAG, &hf_compat, 0, 0,
      "route, mask and drop as Hugging Face's classes do" },
    { 0, "mesh", "data=N,model=M,expert=E", OPT_STR, &mesh, 0, 0,
      "how ranks divide rows, slices of the model, experts (default: rows and experts)" },
    { 'j', "threads", "N", OPT_INT, &threads, 1, THREADS_MAX,
      "threads of a rank (default: its share of the processors)" },
    { 0, "capacity-rule", "floor|round|none", OPT_CHOICE, &cap, 0, 0,
      "an expert's share in whole tokens: rounded down, at most a group; to the nearest; "
      "no token is dropped (default @)" },
    { 0, "precision", "fp32|bf16|bf16-all", OPT_CHOICE, &precision, 0, 0,
      "of products with weights; of the last, of routers too (default @)" },
    { .to = router_opts },
};
static const struct tool tool = {
    "switch-eval",
    "[OPTION ...] CHECKPOINT [shard ...]",
    "Measure a model's loss on example shards, by language; under mpirun on many ranks.",
    opts,
};

/* A model with the weights of a checkpoint, this rank's experts alone. */
static struct params *load(const char *path, struct config *c, struct comm *comm)
{
    struct err err = { 0 };
    struct params *p;
    struct params_part part;

    if (config_read(c, path, &err) < 0)
        die("%s", err.msg);
    if (variant_apply(c, &err) < 0 || slice_lay(comm, c, mesh, &err) < 0)
        die_misuse("%s", err.msg);
    part = slice_part(c, comm);
    p = params_new_part(c, &part, 0);
    if (weights_read(p, c, path, &err) < 0)
        die("%s", err.msg);
    return p;
}

/* The operands after the checkpoint, and the folders. */
static struct eval_set *open_shards(char **operand)
{
    const char **path;
    struct err err = { 0 };
    struct eval_set *s;
    int n = 0, i;

    while (operand[n])
        n++;
    path = xcalloc((size_t)(n + folders.n) + 1, sizeof(*path));
    for (i = 0; i < n; i++)
        path[i] = operand[i];
    for (i = 0; i < folders.n; i++)
        path[n + i] = folders.item[i];
    s = eval_open(path, n + folders.n, &err);
    if (!s)
        die("%s", err.msg);
    free(path);
    return s;
}

static struct out *open_out(const char *path)
{
    struct err err = { 0 };
    struct out *o = out_open(path, &err);

    if (!o)
        die("%s", err.msg);
    return o;
}

/* Mean over sparse blocks of the share of the expert that most tokens chose; lang may be n_lang. */
static double busiest(const struct evaluation *e, int lang)
{
    const double *n = e->chosen + (size_t)lang * (size_t)e->n_sparse * (size_t)e->n_expert;
    double sum = 0;
    int i, k;

    for (i = 0; i < e->n_sparse; i++, n += e->n_expert) {
        double all = 0, most = 0;

        for (k = 0; k < e->n_expert; k++) {
            all += n[k];
            most = fmax(most, n[k]);
        }
        sum += all > 0 ? most / all : 0;
    }
    return e->n_sparse ? sum / e->n_sparse : 0;
}

static void put_row(struct out *o, const struct evaluation *e, int lang, struct err *err)
{
    const struct eval_sums *s = &e->sums[lang];
    double loss = s->targets > 0 ? s->ce / s->targets : 0, routed = s->routed > 0 ? s->routed : 1;

    if (out_printf(o, err, "%s\t%.0f\t%.0f\t%.9g\t%.9g\t%.9g\t%.6g\t%.6g\t%.6g%s%s\n",
                   lang < e->n_lang ? e->lang[lang] : "all", s->rows, s->targets, loss, exp(loss),
                   -loss, s->dropped / routed, s->entropy / routed, busiest(e, lang),
                   model_name ? "\t" : "", model_name ? model_name : "") < 0)
        die("%s", err->msg);
}

/* A language without a single target has no loss: it has no row either. */
static void put_table(const struct evaluation *e)
{
    struct out *o = open_out(out_path);
    struct err err = { 0 };
    int i;

    if (out_printf(o, &err,
                   "lang\trows\ttargets\tloss\tperplexity\tnlp\tdropped\tentropy\t"
                   "busiest%s\n",
                   model_name ? "\tmodel" : "") < 0)
        die("%s", err.msg);
    for (i = 0; i < e->n_lang; i++)
        if (e->sums[i].targets > 0)
            put_row(o, e, i, &err);
    put_row(o, e, e->n_lang, &err);
    if (out_close(o, &err) < 0)
        die("%s", err.msg);
}

static void put_shares(struct out *o, const struct evaluation *e, int lang, int sparse,
                       const char *stack, int block, struct err *err)
{
    const double *chosen =
        e->chosen + ((size_t)lang * (size_t)e->n_sparse + (size_t)sparse) * (size_t)e->n_expert;
    double all = 0;
    int k;

    for (k = 0; k < e->n_expert; k++)
        all += chosen[k];
    for (k = 0; k < e->n_expert; k++)
        if (all > 0 && out_printf(o, err, "%s\t%s\t%d\t%d\t%.0f\t%.6g\n",
                                  lang < e->n_lang ? e->lang[lang] : "all", stack, block, k,
                                  chosen[k], chosen[k] / all) < 0)
            die("%s", err->msg);
}

static void put_experts(const struct evaluation *e, const struct config *c)
{
    static const char *const name[] = { "encoder", "decoder" };
    struct out *o = open_out(experts_path);
    struct err err = { 0 };
    int lang, stack, block;

    if (out_printf(o, &err, "lang\tstack\tblock\texpert\ttokens\tshare\n") < 0)
        die("%s", err.msg);
    for (lang = 0; lang <= e->n_lang; lang++) {
        int sparse = 0;

        for (stack = 0; stack < 2; stack++)
            for (block = 0; block < c->n_block[stack]; block++)
                if (c->sparse[stack][block])
                    put_shares(o, e, lang, sparse++, name[stack], block, &err);
    }
    if (out_close(o, &err) < 0)
        die("%s", err.msg);
}

static void measure(const char *path, struct eval_set *set, struct comm *comm)
{
    int how = word_of(precision_words, precision);
    struct eval_rule rule = { (int)group_rows,          (int)rows, capacity_factor,
                              (int)min_capacity,        hf_compat, word_of(cap_words, cap),
                              how == PRECISION_BF16_ALL };
    struct err err = { 0 };
    struct evaluation e;
    struct config c;
    struct params *p = load(path, &c, comm);
    struct model *m;

    if (eval_vocab(set) > c.n_vocab)
        die("%s: vocab_size is %d, but the shards have ids up to %lld", path, c.n_vocab,
            eval_vocab(set) - 1);
    if (precision_check(&c, how, &err) < 0)
        die("%s: %s", path, err.msg);
    if (how != PRECISION_FP32)
        params_add_half(p);
    m = model_new(&c, p, comm, (int)rows, eval_inputs(set), eval_targets(set), 0);
    if (evaluate(set, m, &c, comm, &rule, &e, &err) < 0 && err.msg[0])
        die("%s", err.msg);
    comm_barrier(comm);    // so that a rank that failed has died before there is a table
    if (comm_rank(comm) == 0) {
        put_table(&e);
        if (experts_path)
            put_experts(&e, &c);
    }
    evaluation_release(&e);
    model_free(m);
    params_free(p);
}

int main(int argc, char **argv)
{
    struct eval_set *set;
    struct comm *comm;
    struct err err = { 0 };
    char *path;

    threads_calm(argv);
    argv += opt_parse(&tool, argc, argv);
    if (!*argv)
        die_misuse("no checkpoint");
    if (!argv[1] && !folders.n)
        die_misuse("no example shards: give files, or --lang-dir");
    if (!rows)
        rows = group_rows * (group_rows < USUAL_ROWS ? USUAL_ROWS / group_rows : 1);
    if (rows % group_rows != 0)
        die_misuse("--rows is not a multiple of --group-rows");
    comm = comm_init();
    threads_set(threads, comm);
    kernel_init();
    path = folder_find(*argv, &err);
    if (!path)
        die("%s", err.msg);
    set = open_shards(argv + 1);
    measure(path, set, comm);
    eval_close(set);
    free(path);
    comm_end(comm);
    return 0;
}
