/* merge.c - see merge.h. The claims of all tasks on the range are sorted together, each with its
 * task's number behind it; what is lost goes through a second sorter, by task. */
#include <string.h>

#include "claims/claim.h"
#include "claims/slices.h"
#include "clean/merge.h"
#include "clean/run.h"
#include "lists/keyset.h"
#include "spill/sort.h"

struct merge {
    const struct clean_plan *plan;
    enum slices_kind from, to;
    size_t size;    // of a claim
    unsigned task;
    struct sorter *claims, *lost;
    size_t found;    // URLs of --urls that a page has
};

static int add(void *ctx, const unsigned char *record, struct err *err)
{
    unsigned char wide[URL_CLAIM + 8];
    struct merge *m = ctx;

    memcpy(wide, record, m->size);
    number_write(wide + m->size, m->task);
    return sorter_add(m->claims, wide, err);
}

static int read_claims(struct merge *m, const char *dir, const struct slices_about *about,
                       struct err *err)
{
    struct slices_about of = *about;

    for (m->task = 0; m->task < about->n_task; m->task++) {
        struct slices *s;
        int bad;

        of.task = m->task;
        s = slices_open(dir, m->from, &of, err);
        bad = s ? slices_read(s, about->task, add, m, err) : -1;
        slices_free(s);
        if (bad)
            return -1;
    }
    return sorter_start(m->claims, err);
}

/* Walk the claims: 16 bytes, task and what it lost, for each that is not its owner's. */
static int decide(struct merge *m, struct err *err)
{
    const struct keyset *urls = m->plan->rules.lists.urls;
    unsigned char lost[16];
    struct walk walk = { 0 };
    const void *next;
    int got;

    while ((got = sorter_next(m->claims, &next, err)) == 1) {
        const unsigned char *rec = next;
        uint64_t task = number_read(rec + m->size);
        enum line_fate fate;

        number_write(lost, task);
        if (m->from == SLICES_URLS) {
            fate = walk_url(&walk, rec) ? LINE_MINE : LINE_OTHERS;
            m->found += fate == LINE_MINE && urls && keyset_has_key(urls, rec);
            number_write(lost + 8, url_claim_page(rec));
        } else {
            fate = walk_line(&walk, rec, (unsigned)task);
            number_write(lost + 8, place_lost(line_claim_place(rec), fate));
        }
        if (fate != LINE_MINE && sorter_add(m->lost, lost, err) < 0)
            return -1;
    }
    return got;
}

/* URLs of --urls in the range. */
static size_t listed(const struct merge *m, const struct slices_about *about)
{
    const struct keyset *urls = m->plan->rules.lists.urls;
    size_t i, n = 0;

    for (i = 0; m->from == SLICES_URLS && urls && i < urls->n; i++)
        n += slices_of_key(urls->key[i], about->n_task) == about->task;
    return n;
}

static int write_lost(struct merge *m, const char *dir, const struct slices_about *about,
                      struct err *err)
{
    struct slices_about of = *about;
    struct slices_writer *w;
    const void *next;
    int got;

    of.missing = listed(m, about) - m->found;
    w = slices_create(dir, m->to, &of, err);
    got = w ? sorter_start(m->lost, err) : -1;

    while (got >= 0 && (got = sorter_next(m->lost, &next, err)) == 1) {
        const unsigned char *lost = next;

        got = slices_add(w, (unsigned)number_read(lost), lost + 8, err);
    }
    if (got == 0)
        return slices_close(w, err);
    slices_abandon(w);
    return -1;
}

static int merge(struct merge *m, const char *dir, const struct slices_about *about,
                 struct err *err)
{
    int bad;

    m->claims = sorter_new(m->size + 8, m->plan->mem / 4 * 3, m->plan->tmpdir);
    m->lost = sorter_new(16, m->plan->mem / 4, m->plan->tmpdir);
    bad = read_claims(m, dir, about, err) < 0 || decide(m, err) < 0 ||
          write_lost(m, dir, about, err) < 0;
    sorter_free(m->claims);
    sorter_free(m->lost);
    return bad ? -1 : 0;
}

int merge_urls(const struct clean_plan *plan, const char *dir, const struct slices_about *about,
               struct err *err)
{
    struct merge m = {
        .plan = plan, .from = SLICES_URLS, .to = SLICES_URLS_LOST, .size = URL_CLAIM
    };

    return merge(&m, dir, about, err);
}

int merge_lines(const struct clean_plan *plan, const char *dir, const struct slices_about *about,
                struct err *err)
{
    struct merge m = {
        .plan = plan, .from = SLICES_LINES, .to = SLICES_LINES_LOST, .size = LINE_CLAIM
    };

    return merge(&m, dir, about, err);
}
