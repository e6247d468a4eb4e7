/* test_params.c - parameters: what is read is what is known and what is written. */
#include "../test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/err.h"
#include "io/out.h"
#include "punkt/params.h"

static struct bytes of(const char *s)
{
    return (struct bytes){ (const unsigned char *)s, strlen(s) };
}

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void knows(void **state)
{
    char path[4096];
    struct punkt_params *p;
    struct buf room = { 0 };
    struct err err;

    (void)state;
    snprintf(path, sizeof(path), "%s/punkt/small.punkt", test_data);
    p = punkt_load(path, &err);
    assert_non_null(p);
    assert_int_equal(punkt_known(p, of("dr")), PUNKT_ABBREV);
    assert_int_equal(punkt_known(p, of(". . ")), PUNKT_ABBREV);
    assert_int_equal(punkt_known(p, of("however")), PUNKT_STARTER | 34);
    assert_int_equal(punkt_known(p, of("by")), PUNKT_LOWER);
    assert_int_equal(punkt_known(p, of("Dr")), 0);
    assert_true(punkt_known_pair(p, of("##number##"), of("meeting"), &room));
    assert_false(punkt_known_pair(p, of("meeting"), of("##number##"), &room));
    assert_false(punkt_known_pair(p, of("##number##"), of(""), &room));
    buf_release(&room);
    punkt_params_free(p);
    punkt_params_free(NULL);
}

static void save_as(const char *path, const struct punkt_params *p)
{
    struct err err;
    struct out *out = out_open(path, &err);

    assert_non_null(out);
    assert_int_equal(punkt_save(p, "# a comment\n", out, &err), 0);
    assert_int_equal(out_close(out, &err), 0);
}

static void keeps(void **state)
{
    static const char want[] = "# switchyard-punkt 1\n# a comment\n"
                               "[abbreviations]\n. . \nno\n"
                               "[collocations]\nj\tbach\nno\tfour\n"
                               "[starters]\nthe\n"
                               "[contexts]\nno\t34\nthe\t126\n";
    struct punkt_params *p = punkt_params_new();
    char got[sizeof(want) + 1] = "";
    struct err err;
    int i;
    FILE *f;

    (void)state;
    punkt_learn(p, of("the"), PUNKT_STARTER);
    punkt_learn(p, of("no"), PUNKT_UPPER_FIRST);
    punkt_learn(p, of("no"), PUNKT_ABBREV | PUNKT_LOWER_MID);
    punkt_learn(p, of("the"), PUNKT_UPPER | PUNKT_LOWER);
    punkt_learn(p, of(". . "), PUNKT_ABBREV);
    punkt_learn_pair(p, of("no"), of("four"));
    punkt_learn_pair(p, of("j"), of("bach"));
    for (i = 0; i < 2; i++) {
        save_as("saved", p);
        f = fopen("saved", "r");
        assert_int_equal(fread(got, 1, sizeof(got), f), sizeof(want) - 1);
        fclose(f);
        assert_string_equal(got, want);
        punkt_params_free(p);
        p = punkt_load("saved", &err);
        assert_non_null(p);
    }
    punkt_params_free(p);
}

static void reads_a_folder(void **state)
{
    struct punkt_params *p;
    struct err err;

    (void)state;
    assert_int_equal(mkdir("nltk", 0777), 0);
    put("nltk/english.abbrev.txt", "dr\n. . \n");
    put("nltk/english.collocations.tsv", "##number##\tmay\r\n");
    put("nltk/english.sent_starters.txt", "although");
    assert_null(punkt_load("nltk", &err));
    assert_non_null(strstr(err.msg, "nltk/english.ortho_context.tsv"));
    put("nltk/english.ortho_context.tsv", "a\t126\n");
    p = punkt_load("nltk", &err);
    assert_non_null(p);
    assert_int_equal(punkt_known(p, of("although")), PUNKT_STARTER);
    assert_int_equal(punkt_known(p, of("a")), 126);
    punkt_params_free(p);
}

static void fingerprint(void **state)
{
    struct punkt_params *p = punkt_params_new(), *q = punkt_params_new();

    (void)state;
    assert_true(punkt_fingerprint(p) == punkt_fingerprint(q));
    punkt_learn(p, of("a"), PUNKT_ABBREV);
    punkt_learn(p, of("b"), PUNKT_STARTER);
    punkt_learn_pair(p, of("a"), of("b"));
    punkt_learn_pair(q, of("a"), of("b"));
    punkt_learn(q, of("b"), PUNKT_STARTER);
    assert_true(punkt_fingerprint(p) != punkt_fingerprint(q));
    punkt_learn(q, of("a"), PUNKT_ABBREV);
    assert_true(punkt_fingerprint(p) == punkt_fingerprint(q));
    punkt_learn(q, of("a"), PUNKT_LOWER_MID);
    assert_true(punkt_fingerprint(p) != punkt_fingerprint(q));
    punkt_params_free(p);
    punkt_params_free(q);
}

static void refuses(void **state)
{
    static const char *const bad[][2] = {
        { "", "bad: empty" },
        { "dr\n", "bad: not a file of sentence parameters" },
        { "# switchyard-punkt 2\n", "bad: not a file" },
        { "# switchyard-punkt 1\n# x\ndr\n", "bad: line 3: no part is named" },
        { "# switchyard-punkt 1\n[collocations]\na b\n", "bad: line 3: no such item" },
        { "# switchyard-punkt 1\n[collocations]\n\tb\n", "bad: line 3" },
        { "# switchyard-punkt 1\n[collocations]\na\t\n", "bad: line 3" },
        { "# switchyard-punkt 1\n[contexts]\na\n", "bad: line 3" },
        { "# switchyard-punkt 1\n[contexts]\na\t\n", "bad: line 3" },
        { "# switchyard-punkt 1\n[contexts]\n\t4\n", "bad: line 3" },
        { "# switchyard-punkt 1\n[contexts]\na\t1\n", "bad: line 3" },
        { "# switchyard-punkt 1\n[contexts]\na\t0\n", "bad: line 3" },
        { "# switchyard-punkt 1\n[contexts]\na\t128\n", "bad: line 3" },
        { "# switchyard-punkt 1\n[contexts]\na\t4x\n", "bad: line 3" },
        { "# switchyard-punkt 1\n[contexts]\na\t4294967300\n", "bad: line 3" },
    };
    struct err err;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        put("bad", bad[i][0]);
        assert_null(punkt_load("bad", &err));
        if (strncmp(err.msg, bad[i][1], strlen(bad[i][1])) != 0)
            fail_msg("%s, not %s", err.msg, bad[i][1]);
    }
    assert_null(punkt_load("not there", &err));
    put("bad", "# switchyard-punkt 1\n");
    punkt_params_free(punkt_load("bad", &err));    // nothing known is fine
}

TESTS("punkt/params", cmocka_unit_test(knows), cmocka_unit_test(keeps),
      cmocka_unit_test(reads_a_folder), cmocka_unit_test(fingerprint), cmocka_unit_test(refuses))
