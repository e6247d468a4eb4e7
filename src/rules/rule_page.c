/* rule_page.c - see rule_page.h. Lengths are in code points. */
#include <stdio.h>
#include <string.h>

#include "rules/evidence.h"
#include "rules/rule_page.h"
#include "text/utf8.h"

enum { PARAGRAPHS = 3 };

enum verdict page_too_long(const struct rule_page *p)
{
    double n = (double)p->text.n;

    if (!(n > p->limit) || !((n = (double)utf8_count(p->text)) > p->limit))
        return KEEP;
    evidence_number(p->why, n, ">", p->limit, "characters");
    return DROP_PAGE;
}

/* At least three lines of 200: the same as "the third longest has 200". */
enum verdict page_paragraphs(const struct rule_page *p)
{
    const unsigned char *at = p->text.p, *end = at + p->text.n, *lf;
    char unit[64];
    int found = 0;

    for (; at < end; at = lf + 1) {
        lf = memchr(at, '\n', (size_t)(end - at));
        if (!lf)
            lf = end;
        if ((double)(lf - at) >= p->limit &&
            (double)utf8_count((struct bytes){ at, (size_t)(lf - at) }) >= p->limit &&
            ++found == PARAGRAPHS)
            return KEEP;
    }
    snprintf(unit, sizeof(unit), "lines of %.10g characters", p->limit);
    evidence_number(p->why, found, "<", PARAGRAPHS, unit);
    return DROP_PAGE;
}

enum verdict page_too_few_sentences(const struct rule_page *p)
{
    if (!((double)p->n_sentence < p->limit))
        return KEEP;
    evidence_number(p->why, (double)p->n_sentence, "<", p->limit, "sentences");
    return DROP_PAGE;
}
