/* tally.h - how many pages and lines passed each step, by the names of the reference's counters. */
#ifndef CLEAN_TALLY_H
#define CLEAN_TALLY_H

#include <stdint.h>

#include "clean/rules.h"

struct clean_plan;
struct ledger;

enum count {
    FILES,
    READ,
    SHORT_ENOUGH,
    URL_OWNED,
    PARAGRAPHS,
    CLEANED,
    CLEAN_LINES,
    DEDUPED,
    DEDUP_LINES,
    DEDUP_OTHERS,
    DEDUP_AGAIN,
    LANGUAGE,
    COUNTS,
};

struct tally {    // { 0 } is none
    uint64_t n[COUNTS];
    uint64_t hit[RULE_MAX];    // lines, by the rule that dropped or edited them
    uint64_t no_language;      // pages dropped because nothing says their language
};

void tally_add(struct tally *t, const struct tally *from);

/* Into the plan's ledger; counters of steps that the plan does not take are left out. */
void tally_report(const struct tally *t, const struct clean_plan *plan);

#endif
