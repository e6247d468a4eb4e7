/* switch-probe - what a network makes of given rows, tensor by tensor, to compare it with other
 * implementations.
 *
 * Every rank reads all inputs and takes whole routing groups of them; rank 0 gathers what the
 * ranks made, in the order of the rows, and writes it.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/die.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/opt.h"
#include "checkpoint/weights.h"
#include "comm/comm.h"
#include "kernel/kernel.h"
#include "model/model.h"
#include "model/rows.h"
#include "model/threads.h"
#include "seq/batch.h"
#include "shape/config.h"
#include "shape/params.h"
#include "shape/slice.h"
#include "shape/variant.h"
#include "tensors/tensors.h"
#include "train/loop.h"

static const char *model_path, *input_path, *out_path, *mesh, *explore = "jitter", *cap = "floor";
static int grads, train_loss, hf_compat, second_loss;
static int64_t group_rows = 1, min_capacity = 4, seed, threads;
static double dropout, expert_dropout, jitter, input_dropout = 0.1;
static double capacity_factor = NAN, z_loss = NAN, aux_loss = NAN, router_z_loss = NAN;

static const struct opt opts[] = {
    { 'm', "model", "DIR", OPT_STR, &model_path, 0, 0, "config.json and *.safetensors of a model" },
    { 'i', "inputs", "FILE", OPT_STR, &input_path, 0, 0, "rows of ids, a safetensors file" },
    { 'o', "out", "FILE", OPT_STR, &out_path, 0, 0, "write the outputs here (- is stdout)" },
    { 'g', "grads", NULL, OPT_FLAG, &grads, 0, 0, "also the gradient of every parameter" },
    { 't', "train-loss", NULL, OPT_FLAG, &train_loss, 0, 0, "loss and capacity as in training" },
    { 0, "hf-compat", NULL, OPT_FLAG, &hf_compat, 0, 0, "route, see and pad as HF does" },
    { 0, "group-rows", "N", OPT_INT, &group_rows, 1, 1 << 20, "rows of a routing group [1]" },
    { 0, "capacity-factor", "X", OPT_NUM, &capacity_factor, 0, 1e6,
      "capacity in even shares [2; 1.25 with -t]" },
    { 0, "min-capacity", "N", OPT_INT, &min_capacity, 0, 1 << 30, "least capacity, in tokens [4]" },
    { 0, "z-loss", "X", OPT_NUM, &z_loss, 0, 1e6, "weight of log_z^2 [0; 1e-4 with -t]" },
    { 0, "aux-loss", "X", OPT_NUM, &aux_loss, 0, 1e6, "of balance, a layer [0; 0.01 with -t]" },
    { 0, "router-z-loss", "X", OPT_NUM, &router_z_loss, 0, 1e6,
      "of router z [0; config's with -t]" },
    { 0, "dropout", "X", OPT_NUM, &dropout, 0, 0.99, "rate [0]" },
    { 0, "expert-dropout", "X", OPT_NUM, &expert_dropout, 0, 0.99, "rate inside experts [0]" },
    { 0, "jitter", "X", OPT_NUM, &jitter, 0, 1, "of router inputs, 1 +- X [0]" },
    { 0, "explore", "jitter|argmax|sample|dropout", OPT_CHOICE, &explore, 0, 0,
      "how routers explore [jitter]" },
    { 0, "input-dropout", "X", OPT_NUM, &input_dropout, 0, 0.99, "of router inputs [0.1]" },
    { 0, "capacity-rule", "floor|round|none", OPT_CHOICE, &cap, 0, 0,
      "how capacity is rounded; none: no drops [floor]" },
    { 0, "second-loss", NULL, OPT_FLAG, &second_loss, 0, 0, "of top2: balance second choices too" },
    { 's', "seed", "N", OPT_INT, &seed, 0, 1e15, "of dropout and exploration [0]" },
    { 0, "mesh", "data=N,model=M,expert=E", OPT_STR, &mesh, 0, 0,
      "how ranks divide rows, slices of the model, experts (default: rows and experts)" },
    { 'j', "threads", "N", OPT_INT, &threads, 1, THREADS_MAX,
      "threads of a rank (default: its share of the processors)" },
    { .to = router_opts },
};
static const struct tool tool = { "switch-probe", "-m DIR -i FILE -o FILE [OPTION ...]",
                                  "Run a network on given rows and write all it makes of them.",
                                  opts };

static const char *const stack_name[] = { "encoder", "decoder" };

struct probe {
    struct config config;
    struct batch all, own;      // own is a view of this rank's rows
    struct rows_names names;    // of the inputs: outputs are named alike
    struct run run;
    struct comm *comm, *data, *slices;    // all ranks; its axes
    struct params *params;
    struct model *model;
    struct losses sums;
    size_t *n_of;          // [ranks] rows, then bytes of a gather
    struct tensor *out;    // on rank 0
    size_t n_out;
};

static void read_inputs(struct probe *p)
{
    struct err err;

    if (config_read(&p->config, model_path, &err) < 0 ||
        rows_read(&p->all, input_path, p->config.n_vocab, &p->names, &err) < 0)
        die("%s", err.msg);
    if (variant_apply(&p->config, &err) < 0 ||
        explore_check(&p->config, EXPLORE_JITTER + word_of(explore_words, explore), &err) < 0)
        die_misuse("%s", err.msg);
    if (grads && !p->names.targets)
        die("%s: neither targets nor labels: no loss to take gradients of", input_path);
}

static void lay_ranks(struct probe *p)
{
    struct err err;

    p->comm = comm_init();
    threads_set(threads, p->comm);
    if (slice_lay(p->comm, &p->config, mesh, &err) < 0)
        die_misuse("%s", err.msg);
    p->data = comm_axis(p->comm, AXIS_DATA);
    p->slices = comm_axis(p->comm, AXIS_MODEL);
}

static double option(double given, double usual)
{
    return isnan(given) ? usual : given;
}

static void set_run(struct probe *p)
{
    struct run *r = &p->run;

    if (hf_compat)
        group_rows = 1;
    if (p->all.n_row % group_rows)
        die("%s: %d rows do not make whole groups of %" PRId64, input_path, p->all.n_row,
            group_rows);
    r->train = 1;    // at rates of 0, nothing
    r->gradient = grads;
    r->dropout = dropout;
    r->expert_dropout = expert_dropout;
    r->explore = (enum explore)(EXPLORE_JITTER + word_of(explore_words, explore));
    r->jitter = jitter;
    r->input_dropout = input_dropout;
    r->cap = (enum route_cap)word_of(cap_words, cap);
    r->second_loss = second_loss;
    r->seed = (uint64_t)seed;
    r->hf_compat = hf_compat;
    r->group_rows = (int)group_rows;
    r->capacity_factor = option(capacity_factor, train_loss ? 1.25 : 2.0);
    r->min_capacity = (int)min_capacity;
    r->z_loss = option(z_loss, train_loss ? 1e-4 : 0);
    r->aux_loss = option(aux_loss, train_loss ? 0.01 : 0);
    r->router_z_loss = option(router_z_loss, train_loss && !hf_compat ? p->config.router_z : 0);
    r->n_target = (double)batch_targets(&p->all);
    r->n_group[ENCODER] = r->n_group[DECODER] = hf_compat ? 1 : p->all.n_row / (int)group_rows;
}

/* Rows of rank r: whole groups; with HF's rules one group, as its balance loss is over all. */
static int rows_of(const struct probe *p, int r, int *first)
{
    int unit = hf_compat ? p->all.n_row : (int)group_rows;
    int n = comm_slice(p->all.n_row / unit, comm_size(p->data), r, first) * unit;

    *first *= unit;
    return n;
}

static void take_rows(struct probe *p)
{
    struct batch *b = &p->own;
    size_t first;
    int at;

    *b = p->all;
    b->n_row = rows_of(p, comm_rank(p->data), &at);
    first = (size_t)at;
    b->input += first * (size_t)b->n_input;
    b->input_segment += first * (size_t)b->n_input;
    b->target += first * (size_t)b->n_target;
    b->decoder += first * (size_t)b->n_target;
    b->target_segment += first * (size_t)b->n_target;
    b->tag += first;
    b->number += first;
}

static void load_model(struct probe *p)
{
    struct params_part part = slice_part(&p->config, p->comm);
    struct err err;

    p->params = params_new_part(&p->config, &part, grads);
    if (weights_read(p->params, &p->config, model_path, &err) < 0)
        die("%s", err.msg);
    p->model = model_new(&p->config, p->params, p->comm, p->own.n_row, p->own.n_input,
                         p->own.n_target, grads);
    model_keep(p->model);
}

static void run(struct probe *p)
{
    float *g = p->params->g;

    model_forward(p->model, &p->own, &p->run, &p->sums, NULL, NULL);
    comm_sum_f64(p->data, (double *)&p->sums, N_LOSSES);
    if (!grads)
        return;
    model_backward(p->model, &p->own, &p->run);
    comm_sum_f32(p->data, g, p->params->size_shared);
    comm_sum_f32(comm_axis(p->comm, AXIS_REPLICA), g + p->params->size_shared,
                 p->params->size - p->params->size_shared);
}

/* A new tensor of this shape, on rank 0; NULL elsewhere. */
static void *put(struct probe *p, char *name, enum tensor_type type, int n_dim, const int64_t *dim)
{
    struct tensor *t;
    void *data;
    int i;

    if (comm_rank(p->comm) != 0) {
        free(name);
        return NULL;
    }
    p->out = xreallocarray(p->out, p->n_out + 1, sizeof(*p->out));
    t = &p->out[p->n_out++];
    *t = (struct tensor){ .name = name, .type = type, .n_dim = n_dim, .n = 1 };
    for (i = 0; i < n_dim; i++) {
        t->dim[i] = dim[i];
        t->n *= (size_t)dim[i];
    }
    data = xcalloc(t->n, 4);
    t->data = data;
    return data;
}

static void put_number(struct probe *p, char *name, double x)
{
    float *to = put(p, name, TENSOR_F32, 1, (const int64_t[]){ 1 });

    if (to)
        *to = (float)x;
}

/* The rows [n, width] of all ranks that have them, put together as `name`, on rank 0. */
static void *put_data(struct probe *p, const void *own, enum tensor_type type,
                      const struct model_view *v, char *name)
{
    size_t bytes = 4;
    int64_t dim[4];
    int i, first;
    void *to;

    for (i = 1; i < v->n_dim; i++)
        bytes *= (size_t)v->dim[i];
    memcpy(dim, v->dim, sizeof(dim));
    dim[0] = p->all.n_row;
    for (i = 0; i < comm_size(p->data); i++)
        p->n_of[i] = (size_t)rows_of(p, i, &first) * bytes;
    to = put(p, name, type, v->n_dim, dim);
    if (comm_rank(p->slices) == 0)
        comm_gather(p->data, own, p->n_of[comm_rank(p->data)], to, p->n_of, 0);
    return to;
}

/* What the model calls `look`, of all ranks, as `name`. Returns the data on rank 0. */
static void *put_rows(struct probe *p, const char *look, char *name)
{
    struct model_view v;

    if (!model_look(p->model, look, &v))
        die("nothing called %s was kept", look);
    return put_data(p, v.i32 ? (const void *)v.i32 : v.f32, v.i32 ? TENSOR_I32 : TENSOR_F32, &v,
                    name);
}

/* Of which a rank has those of its slice of the ids. */
static void put_logits(struct probe *p)
{
    struct params_part part = slice_part(&p->config, p->comm);
    struct param some = { .n_dim = 2, .axis = 1, .slice = part.slice, .n_slice = part.n_slice };
    struct model_view v;
    float *whole;

    if (!model_look(p->model, "logits", &v))
        die("no logits were kept");
    some.dim[0] = v.dim[0] * v.dim[1];
    some.dim[1] = v.dim[2];
    some.n = (size_t)some.dim[0] * (size_t)some.dim[1];
    v.dim[2] *= part.n_slice;
    whole = xcalloc(2 * slice_size(&some) + 1, sizeof(*whole));
    slice_gather(&some, v.f32, p->slices, whole + slice_size(&some), whole);
    put_data(p, whole, TENSOR_F32, &v, xstrdup("logits"));
    free(whole);
}

static double sum_of(struct probe *p, const char *look)
{
    struct model_view v;
    double x;

    if (!model_look(p->model, look, &v))
        die("nothing called %s was kept", look);
    x = *v.f32;
    comm_sum_f64(p->data, &x, 1);
    return x;
}

/* A sparse layer: what it is in its block, with a dot, where it is not the feed-forward one. */
static void put_layer(struct probe *p, const char *stack, int i, const char *layer)
{
    static const char *const ours[] = { "router_logits", "expert_index", "slot", "kept", "gate" };
    static const char *const hf[] = { "router_logits", "router_probs", "expert_index", "slot",
                                      "kept" };
    static const char *const hf_name[] = { "router_logits", "router_probs", "expert_index",
                                           "position_in_expert", "dropped" };
    char *at = xasprintf("%s.block.%d%s", stack, i, layer), *look;
    int32_t *to = NULL;
    size_t k, j;

    for (k = 0; k < 5; k++) {
        look = xasprintf("%s.%s", at, p->names.hf ? hf[k] : ours[k]);
        to = put_rows(p, look, xasprintf("%s.%s", at, p->names.hf ? hf_name[k] : ours[k]));
        free(look);
    }
    for (j = 0; p->names.hf && to && j < p->out[p->n_out - 1].n; j++)    // kept: dropped
        to[j] = !to[j];
    for (k = 0; k < 2; k++) {
        double x;

        look = xasprintf("%s.%s", at, k ? "router_z" : "aux");
        x = sum_of(p, look);
        if (!p->names.hf)
            put_number(p, xstrdup(look), x);
        else if (k == 0)
            put_number(p, xasprintf("paper.aux.%s", at), x);
        free(look);
    }
    free(at);
}

static void put_stack(struct probe *p, enum stack s)
{
    const char *stack = stack_name[s];
    char *last = xasprintf("%s_output", stack);
    int i;

    for (i = 0; i <= p->config.n_block[s]; i++) {
        char *name = xasprintf("%s_hidden_states.%d", stack, i);

        put_rows(p, name, xstrdup(name));
        free(name);
    }
    if (!p->names.hf)
        put_rows(p, last, xstrdup(last));
    else if (s == ENCODER)
        put_rows(p, last, xstrdup("encoder_last_hidden_state"));
    for (i = 0; i < p->config.n_block[s]; i++) {
        if (p->config.mixed[s][i])
            put_layer(p, stack, i, ".attention");
        if (p->config.sparse[s][i])
            put_layer(p, stack, i, "");
    }
    free(last);
}

static void put_losses(struct probe *p)
{
    double n = p->run.n_target > 0 ? p->run.n_target : 1;
    struct run paper = p->run;

    if (!p->names.hf) {
        put_number(p, xstrdup("loss.ce"), p->sums.ce / n);
        put_number(p, xstrdup("loss.z"), p->run.z_loss * p->sums.log_z2 / n);
        put_number(p, xstrdup("loss.total"), loss_total(&p->sums, &p->config, &p->run));
        return;
    }
    paper.z_loss = 1e-4;
    paper.aux_loss = 0.01;
    paper.router_z_loss = 0;
    put_number(p, xstrdup("ce_mean"), p->sums.ce / n);
    put_number(p, xstrdup("paper.ce"), p->sums.ce / n);
    put_number(p, xstrdup("paper.z_loss"), paper.z_loss * p->sums.log_z2 / n);
    put_number(p, xstrdup("paper.loss_total"), loss_total(&p->sums, &p->config, &paper));
}

/* The gradients of this rank's tensors, whole: in the place of values, where it is the first of
 * the slices; else NULL. */
static struct params *join_slices(struct probe *p)
{
    const struct params *own = p->params;
    struct params *to = NULL;
    float *scratch = NULL;
    size_t i;

    if (comm_rank(p->slices) == 0) {
        to = params_new(&p->config, own->first_expert, own->n_expert, 0);
        scratch = xcalloc(to->size, sizeof(*scratch));
    }
    for (i = 0; i < own->n; i++)
        slice_gather(&own->p[i], own->p[i].g, p->slices, scratch, to ? to->p[i].w : NULL);
    free(scratch);
    return to;
}

/* Those of the experts of all ranks on rank 0. The first of the replicas have them all. */
static void join_experts(struct probe *p, const struct params *own, struct params *whole)
{
    struct comm *experts = comm_axis(p->comm, AXIS_EXPERT);
    size_t n_own = (own->size - own->size_shared) * sizeof(float), per_expert = 0;
    int r, first, n_expert = p->config.n_expert;

    if (whole && n_expert)
        per_expert = (whole->size - whole->size_shared) / (size_t)n_expert * sizeof(float);
    for (r = 0; r < comm_size(experts); r++)
        p->n_of[r] = (size_t)comm_slice(n_expert, comm_size(experts), r, &first) * per_expert;
    comm_gather(experts, own->w + own->size_shared, n_own,
                whole ? whole->w + whole->size_shared : NULL, p->n_of, 0);
}

static void put_grads(struct probe *p)
{
    struct params *own = join_slices(p), *whole = NULL;
    size_t i;

    if (comm_rank(p->comm) == 0)
        whole = params_new(&p->config, 0, p->config.n_expert, 0);
    if (own && comm_rank(comm_axis(p->comm, AXIS_REPLICA)) == 0)
        join_experts(p, own, whole);
    for (i = 0; whole && i < whole->n; i++) {
        const struct param *x = i < whole->n_shared ? &own->p[i] : &whole->p[i];

        memcpy(put(p, xasprintf("grad.%s", x->name), TENSOR_F32, x->n_dim, x->dim), x->w,
               x->n * sizeof(float));
    }
    params_free(own);
    params_free(whole);
}

static void write_out(struct probe *p)
{
    struct err err;
    size_t i;

    if (comm_rank(p->comm) == 0 && tensors_write(out_path, p->out, p->n_out, NULL, &err) < 0)
        die("%s", err.msg);
    for (i = 0; i < p->n_out; i++) {
        free((void *)p->out[i].name);
        free((void *)p->out[i].data);
    }
    free(p->out);
}

static void release(struct probe *p)
{
    model_free(p->model);
    params_free(p->params);
    batch_release(&p->all);
    free(p->n_of);
    comm_end(p->comm);
}

int main(int argc, char **argv)
{
    static struct probe p;

    threads_calm(argv);
    if (argv[opt_parse(&tool, argc, argv)])
        die_misuse("no operands, please");
    if (!model_path || !input_path || !out_path)
        die_misuse("--model, --inputs and --out are needed");
    if (!strcmp(out_path, "-") && isatty(STDOUT_FILENO))
        die_misuse("tensors are not for a terminal");
    kernel_init();
    read_inputs(&p);
    set_run(&p);
    lay_ranks(&p);
    p.n_of = xcalloc((size_t)comm_size(p.comm), sizeof(*p.n_of));
    take_rows(&p);
    load_model(&p);
    run(&p);
    put_stack(&p, ENCODER);
    put_stack(&p, DECODER);
    put_logits(&p);
    if (p.names.targets)
        put_losses(&p);
    if (grads)
        put_grads(&p);
    write_out(&p);
    release(&p);
    return 0;
}
