/* run.c - see run.h. A page's number is its place in the spool. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "clean/dedup.h"
#include "clean/run.h"
#include "clean/spool.h"
#include "clean/url.h"
#include "crawl/crawl.h"
#include "io/doc.h"
#include "io/ledger.h"
#include "io/out.h"

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

static const char *const count_name[COUNTS] = {
    [FILES] = "split-wet-file:wet-file",
    [READ] = "split-wet-file:passed",
    [SHORT_ENOUGH] = "too-long-filter:passed",
    [URL_OWNED] = "duplicate-url-filter:passed",
    [PARAGRAPHS] = "paragraph-filter:passed",
    [CLEANED] = "clean-page:passed",
    [CLEAN_LINES] = "clean-page:line-passed",
    [DEDUPED] = "dedupe-lines:passed",
    [DEDUP_LINES] = "dedupe-lines:line-passed",
    [DEDUP_OTHERS] = "dedupe-lines:line-filtered:global_duplicate",
    [DEDUP_AGAIN] = "dedupe-lines:line-filtered:local_duplicate",
    [LANGUAGE] = "language-filter:passed",
};

struct clean_run {
    struct clean_plan plan;
    struct spool *spool;
    struct url_table *urls;
    struct line_table *lines;
    struct sentences *sentences;
    struct crawl_room *room;
    struct buf text, normal, low, keys, json, extra;
    uint64_t n[COUNTS], hit[RULE_MAX], n_page, bytes;
    int has_lines;    // whether any rule looks at lines
    struct clean_notes notes;
};

struct clean_run *clean_open(const struct clean_plan *plan, struct err *err)
{
    struct clean_run *r = xcalloc(1, sizeof(*r));

    r->plan = *plan;
    r->has_lines = rule_set_has(plan->rules, RULE_LINE) || rule_set_has(plan->rules, RULE_REST);
    if (!(r->spool = spool_open(plan->tmpdir, err))) {
        clean_close(r);
        return NULL;
    }
    r->urls = url_table_new();
    r->lines = line_table_new();
    r->sentences = sentences_new("en");
    r->room = crawl_room_new();
    return r;
}

static const char *label(const struct lang *l)
{
    return l ? l->label : "other";
}

/* Count a page as dropped, and write it to the rejects. */
static int drop(struct clean_run *r, const struct lang *lang, const char *reason, struct doc d,
                uint64_t bytes, struct err *err)
{
    ledger_drop(r->plan.ledger, label(lang), reason, bytes);
    if (!r->plan.rejects)
        return 0;
    buf_reset(&r->extra);
    buf_add(&r->extra, d.extra.p, d.extra.n);
    buf_printf(&r->extra, "%s\"reason\":\"%s\"", d.extra.n ? "," : "", reason);
    d.extra = buf_bytes(&r->extra);
    if (lang)
        d.lang = (struct bytes){ (const unsigned char *)lang->label, strlen(lang->label) };
    buf_reset(&r->json);
    doc_format(&r->json, &d);
    return out_write(r->plan.rejects, r->json.p, r->json.n, err);
}

/* Append the keys of the lines of text. */
static void add_keys(struct clean_run *r, struct bytes text)
{
    const unsigned char *at = text.p, *end = at + text.n, *lf;

    for (; at < end; at = lf + 1) {
        lf = memchr(at, '\n', (size_t)(end - at));
        if (!lf)
            lf = end;
        buf_need(&r->keys, r->keys.n + 16);
        line_key((struct bytes){ at, (size_t)(lf - at) }, &r->low, r->keys.p + r->keys.n);
        r->keys.n += 16;
    }
}

/* Enter a page for its URL. */
static void enter_url(struct clean_run *r, const struct page *p, struct spool_head *h)
{
    unsigned char md5[16];
    uint64_t rank;

    url_normal(&r->normal, p->url);
    url_key(buf_bytes(&r->normal), h->url_key);
    if (r->plan.compat301) {
        hash_md5(p->text.p, p->text.n, md5);
        rank = url_rank_md5(md5);
        h->owner = line_owner(h->url_key);
    } else {
        rank = url_table_rank_date(r->urls, p->date);
        hash_md5(p->url.p, p->url.n, md5);
        h->owner = line_owner(md5);
    }
    url_table_add(r->urls, h->url_key, spool_pages(r->spool), rank);
}

/* A page that is to compete for its URL: judge it by itself, spool it. */
static int spool_one(struct clean_run *r, const struct page *p, const struct lang *lang,
                     struct err *err)
{
    struct line_counts counts;
    struct rule_page judged = { .text = p->text, .lang = label(lang) };
    struct spool_page s = { .head = { .bytes = p->text.n, .lang = -1 } };

    enter_url(r, p, &s.head);
    if (lang)
        s.head.lang = (int32_t)(lang - langs);
    s.head.rule = rules_judge(r->plan.rules, RULE_PAGE, &judged);
    if (s.head.rule < 0 && r->has_lines) {
        s.head.rule = rules_clean_lines(r->plan.rules, &judged, &r->text, r->sentences, &counts);
        s.s[SPOOL_COUNTS] = (struct bytes){ (unsigned char *)&counts, sizeof(counts) };
        if (s.head.rule < 0)
            s.head.rule = rules_judge(r->plan.rules, RULE_REST, &judged);
    }
    buf_reset(&r->keys);
    if (s.head.rule < 0) {
        add_keys(r, judged.text);
        s.s[SPOOL_TEXT] = judged.text;
    }
    s.keys = r->keys.p;
    s.head.n_key = (uint32_t)(r->keys.n / 16);
    s.s[SPOOL_URL] = p->url;
    s.s[SPOOL_DATE] = p->date;
    s.s[SPOOL_EXTRA] = p->extra;
    if (r->plan.rejects)
        s.s[SPOOL_RAW] = p->text;
    return spool_put(r->spool, &s, err);
}

static int read_page(struct clean_run *r, const struct page *p, struct err *err)
{
    static const char *const fault_name[] = {
        [PAGE_NOT_UTF8] = "not-utf8",
        [PAGE_NO_URL] = "split-wet-file:filtered:no_url",
        [PAGE_NO_TEXT] = "split-wet-file:filtered:no_content",
        [PAGE_NO_DATE] = "split-wet-file:filtered:no_timestamp",
    };
    const struct lang *lang = r->plan.lang ? r->plan.lang : p->lang;
    struct doc d = { .text = p->text, .timestamp = p->date, .url = p->url, .extra = p->extra };
    int rule;

    ledger_in(r->plan.ledger, label(lang), p->text.n);
    if (p->fault && !(p->fault == PAGE_NO_DATE && r->plan.compat301))
        return drop(r, lang, fault_name[p->fault], d, p->text.n, err);
    r->n[READ]++;
    rule = rules_judge(r->plan.rules, RULE_READ, &(struct rule_page){ .text = p->text });
    if (rule >= 0)
        return drop(r, lang, rules[rule].count, d, p->text.n, err);
    r->n[SHORT_ENOUGH]++;
    return spool_one(r, p, lang, err);
}

int clean_read(struct clean_run *r, const char *path, struct err *err)
{
    struct crawl *c = crawl_open(path, r->plan.strict, r->plan.ledger, err);
    struct page p;
    const char *said;
    uint64_t bad;
    int got;

    if (!c)
        return -1;
    r->n[FILES]++;
    while ((got = crawl_next(c, &p, err)) == 1) {
        crawl_render(r->room, &p);
        if ((got = read_page(r, &p, err)) < 0)
            break;
        progress_show(r->plan.progress, ++r->n_page, r->bytes + crawl_offset(c));
    }
    r->bytes += crawl_offset(c);
    r->notes.responses += crawl_responses(c);
    bad = crawl_damage(c, &said);
    r->notes.damaged += bad;
    if (bad)
        snprintf(r->notes.said, sizeof(r->notes.said), "%s", said);
    crawl_close(c);
    return got;
}

/* Pass 2: the lines of pages that own their URL. */
static int enter_lines(struct clean_run *r, struct err *err)
{
    struct spool_page p;
    uint64_t page = 0;
    uint32_t i;
    int got;

    if (spool_rewind(r->spool, 0, err) < 0)
        return -1;
    for (; (got = spool_next(r->spool, &p, err)) == 1; page++) {
        if (url_table_owner(r->urls, p.head.url_key) != page)
            continue;
        for (i = 0; i < p.head.n_key; i++)
            line_table_prefetch(r->lines, p.keys + 16 * (size_t)i);
        for (i = 0; i < p.head.n_key; i++)
            line_table_add(r->lines, p.keys + 16 * (size_t)i, p.head.owner);
    }
    return got;
}

/* The lines of a page that it may keep. */
static struct bytes own_lines(struct clean_run *r, const struct spool_page *p)
{
    const unsigned char *at = p->s[SPOOL_TEXT].p, *end = at + p->s[SPOOL_TEXT].n, *lf;
    uint32_t i;

    buf_reset(&r->text);
    for (i = 0; i < p->head.n_key; i++)
        line_table_prefetch(r->lines, p->keys + 16 * (size_t)i);
    for (i = 0; at < end; at = lf + 1, i++) {
        enum line_fate fate = line_table_take(r->lines, p->keys + 16 * (size_t)i, p->head.owner);

        lf = memchr(at, '\n', (size_t)(end - at));
        if (!lf)
            lf = end;
        r->n[DEDUP_OTHERS] += fate == LINE_OTHERS;
        r->n[DEDUP_AGAIN] += fate == LINE_AGAIN;
        if (fate != LINE_MINE)
            continue;
        if (r->n[DEDUP_LINES]++, r->text.n)
            buf_add_byte(&r->text, '\n');
        buf_add(&r->text, at, (size_t)(lf - at));
    }
    return buf_bytes(&r->text);
}

/* Why a page's language drops it; NULL when it does not. */
static const char *judge_language(struct clean_run *r, const struct lang *l, char room[64])
{
    if (r->plan.profile == CLEAN_MC4)
        return lang_in_mc4(l) || lang_is(l, "und") ? NULL
                                                   : "language-filter:filtered:ignored_language";
    if (lang_is(l, "en"))
        return NULL;
    if (lang_is(l, "und")) {
        r->notes.no_language++;
        return "language:unknown";
    }
    snprintf(room, 64, "english-filter:filtered:ignored_language-%s", label(l));
    return room;
}

/* Steps 4 to 8 for a page of the spool, in order: why it is dropped, or NULL and its text in d. */
static const char *judge_again(struct clean_run *r, const struct spool_page *p, uint64_t page,
                               const struct lang *lang, struct doc *d, char room[64])
{
    struct rule_page rest = { .lang = label(lang) };
    const char *why;
    int i;

    if (url_table_owner(r->urls, p->head.url_key) != page)
        return "duplicate-url-filter:filtered";
    r->n[URL_OWNED]++;
    if (p->s[SPOOL_COUNTS].n) {
        struct line_counts counts;

        memcpy(&counts, p->s[SPOOL_COUNTS].p, sizeof(counts));
        r->n[CLEAN_LINES] += counts.passed;
        for (i = 0; i < n_rule; i++)
            r->hit[i] += counts.hit[i];
    }
    r->n[PARAGRAPHS] += p->head.rule < 0 || rules[p->head.rule].level != RULE_PAGE;
    if (p->head.rule >= 0)
        return rules[p->head.rule].count;
    r->n[CLEANED]++;
    rest.text = own_lines(r, p);
    if (!rest.text.n)
        return "dedupe-lines:filtered:empty";
    if (rule_set_has(r->plan.rules, RULE_REST))
        rest.n_sentence = sentences_count(r->sentences, rest.text, 3);
    if (rules_judge(r->plan.rules, RULE_REST, &rest) >= 0)
        return "dedupe-lines:filtered:too_few_sentences";
    r->n[DEDUPED]++;
    if ((why = judge_language(r, lang, room)))
        return why;
    r->n[LANGUAGE]++;
    d->text = rest.text;
    return NULL;
}

static int write_page(struct clean_run *r, const struct spool_page *p, uint64_t page,
                      struct sink *to, struct err *err)
{
    const struct lang *lang = p->head.lang < 0 ? NULL : &langs[p->head.lang];
    struct doc d = {
        p->s[SPOOL_RAW], p->s[SPOOL_DATE], p->s[SPOOL_URL], { NULL, 0 }, p->s[SPOOL_EXTRA]
    };
    char room[64];
    const char *why = judge_again(r, p, page, lang, &d, room);

    if (why)
        return drop(r, lang, why, d, p->head.bytes, err);
    assert(lang);    // a page without one was dropped
    d.lang = (struct bytes){ (const unsigned char *)lang->label, strlen(lang->label) };
    buf_reset(&r->json);
    doc_format(&r->json, &d);
    ledger_out(r->plan.ledger, lang->label, d.text.n);
    return sink_put(to, lang, p->head.url_key, buf_bytes(&r->json), err);
}

/* The counters, by the reference's names; those of steps that are not taken are left out. */
static void report(struct clean_run *r)
{
    uint32_t set = r->plan.rules;
    int i;

    for (i = 0; i < COUNTS; i++) {
        if ((i == PARAGRAPHS && !rule_set_has(set, RULE_PAGE)) ||
            ((i == CLEANED || i == CLEAN_LINES) && !r->has_lines))
            continue;
        ledger_count(r->plan.ledger,
                     i == LANGUAGE && r->plan.profile == CLEAN_C4 ? "english-filter:passed"
                                                                  : count_name[i],
                     r->n[i]);
    }
    for (i = 0; i < n_rule; i++)
        if (set >> i & 1 && rules[i].level == RULE_LINE && r->hit[i])
            ledger_count(r->plan.ledger, rules[i].count, r->hit[i]);
}

int clean_write(struct clean_run *r, struct sink *to, struct err *err)
{
    struct spool_page p;
    uint64_t page = 0;
    int got;

    if (enter_lines(r, err) < 0 || spool_rewind(r->spool, 1, err) < 0)
        return -1;
    while ((got = spool_next(r->spool, &p, err)) == 1)
        if (write_page(r, &p, page++, to, err) < 0)
            return -1;
    report(r);
    return got;
}

const struct clean_notes *clean_notes(const struct clean_run *r)
{
    return &r->notes;
}

void clean_close(struct clean_run *r)
{
    if (!r)
        return;
    spool_close(r->spool);
    url_table_free(r->urls);
    line_table_free(r->lines);
    sentences_free(r->sentences);
    crawl_room_free(r->room);
    buf_release(&r->text);
    buf_release(&r->normal);
    buf_release(&r->low);
    buf_release(&r->keys);
    buf_release(&r->json);
    buf_release(&r->extra);
    free(r);
}
