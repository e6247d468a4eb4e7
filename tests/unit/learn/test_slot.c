/* test_slot.c - the network's gradient against central differences. */
#include "../test.h"

#include <math.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/rng.h"
#include "langid/langid.h"
#include "learn/slot.h"

static struct langid_shape shape(void)
{
    struct langid_shape s = { .n_group = 3, .hidden = 7, .n_label = 4 };

    assert_int_equal(langid_group_parse("char2", &s.group[0]), 0);
    assert_int_equal(langid_group_parse("char4", &s.group[1]), 0);
    assert_int_equal(langid_group_parse("script_shares", &s.group[2]), 0);
    s.group[0].ids = 31;
    s.group[0].dim = 3;
    s.group[1].ids = 64;
    s.group[1].dim = 5;
    s.group[2].ids = LANGID_SCRIPTS;
    s.group[2].dim = 2;
    return s;
}

static void scatter(float *p, size_t n, uint64_t purpose)
{
    size_t i;

    for (i = 0; i < n; i++)
        p[i] = (float)rng_normal(7, purpose, i, 1);
}

static struct langid *model(void)
{
    struct langid_shape s = shape();
    struct err err;
    struct langid *m = langid_new(&s, &err);
    int g;

    assert_non_null(m);
    for (g = 0; g < s.n_group; g++)
        scatter(m->embed[g], (size_t)s.group[g].ids * (size_t)s.group[g].dim, (uint64_t)g);
    scatter(m->hidden_w, 10 * 7, 10);
    scatter(m->hidden_b, 7, 11);
    scatter(m->out_w, 7 * 4, 12);
    scatter(m->out_b, 4, 13);
    return m;
}

static const char text[] = "On a dit que nous sommes venus. Мы пришли рано.";

struct set {
    struct langid *m;
    struct feature_room *room;
    float *cell;
    struct slot s;
};

static struct set *set_new(void)
{
    struct set *t = calloc(1, sizeof(*t));

    assert_non_null(t);
    t->m = model();
    t->room = feature_room_new(&t->m->shape);
    t->cell = calloc(slot_cells(&t->m->shape), sizeof(*t->cell));
    slot_init(&t->s, &t->m->shape, t->cell);
    slot_read(&t->s, &t->m->shape, t->room, (struct bytes){ (const void *)text, sizeof(text) - 1 },
              NULL, 0);
    t->s.label = 2;
    return t;
}

static void set_free(struct set *t)
{
    slot_release(&t->s);
    feature_room_free(t->room);
    langid_free(t->m);
    free(t->cell);
    free(t);
}

/* The loss with smoothing, in double, of what is in s->p. */
static double loss(struct set *t, double smooth)
{
    double sum = 0;
    int j;

    slot_forward(&t->s, t->m);
    for (j = 0; j < 4; j++)
        sum -= (smooth / 4 + (j == t->s.label ? 1 - smooth : 0)) * log((double)t->s.p[j]);
    return sum;
}

/* Whether moving *w changes the loss as want says: a difference of floats is worth about 1e-3. */
static void check(struct set *t, float *w, double smooth, double want)
{
    float old = *w;
    double high, low;

    *w = old + 1e-2F;
    high = loss(t, smooth);
    *w = old - 1e-2F;
    low = loss(t, smooth);
    *w = old;
    assert_true(fabs((high - low) / 2e-2 - want) < 2e-3 + 0.02 * fabs(want));
}

static void test_gradient(void **state)
{
    struct set *t = set_new();
    float p[4], dh[7], dx[10], h[7], x[10];
    const double smooth = 0.1;
    int i, j;

    (void)state;
    slot_forward(&t->s, t->m);
    memcpy(h, t->s.h, sizeof(h));
    memcpy(x, t->s.x, sizeof(x));
    slot_backward(&t->s, t->m, smooth, 1);
    memcpy(p, t->s.p, sizeof(p));
    memcpy(dh, t->s.dh, sizeof(dh));
    memcpy(dx, t->s.dx, sizeof(dx));
    for (j = 0; j < 4; j++)
        check(t, &t->m->out_b[j], smooth, p[j]);
    for (i = 0; i < 7; i++)
        check(t, &t->m->hidden_b[i], smooth, dh[i]);
    for (i = 0; i < 7 * 4; i++)
        check(t, &t->m->out_w[i], smooth, (double)h[i / 4] * p[i % 4]);
    for (i = 0; i < 10 * 7; i++)
        check(t, &t->m->hidden_w[i], smooth, (double)x[i / 7] * dh[i % 7]);
    for (i = 0; i < 3; i++) {    // the first 2-gram of the text
        const struct feature *f = &t->s.f[t->s.begin[0]];

        check(t, &t->m->embed[0][f->id * 3 + (unsigned)i], smooth, (double)f->weight * dx[i]);
    }
    set_free(t);
}

static void test_answer_is_the_engines(void **state)
{
    struct set *t = set_new();
    struct langid_room *room;
    float p[4];
    int j;

    (void)state;
    for (j = 0; j < 4; j++) {
        t->m->label[j] = malloc(2);
        assert_non_null(t->m->label[j]);
        memcpy(t->m->label[j], "a", 2);
        t->m->label[j][0] = (char)('a' + j);
    }
    room = langid_room_new(t->m);
    slot_forward(&t->s, t->m);
    assert_int_equal(
        langid_all(t->m, room, (struct bytes){ (const void *)text, sizeof(text) - 1 }, 1, 10000, p),
        1);
    for (j = 0; j < 4; j++)
        assert_true(fabsf(p[j] - t->s.p[j]) < 1e-5F);
    langid_room_free(room);
    set_free(t);
}

static void test_dropping(void **state)
{
    struct set *t = set_new();
    struct bytes all = { (const void *)text, sizeof(text) - 1 };
    size_t n = t->s.begin[3], sum = 0;
    int i;

    (void)state;
    for (i = 0; i < 200; i++) {
        struct rng r = rng_at(1, (uint64_t)i);

        slot_read(&t->s, &t->m->shape, t->room, all, &r, 0.25);
        assert_true(t->s.begin[3] <= n);
        sum += t->s.begin[3];
    }
    // 200 n draws: five deviations of their share
    assert_true(fabs((double)sum / (200.0 * (double)n) - 0.75) <
                5 * sqrt(0.75 * 0.25 / (200.0 * (double)n)));
    set_free(t);
}

static void test_no_letters(void **state)
{
    struct set *t = set_new();

    (void)state;
    slot_read(&t->s, &t->m->shape, t->room, (struct bytes){ (const void *)"12 34", 5 }, NULL, 0);
    assert_int_equal(t->s.begin[3], 0);
    slot_forward(&t->s, t->m);
    assert_true(fabsf(t->s.p[0] + t->s.p[1] + t->s.p[2] + t->s.p[3] - 1) < 1e-5F);
    set_free(t);
}

TESTS("learn/slot", cmocka_unit_test(test_gradient), cmocka_unit_test(test_answer_is_the_engines),
      cmocka_unit_test(test_dropping), cmocka_unit_test(test_no_letters))
