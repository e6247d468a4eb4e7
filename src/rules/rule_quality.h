/* rule_quality.h - the rules of Gopher and FineWeb, as datatrove has them; rules.c has their table.
 */
#ifndef RULES_RULE_QUALITY_H
#define RULES_RULE_QUALITY_H

#include "rules/rules.h"

enum verdict page_lines_again(const struct rule_page *p);
enum verdict page_line_chars_again(const struct rule_page *p);
enum verdict page_top_gram(const struct rule_page *p);       // of p->n tokens
enum verdict page_grams_again(const struct rule_page *p);    // of p->n tokens

enum verdict page_few_words(const struct rule_page *p);
enum verdict page_many_words(const struct rule_page *p);
enum verdict page_short_words(const struct rule_page *p);
enum verdict page_long_words(const struct rule_page *p);
enum verdict page_hashes(const struct rule_page *p);
enum verdict page_ellipses(const struct rule_page *p);
enum verdict page_bullets(const struct rule_page *p);
enum verdict page_end_ellipses(const struct rule_page *p);
enum verdict page_few_letters(const struct rule_page *p);
enum verdict page_few_stop_words(const struct rule_page *p);

enum verdict page_few_end_marks(const struct rule_page *p);
enum verdict page_short_lines(const struct rule_page *p);
enum verdict page_chars_again(const struct rule_page *p);
enum verdict page_list(const struct rule_page *p);

#endif
