/* tally.h - how many pages and lines passed each step, by the names of the reference's counters. */
#ifndef CLEAN_TALLY_H
#define CLEAN_TALLY_H

#include <stdint.h>

#include "rules/rules.h"

struct clean_notes;
struct clean_plan;
struct ledger;
struct pages_notes;

enum count {
    FILES,
    READ,
    SHORT_ENOUGH,
    SITES,
    URL_OWNED,
    URLS,
    PARAGRAPHS,
    CLEANED,
    CLEAN_LINES,
    DEDUPED,
    DEDUP_LINES,
    DEDUP_OTHERS,
    DEDUP_AGAIN,
    LANGUAGE,
    LANGUAGE_NONE,
    LANGUAGE_LOW,
    LANGUAGE_IGNORED,
    WORDS_PASSED,
    WORDS_SPARED,
    COUNTS,
};

enum words_fate { WORDS_NONE, WORDS_FOUND, WORDS_LET_GO, WORDS_FATES };    // of a page with a list

enum { LANGUAGES_MAX = 128 };

struct tally {    // { 0 } is none
    uint64_t n[COUNTS];
    uint64_t hit[RULE_MAX];              // lines, by the rule that dropped or edited them
    uint64_t language[LANGUAGES_MAX];    // pages that passed, by row of langs
    uint64_t words[WORDS_FATES][LANGUAGES_MAX];
    uint64_t no_language;    // pages dropped because nothing says their language
    uint64_t missing;        // URLs of --urls that no page has
};

void tally_add(struct tally *t, const struct tally *from);

/* The end of a run: all counts into the plan's ledger, but for those of steps that it does not
 * take, with what the reader counted; and what a user should be told into notes. */
void tally_end(struct tally *t, const struct clean_plan *plan, const struct ledger *reading,
               const struct pages_notes *read, struct clean_notes *notes);

#endif
