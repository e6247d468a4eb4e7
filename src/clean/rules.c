/* rules.c - see rules.h. To add a rule: a function in rule_line.c or rule_page.c, a row here, cases
 * in tests/data/rules/NAME.txt, a paragraph in c4clean(1). */
#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "clean/rule_line.h"
#include "clean/rule_page.h"
#include "clean/rules.h"
#include "text/unicode.h"

#define C4 "T5 paper 2.2, TFDS c4"
#define LINE "clean-page:line-filtered:"
#define PAGE "clean-page:filtered:"

const struct rule rules[] = {
    { "too_long", RULE_READ, CLEAN_C4 | CLEAN_MC4, "c4", 190000, 0, "too-long-filter:filtered",
      NULL, page_too_long, "a page of more than 190,000 characters; TFDS c4" },
    { "paragraphs", RULE_PAGE, CLEAN_MC4, "mc4", 200, 0, "paragraph-filter:filtered", NULL,
      page_paragraphs,
      "a page without three lines of 200 characters; mT5 paper 3.1. Hard on Han: as many again" },
    { "too_long_word", RULE_LINE, CLEAN_C4, "c4", 1000, 0, LINE "too_long_word", line_too_long_word,
      NULL, "a line with a word of more than 1,000 characters; TFDS c4" },
    { "citations", RULE_LINE, CLEAN_C4, "c4", 0, 0, "clean-page:line-edited:citations",
      line_citations, NULL, "edits: [1], [], [edit], [citation needed] go; " C4 },
    { "no_endmark", RULE_LINE, CLEAN_C4, "c4", 0, 0, LINE "no_endmark", line_no_endmark, NULL,
      "a line that ends in none of . ? ! \" or in ...; " C4 ". Latin, Cyrillic, Greek marks only" },
    { "too_short", RULE_LINE, CLEAN_C4, "c4", 5, 0, LINE "too_short", line_too_short, NULL,
      "a line of fewer than 5 words; " C4 ". Only where spaces part words" },
    { "loremipsum", RULE_LINE, CLEAN_C4, "c4", 0, 0, PAGE "loremipsum", line_lorem_ipsum, NULL,
      "a page with \"lorem ipsum\" in a line; " C4 },
    { "javascript", RULE_LINE, CLEAN_C4, "c4", 0, 0, LINE "javascript", line_javascript, NULL,
      "a line with \"javascript\"; " C4 },
    { "squigglybracket", RULE_LINE, CLEAN_C4, "c4", 0, 0, PAGE "squigglybracket",
      line_squiggly_bracket, NULL, "a page with { in a line; " C4 },
    { "policy", RULE_LINE, CLEAN_C4, "c4", 0, 0, LINE "policy", line_policy, NULL,
      "a line on terms of use, privacy or cookies; " C4 ". English words only" },
    { "too_few_sentences", RULE_REST, CLEAN_C4, "c4", 3, 0, PAGE "too_few_sentences", NULL,
      page_too_few_sentences, "a page of fewer than 3 sentences after its lines; " C4 },
};

const int n_rule = sizeof(rules) / sizeof(rules[0]);

int rule_find(const char *name)
{
    int i;

    for (i = 0; i < n_rule; i++)
        if (!strcmp(rules[i].name, name))
            return i;
    return -1;
}

uint64_t rule_find_set(const char *name)
{
    size_t n = strlen(name);
    uint64_t set = 0;
    int i;

    for (i = 0; i < n_rule; i++) {
        const char *group = rules[i].group;

        if (!strcmp(rules[i].name, name) ||
            (!strncmp(group, name, n) && (!group[n] || group[n] == '_')))
            set |= UINT64_C(1) << i;
    }
    return set;
}

struct rule_choice rule_choose(enum clean_profile profile)
{
    struct rule_choice c = { 0 };
    int i;

    for (i = 0; i < n_rule; i++) {
        if (rules[i].profiles & profile)
            c.set |= UINT64_C(1) << i;
        c.limit[i] = rules[i].limit;
    }
    return c;
}

void rule_choose_datatrove(struct rule_choice *c)
{
    c->limit[rule_find("too_short")] = 3;
    c->limit[rule_find("too_few_sentences")] = 5;
    c->marks = MARKS_DATATROVE;
}

static uint64_t rows_at(const struct rule_choice *c, enum rule_level level)
{
    uint64_t rows = 0;
    int i;

    for (i = 0; i < n_rule; i++)
        if (rules[i].level == level)
            rows |= UINT64_C(1) << i;
    return rows & c->set;
}

/* Take the first row off *rows. */
static int next_row(uint64_t *rows)
{
    int row = __builtin_ctzll(*rows);

    *rows &= *rows - 1;
    return row;
}

int rule_set_has(const struct rule_choice *c, enum rule_level level)
{
    return rows_at(c, level) != 0;
}

int rule_set_is(const struct rule_choice *c, const char *name)
{
    return (int)(c->set >> rule_find(name) & 1);
}

uint64_t rules_fingerprint(const struct rule_choice *c)
{
    uint64_t h = hash_xx64(&c->set, sizeof(c->set), (uint64_t)c->marks);

    return hash_xx64(c->limit, sizeof(c->limit), h);
}

size_t rules_sentences(const struct rule_choice *c)
{
    int row = rule_find("too_few_sentences");

    return c->set >> row & 1 ? (size_t)ceil(c->limit[row]) : 0;
}

int rules_judge(const struct rule_choice *c, enum rule_level level, const struct rule_page *p)
{
    uint64_t rows = rows_at(c, level);
    struct rule_page at = *p;
    int i;

    while (rows) {
        i = next_row(&rows);
        at.limit = c->limit[i];
        at.n = rules[i].n;
        if (rules[i].page(&at) == DROP_PAGE)
            return i;
    }
    return -1;
}

/* The line rules on one line: the row that drops it, *v says line or page; or -1. */
static int judge_line(const struct rule_choice *c, uint64_t rows, struct rule_line *l,
                      enum verdict *v, struct line_counts *n)
{
    int i;

    while (rows) {
        i = next_row(&rows);
        l->limit = c->limit[i];
        *v = rules[i].line(l);
        n->hit[i] += *v == DROP_LINE || *v == EDIT;
        if (*v == DROP_LINE || *v == DROP_PAGE)
            return i;
    }
    return -1;
}

/* Sentences in the kept lines, up to enough. A line has one at least, so that as many lines need
 * no counting. */
static size_t count_sentences(const struct rule_page *p, struct bytes kept, struct sentences *sent,
                              size_t enough)
{
    const unsigned char *end = kept.p + kept.n, *lf;
    size_t n = 0;

    if (p->n_line >= enough)
        return enough;
    for (; n < enough && kept.n; kept = (struct bytes){ lf, (size_t)(end - lf) }) {
        lf = memchr(kept.p, '\n', kept.n);
        lf = lf ? lf + 1 : end;
        n += sentences_count(sent, (struct bytes){ kept.p, (size_t)(lf - kept.p) }, enough - n);
    }
    return n;
}

int rules_clean_lines(const struct rule_choice *c, struct rule_page *p, struct buf *out,
                      struct sentences *sent, struct line_counts *counts)
{
    uint64_t rows = rows_at(c, RULE_LINE);
    struct bytes rest = p->text, line;
    struct buf edit = { 0 };
    enum verdict v = KEEP;
    int row = -1;

    memset(counts, 0, sizeof(*counts));
    buf_reset(out);
    p->n_line = 0;
    while (unicode_line(&rest, &line)) {
        struct rule_line l = { unicode_strip(line), &edit, p->lang, 0, c->marks };

        row = judge_line(c, rows, &l, &v, counts);
        if (row >= 0 && v == DROP_PAGE)
            break;
        if (row >= 0)
            continue;
        if (counts->passed++)
            buf_add_byte(out, '\n');
        buf_add(out, l.s.p, l.s.n);
        p->n_line += unicode_strip(l.s).n > 0;
    }
    buf_release(&edit);
    p->text = unicode_strip(buf_bytes(out));
    p->n_sentence = count_sentences(p, p->text, sent, rules_sentences(c));
    return row >= 0 && v == DROP_PAGE ? row : -1;
}
