/* test_rules.c - every rule against its cases in tests/data/rules, and a page of lines. */
#include "../test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "lists/lists.h"
#include "lists/url.h"
#include "rules/measure.h"
#include "rules/rules.h"
#include "text/lang.h"
#include "text/utf8.h"

/* The escapes of tests/data/rules/README.md; a bare "\n" is an empty text. */
static void unescape(const char *s, struct buf *b)
{
    unsigned char c[4];
    unsigned long n;
    char *end;

    buf_reset(b);
    if (!strcmp(s, "\\n"))
        return;
    while (*s) {
        if (*s != '\\') {
            buf_add_byte(b, (unsigned char)*s++);
        } else if (s[1] == 'n' || s[1] == 's') {
            buf_add_byte(b, s[1] == 'n' ? '\n' : ' ');
            s += 2;
        } else if (s[1] == 'u') {
            char hex[5] = { 0 };

            strncpy(hex, s + 2, 4);
            buf_add(b, c, (size_t)utf8_put(c, (uint32_t)strtoul(hex, NULL, 16)));
            s += 6;
        } else {
            n = strtoul(s + 1, &end, 10);
            assert_true(*end == '{' && strchr(end, '}'));
            for (s = strchr(end, '}'); n; n--)
                buf_add(b, end + 1, (size_t)(s - end - 1));
            s++;
        }
    }
}

/* A rule says why when it hits, and only then; one with a number says how far it is passed. */
static void check_why(const struct rule *r, enum verdict v, struct buf *why)
{
    double is, limit;
    char sense[3];
    int below;

    buf_add_byte(why, 0);
    if ((v == KEEP) != (why->n == 1))
        fail_msg("%s: verdict %d, evidence '%s'", r->name, v, (char *)why->p);
    if (v == KEEP || !r->limit) {
        buf_release(why);
        return;
    }
    if (sscanf((char *)why->p, "%lf %2s %lf", &is, sense, &limit) != 3)
        fail_msg("%s: evidence '%s' is no comparison", r->name, (char *)why->p);
    below = *sense == '<';
    assert_true(below ? is < limit : sense[1] ? is >= limit : is > limit);
    assert_true(limit == (strcmp(r->name, "paragraphs") ? r->limit : 3));
    buf_release(why);
}

static void verdict_of_line(const struct rule *r, const char *lang, struct bytes in, char *got)
{
    struct buf room = { 0 }, why = { 0 };
    struct rule_line l = { .s = in, .buf = &room, .lang = lang, .limit = r->limit, .why = &why };
    enum verdict v = r->line(&l);

    if (r->level == RULE_MASK) {
        assert_true((v == EDIT) == (l.n > 0));
        buf_release(&why);
    } else {
        check_why(r, v, &why);
    }

    if (v == EDIT)
        sprintf(got, "edit %.*s", (int)l.s.n, (const char *)l.s.p);
    else
        strcpy(got, v == KEEP ? "keep" : v == DROP_LINE ? "drop" : "drop-page");
    buf_release(&room);
}

static struct rule_lists lists;

static void load_lists(void)
{
    static struct keyset urls;
    char path[4096];
    struct err err;

    snprintf(path, sizeof(path), "%s/lists/domains.json", test_data);
    assert_non_null((lists.sites = sites_load(path, &err)));
    snprintf(path, sizeof(path), "%s/lists/urls", test_data);
    assert_int_equal(urls_load(path, &urls, &err), 0);
    lists.urls = &urls;
    snprintf(path, sizeof(path), "%s/lists/block", test_data);
    assert_non_null((lists.blocklist = blocklist_load(path, &err)));
}

static void verdict_of_page(const struct rule *r, const char *lang, struct bytes in, char *got)
{
    struct buf normal = { 0 }, room = { 0 }, why = { 0 };
    unsigned char key[16];
    enum verdict v;
    struct rule_page p = { .text = in,
                           .url = in,
                           .url_key = key,
                           .room = &room,
                           .lists = &lists,
                           .lang = lang,
                           .n_line = 1,
                           .limit = r->limit,
                           .n = r->n,
                           .why = &why };
    struct sentences *s = sentences_new("en", NULL);

    url_normal(&normal, in);
    url_key(buf_bytes(&normal), key);
    p.m = measure_new();
    measure_set(p.m, in);
    p.n_sentence = sentences_count(s, in, 3);
    v = r->page(&p);
    strcpy(got, v == KEEP ? "keep" : "drop-page");
    check_why(r, v, &why);
    measure_free(p.m);
    sentences_free(s);
    buf_release(&normal);
    buf_release(&room);
}

/* The next line with something on it. */
static int next_line(FILE *f, char *line, size_t size)
{
    while (fgets(line, (int)size, f)) {
        line[strcspn(line, "\n")] = 0;
        if (*line && *line != '#')
            return 1;
    }
    return 0;
}

static void check_rule(const struct rule *r)
{
    static char path[4096], lang[4096], in[4096], want[4096], got[1 << 20];
    static const char *const scripts[] = { "Latn", "Cyrl", "Arab", "Deva", "Thai", "Hani" };
    struct buf text = { 0 }, edit = { 0 };
    unsigned seen = 0;
    size_t i;
    FILE *f;

    snprintf(path, sizeof(path), "%s/rules/%s.txt", test_data, r->name);
    f = fopen(path, "r");
    if (!f)
        fail_msg("rule %s has no cases", r->name);
    while (next_line(f, lang, sizeof(lang))) {
        const struct lang *l = lang_find((struct bytes){ (unsigned char *)lang, strlen(lang) });

        if (!l || !next_line(f, in, sizeof(in)) || !next_line(f, want, sizeof(want)))
            fail_msg("%s: '%s' is no language, or its case is cut", path, lang);
        for (i = 0; i < 6; i++)
            seen |= (unsigned)!strcmp(l->script, scripts[i]) << i;
        unescape(in, &text);
        (r->line ? verdict_of_line : verdict_of_page)(r, lang, buf_bytes(&text), got);
        unescape(want, &edit);
        buf_add_byte(&edit, 0);
        if (strcmp(got, (char *)edit.p))
            fail_msg("%s: %s: %s: %s, not %s", r->name, lang, in, got, want);
    }
    fclose(f);
    if (seen != 63)
        fail_msg("rule %s: a script without cases", r->name);
    buf_release(&text);
    buf_release(&edit);
}

static void cases(void **state)
{
    int i;

    (void)state;
    load_lists();
    for (i = 0; i < n_rule; i++)
        check_rule(&rules[i]);
    sites_free((struct sites *)lists.sites);
    keyset_release((struct keyset *)lists.urls);
    blocklist_free((struct blocklist *)lists.blocklist);
}

static void table(void **state)
{
    struct rule_choice c4 = rule_choose(CLEAN_C4), mc4 = rule_choose(CLEAN_MC4);
    int i, of_line;

    (void)state;
    assert_true(n_rule <= RULE_MAX);
    for (i = 0; i < n_rule; i++) {
        assert_int_equal(rule_find(rules[i].name), i);
        of_line = rules[i].level == RULE_LINE || rules[i].level == RULE_MASK;
        assert_true((rules[i].line != NULL) == of_line);
        assert_true((rules[i].page == NULL) == of_line);
        assert_true(rules[i].count && rules[i].help && !strchr(rules[i].help, '\t'));
        assert_true(rule_find_set(rules[i].name) == UINT64_C(1) << i);
        assert_true(rule_find_set(rules[i].group) >> i & 1);
    }
    assert_true(rule_find_set("c4") == (c4.set | rule_find_set("too_long")));
    assert_true(!rule_find_set("none") && !rule_find_set("") && !rule_find_set("c"));
    assert_int_equal(rule_find("none"), -1);
    assert_true(rule_set_has(&c4, RULE_LINE));
    assert_false(rule_set_has(&mc4, RULE_LINE));
}

static int clean(const struct rule_choice *set, const char *text, struct line_counts *n, char *out)
{
    struct rule_page p = { .text = { (const unsigned char *)text, strlen(text) }, .lang = "en" };
    struct sentences *s = sentences_new("en", NULL);
    struct buf b = { 0 };
    int row = rules_clean_lines(set, &p, &b, s, n);

    if (p.text.n)
        memcpy(out, p.text.p, p.text.n);
    out[p.text.n] = 0;
    out[1000] = (char)p.n_sentence;
    sentences_free(s);
    buf_release(&b);
    return row;
}

static void pages(void **state)
{
    static const char text[] = "  One two three four five. \n"
                               "short one.\n"
                               "no mark on this line at all\n"
                               "[1] Some words with a mark.\x0B"
                               "The javascript { of this line.\n"
                               "This line is as good as any. It has two.";
    struct rule_choice set = rule_choose(CLEAN_C4);
    struct line_counts n;
    char out[1024];

    (void)state;
    assert_int_equal(clean(&set, text, &n, out), -1);
    assert_string_equal(out, "One two three four five.\n Some words with a mark.\n"
                             "This line is as good as any. It has two.");
    assert_int_equal(n.passed, 3);
    assert_int_equal(n.hit[rule_find("too_short")], 1);
    assert_int_equal(n.hit[rule_find("no_endmark")], 1);
    assert_int_equal(n.hit[rule_find("javascript")], 1);
    assert_int_equal(n.hit[rule_find("citations")], 1);
    assert_int_equal(out[1000], 3);

    /* the first that drops a page wins, and nothing after it is looked at */
    assert_int_equal(clean(&set, "A { in the first line.\nshort.", &n, out),
                     rule_find("squigglybracket"));
    assert_int_equal(n.passed + n.hit[rule_find("too_short")], 0);
    set.set &= ~(UINT64_C(1) << rule_find("squigglybracket"));
    assert_int_equal(clean(&set, "A { in the first line.\nshort.", &n, out), -1);
    assert_int_equal(out[1000], 1);
    assert_int_equal(clean(&set, "", &n, out), -1);
    assert_int_equal(out[1000], 0);
}

TESTS("rules/rules", cmocka_unit_test(cases), cmocka_unit_test(table), cmocka_unit_test(pages))
