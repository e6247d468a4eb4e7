/* model/params: names and shapes are HF's, draws do not depend on the slice, loading is strict. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../test.h"
#include "base/err.h"
#include "shape/config.h"
#include "shape/params.h"
#include "tensors/tensors.h"

static struct err err;

static void make_config(struct config *c, int n_expert)
{
    *c = (struct config){ .model_type = "t5", .n_vocab = 96, .d_model = 32, .d_ff = 64 };
    c->d_kv = 8;
    c->n_head = 4;
    c->n_block[0] = c->n_block[1] = 2;
    c->n_bucket = 32;
    c->max_distance = 128;
    c->eps = 1e-6;
    c->tied = 1;
    if (n_expert) {
        strcpy(c->model_type, "switch_transformers");
        c->n_expert = n_expert;
        c->sparse[0][1] = c->sparse[1][1] = 1;
    }
}

/* As tensors of a file: those of p, less the one called skip. */
static size_t as_tensors(const struct params *p, struct tensor *t, const char *skip)
{
    size_t i, n = 0;

    for (i = 0; i < p->n; i++) {
        if (skip && !strcmp(p->p[i].name, skip))
            continue;
        t[n] = (struct tensor){ .name = p->p[i].name, .n_dim = p->p[i].n_dim };
        t[n].dim[0] = p->p[i].dim[0];
        t[n].dim[1] = p->p[i].dim[1];
        t[n].n = p->p[i].n;
        t[n++].data = p->p[i].w;
    }
    return n;
}

static int load(struct params *p, const struct config *c, const struct tensor *t, size_t n)
{
    struct tensors *f;
    int rc;

    assert_int_equal(tensors_write("m", t, n, NULL, &err), 0);
    f = tensors_open("m", &err);
    assert_non_null(f);
    rc = params_load(p, c, f, &err);
    tensors_close(f);
    return rc;
}

static void test_table(void **state)
{
    struct config c;
    struct params *p;
    const struct param *x;
    size_t i, sum = 0;

    (void)state;
    make_config(&c, 4);
    p = params_new(&c, 0, 4, 1);
    assert_int_equal(p->n, 61);    // as the golden switch_tiny
    for (i = 0; i < p->n; i++) {
        sum += p->p[i].n;
        assert_int_equal((p->p[i].expert >= 0), (i >= p->n_shared));
        assert_int_equal((uintptr_t)p->p[i].w % 64, 0);
        assert_ptr_equal(params_find(p, p->p[i].name), &p->p[i]);
        assert_int_equal(p->p[i].g - p->g, p->p[i].w - p->w);
        assert_int_equal((p->p[i].w - p->w >= (ptrdiff_t)p->size_shared), (i >= p->n_shared));
    }
    assert_int_equal(sum, params_count(&c));
    x = params_find(p, "decoder.block.1.layer.2.mlp.experts.expert_3.wo.weight");
    assert_non_null(x);
    assert_true(x->dim[0] == 32 && x->dim[1] == 64 && x->expert == 3);
    assert_non_null(params_find(p, "encoder.block.1.layer.1.mlp.router.classifier.weight"));
    assert_non_null(params_find(p, "encoder.block.0.layer.1.mlp.wi.weight"));
    assert_null(params_find(p, "lm_head.weight"));
    params_free(p);
    make_config(&c, 0);
    c.gated = 1;
    c.tied = 0;
    p = params_new(&c, 0, 0, 0);
    assert_non_null(params_find(p, "lm_head.weight"));
    assert_non_null(params_find(p, "decoder.block.1.layer.2.DenseReluDense.wi_1.weight"));
    assert_null(p->g);
    assert_int_equal(p->size, p->size_shared);
    params_free(p);
}

static void moments(const struct param *p, double *deviation, double *most)
{
    double sum = 0;
    size_t i;

    *most = 0;
    for (i = 0; i < p->n; i++) {
        sum += (double)p->w[i] * p->w[i];
        *most = fmax(*most, fabs(p->w[i]));
    }
    *deviation = sqrt(sum / (double)p->n);
}

/* A normal cut at 2 deviations has 0.8796 of the deviation; of n >= 1024 draws it is known to
 * 1/sqrt(2 n) = 2.2 % at most: a tenth is over 4 sigma. */
static void check_draw(const struct params *p, const char *name, double s)
{
    double deviation, most;

    moments(params_find(p, name), &deviation, &most);
    if (!(fabs(deviation / (0.87962566 * s) - 1) < 0.1) || !(most <= 2 * s * (1 + 1e-6)))
        fail_msg("%s: deviation %g, most %g, for %g", name, deviation, most, s);
}

static void test_init(void **state)
{
    struct config c;
    struct params *all, *one;
    double deviation, most;
    const char *const name = "encoder.block.1.layer.1.mlp.experts.expert_2.wi.weight";
    const char *const bias = "decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight";

    (void)state;
    make_config(&c, 4);
    all = params_new(&c, 0, 4, 0);
    one = params_new(&c, 2, 1, 0);
    params_init(all, &c, 1, 0.1);
    params_init(one, &c, 1, 0.1);
    assert_memory_equal(params_find(all, name)->w, params_find(one, name)->w, 64 * 32 * 4);
    assert_memory_equal(all->w, one->w, all->size_shared * sizeof(float));
    check_draw(all, "encoder.block.0.layer.0.SelfAttention.k.weight", sqrt(0.1 / 32));
    check_draw(all, "encoder.block.0.layer.0.SelfAttention.q.weight", sqrt(0.1 / 32 / 8));
    check_draw(all, name, sqrt(0.1 / 32));
    check_draw(all, "decoder.block.1.layer.2.mlp.experts.expert_0.wo.weight", sqrt(0.1 / 64));
    moments(params_find(all, "shared.weight"), &deviation, &most);
    assert_true(fabs(deviation - 1) < 0.06 && most > 2);
    moments(params_find(all, bias), &deviation, &most);
    assert_true(most <= sqrt(6 * 0.1 / 36) && most > 0.9 * sqrt(6 * 0.1 / 36));
    assert_true(params_find(all, "encoder.final_layer_norm.weight")->w[31] == 1);
    params_init(one, &c, 2, 0.1);
    assert_memory_not_equal(all->w, one->w, 64);
    params_free(all);
    params_free(one);
}

/* Deviation s, and whether it was cut at 2 deviations of what was drawn. */
static void check_kind(const struct params *p, const char *name, double s, double cut)
{
    double deviation, most;

    moments(params_find(p, name), &deviation, &most);
    if (fabs(deviation / s - 1) > 0.1 || (cut > 0 ? most > cut * s : most < 2.4 * s))
        fail_msg("%s: deviation %g, most %g, for %g", name, deviation, most, s);
}

static void test_schemes(void **state)
{
    static const char *const q = "encoder.block.0.layer.0.SelfAttention.q.weight",
                             *const o = "encoder.block.0.layer.0.SelfAttention.o.weight",
                             *const wi = "encoder.block.0.layer.1.mlp.wi.weight",
                             *const expert =
                                 "encoder.block.1.layer.1.mlp.experts.expert_2.wi.weight",
                             *const router = "encoder.block.1.layer.1.mlp.router.classifier.weight";
    const double cut = 0.87962566103423978, root = sqrt(0.1 / 32);
    struct config c;
    struct params *p;

    (void)state;
    make_config(&c, 64);
    p = params_new(&c, 2, 1, 0);
    params_init_as(p, &c, 1, 0.1, INIT_MTF);
    check_kind(p, q, sqrt(1.0 / 32 / 8), 0);
    check_kind(p, o, sqrt(1.0 / 32), 0);
    check_kind(p, wi, cut * root, 2 / cut);
    check_kind(p, expert, cut * root, 2 / cut);
    check_kind(p, router, cut * root, 2 / cut);
    params_init_as(p, &c, 1, 0.1, INIT_T5X);
    check_kind(p, q, root / sqrt(8), 0);
    check_kind(p, o, root, 0);
    check_kind(p, wi, root, 2 / cut);
    check_kind(p, expert, root, 0);
    check_kind(p, router, 0.02, 0);
    params_free(p);
}

static void test_load(void **state)
{
    struct config c;
    struct params *from, *to;
    struct tensor t[64];
    size_t n;

    (void)state;
    make_config(&c, 4);
    from = params_new(&c, 0, 4, 0);
    to = params_new(&c, 1, 2, 0);
    params_init(from, &c, 1, 1);
    n = as_tensors(from, t, NULL);
    assert_int_equal(load(to, &c, t, n), 0);
    assert_memory_equal(from->w, to->w, from->size_shared * sizeof(float));
    assert_int_equal(
        load(to, &c, t, as_tensors(from, t, "encoder.block.0.layer.0.SelfAttention.k.weight")), -1);
    assert_non_null(strstr(err.msg, "SelfAttention.k.weight: missing"));
    n = as_tensors(from, t, NULL);
    t[n] = (struct tensor){ "more", TENSOR_F32, 1, { 1 }, from->w, 1 };
    assert_int_equal(load(to, &c, t, n + 1), -1);
    assert_non_null(strstr(err.msg, "more: not a tensor"));
    t[n].name = "encoder.block.1.layer.1.mlp.experts.expert_4.wi.weight";
    assert_int_equal(load(to, &c, t, n + 1), -1);
    t[0].dim[0] = 32;
    t[0].dim[1] = 96;
    assert_int_equal(load(to, &c, t, n), -1);
    assert_non_null(strstr(err.msg, "another shape"));
    params_free(from);
    params_free(to);
}

static void test_aliases(void **state)
{
    struct config c;
    struct params *p;
    struct tensor t[64];
    float other[96 * 32] = { 0 };
    size_t n;

    (void)state;
    make_config(&c, 0);
    p = params_new(&c, 0, 0, 0);
    params_init(p, &c, 1, 1);
    n = as_tensors(p, t, NULL);
    t[n] = t[0];
    t[n].name = "encoder.embed_tokens.weight";
    t[n + 1] = t[0];
    t[n + 1].name = "lm_head.weight";
    assert_int_equal(load(p, &c, t, n + 2), 0);
    assert_int_equal(load(p, &c, t + 1, n + 1), 0);    // aliases alone
    t[n + 1].data = other;
    assert_int_equal(load(p, &c, t, n + 2), -1);
    assert_non_null(strstr(err.msg, "lm_head"));
    params_free(p);
}

TESTS("shape/params", cmocka_unit_test(test_table), cmocka_unit_test(test_init),
      cmocka_unit_test(test_schemes), cmocka_unit_test(test_load), cmocka_unit_test(test_aliases))
