/* rule_page.h - the rules of a page; rules.c has their table. */
#ifndef RULES_RULE_PAGE_H
#define RULES_RULE_PAGE_H

#include "rules/rules.h"

enum verdict page_too_long(const struct rule_page *p);
enum verdict page_paragraphs(const struct rule_page *p);
enum verdict page_too_few_sentences(const struct rule_page *p);

#endif
