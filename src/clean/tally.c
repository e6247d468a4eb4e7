/* tally.c - see tally.h. */
#include "clean/tally.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "clean/pages.h"
#include "clean/run.h"
#include "io/ledger.h"
#include "text/lang.h"

static const char *const count_name[COUNTS] = {
    [FILES] = "split-wet-file:wet-file",
    [READ] = "split-wet-file:passed",
    [SHORT_ENOUGH] = "too-long-filter:passed",
    [SITES] = "realnews-domain-filter:passed",
    [URLS] = "webtextlike-filter:passed",
    [URL_OWNED] = "duplicate-url-filter:passed",
    [PARAGRAPHS] = "paragraph-filter:passed",
    [CLEANED] = "clean-page:passed",
    [CLEAN_LINES] = "clean-page:line-passed",
    [DEDUPED] = "dedupe-lines:passed",
    [DEDUP_LINES] = "dedupe-lines:line-passed",
    [DEDUP_OTHERS] = "dedupe-lines:line-filtered:global_duplicate",
    [DEDUP_AGAIN] = "dedupe-lines:line-filtered:local_duplicate",
    [LANGUAGE] = "passed",
    [LANGUAGE_NONE] = "filtered:no_predictions",
    [LANGUAGE_LOW] = "filtered:low_confidence",
    [LANGUAGE_IGNORED] = "filtered:ignored_language",
    [WORDS_PASSED] = "badwords-filter:passed",
    [WORDS_SPARED] = "badwords-filter:soft-passed",
};

void tally_add(struct tally *t, const struct tally *from)
{
    int i, k;

    assert(n_lang <= LANGUAGES_MAX);
    for (i = 0; i < COUNTS; i++)
        t->n[i] += from->n[i];
    for (i = 0; i < RULE_MAX; i++)
        t->hit[i] += from->hit[i];
    for (i = 0; i < n_lang; i++)
        t->language[i] += from->language[i];
    for (k = 0; k < WORDS_FATES; k++)
        for (i = 0; i < n_lang; i++)
            t->words[k][i] += from->words[k][i];
    t->no_language += from->no_language;
}

/* The language filter's, which has two names. */
static void report_languages(const struct tally *t, const struct clean_plan *plan)
{
    const char *filter = plan->profile == CLEAN_C4 ? "english-filter" : "language-filter";
    char name[64];
    int i;

    for (i = LANGUAGE; i < WORDS_PASSED; i++) {
        snprintf(name, sizeof(name), "%s:%s", filter, count_name[i]);
        if (t->n[i] || i == LANGUAGE)
            ledger_count(plan->ledger, name, t->n[i]);
    }
    for (i = 0; i < n_lang && plan->profile == CLEAN_MC4; i++) {
        snprintf(name, sizeof(name), "%s:passed:%s", filter, langs[i].label);
        if (t->language[i])
            ledger_count(plan->ledger, name, t->language[i]);
    }
}

static void report_words(const struct tally *t, const struct clean_plan *plan)
{
    static const char *const fate[] = { "passed", "filtered", "soft-passed" };
    char name[64];
    int i, k;

    if (!plan->badwords)
        return;
    ledger_count(plan->ledger, count_name[WORDS_PASSED], t->n[WORDS_PASSED]);
    if (t->n[WORDS_SPARED])
        ledger_count(plan->ledger, count_name[WORDS_SPARED], t->n[WORDS_SPARED]);
    for (k = 0; k < WORDS_FATES; k++)
        for (i = 0; i < n_lang; i++) {
            const char *label = langs[i].label;    // a list is that of the label without -Latn

            snprintf(name, sizeof(name), "badwords-filter-%.*s:%s", (int)strcspn(label, "-"), label,
                     fate[k]);
            if (t->words[k][i])
                ledger_count(plan->ledger, name, t->words[k][i]);
        }
}

static void report(const struct tally *t, const struct clean_plan *plan)
{
    const struct rule_choice *set = &plan->rules;
    int i, has_lines = rule_set_has(set, RULE_LINE) || rule_set_has(set, RULE_REST);

    for (i = 0; i < LANGUAGE; i++) {
        if ((i == SITES && !set->lists.sites) || (i == URLS && !rule_set_is(set, "other_url")) ||
            (i == PARAGRAPHS && !rule_set_is(set, "paragraphs")) ||
            ((i == CLEANED || i == CLEAN_LINES) && !has_lines))
            continue;
        ledger_count(plan->ledger, count_name[i], t->n[i]);
    }
    if (rule_set_is(set, "other_url"))
        ledger_count(plan->ledger, "webtextlike-filter:missing-page", t->missing);
    report_languages(t, plan);
    report_words(t, plan);
    for (i = 0; i < n_rule; i++)
        if (set->set >> i & 1 && (rules[i].level == RULE_LINE || rules[i].level == RULE_MASK) &&
            t->hit[i])
            ledger_count(plan->ledger, rules[i].count, t->hit[i]);
}

void tally_end(struct tally *t, const struct clean_plan *plan, const struct ledger *reading,
               const struct pages_notes *read, struct clean_notes *notes)
{
    t->n[FILES] = read->files;
    ledger_merge(plan->ledger, reading);
    report(t, plan);
    *notes = (struct clean_notes){ .damaged = read->damaged, .no_language = t->no_language };
    memcpy(notes->said, read->said, sizeof(notes->said));
}
