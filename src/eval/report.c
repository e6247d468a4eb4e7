/* report.c - see report.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "eval/report.h"
#include "eval/table.h"

static struct report_model *model_named(struct report *r, const char *name)
{
    size_t i;

    for (i = 0; i < r->n_model; i++)
        if (!strcmp(r->model[i].name, name))
            return &r->model[i];
    r->model = xreallocarray(r->model, r->n_model + 1, sizeof(*r->model));
    r->model[r->n_model] = (struct report_model){ .name = xstrdup(name) };
    return &r->model[r->n_model++];
}

static struct report_lang *lang_named(struct report_model *m, const char *tag)
{
    struct report_lang *l = (struct report_lang *)report_lang(m, tag);

    if (l)
        return l;
    m->lang = xreallocarray(m->lang, m->n_lang + 1, sizeof(*m->lang));
    m->lang[m->n_lang] = (struct report_lang){ .tag = xstrdup(tag) };
    return &m->lang[m->n_lang++];
}

const struct report_lang *report_lang(const struct report_model *m, const char *tag)
{
    size_t i;

    for (i = 0; i < m->n_lang; i++)
        if (!strcmp(m->lang[i].tag, tag))
            return &m->lang[i];
    return NULL;
}

/* A number of a column that may be missing, and be no number; 0 and *y when it is there. */
static int optional(const struct table *t, size_t row, int column, double *y)
{
    struct err none;

    return column < 0 ? -1 : table_num(t, row, column, y, &none);
}

/* The loss of a step. Returns 1 where it is nan or infinite, as where a run diverged. */
static int step_loss(const struct table *t, size_t row, int column, double *y, struct err *err)
{
    const char *s = table_text(t, row, column);
    char *end;
    double x = strtod(s, &end);

    if (end != s && !*end && !isfinite(x))
        return 1;
    return table_num(t, row, column, y, err);
}

static int add_metrics(struct report_model *m, const struct table *t, struct err *err)
{
    int step = table_need(t, "step", err), loss = step < 0 ? -1 : table_need(t, "loss", err);
    int seconds = table_column(t, "seconds"), tokens = table_column(t, "tokens");
    int dropped = table_column(t, "dropped");
    size_t i, n = table_rows(t), late = 0;
    double x, y, took, read;

    if (step < 0 || loss < 0)
        return -1;
    for (i = 0; i < n; i++) {
        int lost = step_loss(t, i, loss, &y, err);

        if (lost < 0 || table_num(t, i, step, &x, err) < 0)
            return -1;
        if (lost)
            m->n_lost++;
        else
            curve_add(&m->train, x, y);
        m->steps = x;
        took = read = 0;
        if (optional(t, i, seconds, &took) == 0)
            m->seconds += took;
        if (optional(t, i, tokens, &read) == 0)
            m->tokens += read;
        if (took > 0 && read > 0)
            curve_add(&m->pace, x, read / took);
        if (optional(t, i, dropped, &y) < 0)
            continue;
        curve_add(&m->drop, x, 100 * y);
        if (i >= n - (n + 9) / 10) {
            m->dropped += y;
            late++;
        }
    }
    m->dropped = late ? m->dropped / (double)late : 0;
    return 0;
}

static int add_evaluations(struct report_model *m, const struct table *t, struct err *err)
{
    int step = table_need(t, "step", err), lang = step < 0 ? -1 : table_need(t, "lang", err);
    int nlp = lang < 0 ? -1 : table_need(t, "nlp", err);
    size_t i;
    double x, y;

    if (nlp < 0)
        return -1;
    for (i = 0; i < table_rows(t); i++) {
        const char *tag = table_text(t, i, lang);

        if (table_num(t, i, step, &x, err) < 0 || table_num(t, i, nlp, &y, err) < 0)
            return -1;
        curve_add(strcmp(tag, "all") ? &lang_named(m, tag)->curve : &m->all, x, -y);
    }
    return 0;
}

/* The scores that decided which checkpoint was the best: those of the set "mean". */
static int add_decided(struct report_model *m, const struct table *t, struct err *err)
{
    int step = table_need(t, "step", err), set = step < 0 ? -1 : table_need(t, "set", err);
    int score = set < 0 ? -1 : table_need(t, "score", err);
    size_t i;
    double x, y;

    if (score < 0)
        return -1;
    for (i = 0; i < table_rows(t); i++) {
        if (strcmp(table_text(t, i, set), "mean") != 0 || optional(t, i, score, &y) < 0)
            continue;
        if (table_num(t, i, step, &x, err) < 0)
            return -1;
        curve_add(&m->score, x, y);
    }
    return 0;
}

/* A table of the folder; one that is not needed may not be there. */
static int add_table(struct report_model *m, const char *dir, const char *name, int needed,
                     int (*add)(struct report_model *, const struct table *, struct err *),
                     struct err *err)
{
    char *path = xasprintf("%s/%s", dir, name);
    struct table *t = NULL;
    int rc = 0;

    if (needed || access(path, F_OK) == 0) {
        t = table_read(path, err);
        rc = t ? add(m, t, err) : -1;
    }
    table_free(t);
    free(path);
    return rc;
}

int report_add_run(struct report *r, const char *name, const char *dir, struct err *err)
{
    struct report_model *m = model_named(r, name);

    if (add_table(m, dir, "metrics.tsv", 1, add_metrics, err) < 0 ||
        add_table(m, dir, "eval.tsv", 0, add_evaluations, err) < 0)
        return -1;
    return add_table(m, dir, "scores.tsv", 0, add_decided, err);
}

int report_add_marks(struct report *r, const char *name, const char *path, struct err *err)
{
    model_named(r, name);
    return marks_read(&r->marks, name, path, err);
}

/* "out/switch.tsv" is called "switch". */
static char *name_of(const char *path)
{
    const char *base = strrchr(path, '/');
    size_t n;

    if (!strcmp(path, "-"))
        return xstrdup("model");
    base = base ? base + 1 : path;
    n = strcspn(base, ".");
    return xstrndup(base, n ? n : strlen(base));
}

static int add_scores(struct report *r, const char *name, const struct table *t, struct err *err)
{
    int lang = table_need(t, "lang", err), targets = lang < 0 ? -1 : table_need(t, "targets", err);
    int loss = targets < 0 ? -1 : table_need(t, "loss", err), model = table_column(t, "model");
    size_t i;
    double n, y;

    if (loss < 0)
        return -1;
    for (i = 0; i < table_rows(t); i++) {
        struct report_model *m = model_named(r, !name && model >= 0 ? table_text(t, i, model)
                                                : name              ? name
                                                                    : "model");
        const char *tag = table_text(t, i, lang);

        if (table_num(t, i, targets, &n, err) < 0 || table_num(t, i, loss, &y, err) < 0)
            return -1;
        if (strcmp(tag, "all") != 0) {
            struct report_lang *l = lang_named(m, tag);

            l->targets = n;
            l->loss = y;
        } else {
            m->targets = n;
            m->loss = y;
        }
    }
    return 0;
}

int report_add_eval(struct report *r, const char *name, const char *path, struct err *err)
{
    struct table *t = table_read(path, err);
    char *own = NULL;
    int bad;

    if (!t)
        return -1;
    if (!name && table_column(t, "model") < 0)
        name = own = name_of(path);
    if (table_rows(t))
        bad = add_scores(r, name, t, err);
    else
        bad = err_set(err, "%s: a header, but no row", path);
    table_free(t);
    free(own);
    return bad;
}

int report_set_baseline(struct report *r, const char *name, struct err *err)
{
    size_t i;

    r->baseline = r->n_model > 1 ? (int)r->n_model - 1 : -1;
    if (!name)
        return 0;
    for (i = 0; i < r->n_model; i++)
        if (!strcmp(r->model[i].name, name)) {
            r->baseline = (int)i;
            return 0;
        }
    return err_set(err, "no model is called '%s'", name);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **report_tags(const struct report *r, size_t *n)
{
    const char **tag = NULL;
    size_t i, j, all = 0, kept = 0;

    for (i = 0; i < r->n_model; i++)
        all += r->model[i].n_lang;
    tag = xcalloc(all + 1, sizeof(*tag));
    for (all = 0, i = 0; i < r->n_model; i++)
        for (j = 0; j < r->model[i].n_lang; j++)
            tag[all++] = r->model[i].lang[j].tag;
    qsort(tag, all, sizeof(*tag), by_text);
    for (i = 0; i < all; i++)
        if (!i || strcmp(tag[i], tag[i - 1]) != 0)
            tag[kept++] = tag[i];
    *n = kept;
    return tag;
}

double report_speed_up(const struct report *r, const struct report_model *m, const char *tag)
{
    const struct report_model *base = r->baseline >= 0 ? &r->model[r->baseline] : NULL;
    const struct report_lang *lm, *lb;
    const struct curve *cm, *cb;
    double reached;

    if (!base || base == m)
        return NAN;
    lm = tag ? report_lang(m, tag) : NULL;
    lb = tag ? report_lang(base, tag) : NULL;
    if (tag && (!lm || !lb))
        return NAN;
    cm = tag ? &lm->curve : &m->all;
    cb = tag ? &lb->curve : &base->all;
    if (!cm->n || !cb->n)
        return NAN;
    reached = curve_reach(cm, cb->y[cb->n - 1]);
    return isnan(reached) ? 0 : reached > 0 ? cb->x[cb->n - 1] / reached : INFINITY;
}

void report_release(struct report *r)
{
    size_t i, j;

    for (i = 0; i < r->n_model; i++) {
        struct report_model *m = &r->model[i];

        for (j = 0; j < m->n_lang; j++) {
            free(m->lang[j].tag);
            curve_release(&m->lang[j].curve);
        }
        curve_release(&m->train);
        curve_release(&m->drop);
        curve_release(&m->pace);
        curve_release(&m->score);
        curve_release(&m->all);
        free(m->lang);
        free(m->name);
    }
    free(r->model);
    marks_release(&r->marks);
    *r = (struct report){ 0 };
}
