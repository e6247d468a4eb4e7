/* source.c - see source.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/share.h"
#include "io/stream.h"
#include "pairs/pairs.h"
#include "pairs/rows.h"
#include "pairs/task.h"
#include "shard/example.h"
#include "shard/shard.h"
#include "spm/header.h"
#include "spm/vocab.h"
#include "tune/source.h"

enum { ROWS_OPEN = 64 };    // as pack-pairs(1)

static const char plan_begins[] = "# switchyard-plan";

/* The name of a file, up to its first point. */
static char *short_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *name = xstrdup(slash ? slash + 1 : path);

    name[strcspn(name, ".")] = 0;
    return name;
}

/* ":0.25" at the end of word is a weight: 0 when there is none, -1 when it is not above 0. */
static int cut_weight(char *word, double *weight, struct err *err)
{
    char *colon = strrchr(word, ':'), *end;
    double x;

    *weight = 0;
    if (!colon || !colon[1])
        return 0;
    x = strtod(colon + 1, &end);
    if (*end)
        return 0;
    if (!(x > 0 && x <= 1e9))
        return err_set(err, "%s: a weight must be above 0", word);
    *weight = x;
    *colon = 0;
    return 0;
}

static int find_kind(struct source *s, struct err *err)
{
    struct stream *in = stream_open(s->path, err);
    size_t n = strlen(plan_begins);
    const unsigned char *p;
    ssize_t got;

    if (!in)
        return -1;
    got = stream_peek(in, n, &p, err);
    s->kind = got >= 4 && memcmp(p, "SYS1", 4) == 0                 ? SOURCE_SHARD
              : got >= (ssize_t)n && memcmp(p, plan_begins, n) == 0 ? SOURCE_PLAN
                                                                    : SOURCE_TEXT;
    stream_close(in);
    return got < 0 ? -1 : 0;
}

static int parse(struct source *s, const char *word, const struct source_plan *plan,
                 struct err *err)
{
    const char *equals = strchr(word, '='), *slash = strchr(word, '/');

    if (equals == word || (slash && equals > slash))
        equals = NULL;
    s->path = xstrdup(equals ? equals + 1 : word);
    if (cut_weight(s->path, &s->weight, err) < 0)
        return -1;
    s->name = equals ? xstrndup(word, (size_t)(equals - word)) : short_name(s->path);
    if (!*s->name || strpbrk(s->name, "/\t\n") || strcmp(s->name, "mean") == 0)
        return err_set(err, "%s: no name for a set: say NAME=FILE", word);
    if (find_kind(s, err) < 0)
        return -1;
    s->shard = s->kind == SOURCE_TEXT ? xasprintf("%s/%s%s.ex", plan->folder, plan->prefix, s->name)
                                      : xstrdup(s->path);
    if (s->kind == SOURCE_TEXT && !plan->vocab)
        return err_set(err, "%s: is text (or no shard): --vocab is needed", s->path);
    return 0;
}

int sources_parse(struct sources *s, const struct opt_list *words, const struct source_plan *plan,
                  struct err *err)
{
    int i;

    *s = (struct sources){ xcalloc((size_t)words->n + 1, sizeof(*s->one)), 0 };
    while (s->n < words->n) {
        struct source *last = &s->one[s->n++];

        if (parse(last, words->item[s->n - 1], plan, err) < 0)
            return -1;
        for (i = 0; i + 1 < s->n; i++)
            if (strcmp(s->one[i].name, last->name) == 0)
                return err_set(err, "%s: two sets are called %s: say NAME=FILE", last->path,
                               last->name);
    }
    return 0;
}

void sources_release(struct sources *s)
{
    int i;

    for (i = 0; i < s->n; i++) {
        free(s->one[i].name);
        free(s->one[i].path);
        free(s->one[i].shard);
    }
    free(s->one);
    *s = (struct sources){ 0 };
}

int source_pairs(const struct source *s,
                 int (*take)(void *to, struct bytes input, struct bytes target, struct err *err),
                 void *to, int quiet, struct err *err)
{
    char *table = share_find("tasks.tsv");
    struct task *task = table ? task_read(table, "text", err) : NULL;
    struct pairs *from = task ? pairs_open(task, s->path, err) : NULL;
    uint64_t n = 0, n_dropped = 0;
    struct pair p;
    int got = from ? 1 : -1, rc = 0;

    if (!table)
        err_set(err, "no share/tasks.tsv; is $SWITCHYARD_SHARE right?");
    while (from && rc == 0 && (got = pairs_next(from, &p, err)) > 0) {
        n++;
        n_dropped += p.dropped != NULL;
        rc = p.dropped ? 0 : take(to, p.input, p.target, err);
    }
    if (got == 0 && n == n_dropped)
        rc = err_set(err, "%s: no pair in it", s->path);
    if (n_dropped && !quiet)
        warn("%s: %" PRIu64 " of %" PRIu64 " lines gave no pair", s->path, n_dropped, n);
    pairs_close(from);
    task_free(task);
    free(table);
    return got < 0 ? -1 : rc;
}

struct packing {
    struct rows *rows;
    uint64_t n_cut[2];
};

static int pack_pair(void *to, struct bytes input, struct bytes target, struct err *err)
{
    struct packing *p = to;
    int cut = rows_add(p->rows, input, target, 0, err);

    p->n_cut[0] += cut > 0 && (cut & ROWS_CUT_INPUT);
    p->n_cut[1] += cut > 0 && (cut & ROWS_CUT_TARGET);
    return cut < 0 ? -1 : 0;
}

struct rows *source_rows(const struct source *s, const struct source_plan *plan, const char *lang,
                         struct err *err)
{
    const struct rows_plan how = { .output = s->shard,
                                   .model = plan->vocab,
                                   .task = "text",
                                   .lang = lang,
                                   .n_extra = plan->n_extra,
                                   .inputs = plan->inputs,
                                   .targets = plan->targets,
                                   .n_open = ROWS_OPEN };

    return rows_open(&how, err);
}

static int pack(const struct source *s, const struct source_plan *plan, struct err *err)
{
    struct packing p = { .rows = source_rows(s, plan, header_lang(plan->lang), err) };
    int rc = p.rows ? source_pairs(s, pack_pair, &p, plan->quiet, err) : -1;

    if (rc == 0)
        rc = rows_finish(p.rows, err);
    if (rc == 0 && !plan->quiet && (p.n_cut[0] || p.n_cut[1]))
        warn("%s: %" PRIu64 " inputs and %" PRIu64 " targets were cut to a row's length", s->path,
             p.n_cut[0], p.n_cut[1]);
    rows_free(p.rows);
    return rc;
}

int sources_pack(const struct sources *s, const struct source_plan *plan, struct err *err)
{
    int i, rc = 0;

    for (i = 0; i < s->n && rc == 0; i++)
        if (s->one[i].kind == SOURCE_TEXT)
            rc = pack(&s->one[i], plan, err);
    return rc;
}

static int check(const struct source *s, const char *vocab, const char *sha, struct err *err)
{
    struct example_file *f = example_file_open(s->shard, err);
    const char *has = f ? shard_header_get(example_file_header(f), "vocab.sha256") : NULL;
    int rc = f ? 0 : -1;

    if (has && strcmp(has, sha) != 0)
        rc = err_set(err, "%s: not of the vocabulary of %s", s->path, vocab);
    example_file_close(f);
    return rc;
}

int sources_check(const struct sources *s, const char *vocab, struct err *err)
{
    struct vocab *v = vocab_open(vocab, err);
    char sha[65];
    int i, rc = v ? 0 : -1;

    if (v)
        vocab_sha256(v, sha);
    for (i = 0; i < s->n && rc == 0; i++)
        if (s->one[i].kind == SOURCE_SHARD)
            rc = check(&s->one[i], vocab, sha, err);
    vocab_free(v);
    return rc;
}
