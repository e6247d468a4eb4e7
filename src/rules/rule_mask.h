/* rule_mask.h - the rules that put something else for personal data in what is written; rules.c has
 * their table. A line here is the whole text. */
#ifndef RULES_RULE_MASK_H
#define RULES_RULE_MASK_H

#include "rules/rules.h"

enum verdict mask_emails(struct rule_line *l);
enum verdict mask_addresses(struct rule_line *l);    // of IPv4, those that are public

#endif
