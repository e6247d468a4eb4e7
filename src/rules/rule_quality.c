/* rule_quality.c - see rule_quality.h. */
#include <string.h>

#include "rules/evidence.h"
#include "rules/measure.h"
#include "rules/rule_quality.h"

static enum verdict drop_above(const struct rule_page *p, size_t part, size_t of, const char *unit)
{
    if (!(evidence_ratio(part, of) > p->limit))
        return KEEP;
    evidence_share(p->why, part, of, ">", p->limit, unit);
    return DROP_PAGE;
}

static enum verdict drop_below(const struct rule_page *p, size_t part, size_t of, const char *unit)
{
    if (!(evidence_ratio(part, of) < p->limit))
        return KEEP;
    evidence_share(p->why, part, of, "<", p->limit, unit);
    return DROP_PAGE;
}

/* As drop_above(), of something a unit. */
static enum verdict drop_more(const struct rule_page *p, size_t n, size_t of, const char *unit)
{
    if (!(evidence_ratio(n, of) > p->limit))
        return KEEP;
    evidence_number(p->why, evidence_ratio(n, of), ">", p->limit, unit);
    return DROP_PAGE;
}

static enum verdict drop_fewer(const struct rule_page *p, double n, const char *unit)
{
    if (!(n < p->limit))
        return KEEP;
    evidence_number(p->why, n, "<", p->limit, unit);
    return DROP_PAGE;
}

/* Gopher, repetition: shares of lines and of the text's characters. */

enum verdict page_lines_again(const struct rule_page *p)
{
    const struct measure_lines *l = measure_lines(p->m);

    return drop_above(p, l->n_again, l->n, "lines");
}

enum verdict page_line_chars_again(const struct rule_page *p)
{
    const struct measure_lines *l = measure_lines(p->m);

    return drop_above(p, l->again_chars, l->chars, "characters");
}

enum verdict page_top_gram(const struct rule_page *p)
{
    return drop_above(p, measure_gram(p->m, p->n)->top_chars, measure_lines(p->m)->chars,
                      "characters");
}

enum verdict page_grams_again(const struct rule_page *p)
{
    return drop_above(p, measure_gram(p->m, p->n)->again_chars, measure_lines(p->m)->chars,
                      "characters");
}

/* Gopher, quality: words are tokens that are no marks, but shares are of all tokens. */

enum verdict page_few_words(const struct rule_page *p)
{
    return drop_fewer(p, (double)measure_tokens(p->m)->n_word, "words");
}

enum verdict page_many_words(const struct rule_page *p)
{
    return drop_more(p, measure_tokens(p->m)->n_word, 1, "words");
}

enum verdict page_short_words(const struct rule_page *p)
{
    const struct tokens *t = measure_tokens(p->m);

    if (!t->n_word)
        return KEEP;
    return drop_fewer(p, evidence_ratio(t->word_chars, t->n_word), "characters a word");
}

enum verdict page_long_words(const struct rule_page *p)
{
    const struct tokens *t = measure_tokens(p->m);

    return drop_more(p, t->word_chars, t->n_word, "characters a word");
}

enum verdict page_hashes(const struct rule_page *p)
{
    return drop_more(p, measure_lines(p->m)->hashes, measure_tokens(p->m)->n, "# a token");
}

enum verdict page_ellipses(const struct rule_page *p)
{
    return drop_more(p, measure_lines(p->m)->ellipses, measure_tokens(p->m)->n, "ellipses a token");
}

enum verdict page_bullets(const struct rule_page *p)
{
    const struct measure_lines *l = measure_lines(p->m);

    return drop_above(p, l->n_bullet, l->n, "lines");
}

enum verdict page_end_ellipses(const struct rule_page *p)
{
    const struct measure_lines *l = measure_lines(p->m);

    return drop_above(p, l->n_ellipsis, l->n, "lines");
}

enum verdict page_few_letters(const struct rule_page *p)
{
    const struct tokens *t = measure_tokens(p->m);

    return t->n ? drop_below(p, t->n_letter, t->n, "tokens") : KEEP;
}

/* The words are English: a page that says it is in another language is not asked. */
enum verdict page_few_stop_words(const struct rule_page *p)
{
    if (strcmp(p->lang, "en") != 0 && strcmp(p->lang, "und") != 0)
        return KEEP;
    return drop_fewer(p, __builtin_popcount(measure_tokens(p->m)->stops), "stop words");
}

/* FineWeb. */

enum verdict page_few_end_marks(const struct rule_page *p)
{
    const struct measure_lines *l = measure_lines(p->m);

    return drop_below(p, l->n_terminal, l->n, "lines");
}

enum verdict page_short_lines(const struct rule_page *p)
{
    const struct measure_lines *l = measure_lines(p->m);

    return drop_above(p, l->n_short, l->n, "lines");
}

enum verdict page_chars_again(const struct rule_page *p)
{
    const struct measure_lines *l = measure_lines(p->m);

    return drop_above(p, l->again_chars, l->chars - l->line_ends, "characters");
}

enum verdict page_list(const struct rule_page *p)
{
    return drop_more(p, measure_lines(p->m)->line_ends, measure_tokens(p->m)->n,
                     "line ends a token");
}
