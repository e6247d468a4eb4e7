/* rule_page.c - see rule_page.h. Lengths are in code points. */
#include <string.h>

#include "clean/rule_page.h"
#include "text/utf8.h"

enum { PAGE_MAX = 190000, PARAGRAPHS = 3, PARAGRAPH_MIN = 200, SENTENCE_MIN = 3 };

enum verdict page_too_long(const struct rule_page *p)
{
    return p->text.n > PAGE_MAX && utf8_count(p->text) > PAGE_MAX ? DROP_PAGE : KEEP;
}

/* At least three lines of 200: the same as "the third longest has 200". */
enum verdict page_paragraphs(const struct rule_page *p)
{
    const unsigned char *at = p->text.p, *end = at + p->text.n, *lf;
    int found = 0;

    for (; at < end; at = lf + 1) {
        lf = memchr(at, '\n', (size_t)(end - at));
        if (!lf)
            lf = end;
        if (lf - at >= PARAGRAPH_MIN &&
            utf8_count((struct bytes){ at, (size_t)(lf - at) }) >= PARAGRAPH_MIN &&
            ++found == PARAGRAPHS)
            return KEEP;
    }
    return DROP_PAGE;
}

enum verdict page_too_few_sentences(const struct rule_page *p)
{
    return p->n_sentence < SENTENCE_MIN ? DROP_PAGE : KEEP;
}
