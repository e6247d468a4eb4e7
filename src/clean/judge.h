/* judge.h - one page and all the steps it has to pass: those by itself, and those after the claims
 * of all pages are decided. A judge is one thread's. */
#ifndef CLEAN_JUDGE_H
#define CLEAN_JUDGE_H

#include <stdint.h>

#include "claims/parts.h"
#include "clean/run.h"
#include "clean/spool.h"
#include "clean/tally.h"

struct judge;
struct ledger;
struct page;

struct judge *judge_new(const struct clean_plan *plan);    // the plan must live on
void judge_free(struct judge *j);                          // j may be NULL

enum depth {
    JUDGE_URL,    // as far as its claim on a URL
    JUDGE_ALL,
};

/* Render a page and take it through the steps that need no other page. s views p and j's memory,
 * until the next call. */
void judge_page(struct judge *j, enum depth depth, struct page *p, struct spool_page *s);

/* Claim the URL of a page just judged by j, if it competes for it; and its lines, if it keeps
 * any. The claims go to j's rooms, and on from there to `to` when they are many: 0, or -1. */
void judge_claim_url(struct judge *j, const struct page *p, const struct spool_page *s,
                     uint64_t page);
int judge_claim_lines(struct judge *j, const struct spool_page *s, uint64_t page, struct parts *to,
                      struct err *err);
struct parts_room *judge_url_claims(struct judge *j);    // to be called when a batch is done
struct parts_room *judge_line_claims(struct judge *j);

/* A batch is done: give back what a giant page took. What was handed out is not valid any more. */
void judge_trim(struct judge *j);

/* Count in l what was lost where pages were rendered. */
void judge_report(const struct judge *j, struct ledger *l);

struct fate {    // what the claims of all pages made of a page
    int url_lost;
    const uint64_t *lost;    // its lines that are lost, by place
    size_t n_lost;
};

struct verdict_page {
    const char *why;            // what dropped it, as --stats calls it; NULL: it is kept
    const struct lang *lang;    // as far as known; NULL: none of ours
    float p;                    // of lang, or of the guess that made it und; if has_p
    int has_p;
    float p_least;               // which p does not reach; 0: it does, or matters not
    struct bytes text;           // of a kept page
    uint64_t edits[RULE_MAX];    // of it as a whole, by row
    struct bytes evidence;       // for --explain, or empty
    char room[64];               // for why
};

/* Take a page through the rest. v views s and j's memory, until the next call. */
void judge_again(struct judge *j, const struct spool_page *s, const struct fate *f, struct tally *t,
                 struct verdict_page *v);

#endif
