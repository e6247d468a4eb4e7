/* page.h - a report as one HTML file that needs no other, and as TSV. */
#ifndef EVAL_PAGE_H
#define EVAL_PAGE_H

struct buf;
struct experts;
struct report;

/* e: what is known of the use of experts, then a NULL; or NULL itself. */
void page_html(struct buf *out, const struct report *r, struct experts *const *e,
               const char *title);

/* One row a language: lang, name, then for each model its targets, loss and perplexity, and for
 * each but the baseline its difference and speed-up, and where there is a teacher the share of its
 * gain that the others keep. The last row is "all". */
void page_tsv(struct buf *out, const struct report *r);

/* English name of a language tag: "Finnish", "Russian (Latin)"; the tag itself if unknown. */
const char *page_lang_name(const char *tag, char *to, int size);

#endif
