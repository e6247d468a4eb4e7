/* judge.c - see judge.h. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "claims/claim.h"
#include "clean/explain.h"
#include "clean/judge.h"
#include "clean/language.h"
#include "crawl/crawl.h"
#include "langid/langid.h"
#include "lists/badwords.h"
#include "lists/url.h"
#include "rules/measure.h"
#include "rules/words.h"

enum {
    TEXTS_KEEP = 8 << 20,         // bytes kept
    TEXT_TOGETHER = 64 << 10,     // of a text that is not hashed alone
    LINES_TOGETHER = 64 << 10,    // claims of a page that wait
};

struct judge {
    const struct clean_plan *plan;
    int has_lines;      // whether any rule looks at lines
    int has_cleaned;    // or at what they leave, once
    struct measure *measure;
    struct sentences *sentences;
    struct crawl_room *room;
    struct langid_room *langid;    // NULL: no model
    struct buf text, own, normal, low, notes, why, site, masked[2];
    unsigned char url_md5[16];    // of the page just judged
    struct line_counts counts;
    struct parts_room url_claims, line_claims;
    struct buf texts;    // of pages that claim: hashed together
    struct pending *pending;
    size_t n_pending, cap_pending;
};

struct pending {    // a claim that lacks the MD5 of its text
    int part;
    size_t at, text, text_n;    // of the claim in its room, of the text in texts
};

struct judge *judge_new(const struct clean_plan *plan)
{
    struct judge *j = xcalloc(1, sizeof(*j));

    j->plan = plan;
    j->has_lines = rule_set_has(&plan->rules, RULE_LINE) || rule_set_has(&plan->rules, RULE_REST);
    j->has_cleaned = rule_set_has(&plan->rules, RULE_CLEANED);
    j->measure = measure_new();
    j->sentences = sentences_new("en", plan->punkt);
    j->room = crawl_room_new();
    if (plan->langid)
        j->langid = langid_room_new(plan->langid);
    return j;
}

static const char *label(const struct lang *l)
{
    return l ? l->label : "other";
}

/* The rules: a page by itself. */

static void judge_by_rules(struct judge *j, struct spool_page *s, struct rule_page *judged)
{
    const struct rule_choice *c = &j->plan->rules;
    int rule;

    judged->m = j->measure;
    measure_set(j->measure, judged->text);
    rule = rules_judge(c, RULE_PAGE, judged);
    if (rule < 0 && j->has_lines) {
        if (j->plan->explain)
            explain_lines(&j->notes, c, judged);
        rule = rules_clean_lines(c, judged, &j->text, j->sentences, &j->counts);
        s->s[SPOOL_COUNTS] = (struct bytes){ (unsigned char *)&j->counts, sizeof(j->counts) };
        if (rule < 0)
            rule = rules_judge(c, RULE_REST, judged);
    }
    if (rule < 0 && j->has_cleaned) {
        if (j->has_lines)
            measure_set(j->measure, judged->text);
        rule = rules_judge(c, RULE_CLEANED, judged);
    }
    s->head.rule = rule;
    if (rule < 0)
        s->s[SPOOL_TEXT] = judged->text;
    else if (j->plan->explain && rules[rule].level != RULE_LINE)
        explain_rule(&j->notes, rule, buf_bytes(&j->why));
}

void judge_page(struct judge *j, enum depth depth, struct page *p, struct spool_page *s)
{
    const struct lang *lang = j->plan->lang ? j->plan->lang : p->lang;
    struct rule_page judged = { .lang = label(lang),
                                .url = p->url,
                                .url_key = s->head.url_key,
                                .room = &j->site,
                                .lists = &j->plan->rules.lists,
                                .why = j->plan->explain ? &j->why : NULL };

    crawl_render(j->room, p);
    *s = (struct spool_page){ .head = { .bytes = p->text.n, .rule = -1, .lang = -1 } };
    if (lang)
        s->head.lang = (int32_t)(lang - langs);
    s->head.fault = p->fault == PAGE_NO_DATE && j->plan->compat301 ? PAGE_GOOD : (int32_t)p->fault;
    s->s[SPOOL_URL] = p->url;
    s->s[SPOOL_DATE] = p->date;
    s->s[SPOOL_EXTRA] = p->extra;
    if (j->plan->rejects)
        s->s[SPOOL_RAW] = p->text;
    if (j->plan->explain && s->head.fault == PAGE_NOT_UTF8) {
        explain_bytes(&j->notes, p->text);
        s->s[SPOOL_NOTES] = buf_bytes(&j->notes);
    }
    if (j->plan->explain && s->head.fault >= PAGE_LOST)
        s->s[SPOOL_NOTES] = p->trouble;
    if (s->head.fault)
        return;
    url_normal(&j->normal, p->url);
    url_key(buf_bytes(&j->normal), s->head.url_key);
    hash_md5(p->url.p, p->url.n, j->url_md5);
    judged.text = p->text;
    buf_reset(&j->notes);
    buf_reset(&j->why);
    s->head.rule = rules_judge(&j->plan->rules, RULE_READ, &judged);
    if (s->head.rule < 0)
        s->head.rule = rules_judge(&j->plan->rules, RULE_SITE, &judged);
    if (s->head.rule >= 0 && j->plan->explain)
        explain_rule(&j->notes, s->head.rule, buf_bytes(&j->why));
    if (s->head.rule < 0 && depth == JUDGE_ALL)
        judge_by_rules(j, s, &judged);
    s->s[SPOOL_NOTES] = buf_bytes(&j->notes);
}

static int claim_lines(struct judge *j, struct bytes text, const unsigned char *owner,
                       uint64_t page, struct parts *to, struct err *err)
{
    const unsigned char *at = text.p, *end = bytes_end(text), *lf;
    unsigned char key[CLAIM_KEY];
    uint64_t line = 0;

    for (; at < end; at = lf + 1) {
        lf = memchr(at, '\n', (size_t)(end - at));
        if (!lf)
            lf = end;
        line_key((struct bytes){ at, (size_t)(lf - at) }, &j->low, key);
        line_claim_write(parts_room_get(&j->line_claims, key[0], LINE_CLAIM), key, owner,
                         line_place(page, line++));
        if (line % LINES_TOGETHER == 0 && parts_add(to, &j->line_claims, err) < 0)
            return -1;
    }
    return 0;
}

void judge_claim_url(struct judge *j, const struct page *p, const struct spool_page *s,
                     uint64_t page)
{
    unsigned char text[16] = { 0 };
    struct url_claim c = { s->head.url_key, p->date, text, j->url_md5, page };
    int part = parts_of(c.key[0]);

    if (s->head.fault || (s->head.rule >= 0 && rules[s->head.rule].level <= RULE_SITE))
        return;
    if (p->text.n > TEXT_TOGETHER)
        hash_md5(p->text.p, p->text.n, text);
    url_claim_write(parts_room_get(&j->url_claims, c.key[0], URL_CLAIM), &c, j->plan->compat301);
    if (p->text.n > TEXT_TOGETHER)
        return;
    if (j->n_pending == j->cap_pending) {
        j->cap_pending = j->cap_pending ? 2 * j->cap_pending : 256;
        j->pending = xreallocarray(j->pending, j->cap_pending, sizeof(*j->pending));
    }
    j->pending[j->n_pending++] =
        (struct pending){ part, j->url_claims.part[part].n - URL_CLAIM, j->texts.n, p->text.n };
    buf_add(&j->texts, p->text.p, p->text.n);
}

int judge_claim_lines(struct judge *j, const struct spool_page *s, uint64_t page, struct parts *to,
                      struct err *err)
{
    int bad = 0;

    if (!s->head.fault && s->head.rule < 0)
        bad = claim_lines(j, s->s[SPOOL_TEXT], j->plan->compat301 ? s->head.url_key : j->url_md5,
                          page, to, err);
    buf_trim(&j->low, TEXTS_KEEP);
    return bad;
}

/* One MD5 after another is slow; those of many texts at once are not. */
static void hash_texts(struct judge *j)
{
    struct bytes *text = xreallocarray(NULL, j->n_pending + 1, sizeof(*text));
    unsigned char(*md5)[16] = xreallocarray(NULL, j->n_pending + 1, sizeof(*md5));
    size_t i;

    for (i = 0; i < j->n_pending; i++)
        text[i] = (struct bytes){ j->texts.p + j->pending[i].text, j->pending[i].text_n };
    hash_md5_many(text, j->n_pending, md5);
    for (i = 0; i < j->n_pending; i++)
        url_claim_text(j->url_claims.part[j->pending[i].part].p + j->pending[i].at, md5[i],
                       j->plan->compat301);
    free(text);
    free(md5);
    j->n_pending = 0;
    buf_trim(&j->texts, TEXTS_KEEP);
}

struct parts_room *judge_url_claims(struct judge *j)
{
    hash_texts(j);
    return &j->url_claims;
}

struct parts_room *judge_line_claims(struct judge *j)
{
    return &j->line_claims;
}

void judge_trim(struct judge *j)
{
    buf_trim(&j->text, TEXTS_KEEP);
    buf_trim(&j->own, TEXTS_KEEP);
    buf_trim(&j->low, TEXTS_KEEP);
    buf_trim(&j->notes, TEXTS_KEEP);
    buf_trim(&j->masked[0], TEXTS_KEEP);
    buf_trim(&j->masked[1], TEXTS_KEEP);
    measure_trim(j->measure);
    crawl_room_trim(j->room);
}

void judge_report(const struct judge *j, struct ledger *l)
{
    crawl_room_report(j->room, l);
}

/* The lines of a page that it may keep. */
static struct bytes own_lines(struct judge *j, struct bytes text, const struct fate *f,
                              struct tally *t)
{
    const unsigned char *at = text.p, *end = bytes_end(text), *lf;
    size_t line, next = 0;

    buf_reset(&j->own);
    for (line = 0; at < end; at = lf + 1, line++) {
        lf = memchr(at, '\n', (size_t)(end - at));
        if (!lf)
            lf = end;
        if (next < f->n_lost && place_line(f->lost[next]) == line) {
            t->n[place_fate(f->lost[next++]) == LINE_AGAIN ? DEDUP_AGAIN : DEDUP_OTHERS]++;
            continue;
        }
        t->n[DEDUP_LINES]++;
        if (j->own.n)
            buf_add_byte(&j->own, '\n');
        buf_add(&j->own, at, (size_t)(lf - at));
    }
    assert(next == f->n_lost);
    return buf_bytes(&j->own);
}

/* What was decided of the page by itself, counted: why it was dropped, or NULL. */
static const char *judge_first(const struct spool_page *s, const struct fate *f, struct tally *t)
{
    static const char *const fault_name[] = {
        [PAGE_NOT_UTF8] = "not-utf8",
        [PAGE_NO_URL] = "split-wet-file:filtered:no_url",
        [PAGE_NO_TEXT] = "split-wet-file:filtered:no_content",
        [PAGE_NO_DATE] = "split-wet-file:filtered:no_timestamp",
        [PAGE_LOST_NO_RECORD] = "damage:no-record",
        [PAGE_LOST_HEADER] = "damage:header",
        [PAGE_LOST_TOO_LONG] = "damage:too-long",
        [PAGE_LOST_NO_END] = "damage:no-end",
        [PAGE_LOST_STREAM] = "damage:stream",
        [PAGE_LOST_LINE] = "damage:line",
    };
    const struct rule *rule = s->head.rule < 0 ? NULL : &rules[s->head.rule];
    struct line_counts counts;
    int i;

    if (s->head.fault)
        return fault_name[s->head.fault];
    t->n[READ]++;
    if (rule && rule->level == RULE_READ)
        return rule->count;
    t->n[SHORT_ENOUGH]++;
    if (rule && rule->level == RULE_SITE)
        return rule->count;
    t->n[SITES]++;
    if (f->url_lost)
        return "duplicate-url-filter:filtered";
    t->n[URL_OWNED]++;
    if (s->s[SPOOL_COUNTS].n) {
        memcpy(&counts, s->s[SPOOL_COUNTS].p, sizeof(counts));
        t->n[CLEAN_LINES] += counts.passed;
        for (i = 0; i < n_rule; i++)
            t->hit[i] += counts.hit[i];
    }
    t->n[URLS] += !rule || s->head.rule > rule_find("other_url");
    t->n[PARAGRAPHS] += !rule || s->head.rule > rule_find("paragraphs");
    t->n[CLEANED] += !rule || rule->level == RULE_CLEANED;
    return rule ? rule->count : NULL;
}

/* Whether a word of its language's list drops a page that is kept so far. */
static const char *judge_words(struct judge *j, const struct spool_page *s, struct tally *t,
                               const struct verdict_page *v, struct bytes *found)
{
    const struct badwords *b = j->plan->badwords;
    int has = b && badwords_has(b, v->lang->label);
    enum words_fate fate = WORDS_NONE;

    if (has && badwords_find(b, v->lang->label, v->text, &j->low, found))
        fate =
            j->plan->profile == CLEAN_MC4 && !j->plan->compat301 && badwords_spares(s->head.url_key)
                ? WORDS_LET_GO
                : WORDS_FOUND;
    if (has)
        t->words[fate][v->lang - langs]++;
    t->n[WORDS_PASSED] += fate == WORDS_NONE;
    t->n[WORDS_SPARED] += fate == WORDS_LET_GO;
    return fate == WORDS_FOUND ? "badwords-filter:filtered" : NULL;
}

/* The rules that edit the text of a page that is kept. */
static void mask(struct judge *j, struct tally *t, struct verdict_page *v)
{
    int i;

    v->text = rules_mask(&j->plan->rules, v->text, &j->masked[0], &j->masked[1], v->edits);
    for (i = 0; i < n_rule; i++)
        t->hit[i] += v->edits[i] > 0;
}

void judge_again(struct judge *j, const struct spool_page *s, const struct fate *f, struct tally *t,
                 struct verdict_page *v)
{
    struct rule_page rest = { .why = j->plan->explain ? &j->why : NULL };
    size_t enough;

    v->lang = s->head.lang < 0 ? NULL : &langs[s->head.lang];
    if ((v->why = judge_first(s, f, t))) {
        if (f->url_lost && j->plan->explain && !s->head.fault) {
            url_normal(&j->why, s->s[SPOOL_URL]);
            v->evidence = buf_bytes(&j->why);
        }
        return;
    }
    rest.lang = label(v->lang);
    rest.text = own_lines(j, s->s[SPOOL_TEXT], f, t);
    if (!rest.text.n) {
        v->why = "dedupe-lines:filtered:empty";
        return;
    }
    if ((enough = rules_sentences(&j->plan->rules)))
        rest.n_sentence = sentences_count(j->sentences, rest.text, enough);
    buf_reset(&j->why);
    if (rules_judge(&j->plan->rules, RULE_REST, &rest) >= 0) {
        v->evidence = buf_bytes(&j->why);
        v->why = "dedupe-lines:filtered:too_few_sentences";
        return;
    }
    t->n[DEDUPED]++;
    if ((v->why = language_judge(j->plan, j->langid, rest.text, v, t)))
        return;
    v->text = rest.text;
    v->why = judge_words(j, s, t, v, &v->evidence);
    if (!v->why)
        mask(j, t, v);
}

void judge_free(struct judge *j)
{
    if (!j)
        return;
    sentences_free(j->sentences);
    measure_free(j->measure);
    crawl_room_free(j->room);
    langid_room_free(j->langid);
    buf_release(&j->text);
    buf_release(&j->own);
    buf_release(&j->notes);
    buf_release(&j->why);
    buf_release(&j->normal);
    buf_release(&j->low);
    buf_release(&j->site);
    buf_release(&j->masked[0]);
    buf_release(&j->masked[1]);
    parts_room_release(&j->url_claims);
    parts_room_release(&j->line_claims);
    buf_release(&j->texts);
    free(j->pending);
    free(j);
}
