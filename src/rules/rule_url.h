/* rule_url.h - the rules that look at a page's URL; rules.c has their table. */
#ifndef RULES_RULE_URL_H
#define RULES_RULE_URL_H

#include "rules/rules.h"

enum verdict page_other_domain(const struct rule_page *p);
enum verdict page_other_subdomain(const struct rule_page *p);
enum verdict page_other_url(const struct rule_page *p);
enum verdict page_blocked_domain(const struct rule_page *p);
enum verdict page_blocked_host(const struct rule_page *p);
enum verdict page_blocked_url(const struct rule_page *p);
enum verdict page_blocked_word(const struct rule_page *p);
enum verdict page_blocked_soft_words(const struct rule_page *p);
enum verdict page_blocked_substring(const struct rule_page *p);

#endif
