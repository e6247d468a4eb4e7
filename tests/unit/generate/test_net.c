/* test_net.c - greedy decoding against Hugging Face's, logits of each step too. */
#include "model.h"

#include <math.h>

enum { STEPS = 16 };

/* Greedy ids and the logits of each step of reference model name; an encoder's expert takes
 * capacity ids of a text. */
static void check_greedy(const char *name, int hf_compat)
{
    struct weights *w = golden_weights(name);
    struct inputs in = golden_inputs(name);
    struct tensors *t = golden_tensors(name, "greedy.safetensors");
    struct net *net = net_new(w, in.n, in.n, STEPS);
    const struct tensor *x = tensors_find(t, "step_logits");
    int64_t dim[2], i, n_vocab = net_vocab(net);
    int32_t *want = golden_i32(t, "sequences", dim), id[8], text[8], parent[8];
    float *logits = xcalloc(x->n, sizeof(*logits));
    struct err err = { 0 };
    int step, bad = 0;

    assert_int_equal(dim[1], STEPS + 1);
    assert_int_equal(tensor_copy_f32(x, logits, x->n, &err), 0);
    for (i = 0; i < in.n; i++) {
        net_encode(net, (int)i, in.id + i * in.width, (size_t)in.length[i],
                   hf_compat ? w->c.expert_capacity : 0);
        id[i] = 0;
        text[i] = parent[i] = (int32_t)i;
    }
    net_begin_steps(net);
    for (step = 0; step < STEPS; step++) {
        const float *got = net_step(net, in.n, id, text, parent);

        for (i = 0; i < in.n * n_vocab; i++) {
            float ref = logits[((i / n_vocab) * STEPS + step) * n_vocab + i % n_vocab];

            bad += !(fabsf(got[i] - ref) <= 5e-5f + 1e-5f * fabsf(ref));
        }
        for (i = 0; i < in.n; i++) {
            struct pick best;

            assert_int_equal(pick_best(got + i * n_vocab, (size_t)n_vocab, &best, 1), 1);
            assert_int_equal(best.id, want[i * dim[1] + step + 1]);
            id[i] = best.id;
        }
    }
    assert_int_equal(bad, 0);
    free(logits);
    free(want);
    net_free(net);
    tensors_close(t);
    inputs_release(&in);
    weights_close(w);
}

static void test_dense(void **state)
{
    (void)state;
    kernel_init();
    net_threads(1);    // tiny products
    check_greedy("t5v10_tiny", 0);
    check_greedy("t5v11_tiny", 0);
    check_greedy("t5v11_asym", 0);
}

static void test_switch(void **state)
{
    (void)state;
    kernel_init();
    net_threads(1);    // tiny products
    check_greedy("switch_tiny", 0);
    check_greedy("switch_overflow", 1);
    check_greedy("switch_deep", 1);
}

static void test_missing(void **state)
{
    struct err err = { 0 };

    (void)state;
    assert_null(weights_open("no/such/folder", &err));
    assert_true(strlen(err.msg) > 0);
}

TESTS("generate/net", cmocka_unit_test(test_dense), cmocka_unit_test(test_switch),
      cmocka_unit_test(test_missing))
