/* rule_line.h - the rules of a line; rules.c has their table. */
#ifndef RULES_RULE_LINE_H
#define RULES_RULE_LINE_H

#include "rules/rules.h"

enum verdict line_too_long_word(struct rule_line *l);
enum verdict line_citations(struct rule_line *l);
enum verdict line_no_endmark(struct rule_line *l);
enum verdict line_too_short(struct rule_line *l);
enum verdict line_lorem_ipsum(struct rule_line *l);
enum verdict line_javascript(struct rule_line *l);
enum verdict line_squiggly_bracket(struct rule_line *l);
enum verdict line_policy(struct rule_line *l);

#endif
