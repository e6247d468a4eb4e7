/* task.c - see task.h. A page's number is its place in the input of its task, so that input must
 * come the same each time: the hash of its URLs is checked. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/crew.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/opt.h"
#include "claims/claim.h"
#include "claims/lost.h"
#include "claims/slices.h"
#include "clean/finish.h"
#include "clean/merge.h"
#include "clean/pages.h"
#include "clean/task.h"
#include "io/ledger.h"
#include "punkt/params.h"
#include "spill/sort.h"

struct job {
    const struct clean_plan *plan;
    enum clean_pass pass;
    const struct clean_task *task;
    struct slices_about about;    // n_page, input: of our own claims on URLs
    struct judge **judge;         // a thread each
    struct ledger *reading;       // what the reader counts
    struct pages *pages;
    struct parts *claims;
    unsigned char *url_lost;    // a bit a page
    struct lost lost;
    uint64_t input;
    struct sink *to;
    struct tally tally;
};

struct work {
    struct pages_batch pages;
    struct buf keys;    // of URLs
    struct buf lost;    // places of lines
    struct finished *finished;
};

static void *work_new(void *ctx)
{
    struct job *job = ctx;
    struct work *w = xcalloc(1, sizeof(*w));

    w->finished = finished_new(job->plan);
    return w;
}

static void work_free(void *ctx, void *batch)
{
    struct work *w = batch;

    (void)ctx;
    pages_batch_release(&w->pages);
    buf_release(&w->keys);
    buf_release(&w->lost);
    finished_free(w->finished);
    free(w);
}

static int is_changed(const struct job *job, struct err *err)
{
    return err_set(err, "task %u: its input is not what --pass urls read", job->task->number + 1);
}

static int take(void *ctx, void *batch, struct err *err)
{
    struct job *job = ctx;
    struct work *w = batch;
    int got = pages_take(job->pages, &w->pages, err);

    if (got != 1)
        return got;
    if (job->pass != PASS_URLS && w->pages.first + w->pages.n > job->about.n_page)
        return is_changed(job, err);
    buf_reset(&w->lost);
    if (job->pass == PASS_FILTER &&
        lost_take(&job->lost, w->pages.first + w->pages.n, &w->lost, err) < 0)
        return -1;
    return 1;
}

static int has_lost_url(const struct job *job, uint64_t page)
{
    return job->url_lost && job->url_lost[page / 8] >> page % 8 & 1;
}

static int work(void *ctx, int thread, void *batch, struct err *err)
{
    struct job *job = ctx;
    struct judge *j = job->judge[thread];
    struct work *w = batch;
    const uint64_t *lost = (const uint64_t *)(void *)w->lost.p;
    const uint64_t *end = lost + w->lost.n / sizeof(*lost);
    struct spool_page s;
    size_t i;

    buf_reset(&w->keys);
    for (i = 0; i < w->pages.n; i++) {
        struct page *p = &w->pages.page[i];
        uint64_t number = w->pages.first + i;
        struct fate fate = { .url_lost = has_lost_url(job, number), .lost = lost };

        judge_page(j, job->pass == PASS_URLS || fate.url_lost ? JUDGE_URL : JUDGE_ALL, p, &s);
        buf_add(&w->keys, s.head.url_key, sizeof(s.head.url_key));
        if (job->pass == PASS_URLS)
            judge_claim_url(j, p, &s, number);
        if (job->pass == PASS_LINES && !fate.url_lost &&
            judge_claim_lines(j, &s, number, job->claims, err) < 0)
            return -1;
        if (job->pass != PASS_FILTER)
            continue;
        while (lost < end && place_page(*lost) == number)
            lost++;
        fate.n_lost = (size_t)(lost - fate.lost);
        finished_add(w->finished, j, &s, &fate);
    }
    pages_batch_done(&w->pages);
    judge_trim(j);
    if (job->pass == PASS_FILTER)
        return 0;
    return parts_add(job->claims,
                     job->pass == PASS_URLS ? judge_url_claims(j) : judge_line_claims(j), err);
}

static int put(void *ctx, void *batch, struct err *err)
{
    struct job *job = ctx;
    struct work *w = batch;

    job->input = hash_xx64(w->keys.p, w->keys.n, job->input);
    progress_show(job->plan->progress, w->pages.first + w->pages.n, w->pages.offset);
    return job->pass == PASS_FILTER ? finished_put(w->finished, job->to, &job->tally, err) : 0;
}

/* Read all files through the pass. */
static int read_files(struct job *job, char **files, struct err *err)
{
    static const struct crew crew = { work_new, work_free, take, work, put };
    int i, bad;

    job->judge = xcalloc((size_t)job->plan->n_thread, sizeof(*job->judge));
    for (i = 0; i < job->plan->n_thread; i++)
        job->judge[i] = judge_new(job->plan);
    job->reading = ledger_new("");
    job->pages = pages_open(files, &job->plan->mode, job->reading);
    bad = crew_run(&crew, job, job->plan->n_thread, err);
    if (bad)
        return -1;
    if (job->pass != PASS_URLS &&
        (pages_notes(job->pages)->pages != job->about.n_page || job->input != job->about.input))
        return is_changed(job, err);
    job->about.n_page = pages_notes(job->pages)->pages;
    job->about.input = job->input;
    return 0;
}

/* Our claims, sorted, into a file. */
static int write_claims(struct job *job, enum slices_kind kind, struct err *err)
{
    struct slices_writer *w = slices_create(job->task->dir, kind, &job->about, err);
    const void *rec;
    int i, got = w ? 0 : -1;

    for (i = 0; i < PARTS && got >= 0; i++) {
        struct sorter *s = parts_take(job->claims, i);

        got = sorter_start(s, err);
        while (got >= 0 && (got = sorter_next(s, &rec, err)) == 1)
            got = slices_add(w, slices_of_key(rec, job->task->n_task), rec, err);
        sorter_free(s);
    }
    if (got == 0)
        return slices_close(w, err);
    slices_abandon(w);
    return -1;
}

static int mark_page(void *ctx, const unsigned char *record, struct err *err)
{
    struct job *job = ctx;
    uint64_t page = number_read(record);

    if (page >= job->about.n_page)
        return is_changed(job, err);
    job->url_lost[page / 8] |= (unsigned char)(1u << page % 8);
    return 0;
}

static int add_place(void *ctx, const unsigned char *record, struct err *err)
{
    struct job *job = ctx;

    return sorter_add(job->lost.sorter[0], record, err);
}

/* What all ranges say of us. */
static int read_lost(struct job *job, enum slices_kind kind,
                     int (*each)(void *, const unsigned char *, struct err *), struct err *err)
{
    struct slices_about of = job->about;

    for (of.task = 0; of.task < job->task->n_task; of.task++) {
        struct slices *s = slices_open(job->task->dir, kind, &of, err);
        int bad = s ? slices_read(s, job->task->number, each, job, err) : -1;

        if (kind == SLICES_URLS_LOST && of.task == job->task->number)
            job->tally.missing = of.missing;    // each task tells of a range

        slices_free(s);
        if (bad)
            return -1;
    }
    return 0;
}

static int know_url_owners(struct job *job, struct err *err)
{
    struct slices *own = slices_open(job->task->dir, SLICES_URLS, &job->about, err);

    slices_free(own);
    if (!own)
        return -1;
    job->url_lost = xcalloc(job->about.n_page / 8 + 1, 1);
    return read_lost(job, SLICES_URLS_LOST, mark_page, err);
}

static int know_line_owners(struct job *job, struct err *err)
{
    job->lost.sorter[0] = sorter_new(SLICES_LOST, job->plan->mem, job->plan->tmpdir);
    if (read_lost(job, SLICES_LINES_LOST, add_place, err) < 0)
        return -1;
    return lost_start(&job->lost, err);
}

static int run_pass(struct job *job, char **files, struct err *err)
{
    const struct clean_plan *plan = job->plan;

    if (job->pass == PASS_MERGE_URLS)
        return merge_urls(plan, job->task->dir, &job->about, err);
    if (job->pass == PASS_MERGE_LINES)
        return merge_lines(plan, job->task->dir, &job->about, err);
    if (job->pass != PASS_URLS && know_url_owners(job, err) < 0)
        return -1;
    if (job->pass == PASS_FILTER)
        return know_line_owners(job, err) < 0 ? -1 : read_files(job, files, err);
    job->claims =
        parts_new(job->pass == PASS_URLS ? URL_CLAIM : LINE_CLAIM, plan->mem, plan->tmpdir);
    if (job->pass == PASS_URLS && mkdir(job->task->dir, 0777) < 0 && errno != EEXIST)
        return err_set(err, "%s: %s", job->task->dir, strerror(errno));
    if (read_files(job, files, err) < 0)
        return -1;
    return write_claims(job, job->pass == PASS_URLS ? SLICES_URLS : SLICES_LINES, err);
}

/* What must be the same in all passes of all tasks. */
static void hash_options(const struct clean_plan *plan, const struct clean_task *task,
                         unsigned char hash[16])
{
    char *s = xasprintf("%s %d %d %" PRIx64 " %d %s %u %" PRIx64, SWITCHYARD_VERSION, plan->profile,
                        plan->compat301, rules_fingerprint(&plan->rules),
                        plan->mode.strict + 2 * plan->mode.reference + 4 * plan->mode.origin,
                        plan->lang ? plan->lang->label : "", task->n_task,
                        plan->punkt ? punkt_fingerprint(plan->punkt) : 0);

    hash_xx128(s, strlen(s), hash);
    free(s);
}

static void job_close(struct job *job)
{
    int i;

    for (i = 0; job->judge && i < job->plan->n_thread; i++)
        judge_free(job->judge[i]);
    free(job->judge);
    pages_close(job->pages);
    ledger_free(job->reading);
    parts_free(job->claims);
    lost_release(&job->lost);
    free(job->url_lost);
}

int clean_pass(const struct clean_plan *plan, enum clean_pass pass, const struct clean_task *task,
               char **files, struct sink *to, struct clean_notes *notes, struct err *err)
{
    struct job job = { .plan = plan, .pass = pass, .task = task, .to = to };
    int i, bad;

    job.about.task = task->number;
    job.about.n_task = task->n_task;
    hash_options(plan, task, job.about.options);
    bad = run_pass(&job, files, err);
    for (i = 0; !bad && job.judge && i < plan->n_thread; i++)
        judge_report(job.judge[i], job.reading);
    if (!bad && job.pages)
        tally_end(&job.tally, plan, job.reading, pages_notes(job.pages), notes);
    job_close(&job);
    return bad;
}
