/* eval-report.c - training curves and losses by language as one HTML page. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/die.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/opt.h"
#include "eval/experts.h"
#include "eval/figures.h"
#include "eval/gate.h"
#include "eval/page.h"
#include "eval/report.h"
#include "eval/share.h"
#include "io/out.h"

static const char *out_path = "-", *tsv_path, *figures_path, *title = "Loss by language";
static const char *baseline, *teacher;
static struct opt_list runs, evals, gates, maps, scores;

static const struct opt opts[] = {
    { 'b', "baseline", "NAME", OPT_STR, &baseline, 0, 0,
      "compare the others with this model (default: the last of several)" },
    { 'e', "eval", "NAME=FILE", OPT_LIST, &evals, 0, 0, "a table of switch-eval for model NAME" },
    { 0, "experts", "[NAME=]FILE", OPT_LIST, &maps, 0, 0,
      "draw the use of experts that switch-eval wrote" },
    { 0, "fail-if", "GATE", OPT_LIST, &gates, 0, 0, "exit 1 when this holds, such as sw.nlp<prev" },
    { 'o', "output", "FILE", OPT_STR, &out_path, 0, 0, "write the page to FILE" },
    { 'r', "run", "NAME=DIR", OPT_LIST, &runs, 0, 0,
      "a training folder: metrics.tsv and eval.tsv" },
    { 's', "scores", "NAME=FILE", OPT_LIST, &scores, 0, 0,
      "a table of eval-score of what model NAME answered" },
    { 0, "teacher", "NAME", OPT_STR, &teacher, 0, 0,
      "show which share of this model's gain on the baseline the others keep" },
    { 't', "title", "TEXT", OPT_STR, &title, 0, 0, "title of the page" },
    { 0, "figures", "FILE", OPT_STR, &figures_path, 0, 0,
      "write all else that the page shows as TSV, a row a point" },
    { 0, "tsv", "FILE", OPT_STR, &tsv_path, 0, 0, "write the table by language as TSV as well" },
    { 0 },
};
static const struct tool tool = {
    "eval-report",
    "[-o FILE] [-r NAME=DIR]... [-e NAME=FILE]... [-s NAME=FILE]... [table ...]",
    "Show losses by language, and how training came there, as one HTML page.",
    opts,
};

/* What to do with each "NAME=VALUE" of a list. */
static void each(const struct opt_list *list, struct report *r,
                 int (*add)(struct report *, const char *, const char *, struct err *))
{
    struct err err = { 0 };
    int i;

    for (i = 0; i < list->n; i++) {
        const char *eq = strchr(list->item[i], '=');
        char *name;

        if (!eq || eq == list->item[i] || !eq[1])
            die_misuse("'%s' is not NAME=PATH", list->item[i]);
        name = xstrndup(list->item[i], (size_t)(eq - list->item[i]));
        if (add(r, name, eq + 1, &err) < 0)
            die("%s", err.msg);
        free(name);
    }
}

static void put_file(const char *path, const struct buf *b)
{
    struct err err = { 0 };
    struct out *o = out_open(path, &err);

    if (!o || out_write(o, b->p, b->n, &err) < 0 || out_close(o, &err) < 0)
        die("%s", err.msg);
}

static void read_all(struct report *r, char **table)
{
    struct err err = { 0 };

    each(&runs, r, report_add_run);
    each(&evals, r, report_add_eval);
    each(&scores, r, report_add_marks);
    if (!*table && !runs.n && !evals.n && !scores.n && report_add_eval(r, NULL, "-", &err) < 0)
        die("%s", err.msg);
    for (; *table; table++)
        if (report_add_eval(r, NULL, *table, &err) < 0)
            die("%s", err.msg);
    if (report_set_baseline(r, baseline, &err) < 0)
        die("%s", err.msg);
    if (teacher && share_set_teacher(r, teacher, &err) < 0)
        die("%s", err.msg);
}

/* Those of each model, then NULL. */
static struct experts **read_experts(void)
{
    struct experts **e = xcalloc((size_t)maps.n + 1, sizeof(struct experts *));
    struct err err = { 0 };
    int i;

    for (i = 0; i < maps.n; i++) {
        const char *eq = strchr(maps.item[i], '='), *path = eq ? eq + 1 : maps.item[i];
        char *name = eq ? xstrndup(maps.item[i], (size_t)(eq - maps.item[i])) : NULL;

        if (!(e[i] = experts_read(name, path, &err)))
            die("%s", err.msg);
        free(name);
    }
    return e;
}

/* Before anything is read: what is no gate is misuse. */
static struct gate **parse_gates(void)
{
    struct gate **g = xcalloc((size_t)gates.n + 1, sizeof(*g));
    struct err err = { 0 };
    int i;

    for (i = 0; i < gates.n; i++)
        if (!(g[i] = gate_parse(gates.item[i], &err)))
            die_misuse("%s", err.msg);
    return g;
}

/* 1 when a gate holds; all that do are named. The gates are freed. */
static int check_gates(struct gate **gate, const struct report *r)
{
    struct err err = { 0 };
    int i, bad = 0;

    for (i = 0; gate[i]; i++) {
        if (gate_check(r, gate[i], &err) != 0) {
            warn("%s", err.msg);
            bad = 1;
        }
        gate_free(gate[i]);
    }
    free(gate);
    return bad;
}

static void write_all(const struct report *r)
{
    struct experts **e = read_experts(), **each_of = e;
    struct buf page = { 0 };

    page_html(&page, r, e, title);
    put_file(out_path, &page);
    if (tsv_path) {
        buf_reset(&page);
        page_tsv(&page, r);
        put_file(tsv_path, &page);
    }
    if (figures_path) {
        buf_reset(&page);
        figures_tsv(&page, r, e);
        put_file(figures_path, &page);
    }
    for (; *each_of; each_of++)
        experts_free(*each_of);
    free(e);
    buf_release(&page);
}

int main(int argc, char **argv)
{
    struct report r = { .baseline = -1 };
    struct gate **gate;
    int bad;

    argv += opt_parse(&tool, argc, argv);
    if (!*argv && !runs.n && !evals.n && !scores.n && isatty(STDIN_FILENO))
        die_misuse("nothing to report: give tables, or --run, --eval and --scores");
    gate = parse_gates();
    read_all(&r, argv);
    write_all(&r);
    bad = check_gates(gate, &r);
    report_release(&r);
    return bad;
}
