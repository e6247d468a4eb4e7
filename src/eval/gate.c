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
    const char *text, *op;    // op begins with its sign
    int prev;                 // against the baseline's figure, or
    double against;
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

static int number(const char *s, double *x)
{
    char *end;

    *x = strtod(s, &end);
    return end == s || *end || !isfinite(*x) ? -1 : 0;
}

/* -1: not a gate; lang and figure are to be freed all the same. */
static int parse(struct gate *g, const char *text)
{
    const char *dot, *value;

    *g = (struct gate){ .text = text, .op = strpbrk(text, "<>") };
    if (!g->op)
        return -1;
    for (dot = g->op; dot > text && *dot != '.'; dot--)    // a tag has no dot, nor has a figure
        ;
    if (dot == text)
        return -1;
    g->lang = xstrndup(text, (size_t)(dot - text));
    g->figure = xstrndup(dot + 1, (size_t)(g->op - dot - 1));
    value = g->op + 1 + (g->op[1] == '=');
    g->prev = strcmp(value, "prev") == 0;
    return is_figure(g->figure) && (g->prev || number(value, &g->against) == 0) ? 0 : -1;
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
    double x = figure_of(r, m, g->lang, g->figure), y = g->against;

    if (g->prev)
        y = r->baseline >= 0 ? figure_of(r, &r->model[r->baseline], g->lang, g->figure) : NAN;
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

void gate_free(struct gate *g)
{
    if (!g)
        return;
    free(g->lang);
    free(g->figure);
    free(g);
}

struct gate *gate_parse(const char *text, struct err *err)
{
    struct gate *g = xcalloc(1, sizeof(*g));

    if (parse(g, text) == 0)
        return g;
    gate_free(g);
    err_set(err,
            "'%.100s' is no gate: want LANG.FIGURE<VALUE, VALUE a number or prev, figures are %s",
            text, gate_figures);
    return NULL;
}

int gate_check(const struct report *r, const struct gate *g, struct err *err)
{
    size_t i;
    int got = 0;

    for (i = 0; i < r->n_model && !got; i++)
        if (asked_of(r, i, g->figure))
            got = ask(r, g, &r->model[i], err);
    return got;
}
