/* run.c - see run.h. A page's number is its place in the input. */
#include <stdlib.h>
#include <string.h>

#include "base/crew.h"
#include "base/err.h"
#include "base/mem.h"
#include "claims/claim.h"
#include "claims/lost.h"
#include "claims/parts.h"
#include "clean/finish.h"
#include "clean/pages.h"
#include "clean/run.h"
#include "clean/spool.h"
#include "io/ledger.h"
#include "lists/keyset.h"
#include "spill/sort.h"

struct run {
    const struct clean_plan *plan;
    struct judge **judge;      // a thread each
    struct ledger *reading;    // what the reader counts
    struct pages *pages;
    struct spool *spool;
    struct parts *urls, *lines;
    uint64_t n_page, done;
    unsigned char *url_lost;    // a bit a page
    struct lost lost;
    int next_part;
    struct sink *to;
    struct tally tally;
};

struct work {    // a batch of any pass
    struct pages_batch pages;
    struct spool_block block;
    int part;
    uint64_t first;     // page of the block
    struct buf lost;    // places of its lines
    struct finished *finished;
};

static void *work_new(void *ctx)
{
    struct work *w = xcalloc(1, sizeof(*w));
    struct run *r = ctx;

    w->finished = finished_new(r->plan);
    return w;
}

static void work_free(void *ctx, void *batch)
{
    struct work *w = batch;

    (void)ctx;
    pages_batch_release(&w->pages);
    spool_block_release(&w->block);
    buf_release(&w->lost);
    finished_free(w->finished);
    free(w);
}

static int put_nothing(void *ctx, void *batch, struct err *err)
{
    (void)ctx, (void)batch, (void)err;
    return 0;
}

/* Pass 1: read, judge each page by itself, claim, spool. */

static int read_take(void *ctx, void *batch, struct err *err)
{
    struct run *r = ctx;
    struct work *w = batch;

    return pages_take(r->pages, &w->pages, err);
}

static int read_work(void *ctx, int thread, void *batch, struct err *err)
{
    struct run *r = ctx;
    struct judge *j = r->judge[thread];
    struct work *w = batch;
    struct spool_page s;
    size_t i;

    spool_block_reset(&w->block);
    for (i = 0; i < w->pages.n; i++) {
        judge_page(j, JUDGE_ALL, &w->pages.page[i], &s);
        judge_claim_url(j, &w->pages.page[i], &s, w->pages.first + i);
        if (judge_claim_lines(j, &s, w->pages.first + i, r->lines, err) < 0)
            return -1;
        spool_block_add(&w->block, &s);
    }
    pages_batch_done(&w->pages);
    judge_trim(j);
    spool_block_pack(&w->block);
    if (parts_add(r->urls, judge_url_claims(j), err) < 0)
        return -1;
    return parts_add(r->lines, judge_line_claims(j), err);
}

static int read_put(void *ctx, void *batch, struct err *err)
{
    struct run *r = ctx;
    struct work *w = batch;

    progress_show(r->plan->progress, w->pages.first + w->pages.n, w->pages.offset);
    return spool_put(r->spool, &w->block, err);
}

/* Pass 2: sort the claims, a part at a time, and mark who lost. */

static int part_take(void *ctx, void *batch, struct err *err)
{
    struct run *r = ctx;
    struct work *w = batch;

    (void)err;
    w->part = r->next_part++;
    return w->part < PARTS;
}

static int url_work(void *ctx, int thread, void *batch, struct err *err)
{
    struct run *r = ctx;
    struct work *w = batch;
    struct sorter *s = parts_take(r->urls, w->part);
    struct walk walk = { 0 };
    const void *rec;
    int got = sorter_start(s, err);

    (void)thread;
    while (got >= 0 && (got = sorter_next(s, &rec, err)) == 1) {
        uint64_t page = url_claim_page(rec);

        if (!walk_url(&walk, rec))
            __atomic_fetch_or(&r->url_lost[page / 8], 1u << page % 8, __ATOMIC_RELAXED);
    }
    sorter_free(s);
    return got;
}

static int has_lost_url(const struct run *r, uint64_t page)
{
    return r->url_lost[page / 8] >> page % 8 & 1;
}

static int line_work(void *ctx, int thread, void *batch, struct err *err)
{
    struct run *r = ctx;
    struct work *w = batch;
    struct sorter *s = parts_take(r->lines, w->part), *lost = r->lost.sorter[w->part];
    struct walk walk = { 0 };
    unsigned char place[8];
    const void *rec;
    int got = sorter_start(s, err);

    (void)thread;
    while (got >= 0 && (got = sorter_next(s, &rec, err)) == 1) {
        uint64_t at = line_claim_place(rec);
        enum line_fate fate;

        if (has_lost_url(r, place_page(at)) || (fate = walk_line(&walk, rec, 0)) == LINE_MINE)
            continue;
        number_write(place, place_lost(at, fate));
        if (sorter_add(lost, place, err) < 0)
            got = -1;
    }
    sorter_free(s);
    return got;
}

/* Pass 3: judge again, write. */

static int write_take(void *ctx, void *batch, struct err *err)
{
    struct run *r = ctx;
    struct work *w = batch;
    int got = spool_get(r->spool, &w->block, err);

    if (got != 1)
        return got;
    w->first = r->done;
    r->done += w->block.n_page;
    buf_reset(&w->lost);
    return lost_take(&r->lost, r->done, &w->lost, err) < 0 ? -1 : 1;
}

static int write_work(void *ctx, int thread, void *batch, struct err *err)
{
    struct run *r = ctx;
    struct work *w = batch;
    const uint64_t *lost = (const uint64_t *)w->lost.p, *end = lost + w->lost.n / sizeof(*lost);
    struct spool_page s;
    uint64_t page;

    if (spool_block_unpack(&w->block, err) < 0)
        return -1;
    for (page = w->first; spool_block_next(&w->block, &s); page++) {
        struct fate fate = { .url_lost = has_lost_url(r, page), .lost = lost };

        while (lost < end && place_page(*lost) == page)
            lost++;
        fate.n_lost = (size_t)(lost - fate.lost);
        finished_add(w->finished, r->judge[thread], &s, &fate);
    }
    spool_block_reset(&w->block);
    judge_trim(r->judge[thread]);
    return 0;
}

static int write_put(void *ctx, void *batch, struct err *err)
{
    struct run *r = ctx;
    struct work *w = batch;

    return finished_put(w->finished, r->to, &r->tally, err);
}

/* Memory is given to claims by how much there is of them; each pass frees what the next needs. */
static int run_open(struct run *r, char **files, struct err *err)
{
    const struct clean_plan *plan = r->plan;
    int i;

    if (!(r->spool = spool_open(plan->tmpdir, err)))
        return -1;
    r->judge = xcalloc((size_t)plan->n_thread, sizeof(*r->judge));
    for (i = 0; i < plan->n_thread; i++)
        r->judge[i] = judge_new(plan);
    r->reading = ledger_new("");
    r->pages = pages_open(files, &plan->mode, r->reading);
    r->urls = parts_new(URL_CLAIM, plan->mem / 4, plan->tmpdir);
    r->lines = parts_new(LINE_CLAIM, plan->mem / 4 * 3, plan->tmpdir);
    return 0;
}

static int run_passes(struct run *r, struct err *err)
{
    static const struct crew reading = { work_new, work_free, read_take, read_work, read_put },
                             url_owners = { work_new, work_free, part_take, url_work, put_nothing },
                             line_owners = { work_new, work_free, part_take, line_work,
                                             put_nothing },
                             writing = { work_new, work_free, write_take, write_work, write_put };
    int i;

    if (crew_run(&reading, r, r->plan->n_thread, err) < 0)
        return -1;
    r->n_page = pages_notes(r->pages)->pages;
    r->url_lost = xcalloc(r->n_page / 8 + 1, 1);
    if (crew_run(&url_owners, r, r->plan->n_thread, err) < 0)
        return -1;
    for (i = 0; i < PARTS; i++)
        r->lost.sorter[i] = sorter_new(8, r->plan->mem / 4 / PARTS, r->plan->tmpdir);
    r->next_part = 0;
    if (crew_run(&line_owners, r, r->plan->n_thread, err) < 0 || lost_start(&r->lost, err) < 0)
        return -1;
    return crew_run(&writing, r, r->plan->n_thread, err);
}

static void run_close(struct run *r)
{
    int i;

    for (i = 0; r->judge && i < r->plan->n_thread; i++)
        judge_free(r->judge[i]);
    free(r->judge);
    pages_close(r->pages);
    ledger_free(r->reading);
    spool_close(r->spool);
    parts_free(r->urls);
    parts_free(r->lines);
    lost_release(&r->lost);
    free(r->url_lost);
}

int clean_run(const struct clean_plan *plan, char **files, struct sink *to,
              struct clean_notes *notes, struct err *err)
{
    struct run r = { .plan = plan, .to = to };
    int i, bad = run_open(&r, files, err) < 0 || run_passes(&r, err) < 0;

    for (i = 0; !bad && i < plan->n_thread; i++)
        judge_report(r.judge[i], r.reading);
    if (!bad && rule_set_is(&plan->rules, "other_url"))
        r.tally.missing = plan->rules.lists.urls->n - r.tally.n[URLS];
    if (!bad)
        tally_end(&r.tally, plan, r.reading, pages_notes(r.pages), notes);
    run_close(&r);
    return bad ? -1 : 0;
}
