/* comm/mesh: words to numbers, and what is taken where nothing is said. */
#include "../test.h"

#include "base/err.h"
#include "comm/mesh.h"

static struct err err;

/* text for n_rank ranks and n_expert experts is data, model, expert. */
static void is(const char *text, int n_rank, int n_expert, int data, int model, int expert)
{
    struct mesh m;

    assert_int_equal(mesh_read(&m, text, &err), 0);
    assert_int_equal(mesh_complete(&m, n_rank, n_expert, &err), 0);
    assert_int_equal(m.n_data, data);
    assert_int_equal(m.n_model, model);
    assert_int_equal(m.n_expert, expert);
}

static void test_complete(void **state)
{
    (void)state;
    is(NULL, 1, 0, 1, 1, 1);
    is(NULL, 4, 0, 4, 1, 1);
    is(NULL, 4, 128, 4, 1, 4);
    is(NULL, 3, 8, 3, 1, 3);
    is(NULL, 8, 2, 8, 1, 2);    // each expert on 4 ranks
    is(NULL, 6, 4, 6, 1, 3);
    is("model=2", 8, 128, 4, 2, 4);
    is("data=2", 8, 128, 2, 4, 2);
    is("data=4,model=2,expert=2", 8, 128, 4, 2, 2);
    is("expert=1", 8, 128, 8, 1, 1);
    is("expert=2,model=1", 8, 128, 8, 1, 2);
}

static void test_misfits(void **state)
{
    static const char *const bad[] = { "data=3",   "model=3",         "data=2,model=2",
                                       "expert=3", "data=4,expert=4", "model=8,expert=2" };
    struct mesh m;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(mesh_read(&m, bad[i], &err), 0);
        if (mesh_complete(&m, 8, 2, &err) != -1)
            fail_msg("%s fits", bad[i]);
    }
}

static void test_words(void **state)
{
    static const char *const bad[] = {
        "",        "rows=2",  "data",         "data=",   "data=x",
        "data=-1", "data=0",  "data=2,",      "data=2;", "data=2,data=2",
        "dat=2",   "data2=2", "data=9999999", "=2",      "data= 2"
    };
    struct mesh m;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (mesh_read(&m, bad[i], &err) != -1)
            fail_msg("'%s' is taken", bad[i]);
}

TESTS("comm/mesh", cmocka_unit_test(test_complete), cmocka_unit_test(test_misfits),
      cmocka_unit_test(test_words))
