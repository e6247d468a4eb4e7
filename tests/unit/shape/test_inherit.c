/* What a dense student takes over from a Switch teacher, and what it does not. */
#include <stdio.h>
#include <stdlib.h>

#include "../test.h"
#include "base/err.h"
#include "base/mem.h"
#include "shape/config.h"
#include "shape/inherit.h"
#include "shape/params.h"
#include "tensors/tensors.h"

static struct err err;
static struct config teacher;
static struct tensors *from;
static char *path;

static int set_up(void **state)
{
    (void)state;
    path = xasprintf("%s/golden/switch_tiny/model", test_data);
    if (config_read(&teacher, path, &err) < 0 || !(from = tensors_open(path, &err)))
        fail_msg("%s", err.msg);
    assert_true(config_is_sparse(&teacher));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tensors_close(from);
    free(path);
    return 0;
}

/* The teacher's name of a student's tensor, by this model's plan: odd blocks are sparse. */
static char *name_there(const char *name)
{
    const char *at = strstr(name, ".DenseReluDense.");

    return at ? xasprintf("%.*s.mlp.%s", (int)(at - name), name, at + strlen(".DenseReluDense."))
              : xstrdup(name);
}

static void test_dense_student(void **state)
{
    struct config c = config_dense(&teacher);
    struct params *p = params_new(&c, 0, 0, 0), *fresh = params_new(&c, 0, 0, 0);
    size_t i, n_fresh = 0, n_feed = 0;

    (void)state;
    assert_string_equal(c.model_type, "t5");
    assert_int_equal(c.n_expert, 0);
    assert_false(config_is_sparse(&c));
    assert_int_equal(config_check(&c, &err), 0);
    params_init(p, &c, 3, 1.0);
    params_init(fresh, &c, 3, 1.0);
    if (params_inherit(p, from, path, &err) < 0)
        fail_msg("%s", err.msg);
    for (i = 0; i < p->n; i++) {
        char *name = name_there(p->p[i].name);
        const struct tensor *x = tensors_find(from, name);
        int feed = strstr(name, ".mlp.") != NULL, sparse = feed && strstr(name, "block.1.");

        if (!x && !sparse && p->p[i].role == PARAM_EMBEDDING)
            x = tensors_find(from, "encoder.embed_tokens.weight");
        free(name);
        n_feed += (size_t)feed;
        n_fresh += (size_t)sparse;
        assert_true((x == NULL) == sparse);
        if (sparse)
            assert_memory_equal(p->p[i].w, fresh->p[i].w, p->p[i].n * sizeof(float));
        else
            assert_memory_equal(p->p[i].w, x->data, p->p[i].n * sizeof(float));
    }
    assert_true(n_fresh > 0 && n_fresh < n_feed);
    params_free(p);
    params_free(fresh);
}

/* A student with experts of its own gets none of the teacher's. */
static void test_switch_student(void **state)
{
    struct params *p = params_new(&teacher, 0, teacher.n_expert, 0);
    struct params *fresh = params_new(&teacher, 0, teacher.n_expert, 0);
    size_t i;

    (void)state;
    params_init(p, &teacher, 3, 1.0);
    params_init(fresh, &teacher, 3, 1.0);
    assert_int_equal(params_inherit(p, from, path, &err), 0);
    for (i = 0; i < p->n; i++)
        if (p->p[i].expert >= 0 || strstr(p->p[i].name, ".router."))
            assert_memory_equal(p->p[i].w, fresh->p[i].w, p->p[i].n * sizeof(float));
    assert_memory_not_equal(p->p[0].w, fresh->p[0].w, p->p[0].n * sizeof(float));
    params_free(p);
    params_free(fresh);
}

static void refused(struct config c, const char *why)
{
    struct params *p = params_new(&c, 0, 0, 0);

    assert_int_equal(params_inherit(p, from, path, &err), -1);
    if (!strstr(err.msg, why))
        fail_msg("'%s' does not say '%s'", err.msg, why);
    params_free(p);
}

static void test_other_shapes(void **state)
{
    struct config c = config_dense(&teacher);

    (void)state;
    c.d_ff++;
    refused(c, "of another shape");
    c.d_ff--;
    c.n_block[DECODER]++;
    refused(c, "missing");
}

TESTS("shape/inherit", cmocka_unit_test_setup(test_dense_student, set_up),
      cmocka_unit_test(test_switch_student),
      cmocka_unit_test_teardown(test_other_shapes, tear_down))
