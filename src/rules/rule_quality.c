/* rule_quality.c - see rule_quality.h. A share of nothing is 0 if it is none of it, else it is past
 * every limit. */
#include <math.h>
#include <string.h>

#include "rules/measure.h"
#include "rules/rule_quality.h"

static double share(size_t part, size_t of)
{
    return of ? (double)part / (double)of : part ? INFINITY : 0;
}

static enum verdict drop_if(int is)
{
    return is ? DROP_PAGE : KEEP;
}

/* Gopher, repetition: shares of lines and of the text's characters. */

enum verdict page_lines_again(const struct rule_page *p)
{
    const struct measure_lines *l = measure_lines(p->m);

    return drop_if(share(l->n_again, l->n) > p->limit);
}

enum verdict page_line_chars_again(const struct rule_page *p)
{
    const struct measure_lines *l = measure_lines(p->m);

    return drop_if(share(l->again_chars, l->chars) > p->limit);
}

enum verdict page_top_gram(const struct rule_page *p)
{
    return drop_if(share(measure_gram(p->m, p->n)->top_chars, measure_lines(p->m)->chars) >
                   p->limit);
}

enum verdict page_grams_again(const struct rule_page *p)
{
    return drop_if(share(measure_gram(p->m, p->n)->again_chars, measure_lines(p->m)->chars) >
                   p->limit);
}

/* Gopher, quality: words are tokens that are no marks, but shares are of all tokens. */

enum verdict page_few_words(const struct rule_page *p)
{
    return drop_if((double)measure_tokens(p->m)->n_word < p->limit);
}

enum verdict page_many_words(const struct rule_page *p)
{
    return drop_if((double)measure_tokens(p->m)->n_word > p->limit);
}

enum verdict page_short_words(const struct rule_page *p)
{
    const struct tokens *t = measure_tokens(p->m);

    return drop_if(t->n_word && share(t->word_chars, t->n_word) < p->limit);
}

enum verdict page_long_words(const struct rule_page *p)
{
    const struct tokens *t = measure_tokens(p->m);

    return drop_if(share(t->word_chars, t->n_word) > p->limit);
}

enum verdict page_hashes(const struct rule_page *p)
{
    return drop_if(share(measure_lines(p->m)->hashes, measure_tokens(p->m)->n) > p->limit);
}

enum verdict page_ellipses(const struct rule_page *p)
{
    return drop_if(share(measure_lines(p->m)->ellipses, measure_tokens(p->m)->n) > p->limit);
}

enum verdict page_bullets(const struct rule_page *p)
{
    const struct measure_lines *l = measure_lines(p->m);

    return drop_if(share(l->n_bullet, l->n) > p->limit);
}

enum verdict page_end_ellipses(const struct rule_page *p)
{
    const struct measure_lines *l = measure_lines(p->m);

    return drop_if(share(l->n_ellipsis, l->n) > p->limit);
}

enum verdict page_few_letters(const struct rule_page *p)
{
    const struct tokens *t = measure_tokens(p->m);

    return drop_if(t->n && share(t->n_letter, t->n) < p->limit);
}

/* The words are English: a page that says it is in another language is not asked. */
enum verdict page_few_stop_words(const struct rule_page *p)
{
    if (strcmp(p->lang, "en") != 0 && strcmp(p->lang, "und") != 0)
        return KEEP;
    return drop_if(__builtin_popcount(measure_tokens(p->m)->stops) < p->limit);
}

/* FineWeb. */

enum verdict page_few_end_marks(const struct rule_page *p)
{
    const struct measure_lines *l = measure_lines(p->m);

    return drop_if(share(l->n_terminal, l->n) < p->limit);
}

enum verdict page_short_lines(const struct rule_page *p)
{
    const struct measure_lines *l = measure_lines(p->m);

    return drop_if(share(l->n_short, l->n) > p->limit);
}

enum verdict page_chars_again(const struct rule_page *p)
{
    const struct measure_lines *l = measure_lines(p->m);

    return drop_if(share(l->again_chars, l->chars - l->line_ends) > p->limit);
}

enum verdict page_list(const struct rule_page *p)
{
    return drop_if(share(measure_lines(p->m)->line_ends, measure_tokens(p->m)->n) > p->limit);
}
