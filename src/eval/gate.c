/* gate.c - see gate.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "eval/gate.h"
#include "eval/report.h"
#include "eval/share.h"

const char gate_figures[] = "loss nlp perplexity difference speed_up kept dropped tokens_per_s";

struct gate {
    char *lang, *figure;
    const char *text, *op, *value;    // op begins with its sign
};

static double loss_of(const struct report_model *m, const char *lang)
{
    const struct report_lang *l = report_lang(m, lang);

    if (!strcmp(lang, "all"))
        return m->targets > 0 ? m->loss : NAN;
    return l && l->targets > 0 ? l->loss : NAN;
}

/* NAN: not known. */
static double figure_of(const struct report *r, const struct report_model *m, const char *lang,
                        const char *figure)
{
    const struct report_model *base = r->baseline >= 0 ? &r->model[r->baseline] : NULL;
    int all = !strcmp(lang, "all");

    if (strchr(figure, '/'))
        return marks_score(&r->marks, m->name, lang, figure);
    if (!strcmp(figure, "loss"))
        return loss_of(m, lang);
    if (!strcmp(figure, "nlp"))
        return -loss_of(m, lang);
    if (!strcmp(figure, "perplexity"))
        return exp(loss_of(m, lang));
    if (!strcmp(figure, "difference"))
        return base ? loss_of(m, lang) - loss_of(base, lang) : NAN;
    if (!strcmp(figure, "speed_up"))
        return report_speed_up(r, m, all ? NULL : lang);
    if (!strcmp(figure, "kept"))
        return share_kept(r, m, all ? NULL : lang);
    if (!strcmp(figure, "dropped"))
        return all && m->steps > 0 ? m->dropped : NAN;
    return all && m->seconds > 0 ? m->tokens / m->seconds : NAN;    // tokens_per_s
}

static int is_figure(const char *name)
{
    const char *p = strchr(name, '/');
    size_t n = strlen(name);

    if (p)    // SET/METRIC
        return p > name && p[1];
    for (p = gate_figures; (p = strstr(p, name)); p += n)
        if (n && !strchr(name, ' ') && (p == gate_figures || p[-1] == ' ') && strchr(" ", p[n]))
            return 1;
    return 0;
}

/* -1: not a gate; lang and figure are to be freed all the same. */
static int parse(struct gate *g, const char *text)
{
    const char *dot;

    *g = (struct gate){ .text = text, .op = strpbrk(text, "<>") };
    if (!g->op)
        return -1;
    for (dot = g->op; dot > text && *dot != '.'; dot--)    // a tag has no dot, nor has a figure
        ;
    if (dot == text)
        return -1;
    g->lang = xstrndup(text, (size_t)(dot - text));
    g->figure = xstrndup(dot + 1, (size_t)(g->op - dot - 1));
    g->value = g->op + 1 + (g->op[1] == '=');
    return is_figure(g->figure) && *g->value ? 0 : -1;
}

static int number(const char *s, double *x)
{
    char *end;

    *x = strtod(s, &end);
    return end == s || *end || !isfinite(*x) ? -1 : 0;
}

static int holds(const char *op, double x, double y)
{
    if (op[1] == '=' && x == y)
        return 1;
    return *op == '<' ? x < y : x > y;
}

static int ask(const struct report *r, const struct gate *g, const struct report_model *m,
               struct err *err)
{
    double x = figure_of(r, m, g->lang, g->figure), y;

    if (number(g->value, &y) < 0) {
        if (strcmp(g->value, "prev") != 0)
            return err_set(err, "'%s' is no gate: '%s' is neither a number nor prev", g->text,
                           g->value);
        y = r->baseline >= 0 ? figure_of(r, &r->model[r->baseline], g->lang, g->figure) : NAN;
    }
    if (isnan(x) || isnan(y))
        return err_set(err, "gate '%s': no %s of %s is known for %s", g->text, g->figure, g->lang,
                       isnan(x) ? m->name : "the baseline");
    if (!holds(g->op, x, y))
        return 0;
    err_set(err, "gate '%s': %s has %.6g, against %.6g", g->text, m->name, x, y);
    return 1;
}

/* Of models whose gain is a share of the teacher's, if that is asked, else of all. */
static int asked_of(const struct report *r, size_t i, const char *figure)
{
    return (int)i != r->baseline &&
           (strcmp(figure, "kept") != 0 || share_is_asked(r, &r->model[i]));
}

int gate_check(const struct report *r, const char *gate, struct err *err)
{
    struct gate g;
    size_t i;
    int got = 0;

    if (parse(&g, gate) < 0) {
        err_set(err, "'%.100s' is no gate: want LANG.FIGURE<VALUE, figures are %s", gate,
                gate_figures);
        got = -1;
    }
    for (i = 0; i < r->n_model && !got; i++)
        if (asked_of(r, i, g.figure))
            got = ask(r, &g, &r->model[i], err);
    free(g.lang);
    free(g.figure);
    return got;
}
