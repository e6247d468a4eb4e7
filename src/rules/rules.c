/* rules.c - see rules.h. To add a rule: a function in rule_line.c or rule_page.c, a row here, cases
 * in tests/data/rules/NAME.txt, a paragraph in c4clean(1). */
#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "lists/lists.h"
#include "rules/rule_line.h"
#include "rules/rule_mask.h"
#include "rules/rule_page.h"
#include "rules/rule_quality.h"
#include "rules/rule_url.h"
#include "rules/rules.h"
#include "text/unicode.h"

#define C4 "T5 paper 2.2, TFDS c4"
#define LINE "clean-page:line-filtered:"
#define PAGE "clean-page:filtered:"
#define SITE "realnews-domain-filter:filtered:"
#define BLOCKED "url-filter:filtered:"
#define MASKED "pii:page-edited:"
#define GOPHER_REPETITION "Gopher paper table A1, datatrove"
#define GOPHER_QUALITY "Gopher paper A.1.1, datatrove"
#define FINEWEB_SOURCE "FineWeb paper 3.5, datatrove"
#define REPETITION "gopher-repetition-filter:filtered:"
#define QUALITY "gopher-quality-filter:filtered:"
#define FINEWEB "fineweb-filter:filtered:"

const struct rule rules[] = {
    { "too_long", RULE_READ, CLEAN_C4 | CLEAN_MC4, "c4", 190000, 0, "too-long-filter:filtered",
      NULL, page_too_long, "a page of more than 190,000 characters; TFDS c4" },
    { "bad_domain", RULE_SITE, 0, "domains", 0, 0, SITE "bad_domain", NULL, page_other_domain,
      "a page of another domain than those of --domains; TFDS c4/realnewslike" },
    { "bad_subdomain", RULE_SITE, 0, "domains", 0, 0, SITE "bad_subdomain", NULL,
      page_other_subdomain,
      "a page of a domain of --domains, but another subdomain; TFDS c4/realnewslike" },
    { "other_url", RULE_PAGE, 0, "urls", 0, 0, "webtextlike-filter:filtered", NULL, page_other_url,
      "a page of another URL than those of --urls; TFDS c4/webtextlike" },
    { "blocked_domain", RULE_PAGE, 0, "blocklist", 0, 0, BLOCKED "domain", NULL,
      page_blocked_domain,
      "a page whose registered domain or host is in --blocklist's domains; datatrove" },
    { "blocked_host", RULE_PAGE, 0, "blocklist", 0, 0, BLOCKED "subdomain", NULL, page_blocked_host,
      "a page whose host is in --blocklist's hosts; datatrove" },
    { "blocked_url", RULE_PAGE, 0, "blocklist", 0, 0, BLOCKED "url", NULL, page_blocked_url,
      "a page whose URL is in --blocklist's urls; datatrove" },
    { "blocked_word", RULE_PAGE, 0, "blocklist", 0, 0, BLOCKED "hard_blacklisted", NULL,
      page_blocked_word, "a page with a word of --blocklist's words in its URL; datatrove" },
    { "blocked_soft_words", RULE_PAGE, 0, "blocklist", 2, 0, BLOCKED "soft_blacklisted", NULL,
      page_blocked_soft_words, "a page with 2 of --blocklist's soft-words in its URL; datatrove" },
    { "blocked_substring", RULE_PAGE, 0, "blocklist", 0, 0, BLOCKED "blacklisted_subword", NULL,
      page_blocked_substring,
      "a page whose URL without its marks has one of --blocklist's substrings; datatrove" },
    { "paragraphs", RULE_PAGE, CLEAN_MC4, "mc4", 200, 0, "paragraph-filter:filtered", NULL,
      page_paragraphs,
      "a page without three lines of 200 characters; mT5 paper 3.1. Hard on Han: as many again" },
    { "dup_line_frac", RULE_PAGE, 0, "gopher_repetition", 0.3, 0, REPETITION "dup_line_frac", NULL,
      page_lines_again, "more than 0.3 of the lines were there before; " GOPHER_REPETITION },
    { "dup_line_char_frac", RULE_PAGE, 0, "gopher_repetition", 0.2, 0,
      REPETITION "dup_line_char_frac", NULL, page_line_chars_again,
      "more than 0.2 of the characters are in lines that were there before; " GOPHER_REPETITION },
    { "top_2_gram", RULE_PAGE, 0, "gopher_repetition", 0.2, 2, REPETITION "top_2_gram", NULL,
      page_top_gram,
      "more than 0.2 of the characters are in the most frequent 2 tokens in a "
      "row; " GOPHER_REPETITION },
    { "top_3_gram", RULE_PAGE, 0, "gopher_repetition", 0.18, 3, REPETITION "top_3_gram", NULL,
      page_top_gram,
      "more than 0.18 of the characters are in the most frequent 3 tokens in a "
      "row; " GOPHER_REPETITION },
    { "top_4_gram", RULE_PAGE, 0, "gopher_repetition", 0.16, 4, REPETITION "top_4_gram", NULL,
      page_top_gram,
      "more than 0.16 of the characters are in the most frequent 4 tokens in a "
      "row; " GOPHER_REPETITION },
    { "duplicated_5_n_grams", RULE_PAGE, 0, "gopher_repetition", 0.15, 5,
      REPETITION "duplicated_5_n_grams", NULL, page_grams_again,
      "more than 0.15 of the characters are in 5 tokens in a row that were there "
      "before; " GOPHER_REPETITION },
    { "duplicated_6_n_grams", RULE_PAGE, 0, "gopher_repetition", 0.14, 6,
      REPETITION "duplicated_6_n_grams", NULL, page_grams_again,
      "more than 0.14 of the characters are in 6 tokens in a row that were there "
      "before; " GOPHER_REPETITION },
    { "duplicated_7_n_grams", RULE_PAGE, 0, "gopher_repetition", 0.13, 7,
      REPETITION "duplicated_7_n_grams", NULL, page_grams_again,
      "more than 0.13 of the characters are in 7 tokens in a row that were there "
      "before; " GOPHER_REPETITION },
    { "duplicated_8_n_grams", RULE_PAGE, 0, "gopher_repetition", 0.12, 8,
      REPETITION "duplicated_8_n_grams", NULL, page_grams_again,
      "more than 0.12 of the characters are in 8 tokens in a row that were there "
      "before; " GOPHER_REPETITION },
    { "duplicated_9_n_grams", RULE_PAGE, 0, "gopher_repetition", 0.11, 9,
      REPETITION "duplicated_9_n_grams", NULL, page_grams_again,
      "more than 0.11 of the characters are in 9 tokens in a row that were there "
      "before; " GOPHER_REPETITION },
    { "duplicated_10_n_grams", RULE_PAGE, 0, "gopher_repetition", 0.1, 10,
      REPETITION "duplicated_10_n_grams", NULL, page_grams_again,
      "more than 0.1 of the characters are in 10 tokens in a row that were there "
      "before; " GOPHER_REPETITION },
    { "gopher_short_doc", RULE_PAGE, 0, "gopher_quality", 50, 0, QUALITY "gopher_short_doc", NULL,
      page_few_words, "fewer than 50 words; " GOPHER_QUALITY },
    { "gopher_long_doc", RULE_PAGE, 0, "gopher_quality", 100000, 0, QUALITY "gopher_long_doc", NULL,
      page_many_words, "more than 100,000 words; " GOPHER_QUALITY },
    { "gopher_below_avg_threshold", RULE_PAGE, 0, "gopher_quality", 3, 0,
      QUALITY "gopher_below_avg_threshold", NULL, page_short_words,
      "words of fewer than 3 characters on average; " GOPHER_QUALITY },
    { "gopher_above_avg_threshold", RULE_PAGE, 0, "gopher_quality", 10, 0,
      QUALITY "gopher_above_avg_threshold", NULL, page_long_words,
      "words of more than 10 characters on average; " GOPHER_QUALITY },
    { "gopher_too_many_hashes", RULE_PAGE, 0, "gopher_quality", 0.1, 0,
      QUALITY "gopher_too_many_hashes", NULL, page_hashes,
      "more than 0.1 # a token; " GOPHER_QUALITY },
    { "gopher_too_many_ellipsis", RULE_PAGE, 0, "gopher_quality", 0.1, 0,
      QUALITY "gopher_too_many_ellipsis", NULL, page_ellipses,
      "more than 0.1 ellipses a token; " GOPHER_QUALITY },
    { "gopher_too_many_bullets", RULE_PAGE, 0, "gopher_quality", 0.9, 0,
      QUALITY "gopher_too_many_bullets", NULL, page_bullets,
      "more than 0.9 of the lines begin with a bullet or -; " GOPHER_QUALITY },
    { "gopher_too_many_end_ellipsis", RULE_PAGE, 0, "gopher_quality", 0.3, 0,
      QUALITY "gopher_too_many_end_ellipsis", NULL, page_end_ellipses,
      "more than 0.3 of the lines end in an ellipsis; " GOPHER_QUALITY },
    { "gopher_below_alpha_threshold", RULE_PAGE, 0, "gopher_quality", 0.8, 0,
      QUALITY "gopher_below_alpha_threshold", NULL, page_few_letters,
      "fewer than 0.8 of the tokens have a letter; " GOPHER_QUALITY },
    { "gopher_enough_stop_words", RULE_PAGE, 0, "gopher_quality", 2, 0,
      QUALITY "gopher_enough_stop_words", NULL, page_few_stop_words,
      "fewer than 2 of the be to of and that have with, if the page says no other language than "
      "en; " GOPHER_QUALITY },
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
    { "line_punct_ratio", RULE_CLEANED, 0, "fineweb", 0.12, 0, FINEWEB "line_punct_ratio", NULL,
      page_few_end_marks,
      "fewer than 0.12 of the lines end in a mark that ends sentences; " FINEWEB_SOURCE },
    { "short_line_ratio", RULE_CLEANED, 0, "fineweb", 0.67, 0, FINEWEB "short_line_ratio", NULL,
      page_short_lines, "more than 0.67 of the lines have at most 30 characters; " FINEWEB_SOURCE },
    { "char_dup_ratio", RULE_CLEANED, 0, "fineweb", 0.01, 0, FINEWEB "char_dup_ratio", NULL,
      page_chars_again,
      "more than 0.01 of the characters are in lines that were there before; " FINEWEB_SOURCE },
    { "list_ratio", RULE_CLEANED, 0, "fineweb", 0.3, 0, FINEWEB "list_ratio", NULL, page_list,
      "more than 0.3 line ends a token; " FINEWEB_SOURCE },
    { "mask_email", RULE_MASK, 0, "pii", 0, 0, MASKED "email", mask_emails, NULL,
      "edits: an e-mail address becomes an example of one; datatrove" },
    { "mask_ipv4", RULE_MASK, 0, "pii", 0, 0, MASKED "ipv4", mask_addresses, NULL,
      "edits: a public address of IPv4 becomes one for documents; datatrove" },
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

    h = hash_xx64(c->limit, sizeof(c->limit), h);
    h ^= c->lists.sites ? sites_fingerprint(c->lists.sites) : 0;
    h = h * 3 ^ (c->lists.urls ? keyset_fingerprint(c->lists.urls) : 0);
    return h * 3 ^ (c->lists.blocklist ? blocklist_fingerprint(c->lists.blocklist) : 0);
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
    const unsigned char *end = bytes_end(kept), *lf;
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
        struct rule_line l = {
            .s = unicode_strip(line), .buf = &edit, .lang = p->lang, .marks = c->marks
        };

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

struct bytes rules_mask(const struct rule_choice *c, struct bytes text, struct buf *room,
                        struct buf *spare, uint64_t hit[RULE_MAX])
{
    uint64_t rows = rows_at(c, RULE_MASK);
    struct rule_line l = { .s = text };
    int i;

    while (rows) {
        i = next_row(&rows);
        l.buf = l.s.p == room->p ? spare : room;
        l.n = 0;
        if (rules[i].line(&l) == EDIT)
            hit[i] += l.n;
    }
    return l.s;
}
