/* The loss of distillation: reference vectors, slopes, a teacher who tells only some apart. */
#include "../nn/check.h"

#include "kernel/kernel.h"
#include "loss/loss.h"
#include "loss/soft.h"

enum { N = 15, V = 96 };
static const char file[] = "distill/distill.safetensors";

struct setting {
    const char *name;
    struct soft_rule rule;
    double denominator;
};

static double *one_of(const char *setting, const char *what)
{
    char *name = xasprintf("%s.%s", setting, what);
    float *x = golden(file, name, 1);
    double *y = doubles(x, 1);

    free(name), free(x);
    return y;
}

static void check_setting(const struct setting *s, const float *teacher, const int32_t *target)
{
    double ce[N], log_z[N], soft_ce[N], soft_log_z[N], hard = 0, soft = 0, loss;
    float *x = golden(file, "student_logits", N * V), *want;
    struct soft_sums sums = { ce, log_z, soft_ce, soft_log_z };
    char *name = xasprintf("%s.grad_student_logits", s->name);
    double *h = one_of(s->name, "hard"), *so = one_of(s->name, "soft"), *l;
    int i;

    l = one_of(s->name, "loss");
    want = golden(file, name, N * V);
    soft_forward(x, teacher, NULL, target, N, V, &s->rule, 1 / s->denominator, &sums);
    for (i = 0; i < N; i++) {
        hard += (ce[i] + s->rule.z * log_z[i] * log_z[i]) / s->denominator;
        soft += (soft_ce[i] + s->rule.z * soft_log_z[i] * soft_log_z[i]) / s->denominator;
    }
    loss = (1 - s->rule.share) * hard + s->rule.share * s->rule.tau * s->rule.tau * soft;
    check_close(&hard, h, 1, 1e-6, 1e-6);
    check_close(&soft, so, 1, 1e-6, 1e-6);
    check_close(&loss, l, 1, 1e-6, 1e-6);
    check_close(x, want, N * V, 1e-7, 1e-5);
    free(x), free(want), free(name), free(h), free(so), free(l);
}

static void test_reference(void **state)
{
    static const struct {
        const char *name;
        struct soft_rule rule;
        int all;
    } settings[] = {
        { "f0.25_T1_z1e-4_all", { 0.25, 1, 1e-4 }, 1 },
        { "f0.25_T1_z1e-4_real", { 0.25, 1, 1e-4 }, 0 },
        { "f0.25_T2_z0_real", { 0.25, 2, 0 }, 0 },
        { "f0_T1_z1e-4_real", { 0, 1, 1e-4 }, 0 },
        { "f1_T1_z0_real", { 1, 1, 0 }, 0 },
    };
    float *teacher = golden(file, "teacher_logits", N * V);
    int32_t *target = golden(file, "targets", N);
    double real = 0;
    size_t i;

    (void)state;
    kernel_init();
    for (i = 0; i < N; i++)
        real += target[i] > 0;
    assert_true(real > 0 && real < N);
    for (i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        struct setting s = { settings[i].name, settings[i].rule, settings[i].all ? N : real };

        check_setting(&s, teacher, target);
    }
    free(teacher), free(target);
}

/* In double, by the formulas: q over the ones told apart and the others as one. */
struct row {
    double *x, *t;
    size_t v;
    int target, told;    // the first told are told apart
    struct soft_rule rule;
};

static double row_loss(void *ctx)
{
    const struct row *r = ctx;
    double z = 0, soft_z = 0, t_z = 0, t_rest = 0, x_rest = 0, soft = 0, f = r->rule.share;
    double tau = r->rule.tau, log_z, soft_log_z, hard;
    size_t i;

    for (i = 0; i < r->v; i++) {
        int out = i >= (size_t)r->told;

        z += exp(r->x[i]);
        soft_z += exp(r->x[i] / tau);
        t_z += exp(r->t[i] / tau);
        t_rest += out ? exp(r->t[i] / tau) : 0;
        x_rest += out ? exp(r->x[i] / tau) : 0;
    }
    log_z = log(z), soft_log_z = log(soft_z);
    for (i = 0; i < (size_t)r->told; i++)
        soft -= exp(r->t[i] / tau) / t_z * (r->x[i] / tau - soft_log_z);
    if (t_rest > 0)
        soft -= t_rest / t_z * (log(x_rest) - soft_log_z);
    hard = log_z - r->x[r->target] + r->rule.z * log_z * log_z;
    return (1 - f) * hard + f * tau * tau * (soft + r->rule.z * soft_log_z * soft_log_z);
}

/* V longer than a chunk and no multiple of anything; told: as many are told apart. */
static void check_slopes(size_t v, int told, const struct soft_rule *rule)
{
    float *x = random_floats(v, 1, 3), *t = random_floats(v, 2, 5);
    struct row r = { doubles(x, v), doubles(t, v), v, 7, told, *rule };
    double ce, log_z, soft_ce, soft_log_z, rest = 0, want = row_loss(&r), got, *slope;
    struct soft_sums sums = { &ce, &log_z, &soft_ce, &soft_log_z };
    int32_t target = 7;
    size_t i;

    for (i = (size_t)told; i < v; i++) {
        rest += exp((double)t[i] / rule->tau);
        t[i] = -INFINITY;
    }
    rest = log(rest);
    slope = slopes(row_loss, &r, r.x, v);
    soft_forward(x, t, &rest, &target, 1, v, rule, 0, &sums);
    got = (1 - rule->share) * (ce + rule->z * log_z * log_z) +
          rule->share * rule->tau * rule->tau * (soft_ce + rule->z * soft_log_z * soft_log_z);
    check_close(&got, &want, 1, 1e-5, 1e-6);
    for (i = 0; i < v; i++)
        assert_true(x[i] == (float)r.x[i]);
    soft_forward(x, t, &rest, &target, 1, v, rule, 0.37, &sums);
    for (i = 0; i < v; i++)
        slope[i] *= 0.37;
    check_close(x, slope, v, 1e-6, 1e-4);
    free(x), free(t), free(slope), free(r.x), free(r.t);
}

static void test_slopes(void **state)
{
    const struct soft_rule rules[] = { { 0.25, 1, 0.03 }, { 0.6, 2.5, 0.01 }, { 1, 0.7, 0 } };
    size_t i;

    (void)state;
    kernel_init();
    for (i = 0; i < 3; i++) {
        check_slopes(1311, 1311, &rules[i]);
        check_slopes(1311, 1040, &rules[i]);
        check_slopes(40, 9, &rules[i]);
        check_slopes(40, 1, &rules[i]);
    }
}

/* With no share of the teacher's it is the plain loss, and a student who is the teacher has no
 * slope but that of z. */
static void test_ends(void **state)
{
    float *x = random_floats(2 * V, 1, 3), *y = random_floats(2 * V, 1, 3),
          *t = random_floats(2 * V, 9, 3);
    double a[2], b[2], c[2], d[2], ce[2], log_z[2];
    struct soft_sums sums = { a, b, c, d };
    struct soft_rule rule = { 0, 1, 1e-4 };
    int32_t target[2] = { 5, 0 };
    int i;

    (void)state;
    kernel_init();
    soft_forward(x, t, NULL, target, 2, V, &rule, 1, &sums);
    loss_forward(y, target, 2, V, 1e-4, 1, ce, log_z);
    check_close(x, y, 2 * V, 1e-7, 1e-6);
    check_close(a, ce, 2, 1e-7, 0);
    check_close(b, log_z, 2, 1e-7, 0);
    assert_true(c[0] > 0 && c[1] == 0 && d[1] == 0);
    rule = (struct soft_rule){ 1, 2, 0 };
    memcpy(x, t, 2 * V * sizeof(float));
    soft_forward(x, t, NULL, target, 2, V, &rule, 1, &sums);
    for (i = 0; i < 2 * V; i++)
        assert_true(fabsf(x[i]) < 1e-7f);
    free(x), free(y), free(t);
}

/* Ids in slices, of which one has no word that the teacher tells apart: what a whole row gives. */
static void check_slices(const struct soft_rule *rule, int told)
{
    enum { PARTS = 3, W = 700, M = 2, WIDE = PARTS * W };
    float *x = random_floats(M * WIDE, 1, 3), *t = random_floats(M * WIDE, 2, 5);
    float part[PARTS][M * W], said[PARTS][M * W], top[M * SOFT_TOPS], most[M * SOFT_TOPS];
    double sums[M * SOFT_SUMS], all[M * SOFT_SUMS] = { 0 }, cross[M], crosses[M] = { 0 };
    double want[4][M], got[4][M], rest[M] = { 2.5, 0 };
    struct soft_sums to = { want[0], want[1], want[2], want[3] };
    struct soft_sums here = { got[0], got[1], got[2], got[3] };
    int32_t target[M] = { W + 3, 0 };
    int i, k;

    for (i = 0; i < M * WIDE; i++)
        if (i % WIDE >= told)
            t[i] = -INFINITY;
    for (i = 0; i < M * WIDE; i++) {
        part[i % WIDE / W][i / WIDE * W + i % W] = x[i];
        said[i % WIDE / W][i / WIDE * W + i % W] = t[i];
    }
    soft_forward(x, t, told < WIDE ? rest : NULL, target, M, WIDE, rule, 0.7, &to);
#define SLICE(k)                                                                                   \
    &(struct soft_slice)                                                                           \
    {                                                                                              \
        part[k], said[k], told < WIDE ? rest : NULL, target, (size_t)(k)*W, W, M, *rule, 0.7       \
    }
    for (k = 0; k < PARTS; k++) {
        soft_slice_top(SLICE(k), top);
        for (i = 0; i < M * SOFT_TOPS; i++)
            most[i] = k ? fmaxf(most[i], top[i]) : top[i];
    }
    for (k = 0; k < PARTS; k++) {
        soft_slice_sums(SLICE(k), most, sums);
        for (i = 0; i < M * SOFT_SUMS; i++)
            all[i] += sums[i];
    }
    for (k = 0; k < PARTS; k++) {
        soft_slice_cross(SLICE(k), most, all, cross);
        for (i = 0; i < M; i++)
            crosses[i] += cross[i];
    }
    soft_slice_end(SLICE(0), most, all, crosses, &here);
    for (i = 0; i < 4; i++)
        check_close(got[i], want[i], M, 1e-6, 1e-6);
    for (i = 0; i < M * WIDE; i++)
        assert_true(fabsf(part[i % WIDE / W][i / WIDE * W + i % W] - x[i]) < 1e-7f);
    free(x), free(t);
}

static void test_slices(void **state)
{
    const struct soft_rule rules[] = { { 0.25, 1, 0.03 }, { 0.6, 2.5, 0.01 } };
    int i;

    (void)state;
    kernel_init();
    for (i = 0; i < 2; i++) {
        check_slices(&rules[i], 2100);
        check_slices(&rules[i], 900);
    }
}

/* A student who gives those outside nothing at all: the loss and its slope stay finite. */
static void test_lost(void **state)
{
    float x[4] = { 0, 1, -1e4f, -1e4f }, t[4] = { 0, 0, -INFINITY, -INFINITY };
    double a, b, c, d, rest = 0;
    struct soft_sums sums = { &a, &b, &c, &d };
    struct soft_rule rule = { 0.5, 1, 0 };
    int32_t target = 1;
    int i;

    (void)state;
    kernel_init();
    soft_forward(x, t, &rest, &target, 1, 4, &rule, 1, &sums);
    assert_true(isfinite(c) && c > 20);
    for (i = 0; i < 4; i++)
        assert_true(isfinite(x[i]));
}

TESTS("loss/soft", cmocka_unit_test(test_reference), cmocka_unit_test(test_slopes),
      cmocka_unit_test(test_ends), cmocka_unit_test(test_slices), cmocka_unit_test(test_lost))
