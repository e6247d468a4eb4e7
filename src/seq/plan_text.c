/* plan_text.c - the text of a plan, both ways; see plan.h. Columns are one table. */
#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/tsv.h"
#include "io/out.h"
#include "io/stream.h"
#include "seq/plan.h"

enum { LINE_BYTES = 65536, FIELD_MAX = 64 };

enum { LANG, ROWS, TOKENS, SHARE, PROBABILITY, WEIGHT, OVERSAMPLING, SHA256, FILE_NAME, N_COLUMN };

static const char first_line[] = "# switchyard-plan 1";

static const char *const columns[N_COLUMN] = {
    "lang", "rows", "tokens", "share", "probability", "weight", "oversampling", "sha256", "file",
};

static char *folder_of(const char *path)
{
    char *copy = xstrdup(path), *folder = xstrdup(strcmp(path, "-") == 0 ? "." : dirname(copy));

    free(copy);
    return folder;
}

char *plan_relative(const char *path, const char *folder, struct err *err)
{
    char *copy, *dir, *from, *name;
    struct buf out = { 0 };
    size_t same = 0, i;

    if (*path == '/')
        return xstrdup(path);
    dir = folder_of(path);
    copy = realpath(dir, NULL);
    from = realpath(folder, NULL);
    if (!copy || !from) {
        err_set(err, "%s: %s", copy ? folder : dir, strerror(errno));
        free(dir);
        free(copy);
        free(from);
        return NULL;
    }
    for (i = 0; copy[i] && copy[i] == from[i]; i++)    // the common folders, up to a slash
        if (copy[i] == '/')
            same = i + 1;
    if ((!copy[i] || copy[i] == '/') && (!from[i] || from[i] == '/') && i > same)
        same = i + (copy[i] == '/' || from[i] == '/');
    for (i = same; i < strlen(from); i++)
        if (i == same || from[i] == '/')
            buf_add_str(&out, "../");
    if (same < strlen(copy)) {
        buf_add_str(&out, copy + same);
        buf_add_byte(&out, '/');
    }
    name = strrchr(path, '/');
    buf_add_str(&out, name ? name + 1 : path);
    buf_add_byte(&out, 0);
    free(dir);
    free(copy);
    free(from);
    return (char *)out.p;
}

static int write_lang(struct out *o, const struct plan *p, int i, const char *folder,
                      struct err *err)
{
    const struct plan_lang *l = &p->lang[i];
    char *file = plan_relative(l->file, folder, err);
    double part = (double)p->stage[0].draw[i].weight / (double)p->period;
    int s, bad;

    if (!file)
        return -1;
    bad = out_printf(o, err, "%s\t%" PRIu64 "\t%" PRIu64 "\t%.6g\t%.6g\t%" PRIu64 "\t%.6g\t%s\t%s",
                     l->is.lang, l->is.rows, l->is.tokens, l->share, l->probability,
                     p->stage[0].draw[i].weight, l->share > 0 ? part / l->share : 0, l->is.sha256,
                     file);
    for (s = 1; !bad && s < p->n_stage; s++)
        bad = out_printf(o, err, "\t%" PRIu64, p->stage[s].draw[i].weight);
    free(file);
    return bad ? bad : out_printf(o, err, "\n");
}

static int write_rule(struct out *o, const struct plan_rule *r, struct err *err)
{
    int bad = out_printf(o, err, "# alpha %.9g\n# cap %" PRIu64 "\n# by %s\n", r->alpha, r->cap,
                         r->by_tokens ? "tokens" : "rows");

    if (!bad && r->floor > 0)
        bad = out_printf(o, err, "# floor %.9g\n", r->floor);
    if (!bad && r->epochs > 0)
        bad = out_printf(o, err, "# max-epochs %.9g\n# for %" PRIu64 "\n", r->epochs, r->rows);
    return bad;
}

/* The first rows of the stages after the first, and the names of their columns. */
static int write_stages(struct out *o, const struct plan *p, struct err *err)
{
    int s, bad = 0;

    for (s = 1; !bad && s < p->n_stage; s++)
        bad = out_printf(o, err, "# stage.%d %" PRIu64 "\n", s + 1, p->stage[s].first);
    return bad;
}

static int write_all(struct out *o, const struct plan *p, const char *folder, struct err *err)
{
    const struct plan_facts *is = &p->lang[0].is;
    int i, bad;

    bad = out_printf(o, err, "%s\n", first_line) || write_rule(o, &p->rule, err) ||
          out_printf(o, err,
                     "# seed %" PRIu64 "\n# period %" PRIu64 "\n# inputs %" PRId64
                     "\n# targets %" PRId64 "\n# vocab.size %" PRId64 "\n# vocab.sha256 %s\n",
                     p->seed, p->period, is->inputs, is->targets, is->vocab,
                     *is->vocab_sha256 ? is->vocab_sha256 : "-") ||
          write_stages(o, p, err);
    for (i = 0; !bad && i < N_COLUMN; i++)
        bad = out_printf(o, err, "%s%s", i ? "\t" : "", columns[i]);
    for (i = 1; !bad && i < p->n_stage; i++)
        bad = out_printf(o, err, "\tweight.%d", i + 1);
    bad = bad || out_printf(o, err, "\n");
    for (i = 0; !bad && i < p->n_lang; i++)
        bad = write_lang(o, p, i, folder, err);
    return bad ? -1 : 0;
}

int plan_write(const struct plan *p, const char *path, struct err *err)
{
    struct out *o = out_open(path, err);
    char *folder;
    int bad;

    if (!o)
        return -1;
    folder = folder_of(path);
    bad = write_all(o, p, folder, err);
    free(folder);
    if (bad) {
        out_abandon(o);
        return -1;
    }
    return out_close(o, err);
}

struct reading {
    struct tsv at;
    char *folder;
    int began;                             // the first line was seen
    size_t n_column;                       // as many as the line of names has; 0 before it
    int column[N_COLUMN];                  // where each of ours is
    struct plan_facts facts;               // what all shards share
    struct plan_lang *lang;                // in the order of the text
    uint64_t (*weight)[PLAN_STAGE_MAX];    // of each
    int n_lang;
    struct plan_rule rule;
    int64_t cap, rows, seed, period;
    int64_t first[PLAN_STAGE_MAX];    // rows of stages, the first of them 0
    int stage_column[PLAN_STAGE_MAX], n_stage;
};

static int trouble(const struct reading *r, struct err *err, const char *what)
{
    return err_set(err, "%s: line %" PRIu64 ": %s", r->at.path, r->at.line, what);
}

static int get_hex(const struct reading *r, const char *name, struct bytes s, char out[65],
                   struct err *err)
{
    size_t i;

    for (i = 0; i < s.n && s.p[i] && strchr("0123456789abcdef", s.p[i]);)
        i++;
    if (s.n != 64 || i != 64)
        return err_set(err, "%s: line %" PRIu64 ": %s: not 64 hex digits", r->at.path, r->at.line,
                       name);
    memcpy(out, s.p, 64);
    out[64] = 0;
    return 0;
}

/* "# stage.2 ROW": stages come in order, before the names of the columns. */
static int read_stage(struct reading *r, const char *key, struct bytes value, struct err *err)
{
    char want[32];

    snprintf(want, sizeof(want), "stage.%d", r->n_stage + 1);
    if (r->n_column || strcmp(key, want) != 0)
        return trouble(r, err, "a stage out of order");
    if (r->n_stage == PLAN_STAGE_MAX)
        return trouble(r, err, "too many stages");
    return tsv_int(&r->at, key, value, 1, INT64_MAX, &r->first[r->n_stage++], err);
}

/* A line "# key value". Other comments, and keys to come, are passed over. */
static int read_comment(struct reading *r, const char *line, struct err *err)
{
    const struct {
        const char *key;
        int64_t *to, most;
    } whole[] = {
        { "cap", &r->cap, INT64_MAX },
        { "for", &r->rows, INT64_MAX },
        { "seed", &r->seed, INT64_MAX },
        { "period", &r->period, PLAN_PERIOD_MAX },
        { "inputs", &r->facts.inputs, INT32_MAX },
        { "targets", &r->facts.targets, INT32_MAX },
        { "vocab.size", &r->facts.vocab, INT32_MAX },
    };
    char key[32];
    int at = 0;
    size_t i;
    struct bytes value;

    if (sscanf(line, "# %31s %n", key, &at) != 1 || !at)
        return 0;
    value = (struct bytes){ (const unsigned char *)line + at, strlen(line + at) };
    for (i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
        if (strcmp(key, whole[i].key) == 0)
            return tsv_int(&r->at, key, value, 0, whole[i].most, whole[i].to, err);
    if (strcmp(key, "alpha") == 0)
        return tsv_num(&r->at, key, value, 0, 1e9, &r->rule.alpha, err);
    if (strcmp(key, "floor") == 0)
        return tsv_num(&r->at, key, value, 0, 1, &r->rule.floor, err);
    if (strcmp(key, "max-epochs") == 0)
        return tsv_num(&r->at, key, value, 0, 1e18, &r->rule.epochs, err);
    if (strncmp(key, "stage.", 6) == 0)
        return read_stage(r, key, value, err);
    if (strcmp(key, "vocab.sha256") == 0 && strcmp(line + at, "-") != 0)
        return get_hex(r, key, value, r->facts.vocab_sha256, err);
    if (strcmp(key, "by") == 0)
        r->rule.by_tokens = strcmp(line + at, "tokens") == 0;
    return 0;
}

static int read_names(struct reading *r, const struct bytes *field, size_t n, struct err *err)
{
    char name[32];
    int i;

    for (i = 0; i < N_COLUMN; i++) {
        r->column[i] = tsv_column(&r->at, field, n, columns[i], err);
        if (r->column[i] < 0)
            return -1;
    }
    for (i = 1; i < r->n_stage; i++) {
        snprintf(name, sizeof(name), "weight.%d", i + 1);
        r->stage_column[i] = tsv_column(&r->at, field, n, name, err);
        if (r->stage_column[i] < 0)
            return -1;
    }
    r->stage_column[0] = r->column[WEIGHT];
    r->n_column = n;
    return 0;
}

static int read_weights(struct reading *r, const struct bytes *field, int64_t rows, struct err *err)
{
    int64_t weight;
    int i;

    r->weight = xreallocarray(r->weight, (size_t)r->n_lang + 1, sizeof(*r->weight));
    for (i = 0; i < r->n_stage; i++) {
        if (tsv_int(&r->at, columns[WEIGHT], field[r->stage_column[i]], 0, PLAN_PERIOD_MAX, &weight,
                    err))
            return -1;
        if (weight && !rows)
            return trouble(r, err, "a weight for a language without rows");
        r->weight[r->n_lang][i] = (uint64_t)weight;
    }
    return 0;
}

static int read_lang(struct reading *r, const struct bytes *field, struct err *err)
{
    struct plan_lang l = { .is = r->facts };
    struct bytes f[N_COLUMN];
    int64_t rows, tokens;
    int i;

    for (i = 0; i < N_COLUMN; i++)
        f[i] = field[r->column[i]];
    if (!f[LANG].n || f[LANG].n >= sizeof(l.is.lang))
        return trouble(r, err, "lang: empty or too long");
    memcpy(l.is.lang, f[LANG].p, f[LANG].n);
    if (tsv_int(&r->at, columns[ROWS], f[ROWS], 0, INT64_MAX, &rows, err) ||
        tsv_int(&r->at, columns[TOKENS], f[TOKENS], 0, INT64_MAX, &tokens, err) ||
        tsv_num(&r->at, columns[SHARE], f[SHARE], 0, 1, &l.share, err) ||
        tsv_num(&r->at, columns[PROBABILITY], f[PROBABILITY], 0, 1, &l.probability, err) ||
        read_weights(r, field, rows, err) ||
        get_hex(r, columns[SHA256], f[SHA256], l.is.sha256, err))
        return -1;
    if (!f[FILE_NAME].n)
        return trouble(r, err, "no file");
    l.is.rows = (uint64_t)rows;
    l.is.tokens = (uint64_t)tokens;
    l.file = *f[FILE_NAME].p == '/' || strcmp(r->folder, ".") == 0
                 ? xstrndup(f[FILE_NAME].p, f[FILE_NAME].n)
                 : xasprintf("%s/%.*s", r->folder, (int)f[FILE_NAME].n, f[FILE_NAME].p);
    r->lang = xreallocarray(r->lang, (size_t)r->n_lang + 1, sizeof(*r->lang));
    r->lang[r->n_lang++] = l;
    return 0;
}

static int read_line(struct reading *r, struct bytes line, struct err *err)
{
    struct bytes field[FIELD_MAX];
    size_t n;

    if (memchr(line.p, 0, line.n))
        return trouble(r, err, "a NUL byte in a plan");
    if (!r->began || *line.p == '#') {
        char *text = xstrndup(line.p, line.n);
        int bad = r->began ? read_comment(r, text, err) : strcmp(text, first_line) != 0;

        if (bad && !r->began)
            trouble(r, err, "neither a mixture plan nor an example shard");
        r->began = 1;
        free(text);
        return bad ? -1 : 0;
    }
    n = tsv_split(line, field, FIELD_MAX);
    if (n > FIELD_MAX)
        return trouble(r, err, "too many columns");
    if (!r->n_column)
        return read_names(r, field, n, err);
    if (tsv_check(&r->at, n, r->n_column, err))
        return -1;
    return r->n_lang < PLAN_LANG_MAX ? read_lang(r, field, err)
                                     : trouble(r, err, "too many languages");
}

static int read_lines(struct reading *r, struct err *err)
{
    struct stream *s = stream_open(r->at.path, err);
    struct bytes line;
    int got = -1;

    while (s && (got = stream_line(s, &line, LINE_BYTES, err)) == 1) {
        r->at.line++;
        if (line.n && read_line(r, line, err)) {
            got = -1;
            break;
        }
    }
    stream_close(s);
    return got;
}

/* Weights of a stage in the order of tags. */
static int assemble_stage(const struct reading *r, struct plan *p, int stage, struct err *err)
{
    uint64_t *weight = xcalloc((size_t)p->n_lang, sizeof(*weight));
    struct err why;
    int i, bad;

    for (i = 0; i < r->n_lang; i++)
        weight[plan_find(p, r->lang[i].is.lang)] = r->weight[i][stage];
    bad = plan_stage(p, (uint64_t)r->first[stage], weight, &why);
    free(weight);
    return bad ? err_set(err, "%s: %.400s", r->at.path, why.msg) : 0;
}

/* Everything was read: into the order of tags, and do the weights add up? */
static int assemble(const struct reading *r, struct plan *p, struct err *err)
{
    int i;

    if (!r->n_column || !r->n_lang)
        return err_set(err, "%s: a plan without languages", r->at.path);
    if (!r->period)
        return err_set(err, "%s: a plan without a period", r->at.path);
    for (i = 0; i < r->n_lang; i++)
        if (plan_add(p, r->lang[i].file, &r->lang[i].is, err))
            return -1;
    for (i = 0; i < r->n_lang; i++) {
        struct plan_lang *l = &p->lang[plan_find(p, r->lang[i].is.lang)];

        l->share = r->lang[i].share;
        l->probability = r->lang[i].probability;
    }
    p->rule = r->rule;
    p->rule.cap = (uint64_t)r->cap;
    p->rule.rows = (uint64_t)r->rows;
    p->period = (uint64_t)r->period;
    for (i = 0; i < r->n_stage; i++)
        if (assemble_stage(r, p, i, err))
            return -1;
    return 0;
}

struct plan *plan_read(const char *path, struct err *err)
{
    struct reading r = { .at = { .path = path }, .folder = folder_of(path), .n_stage = 1 };
    struct plan *p = NULL;
    int i;

    if (read_lines(&r, err) == 0) {
        p = plan_new((uint64_t)r.seed);
        if (assemble(&r, p, err)) {
            plan_free(p);
            p = NULL;
        }
    }
    for (i = 0; i < r.n_lang; i++)
        free(r.lang[i].file);
    free(r.lang);
    free(r.weight);
    free(r.folder);
    return p;
}
