/* mix.c - rows from a mixture plan or from one example shard; see batch.h, plan.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "io/stream.h"
#include "seq/batch.h"
#include "seq/plan.h"
#include "shard/example.h"

enum { KEEP = 256 << 20 };    // bytes of decoded blocks, over all shards

struct mix {
    struct plan *plan;             // NULL: one shard, all its rows in order
    struct example_file **file;    // [n_file]: one a language of the plan; NULL: it has no row
    int n_file, named;             // named: the plan's languages are names of tasks
    struct plan_facts is;          // of all, or of the one
    char fingerprint[65];
};

/* Is path a shard? By its first bytes; anything else is for plan_read() to judge. */
static int is_shard(const char *path, struct err *err)
{
    struct stream *s = stream_open(path, err);
    const unsigned char *p;
    ssize_t n;
    int yes;

    if (!s)
        return -1;
    n = stream_peek(s, 4, &p, err);
    yes = n < 0 ? -1 : n >= 4 && memcmp(p, "SYS1", 4) == 0;
    stream_close(s);
    return yes;
}

static int open_one(struct mix *m, const char *path, struct err *err)
{
    m->n_file = 1;
    m->file = xcalloc(1, sizeof(struct example_file *));
    m->file[0] = example_file_open(path, err);
    if (!m->file[0] || plan_facts_of(m->file[0], path, &m->is, err))
        return -1;
    example_file_keep(m->file[0], KEEP);
    memcpy(m->fingerprint, m->is.sha256, sizeof(m->fingerprint));
    return 0;
}

/* A shard must be the one that was planned with. */
static int open_planned(struct mix *m, int i, struct err *err)
{
    const struct plan_lang *l = &m->plan->lang[i];
    struct plan_facts is;

    m->file[i] = example_file_open(l->file, err);
    if (!m->file[i] || plan_facts_of(m->file[i], l->file, &is, err))
        return -1;
    if (strcmp(is.sha256, l->is.sha256) != 0 || is.rows != l->is.rows ||
        (!m->named && (strcmp(is.lang, l->is.lang) != 0 || example_file_n_lang(m->file[i]) > 1)))
        return err_set(err,
                       "%s: not the shard that was mixed (%s, %" PRIu64 " rows, sha256 %.12s): "
                       "run mix-langs again",
                       l->file, l->is.lang, l->is.rows, l->is.sha256);
    if (is.inputs != l->is.inputs || is.targets != l->is.targets || is.vocab != l->is.vocab ||
        strcmp(is.vocab_sha256, l->is.vocab_sha256) != 0)
        return err_set(err, "%s: lengths or vocabulary are not those of the plan", l->file);
    example_file_keep(m->file[i], KEEP / (size_t)m->n_file);
    return 0;
}

static int open_plan(struct mix *m, struct err *err)
{
    int i;

    m->is = m->plan->lang[0].is;
    m->n_file = m->plan->n_lang;
    m->file = xcalloc((size_t)m->n_file, sizeof(struct example_file *));
    for (i = 0; i < m->n_file; i++)
        if (plan_draws(m->plan, i) && open_planned(m, i, err))
            return -1;
    plan_fingerprint(m->plan, m->fingerprint);
    return 0;
}

struct mix *mix_open(const char *path, struct err *err)
{
    struct mix *m = xcalloc(1, sizeof(*m));
    int shard = is_shard(path, err), bad = shard < 0;

    if (shard == 0)
        bad = !(m->plan = plan_read(path, err)) || open_plan(m, err);
    else if (shard > 0)
        bad = open_one(m, path, err);
    if (!bad)
        return m;
    mix_close(m);
    return NULL;
}

static int add_part(struct plan *p, const struct mix_part *part, struct err *err)
{
    struct example_file *f = example_file_open(part->path, err);
    struct plan_facts is;
    int bad = !f || plan_facts_of(f, part->path, &is, err);

    example_file_close(f);
    if (bad)
        return -1;
    if (strlen(part->name) >= sizeof(is.lang))
        return err_set(err, "%s: a name of %zu bytes", part->path, strlen(part->name));
    memcpy(is.lang, part->name, strlen(part->name) + 1);
    if (plan_add(p, part->path, &is, err))
        return -1;
    p->lang[plan_find(p, part->name)].weight = part->weight;
    return 0;
}

struct mix *mix_open_parts(const struct mix_part *part, int n, double alpha, uint64_t cap,
                           uint64_t seed, struct err *err)
{
    struct mix *m = xcalloc(1, sizeof(*m));
    struct plan_rule rule = { .alpha = alpha, .cap = cap };
    int i, bad = 0;

    m->named = 1;
    m->plan = plan_new(seed);
    for (i = 0; i < n && !bad; i++)
        bad = add_part(m->plan, &part[i], err);
    if (!bad && !plan_weigh(m->plan, &rule, PLAN_PERIOD, err) && !open_plan(m, err))
        return m;
    mix_close(m);
    return NULL;
}

int mix_n_tag(const struct mix *m)
{
    return m->plan ? m->plan->n_lang : example_file_n_lang(m->file[0]);
}

const char *mix_tag_name(const struct mix *m, int tag)
{
    return m->plan ? m->plan->lang[tag].is.lang : example_file_lang(m->file[0], tag);
}

int mix_inputs(const struct mix *m)
{
    return (int)m->is.inputs;
}

int mix_targets(const struct mix *m)
{
    return (int)m->is.targets;
}

int64_t mix_vocab(const struct mix *m)
{
    return m->is.vocab;
}

const char *mix_vocab_sha256(const struct mix *m)
{
    return m->is.vocab_sha256;
}

const char *mix_fingerprint(const struct mix *m)
{
    return m->fingerprint;
}

uint64_t mix_rows(const struct mix *m)
{
    return m->plan ? 0 : m->is.rows;
}

int mix_fill(struct mix *m, uint64_t n, struct batch *b, int i, struct err *err)
{
    struct plan_place at = { 0, 0, n };
    struct example_row row;

    if (m->plan)
        at = plan_at(m->plan, n);
    else if (n >= m->is.rows)
        return err_set(err, "row %" PRIu64 " of a shard of %" PRIu64, n, m->is.rows);
    if (example_file_at(m->file[at.lang], at.row, &row, err))
        return -1;
    return batch_set(b, i, &row, m->plan ? at.lang : row.lang, n, err);
}

void mix_close(struct mix *m)
{
    int i;

    if (!m)
        return;
    for (i = 0; i < m->n_file; i++)
        example_file_close(m->file[i]);
    free(m->file);
    plan_free(m->plan);
    free(m);
}
