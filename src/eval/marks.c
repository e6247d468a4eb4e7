/* marks.c - see marks.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "eval/chart.h"
#include "eval/marks.h"
#include "eval/page.h"
#include "eval/table.h"

enum { NAME_MAX_BYTES = 96 };

static char *set_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *name = xstrdup(slash ? slash + 1 : path);

    name[strcspn(name, ".")] = 0;
    return name;
}

/* A number or "nan"; NAN for a column that is not there. */
static int number(const struct table *t, size_t row, int column, double *to, struct err *err)
{
    *to = NAN;
    if (column < 0 || strcmp(table_text(t, row, column), "nan") == 0 ||
        strcmp(table_text(t, row, column), "-nan") == 0)
        return 0;
    return table_num(t, row, column, to, err);
}

static int add(struct marks *m, const char *model, const char *set, const struct table *t,
               struct err *err)
{
    int metric = table_need(t, "metric", err), lang = metric < 0 ? -1 : table_need(t, "lang", err);
    int n = lang < 0 ? -1 : table_need(t, "n", err),
        score = n < 0 ? -1 : table_need(t, "score", err);
    int low = table_column(t, "low"), high = table_column(t, "high");
    size_t i;

    if (score < 0)
        return -1;
    m->mark = xreallocarray(m->mark, m->n + table_rows(t) + 1, sizeof(*m->mark));
    for (i = 0; i < table_rows(t); i++) {
        struct mark *k = &m->mark[m->n];

        *k = (struct mark){ 0 };
        if (number(t, i, n, &k->n, err) < 0 || number(t, i, score, &k->score, err) < 0 ||
            number(t, i, low, &k->low, err) < 0 || number(t, i, high, &k->high, err) < 0)
            return -1;
        k->set = xstrdup(set);
        k->model = xstrdup(model);
        k->metric = xstrdup(table_text(t, i, metric));
        k->lang = xstrdup(table_text(t, i, lang));
        m->n++;
    }
    return 0;
}

int marks_read(struct marks *m, const char *model, const char *path, struct err *err)
{
    struct table *t = table_read(path, err);
    char *set = set_of(path);
    int rc = t ? add(m, model, set, t, err) : -1;

    table_free(t);
    free(set);
    return rc;
}

static int same_table(const struct mark *a, const struct mark *b)
{
    return strcmp(a->set, b->set) == 0 && strcmp(a->metric, b->metric) == 0;
}

/* Whether no mark before i is of the same table and has the same word. */
static int is_first(const struct marks *m, size_t i, const char *(*word)(const struct mark *k))
{
    size_t k;

    for (k = 0; k < i; k++)
        if (same_table(&m->mark[k], &m->mark[i]) &&
            strcmp(word(&m->mark[k]), word(&m->mark[i])) == 0)
            return 0;
    return 1;
}

static const char *model_of(const struct mark *k)
{
    return k->model;
}

static const char *lang_of(const struct mark *k)
{
    return k->lang;
}

static const char *nothing(const struct mark *k)
{
    (void)k;
    return "";
}

static const struct mark *find(const struct marks *m, const struct mark *table, const char *model,
                               const char *lang)
{
    size_t i;

    for (i = m->n; i-- > 0;)    // what was said last
        if (same_table(&m->mark[i], table) && strcmp(m->mark[i].model, model) == 0 &&
            strcmp(m->mark[i].lang, lang) == 0)
            return &m->mark[i];
    return NULL;
}

static void put_cell(struct buf *out, const struct mark *k)
{
    buf_add_str(out, "<td>");
    if (k && !isnan(k->score))
        buf_printf(out, "%.1f", k->score);
    if (k && !isnan(k->low) && !isnan(k->high))
        buf_printf(out, " <small>%.1f to %.1f</small>", k->low, k->high);
    buf_add_str(out, "</td>");
}

static void put_row(struct buf *out, const struct marks *m, const struct mark *table,
                    const char *lang)
{
    int is_sum = strcmp(lang, "all") == 0 || strcmp(lang, "mean") == 0;
    char name[NAME_MAX_BYTES];
    size_t i;

    buf_printf(out, "<tr%s><td>", is_sum ? " class=\"all\"" : "");
    html_text(out, is_sum ? lang : page_lang_name(lang, name, sizeof(name)));
    buf_add_str(out, "</td>");
    for (i = 0; i < m->n; i++)
        if (same_table(&m->mark[i], table) && is_first(m, i, model_of))
            put_cell(out, find(m, table, m->mark[i].model, lang));
    buf_add_str(out, "</tr>\n");
}

static void put_table(struct buf *out, const struct marks *m, const struct mark *table)
{
    size_t i;
    int sums;

    buf_add_str(out, "<h3>");
    html_text(out, table->set);
    buf_add_str(out, ", ");
    html_text(out, table->metric);
    buf_add_str(out, "</h3>\n<div class=\"wide\"><table>\n<tr><th>language</th>");
    for (i = 0; i < m->n; i++)
        if (same_table(&m->mark[i], table) && is_first(m, i, model_of)) {
            buf_add_str(out, "<th>");
            html_text(out, m->mark[i].model);
            buf_add_str(out, "</th>");
        }
    buf_add_str(out, "</tr>\n");
    for (sums = 0; sums < 2; sums++)    // languages first
        for (i = 0; i < m->n; i++) {
            const char *lang = m->mark[i].lang;

            if (same_table(&m->mark[i], table) && is_first(m, i, lang_of) &&
                (strcmp(lang, "all") == 0 || strcmp(lang, "mean") == 0) == sums)
                put_row(out, m, table, lang);
        }
    buf_add_str(out, "</table></div>\n");
}

void marks_html(struct buf *out, const struct marks *m)
{
    size_t i;

    if (!m->n)
        return;
    buf_add_str(out,
                "<h2>Scores of answers</h2>\n<p>0 to 100, higher is better; small: the interval "
                "that resamples of the examples give.</p>\n");
    for (i = 0; i < m->n; i++)
        if (is_first(m, i, nothing))
            put_table(out, m, &m->mark[i]);
}

double marks_score(const struct marks *m, const char *model, const char *lang, const char *figure)
{
    const char *slash = strchr(figure, '/');
    size_t i, n = slash ? (size_t)(slash - figure) : 0;

    for (i = m->n; i-- > 0 && slash;) {
        const struct mark *k = &m->mark[i];

        if (strlen(k->set) == n && memcmp(k->set, figure, n) == 0 &&
            strcmp(k->metric, slash + 1) == 0 && strcmp(k->model, model) == 0 &&
            strcmp(k->lang, lang) == 0)
            return k->score;
    }
    return NAN;
}

void marks_tsv(struct buf *out, const struct marks *m)
{
    size_t i;

    for (i = 0; i < m->n; i++) {
        const struct mark *k = &m->mark[i];

        if (!isnan(k->score))
            buf_printf(out, "score\t%s\t%s\t%s %s\t%.10g\t%.10g\n", k->model, k->lang, k->set,
                       k->metric, k->n, k->score);
    }
}

void marks_release(struct marks *m)
{
    size_t i;

    for (i = 0; i < m->n; i++) {
        free(m->mark[i].set);
        free(m->mark[i].metric);
        free(m->mark[i].model);
        free(m->mark[i].lang);
    }
    free(m->mark);
    *m = (struct marks){ 0 };
}
