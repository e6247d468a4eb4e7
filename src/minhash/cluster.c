/* cluster.c - see cluster.h.
 *
 * In memory lies one number a document: the sets. Members of clusters go through a second sorter,
 * by cluster and then by who comes first in it, and the verdicts on them through a third, back to
 * the order of the documents.
 */
#include <string.h>

#include "base/err.h"
#include "io/ledger.h"
#include "minhash/cluster.h"
#include "minhash/read.h"
#include "minhash/run.h"
#include "minhash/sets.h"
#include "spill/sort.h"
#include "spill/stash.h"

enum {    // where what is in a member's record
    CLUSTER = 0,
    RANK = 8,
    KEY = 16,
    LINE_KEY = 32,
    DOCUMENT = 40,
    SKETCH = 48,
    VERDICT = 8 + 8 + 4 + 4,    // bytes
};

struct sets *cluster_join(struct sorter *buckets, uint64_t n_document, struct err *err)
{
    struct sets *sets;
    unsigned char last[16];
    const void *record;
    uint64_t first = 0, n = 0;
    int got;

    if (sorter_start(buckets, err) < 0)
        return NULL;
    sets = sets_new(n_document);
    for (; (got = sorter_next(buckets, &record, err)) == 1; n++) {
        uint64_t document = dedup_load((const unsigned char *)record + 16);

        if (n && !memcmp(last, record, 16)) {
            sets_join(sets, first, document);
            continue;
        }
        memcpy(last, record, 16);
        first = document;
    }
    if (got == 0)
        return sets;
    sets_free(sets);
    return NULL;
}

static uint64_t rank(const struct dedup_plan *p, const struct dedup_head *h, uint64_t document)
{
    switch (p->keep) {
    case DEDUP_FIRST:
        return document;
    case DEDUP_LONGEST:
        return ~h->text;
    default:
        return 0;
    }
}

/* The documents of a block that are in clusters. */
static int gather_block(const struct dedup_plan *p, const struct buf *heads, struct sets *sets,
                        uint64_t *document, struct buf *record, struct sorter *members,
                        struct err *err)
{
    size_t at, sketch = dedup_sketch(p);
    struct dedup_head h;

    for (at = 0; at < heads->n; at += sizeof(h) + sketch) {
        uint64_t number;

        memcpy(&h, heads->p + at, sizeof(h));
        if (!h.is_document)
            continue;
        number = (*document)++;
        if (sets_alone(sets, number))
            continue;
        dedup_store(record->p + CLUSTER, sets_find(sets, number));
        dedup_store(record->p + RANK, rank(p, &h, number));
        memcpy(record->p + KEY, h.key, sizeof(h.key));
        dedup_store(record->p + LINE_KEY, h.line_key);
        dedup_store(record->p + DOCUMENT, number);
        memcpy(record->p + SKETCH, heads->p + at + sizeof(h), sketch);
        if (sorter_add(members, record->p, err) < 0)
            return -1;
    }
    return 0;
}

static int gather(const struct dedup_plan *p, struct stash *stash, struct sets *sets,
                  struct sorter *members, struct err *err)
{
    struct stash_block block = { 0 };
    struct buf record = { 0 };
    uint64_t document = 0;
    int got;

    buf_need(&record, SKETCH + dedup_sketch(p));
    stash_rewind(stash, 0);
    while ((got = stash_next(stash, &block, err)) == 1)
        if ((got = gather_block(p, &block.head, sets, &document, &record, members, err)) < 0)
            break;
    stash_block_release(&block);
    buf_release(&record);
    return got;
}

static uint32_t count_agree(const unsigned char *a, const unsigned char *b, size_t n)
{
    uint32_t sum = 0;
    size_t i;

    for (i = 0; i < n; i += sizeof(uint32_t))
        sum += !memcmp(a + i, b + i, sizeof(uint32_t));
    return sum;
}

/* The first member of each cluster stays. */
static int choose(const struct dedup_plan *p, struct sorter *members, struct sorter *verdicts,
                  struct err *err)
{
    struct buf first = { 0 };    // of the cluster
    unsigned char verdict[VERDICT];
    const void *record;
    uint64_t n = 0;
    int got = sorter_start(members, err);

    buf_need(&first, SKETCH + dedup_sketch(p));
    while (got >= 0 && (got = sorter_next(members, &record, err)) == 1) {
        const unsigned char *r = record;
        int is_new = !n || memcmp(first.p + CLUSTER, r + CLUSTER, 8) != 0;
        uint32_t told[2];

        if (is_new)
            memcpy(first.p, r, SKETCH + dedup_sketch(p));
        n += (uint64_t)is_new;
        told[0] = (uint32_t)is_new;
        told[1] = count_agree(first.p + SKETCH, r + SKETCH, dedup_sketch(p));
        memcpy(verdict, r + DOCUMENT, 8);
        memcpy(verdict + 8, r + CLUSTER, 8);
        memcpy(verdict + 16, told, sizeof(told));
        got = sorter_add(verdicts, verdict, err);
    }
    buf_release(&first);
    ledger_count(p->ledger, "clusters", n);
    return got;
}

struct sorter *cluster_judge(const struct dedup_plan *p, struct stash *stash, struct sets *sets,
                             struct err *err)
{
    struct sorter *members = sorter_new(SKETCH + dedup_sketch(p), p->mem / 2, p->tmpdir);
    struct sorter *verdicts = sorter_new(VERDICT, p->mem / 2, p->tmpdir);
    int bad = gather(p, stash, sets, members, err);

    if (!bad)
        bad = choose(p, members, verdicts, err);
    sorter_free(members);
    if (!bad && !sorter_start(verdicts, err))
        return verdicts;
    sorter_free(verdicts);
    return NULL;
}

int cluster_next(struct sorter *verdicts, struct verdict *v, struct err *err)
{
    const void *record;
    int got = sorter_next(verdicts, &record, err);
    const unsigned char *r = record;
    uint32_t told[2];

    if (got != 1)
        return got;
    memcpy(told, r + 16, sizeof(told));
    *v = (struct verdict){ dedup_load(r), dedup_load(r + 8), told[0], told[1] };
    return 1;
}
