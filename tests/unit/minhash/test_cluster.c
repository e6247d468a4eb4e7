/* test_cluster.c - verdicts on random links against labels painted over and over, for each way to
 * choose who stays, with lines between that are no documents, and with sorters that spill. */
#include "../test.h"

#include "base/err.h"
#include "base/rng.h"
#include "io/ledger.h"
#include "minhash/cluster.h"
#include "minhash/read.h"
#include "minhash/run.h"
#include "minhash/sets.h"
#include "spill/sort.h"
#include "spill/stash.h"

enum { N = 3000, LINKS = 1300 };

struct made {
    struct dedup_head head[N];
    uint32_t sketch[N];    // one function
    int label[N], size[N], best[N];
};

static struct made m;

static int is_better(enum dedup_keep keep, int a, int b)
{
    const struct dedup_head *x = &m.head[a], *y = &m.head[b];
    int c = memcmp(x->key, y->key, sizeof(x->key));

    if (keep == DEDUP_FIRST)
        return a < b;
    if (keep == DEDUP_LONGEST && x->text != y->text)
        return x->text > y->text;
    if (c)
        return c < 0;
    return x->line_key != y->line_key ? x->line_key < y->line_key : a < b;
}

/* Links into the sorter, a hash for each; labels to match: the least number of a cluster. */
static void make_links(struct sorter *buckets, struct rng *r)
{
    unsigned char record[DEDUP_BUCKET] = { 0 };
    struct err err;
    int link, i, end, other;

    for (i = 0; i < N; i++)
        m.label[i] = i;
    for (link = 0; link < LINKS; link++) {
        int pair[2] = { (int)rng_below(r, N), (int)rng_below(r, N) };

        dedup_store(record, rng_next(r));
        for (end = 0; end < 2; end++) {
            dedup_store(record + 16, (uint64_t)pair[end]);
            assert_int_equal(sorter_add(buckets, record, &err), 0);
        }
        end = m.label[pair[0]] < m.label[pair[1]] ? m.label[pair[0]] : m.label[pair[1]];
        other = m.label[pair[0]] + m.label[pair[1]] - end;
        for (i = 0; i < N; i++)
            m.label[i] = m.label[i] == other ? end : m.label[i];
    }
}

/* Few different keys and lengths, so that ties are common. */
static void make_heads(const struct dedup_plan *p, struct stash *stash, struct rng *r)
{
    struct dedup_head none = { .lang = -1 };
    struct stash_block b = { 0 };
    struct err err;
    uint32_t zero = 0;
    int i;

    for (i = 0; i < N; i++) {
        struct dedup_head *h = &m.head[i];

        *h = (struct dedup_head){
            .is_document = 1, .lang = -1, .text = rng_below(r, 4), .line_key = rng_below(r, 3)
        };
        h->key[0] = (unsigned char)rng_below(r, 6);
        m.sketch[i] = (uint32_t)rng_below(r, 2);
        buf_add(&b.head, h, sizeof(*h));
        buf_add(&b.head, &m.sketch[i], dedup_sketch(p));
        if (i % 7 == 0) {
            buf_add(&b.head, &none, sizeof(none));
            buf_add(&b.head, &zero, dedup_sketch(p));
        }
        if (i % 500 == 499) {
            assert_int_equal(stash_pack(&b, &err), 0);
            assert_int_equal(stash_put(stash, &b, &err), 0);
            buf_reset(&b.head);
        }
    }
    stash_block_release(&b);
}

static uint64_t expect(enum dedup_keep keep)
{
    uint64_t clusters = 0;
    int i;

    for (i = 0; i < N; i++) {
        m.size[i] = 0;
        m.best[i] = -1;
    }
    for (i = 0; i < N; i++) {
        int root = m.label[i];

        clusters += ++m.size[root] == 2;
        if (m.best[root] < 0 || is_better(keep, i, m.best[root]))
            m.best[root] = i;
    }
    return clusters;
}

static void check(const struct dedup_plan *p)
{
    struct rng r = rng_at(11, (uint64_t)p->keep);
    struct err err = { { 0 } };
    struct sorter *buckets = sorter_new(DEDUP_BUCKET, p->mem, "."), *verdicts;
    struct stash *stash = stash_open(".", &err);
    uint64_t clusters;
    struct sets *sets;
    struct verdict v;
    int i = 0;

    make_links(buckets, &r);
    make_heads(p, stash, &r);
    clusters = expect(p->keep);
    sets = cluster_join(buckets, N, &err);
    assert_non_null(sets);
    verdicts = cluster_judge(p, stash, sets, &err);
    assert_non_null(verdicts);
    for (; cluster_next(verdicts, &v, &err) == 1; i++) {
        for (; m.size[m.label[i]] < 2; i++)
            assert_true((uint64_t)i < v.document);
        assert_int_equal(v.document, i);
        assert_int_equal(v.cluster, m.label[i]);
        assert_int_equal(v.is_kept, i == m.best[m.label[i]]);
        if (p->clusters)
            assert_int_equal(v.agree, m.sketch[i] == m.sketch[m.best[m.label[i]]]);
    }
    for (; i < N; i++)
        assert_true(m.size[m.label[i]] < 2);
    assert_string_equal(err.msg, "");
    assert_int_equal(ledger_counted(p->ledger, "clusters"), clusters);
    assert_true(clusters > 300);
    sorter_free(buckets);
    sorter_free(verdicts);
    sets_free(sets);
    stash_close(stash);
}

static void test_against_labels(void **state)
{
    struct dedup_plan p = { .n_bucket = 1, .n_hash = 1, .tmpdir = "." };
    int keep, table;

    (void)state;
    for (keep = DEDUP_HASH; keep <= DEDUP_LONGEST; keep++)
        for (table = 0; table < 2; table++) {
            p.keep = (enum dedup_keep)keep;
            p.mem = table ? 1 << 16 : 1 << 24;
            p.clusters = table ? (struct out *)&p : NULL;    // only asked whether it is there
            p.ledger = ledger_new("test");
            check(&p);
            ledger_free(p.ledger);
        }
}

TESTS("minhash/cluster", cmocka_unit_test(test_against_labels))
