/* test_search.c - greedy, beam and drawn answers against the plain twin: whole forward passes of
 * the network that trains, with nothing kept, and an exhaustive search over them. */
#include "model.h"

#include <math.h>

#include "comm/comm.h"
#include "model/model.h"
#include "seq/batch.h"
#include "shape/params.h"

enum { LIMIT = 5, IDS = 4, END = 1, ALL = 200 };

static struct comm *own;

static void end(void)
{
    comm_end(own);
}

static void begin(void)
{
    kernel_init();
    net_threads(1);    // tiny products
    if (own)
        return;
    own = comm_init();
    atexit(end);
}

struct twin {
    struct params *p;
    struct model *m;
    struct config c;
    struct batch b;
    int n_input;
};

static void twin_begin(struct twin *t, const struct weights *w, const int32_t *input, int n)
{
    struct err err = { 0 };
    int i;

    t->c = w->c;
    t->n_input = n;
    t->p = params_new(&t->c, 0, t->c.n_expert, 0);
    assert_int_equal(params_load(t->p, &t->c, w->file, &err), 0);
    t->m = model_new(&t->c, t->p, own, 1, n, 64, 0);
    model_keep(t->m);
    batch_init(&t->b, 1, n, 64);
    for (i = 0; i < n; i++) {
        t->b.input[i] = input[i];
        t->b.input_segment[i] = 1;
    }
}

static void twin_end(struct twin *t)
{
    batch_release(&t->b);
    model_free(t->m);
    params_free(t->p);
}

/* Log probabilities [V] of what follows n ids. */
static void twin_next(struct twin *t, const int32_t *id, int n, double *log_p)
{
    struct run run = { .hf_compat = 1, .group_rows = 1, .n_target = 1, .n_group = { 1, 1 } };
    struct losses sums = { 0 };
    struct model_view v;
    double sum = 0;
    int i, n_vocab = t->c.n_vocab;

    t->b.n_target = n + 1;
    for (i = 0; i <= n; i++) {
        t->b.decoder[i] = i ? id[i - 1] : 0;
        t->b.target_segment[i] = 1;
    }
    model_forward(t->m, &t->b, &run, &sums, NULL, NULL);
    assert_int_equal(model_look(t->m, "logits", &v), 1);
    for (i = 0; i < n_vocab; i++) {
        log_p[i] = (double)v.f32[n * n_vocab + i];
        sum += exp(log_p[i]);
    }
    for (i = 0; i < n_vocab; i++)
        log_p[i] -= log(sum);
}

static struct search_request request(const struct inputs *in, int i, int limit,
                                     struct search_result *result)
{
    return (struct search_request){ .input = in->id + i * in->width,
                                    .n_input = in->length[i],
                                    .limit = limit,
                                    .stop = -1,
                                    .number = (uint64_t)i,
                                    .result = result };
}

static void release(struct search_request *r)
{
    int k;

    for (k = 0; k < r->n_result; k++)
        search_result_release(&r->result[k]);
}

static void greedy_of(const char *name)
{
    struct weights *w = golden_weights(name);
    struct inputs in = golden_inputs(name);
    struct net *net = net_new(w, 1, 1, 20);
    struct search_rule rule = { .kind = SEARCH_GREEDY,
                                .n_best = 1,
                                .end = -1,
                                .n_id = w->c.n_vocab,
                                .capacity = w->c.expert_capacity };
    double log_p[96], sum;
    int i, k, id;

    for (i = 0; i < in.n; i++) {
        struct search_result result = { 0 };
        struct search_request r = request(&in, i, 20, &result);
        struct twin t;

        search_run(net, &rule, &r, 1);
        assert_int_equal(result.n, 20);
        twin_begin(&t, w, r.input, r.n_input);
        for (k = 0, sum = 0; k < 20; k++) {
            twin_next(&t, result.id, k, log_p);
            for (id = 0; id < 96; id++)
                assert_false(log_p[id] > log_p[result.id[k]] + 1e-4);
            sum += log_p[result.id[k]];
        }
        assert_true(fabs(sum - result.log_p) < 1e-3);
        assert_false(result.ended);
        twin_end(&t);
        release(&r);
    }
    net_free(net);
    inputs_release(&in);
    weights_close(w);
}

/* One-token steps never overflow, so the twin is a twin where no expert is full. */
static void test_greedy(void **state)
{
    (void)state;
    begin();
    greedy_of("t5v10_tiny");
    greedy_of("t5v11_tiny");
    greedy_of("switch_tiny");
}

struct found {    // by exhaustive search
    int32_t id[LIMIT];
    int n;
    double log_p, score;
};

/* All answers that begin with the n ids: ended ones, and those of LIMIT ids. */
static int exhaust(struct twin *t, const int32_t *id, int n, double sum, double alpha,
                   struct found *to)
{
    struct found f = { .n = n, .log_p = sum, .score = sum / pow((5.0 + n) / 6, alpha) };
    double log_p[96];
    int next, k = 0;

    if (n)
        memcpy(f.id, id, (size_t)n * sizeof(*id));
    if (n == LIMIT) {
        to[0] = f;
        return 1;
    }
    twin_next(t, id, n, log_p);
    for (next = 0; next < IDS; next++) {
        f.id[n] = next;
        if (next != END) {
            k += exhaust(t, f.id, n + 1, sum + log_p[next], alpha, to + k);
            continue;
        }
        to[k] = f;
        to[k].log_p = sum + log_p[next];
        to[k].score = to[k].log_p / pow((6.0 + n) / 6, alpha);
        k++;
    }
    return k;
}

static int by_score(const void *a, const void *b)
{
    const struct found *x = a, *y = b;

    return (x->score < y->score) - (x->score > y->score);
}

/* A beam so wide that nothing is left out finds all, in order; a narrow one finds some of them. */
static void beam_of(const char *name, double alpha)
{
    static struct found all[1000];
    struct weights *w = golden_weights(name);
    struct inputs in = golden_inputs(name);
    struct net *net = net_new(w, 1, BEAMS_MAX, LIMIT);
    static struct search_result result[BEAMS_MAX];
    struct search_rule rule = { .kind = SEARCH_BEAM,
                                .n_beam = BEAMS_MAX,
                                .n_best = 1,
                                .alpha = alpha,
                                .end = END,
                                .n_id = IDS };
    struct search_request r = request(&in, 1, LIMIT, result);
    struct twin t;
    int i, k, n;

    twin_begin(&t, w, r.input, r.n_input);
    n = exhaust(&t, NULL, 0, 0, alpha, all);
    qsort(all, (size_t)n, sizeof(*all), by_score);
    assert_true(n > ALL);
    search_run(net, &rule, &r, 1);
    assert_true(r.n_result >= ALL);
    for (i = 0; i < ALL; i++) {
        assert_true(fabs(all[i].score - result[i].score) < 1e-3);
        assert_false(i > 0 && result[i].score > result[i - 1].score);
    }
    release(&r);
    rule.n_beam = 3;
    search_run(net, &rule, &r, 1);
    assert_int_equal(r.n_result, 3);
    for (i = 0; i < 3; i++) {
        for (k = 0; k < n; k++)
            if (fabs(all[k].score - result[i].score) < 1e-4 &&
                !memcmp(all[k].id, result[i].id, (size_t)result[i].n * sizeof(int32_t)))
                break;
        assert_true(k < n);
    }
    release(&r);
    twin_end(&t);
    net_free(net);
    inputs_release(&in);
    weights_close(w);
}

static void test_beam(void **state)
{
    (void)state;
    begin();
    beam_of("t5v11_tiny", 0.6);
    beam_of("t5v11_tiny", 0);
    beam_of("switch_tiny", 1);
}

/* A beam of one without a penalty is greedy, with scores to the last bit. */
static void test_beam_of_one(void **state)
{
    static const char *const name[] = { "t5v10_tiny", "t5v11_tiny", "switch_tiny" };
    size_t m;

    (void)state;
    begin();
    for (m = 0; m < 3; m++) {
        struct weights *w = golden_weights(name[m]);
        struct inputs in = golden_inputs(name[m]);
        struct net *net = net_new(w, 3, 3, 24);
        struct search_rule rule = { .kind = SEARCH_GREEDY, .n_beam = 1, .n_best = 1 };
        struct search_result a[3], b[3];
        struct search_request r[3];
        int i, end_id;

        for (end_id = 0; end_id < 96; end_id += 5) {    // some end early, some never
            rule.end = end_id;
            rule.n_id = 96;
            rule.kind = SEARCH_GREEDY;
            for (i = 0; i < 3; i++)
                r[i] = request(&in, i, 24, &a[i]);
            search_run(net, &rule, r, 3);
            rule.kind = SEARCH_BEAM;
            for (i = 0; i < 3; i++)
                r[i].result = &b[i];
            search_run(net, &rule, r, 3);
            for (i = 0; i < 3; i++) {
                assert_int_equal(r[i].n_result, 1);
                assert_int_equal(a[i].n, b[i].n);
                assert_int_equal(a[i].ended, b[i].ended);
                assert_memory_equal(a[i].id, b[i].id, (size_t)a[i].n * sizeof(int32_t));
                assert_true(a[i].log_p == b[i].log_p);
                search_result_release(&a[i]);
                search_result_release(&b[i]);
            }
        }
        net_free(net);
        inputs_release(&in);
        weights_close(w);
    }
}

/* Forced ids come first, are not counted, and a limit of nothing says nothing more. */
static void test_force(void **state)
{
    static const int32_t force[] = { 7, 50, 3 };
    struct weights *w;
    struct inputs in;
    struct net *net;
    struct search_rule rule = { .n_beam = 4, .n_best = 1, .end = END, .n_id = 96, .alpha = 0.6 };
    struct search_result result[4];
    struct search_request r;
    struct twin t;
    double log_p[96], sum;
    int kind, k;

    (void)state;
    begin();
    rule.draw = (struct draw){ 1, 0, 1 };
    w = golden_weights("t5v11_tiny");
    in = golden_inputs("t5v11_tiny");
    net = net_new(w, 1, 4, 9);
    twin_begin(&t, w, in.id, in.length[0]);
    for (kind = SEARCH_GREEDY; kind <= SEARCH_DRAW; kind++) {
        rule.kind = (enum search)kind;
        r = request(&in, 0, 6, result);
        r.force = force;
        r.n_force = 3;
        search_run(net, &rule, &r, 1);
        assert_true(result[0].n >= 3);
        assert_memory_equal(result[0].id, force, sizeof(force));
        assert_int_equal(result[0].length, result[0].n - 3 + result[0].ended);
        for (k = 3, sum = 0; k < result[0].n + result[0].ended; k++) {
            twin_next(&t, result[0].id, k, log_p);
            sum += log_p[k < result[0].n ? result[0].id[k] : END];
        }
        assert_true(fabs(sum - result[0].log_p) < 1e-3);
        release(&r);
        r.limit = 0;
        search_run(net, &rule, &r, 1);
        assert_int_equal(r.n_result, 1);
        assert_int_equal(result[0].n, 3);
        release(&r);
    }
    twin_end(&t);
    net_free(net);
    inputs_release(&in);
    weights_close(w);
}

/* First ids of many draws against the twin's probabilities. */
static void test_frequencies(void **state)
{
    enum { DRAWS = 4000, AT_ONCE = 200, EXPECTED = 5 };
    struct weights *w;
    struct inputs in;
    struct net *net;
    struct search_rule rule = { .kind = SEARCH_DRAW, .n_best = AT_ONCE, .end = -1, .n_id = 96 };
    static struct search_result result[AT_ONCE];
    double log_p[96], chi = 0, rest = DRAWS, rest_seen = DRAWS;
    int seen[96] = { 0 }, i, k, n_class = 0;
    struct twin t;

    (void)state;
    begin();
    rule.draw = (struct draw){ 1, 0, 1 };
    w = golden_weights("t5v11_tiny");
    in = golden_inputs("t5v11_tiny");
    net = net_new(w, 1, AT_ONCE, 1);
    twin_begin(&t, w, in.id, in.length[0]);
    twin_next(&t, NULL, 0, log_p);
    for (i = 0; i < DRAWS / AT_ONCE; i++) {
        struct search_request r = request(&in, 0, 1, result);

        r.number = (uint64_t)i;
        search_run(net, &rule, &r, 1);
        for (k = 0; k < AT_ONCE; k++)
            seen[result[k].id[0]]++;
        release(&r);
    }
    for (i = 0; i < 96; i++) {
        double expected = DRAWS * exp(log_p[i]);

        if (expected < EXPECTED)
            continue;
        chi += (seen[i] - expected) * (seen[i] - expected) / expected;
        rest -= expected;
        rest_seen -= seen[i];
        n_class++;
    }
    if (rest >= EXPECTED)
        chi += (rest_seen - rest) * (rest_seen - rest) / rest;
    /* One in a thousand is beyond df + 3.1 sqrt(2 df) + 6.6 or so; df = n_class. */
    assert_true(n_class > 5);
    assert_true(chi < n_class + 3.1 * sqrt(2.0 * n_class) + 6.6);
    twin_end(&t);
    net_free(net);
    inputs_release(&in);
    weights_close(w);
}

TESTS("generate/search", cmocka_unit_test(test_greedy), cmocka_unit_test(test_beam),
      cmocka_unit_test(test_beam_of_one), cmocka_unit_test(test_force),
      cmocka_unit_test(test_frequencies))
