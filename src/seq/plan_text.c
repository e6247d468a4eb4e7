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

static int write_lang(struct out *o, const struct plan *p, const struct plan_lang *l,
                      const char *folder, struct err *err)
{
    char *file = plan_relative(l->file, folder, err);
    int bad;

    if (!file)
        return -1;
    bad = out_printf(
        o, err, "%s\t%" PRIu64 "\t%" PRIu64 "\t%.6g\t%.6g\t%" PRIu64 "\t%.6g\t%s\t%s\n", l->is.lang,
        l->is.rows, l->is.tokens, l->share, l->probability, l->weight,
        l->share > 0 ? (double)l->weight / (double)p->period / l->share : 0, l->is.sha256, file);
    free(file);
    return bad;
}

static int write_all(struct out *o, const struct plan *p, const char *folder, struct err *err)
{
    const struct plan_facts *is = &p->lang[0].is;
    int i;

    if (out_printf(o, err,
                   "%s\n# alpha %.9g\n# cap %" PRIu64 "\n# by %s\n# seed %" PRIu64
                   "\n# period %" PRIu64 "\n# inputs %" PRId64 "\n# targets %" PRId64
                   "\n# vocab.size %" PRId64 "\n# vocab.sha256 %s\n",
                   first_line, p->alpha, p->cap, p->by_tokens ? "tokens" : "rows", p->seed,
                   p->period, is->inputs, is->targets, is->vocab,
                   *is->vocab_sha256 ? is->vocab_sha256 : "-"))
        return -1;
    for (i = 0; i < N_COLUMN; i++)
        if (out_printf(o, err, "%s%c", columns[i], i < N_COLUMN - 1 ? '\t' : '\n'))
            return -1;
    for (i = 0; i < p->n_lang; i++)
        if (write_lang(o, p, &p->lang[i], folder, err))
            return -1;
    return 0;
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
    int began;                  // the first line was seen
    size_t n_column;            // as many as the line of names has; 0 before it
    int column[N_COLUMN];       // where each of ours is
    struct plan_facts facts;    // what all shards share
    struct plan_lang *lang;     // in the order of the text
    int n_lang;
    double alpha;
    int64_t cap, seed, period;
    int by_tokens;
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

/* A line "# key value". Other comments, and keys to come, are passed over. */
static int read_comment(struct reading *r, const char *line, struct err *err)
{
    const struct {
        const char *key;
        int64_t *to, most;
    } whole[] = {
        { "cap", &r->cap, INT64_MAX },
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
        return tsv_num(&r->at, key, value, 0, 1e9, &r->alpha, err);
    if (strcmp(key, "vocab.sha256") == 0 && strcmp(line + at, "-") != 0)
        return get_hex(r, key, value, r->facts.vocab_sha256, err);
    if (strcmp(key, "by") == 0)
        r->by_tokens = strcmp(line + at, "tokens") == 0;
    return 0;
}

static int read_names(struct reading *r, const struct bytes *field, size_t n, struct err *err)
{
    int i;

    for (i = 0; i < N_COLUMN; i++) {
        r->column[i] = tsv_column(&r->at, field, n, columns[i], err);
        if (r->column[i] < 0)
            return -1;
    }
    r->n_column = n;
    return 0;
}

static int read_lang(struct reading *r, const struct bytes *field, struct err *err)
{
    struct plan_lang l = { .is = r->facts };
    struct bytes f[N_COLUMN];
    int64_t rows, tokens, weight;
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
        tsv_int(&r->at, columns[WEIGHT], f[WEIGHT], 0, PLAN_PERIOD_MAX, &weight, err) ||
        get_hex(r, columns[SHA256], f[SHA256], l.is.sha256, err))
        return -1;
    if (weight && !rows)
        return trouble(r, err, "a weight for a language without rows");
    if (!f[FILE_NAME].n)
        return trouble(r, err, "no file");
    l.is.rows = (uint64_t)rows;
    l.is.tokens = (uint64_t)tokens;
    l.weight = (uint64_t)weight;
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

/* Everything was read: into the order of tags, and do the weights add up? */
static int assemble(const struct reading *r, struct plan *p, struct err *err)
{
    uint64_t before = 0;
    int i, k;

    if (!r->n_column || !r->n_lang)
        return err_set(err, "%s: a plan without languages", r->at.path);
    for (i = 0; i < r->n_lang; i++)
        if (plan_add(p, r->lang[i].file, &r->lang[i].is, err))
            return -1;
    for (i = 0; i < p->n_lang; i++) {
        struct plan_lang *l = &p->lang[i];

        for (k = 0; strcmp(r->lang[k].is.lang, l->is.lang) != 0;)
            k++;
        l->weight = r->lang[k].weight;
        l->share = r->lang[k].share;
        l->probability = r->lang[k].probability;
        l->before = before;
        before += l->weight;
    }
    if (!r->period || before != (uint64_t)r->period)
        return err_set(err, "%s: weights sum to %" PRIu64 ", but the period is %" PRId64,
                       r->at.path, before, r->period);
    p->alpha = r->alpha;
    p->cap = (uint64_t)r->cap;
    p->by_tokens = r->by_tokens;
    p->period = (uint64_t)r->period;
    return 0;
}

struct plan *plan_read(const char *path, struct err *err)
{
    struct reading r = { .at = { .path = path }, .folder = folder_of(path) };
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
    free(r.folder);
    return p;
}
