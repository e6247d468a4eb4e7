/* switch-plan - what a model costs: parameters, operations, memory and traffic. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/die.h"
#include "base/err.h"
#include "base/opt.h"
#include "io/out.h"
#include "plan/plan.h"
#include "shape/config.h"
#include "shape/preset.h"
#include "shape/slice.h"
#include "shape/variant.h"

static int64_t n_rank, n_row = 128, n_micro, n_input = 512, n_target = 114, group_rows = 1;
static int64_t min_capacity = 4, min_dim = 128;
static double capacity_factor = 1.25, processors = 1;
static const char *to = "-", *remat = "none", *mesh, *precision = "fp32", *rates;

static const struct opt opts[] = {
    { 'o', "output", "FILE", OPT_STR, &to, 0, 0, "write there instead of standard output" },
    { 'n', "ranks", "N", OPT_INT, &n_rank, 1, 1e6,
      "ranks that share the work (default: 1, or the mesh's)" },
    { 0, "mesh", "data=N,model=M,expert=E", OPT_STR, &mesh, 0, 0,
      "how ranks divide rows, slices of the model, experts (default: rows and experts)" },
    { 'b', "rows", "B", OPT_INT, &n_row, 1, 1e9, "rows of a step, all ranks (default 128)" },
    { 0, "microbatch", "ROWS", OPT_INT, &n_micro, 1, 1e9,
      "rows a rank runs at a time (default: all its rows)" },
    { 0, "inputs", "S", OPT_INT, &n_input, 1, 1e6, "tokens of an input (default 512)" },
    { 0, "targets", "T", OPT_INT, &n_target, 1, 1e6, "tokens of a target (default 114)" },
    { 0, "group-rows", "N", OPT_INT, &group_rows, 1, 1e6, "rows of a routing group (default 1)" },
    { 0, "capacity-factor", "X", OPT_NUM, &capacity_factor, 0, 1e6,
      "an expert's share of a group, times even (default 1.25)" },
    { 0, "min-capacity", "N", OPT_INT, &min_capacity, 1, 1e6,
      "least tokens an expert takes of a group (default 4)" },
    { 0, "optimizer-min-dim", "N", OPT_INT, &min_dim, 1, 1e9,
      "matrices this wide have factored slots (default 128)" },
    { 0, "remat", "none|block", OPT_CHOICE, &remat, 0, 0,
      "what the backward pass makes again to save memory (default @)" },
    { 0, "precision", "fp32|bf16|bf16-all", OPT_CHOICE, &precision, 0, 0,
      "of products with weights (default @)" },
    { 0, "rates", "FILE", OPT_STR, &rates, 0, 0,
      "predict times, by what a profile of switch-pretrain said of this machine" },
    { 0, "processors", "X", OPT_NUM, &processors, 1e-3, 1e3,
      "of a rank, for each one that it had in that profile (default @)" },
    { .to = variant_opts },
};

static const struct tool tool = {
    "switch-plan", "[OPTION ...] CONFIG|PRESET",
    "Print what training a model costs: parameters, operations, bytes a rank, traffic.", opts
};

static void print_plan(struct out *o, const struct plan *p, const struct plan_ask *ask,
                       const struct config *c)
{
    const struct {
        const char *name;
        double value;
        const char *unit;
    } rows[] = {
        { "parameters", (double)p->parameters, "numbers" },
        { "parameters.shared", (double)p->shared, "numbers" },
        { "parameters.expert", (double)p->expert, "numbers" },
        { "experts", c->n_expert, "experts" },
        { "sparse_blocks", p->n_sparse, "blocks" },
        { "sparse_attention", p->n_mixed, "blocks" },
        { "flops.sequence", p->flops_sequence, "flops" },
        { "flops.step", p->flops_step, "flops" },
        { "capacity.encoder", p->capacity[ENCODER], "tokens" },
        { "capacity.decoder", p->capacity[DECODER], "tokens" },
        { "mesh.data", ask->mesh.n_data, "ranks" },
        { "mesh.model", ask->mesh.n_model, "ranks" },
        { "mesh.expert", ask->mesh.n_expert, "ranks" },
        { "rank.experts", p->experts_per_rank, "experts" },
        { "rank.weights", p->weights, "bytes" },
        { "rank.gradients", p->gradients, "bytes" },
        { "rank.slots", p->slots, "bytes" },
        { "rank.activations", p->activations, "bytes" },
        { "rank.products", p->packed, "bytes" },
        { "rank.memory", p->memory, "bytes" },
        { "rank.exchange", p->exchange, "bytes/step" },
        { "rank.exchange_full", p->exchange_buffer, "bytes/step" },
        { "rank.sum", p->sum, "bytes/step" },
        { "rank.slices", p->slices, "bytes/step" },
    };
    struct err err;
    size_t i;

    if (out_printf(o, &err, "name\tvalue\tunit\n") < 0)
        die("%s", err.msg);
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (out_printf(o, &err, "%s\t%.0f\t%s\n", rows[i].name, rows[i].value, rows[i].unit) < 0)
            die("%s", err.msg);
}

static void print_times(struct out *o, const struct plan *p, const struct plan_ask *ask,
                        const struct config *c)
{
    double work[SPENT_PARTS], rate[SPENT_PARTS], seconds[SPENT_PARTS], sum;
    struct err err;
    int i;

    if (plan_read_rates(rates, rate, &err) < 0)
        die("%s", err.msg);
    plan_work(c, ask, p, work);
    sum = plan_seconds(work, rate, seconds);
    for (i = 0; i < SPENT_PARTS; i++)
        if (out_printf(o, &err, "seconds.%s\t%.6g\tseconds\n", spent_name(i),
                       seconds[i] / processors) < 0)
            die("%s", err.msg);
    if (out_printf(o, &err, "seconds.step\t%.6g\tseconds\n", sum / processors) < 0)
        die("%s", err.msg);
}

static void lay_ranks(struct mesh *m, const struct config *c)
{
    int sparse = config_is_sparse(c) ? c->n_expert : 0;
    struct err err;

    if (mesh_read(m, mesh, &err) < 0)
        die_misuse("%s", err.msg);
    if (!n_rank)
        n_rank = (int64_t)(m->n_data ? m->n_data : 1) * (m->n_model ? m->n_model : 1);
    if (mesh_complete(m, (int)n_rank, sparse, &err) < 0 || slice_check(c, m->n_model, &err) < 0)
        die_misuse("%s", err.msg);
}

static void ask_set(struct plan_ask *ask, const struct config *c)
{
    int64_t of_rank;

    *ask = (struct plan_ask){ .n_row = (int)n_row };
    lay_ranks(&ask->mesh, c);
    of_rank = (n_row + ask->mesh.n_data - 1) / ask->mesh.n_data;
    ask->n_micro = (int)(n_micro && n_micro < of_rank ? n_micro : of_rank);
    ask->n_input = (int)n_input;
    ask->n_target = (int)n_target;
    ask->group_rows = (int)group_rows;
    ask->min_capacity = (int)min_capacity;
    ask->min_dim = (int)min_dim;
    ask->half = strcmp(precision, "fp32") != 0;
    ask->remat = strcmp(remat, "block") == 0;
    ask->capacity_factor = capacity_factor;
}

int main(int argc, char **argv)
{
    struct config c;
    struct plan p;
    struct plan_ask ask;
    struct out *o;
    struct err err;

    argv += opt_parse(&tool, argc, argv);
    if (!argv[0] || argv[1])
        die_misuse("one config or preset is needed");
    if (config_find(&c, argv[0], &err) < 0)
        die("%s", err.msg);
    if (variant_apply(&c, &err) < 0)
        die_misuse("%s", err.msg);
    ask_set(&ask, &c);
    plan_make(&p, &c, &ask);
    o = out_open(to, &err);
    if (!o)
        die("%s", err.msg);
    print_plan(o, &p, &ask, &c);
    if (rates)
        print_times(o, &p, &ask, &c);
    if (out_close(o, &err) < 0)
        die("%s", err.msg);
    return 0;
}
