/* test_weights.c - of a checkpoint of halves with many experts, what is resident is what texts
 * touched; and answers are those of the same numbers in float32, to the bit. */
#include "../test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"
#include "generate/net.h"
#include "generate/weights.h"
#include "kernel/kernel.h"
#include "shape/params.h"
#include "tensors/tensors.h"

enum { TOKENS = 2, STEPS = 2, V = 64, EXPERTS = 64 };

/* An expert has 2 M F = 131072 numbers; 2 blocks with 64 each. */
static struct config make_config(void)
{
    struct config c = { .model_type = "switch_transformers",
                        .n_vocab = V,
                        .d_model = 128,
                        .d_ff = 512,
                        .d_kv = 16,
                        .n_head = 4,
                        .n_block = { 2, 2 },
                        .n_expert = EXPERTS,
                        .n_bucket = 32,
                        .max_distance = 128,
                        .eps = 1e-6,
                        .expert_capacity = 64 };

    c.sparse[ENCODER][1] = c.sparse[DECODER][1] = 1;
    return c;
}

/* name/: the parameters as type, or as what was rounded to type made float32 again. */
static void write_model(const struct config *c, const struct params *p, const char *name,
                        enum tensor_type type, int widened)
{
    struct tensor *t = xcalloc(p->n, sizeof(*t));
    char *config = xasprintf("%s/config.json", name);
    char *file = xasprintf("%s/model.safetensors", name);
    struct err err = { "" };
    size_t i;

    mkdir(name, 0777);
    for (i = 0; i < p->n; i++) {
        const struct param *x = &p->p[i];
        void *to = xreallocarray(NULL, x->n, sizeof(float));

        t[i] = (struct tensor){ .name = x->name, .type = type, .n_dim = x->n_dim, .n = x->n };
        memcpy(t[i].dim, x->dim, sizeof(x->dim));
        t[i].data = to;
        tensor_pack_f32(to, type, x->w, x->n);
        if (!widened)
            continue;
        t[i].data = xreallocarray(NULL, x->n, sizeof(float));
        tensor_copy_f32(&(struct tensor){ .type = type, .n = x->n, .data = to },
                        (float *)(uintptr_t)t[i].data, x->n, &err);
        t[i].type = TENSOR_F32;
        free(to);
    }
    if (config_write(c, config, &err) < 0 || tensors_write(file, t, p->n, NULL, &err) < 0)
        fail_msg("%s", err.msg);
    for (i = 0; i < p->n; i++)
        free((void *)(uintptr_t)t[i].data);
    free(t);
    free(config);
    free(file);
}

/* KiB of this process: of its own memory, or resident of the mapped file. */
static long resident(const char *file)
{
    FILE *in = fopen(file ? "/proc/self/smaps" : "/proc/self/status", "r");
    char line[4096];
    long kib = 0;
    int here = !file;

    assert_non_null(in);
    while (fgets(line, sizeof(line), in)) {
        if (file && (line[0] < 'A' || line[0] > 'Z'))    // addresses, rights, a path
            here = strstr(line, file) != NULL;
        if (here && !strncmp(line, file ? "Rss:" : "RssAnon:", file ? 4 : 8))
            kib += strtol(strchr(line, ':') + 1, NULL, 10);
    }
    fclose(in);
    return kib;
}

/* Logits of a few steps after a short text, into to [STEPS, V]. */
static void answer(const struct weights *w, float *to)
{
    static const int32_t id[TOKENS] = { 7, 1 };
    struct net *net = net_new(w, 1, 1, STEPS);
    int32_t t, zero = 0;

    net_encode(net, 0, id, TOKENS, 0);
    net_begin_steps(net);
    for (t = 0; t < STEPS; t++)
        memcpy(to + t * V, net_step(net, 1, &t, &zero, &zero), V * sizeof(*to));
    net_free(net);
}

static struct weights *open_model(const char *name)
{
    struct err err = { "" };
    struct weights *w = weights_open(name, &err);

    if (!w)
        fail_msg("%s", err.msg);
    return w;
}

static void check(const struct config *c, const struct params *p, const char *name,
                  enum tensor_type type)
{
    char *plain = xasprintf("%s-f32", name), *file = xasprintf("%s/model.safetensors", name);
    float got[STEPS * V], want[STEPS * V];
    long before, mapped, grown, whole, expert = 2L * c->d_model * c->d_ff * 2 / 1024;
    struct weights *w;
    struct stat st;

    write_model(c, p, name, type, 0);
    write_model(c, p, plain, type, 1);
    assert_int_equal(stat(file, &st), 0);
    whole = (long)st.st_size / 1024;
    before = resident(NULL);
    w = open_model(name);
    answer(w, got);
    grown = resident(NULL) - before;
    mapped = resident(file);
    weights_close(w);
    w = open_model(plain);
    answer(w, want);
    weights_close(w);
    assert_memory_equal(got, want, sizeof(got));
    /* At most an expert a token in each of the two blocks; the rest of the file is what all
     * tokens share. The system maps up to 64 KiB around a page that is touched, so an expert's two
     * matrices may bring in four times that besides. */
    assert_true(whole > 2 * EXPERTS * expert);
    assert_in_range(mapped, 1, whole - 2 * EXPERTS * expert + (TOKENS + STEPS) * (expert + 256));
    if (grown >= whole / 4)    // widened it would be twice the whole; sanitizers have their part
        fail_msg("%ld KiB of our own", grown);
    print_message("# %s: %ld KiB, %ld of them resident; %ld of our own\n", name, whole, mapped,
                  grown);
    free(plain);
    free(file);
}

static void test_resident(void **state)
{
    struct config c = make_config();
    struct params *p = params_new(&c, 0, c.n_expert, 0);

    (void)state;
    kernel_init();
    net_threads(1);
    params_init(p, &c, 5, 1.0);
    check(&c, p, "bf16", TENSOR_BF16);
    check(&c, p, "f16", TENSOR_F16);
    params_free(p);
}

TESTS("generate/weights", cmocka_unit_test(test_resident))
