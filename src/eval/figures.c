/* figures.c - see figures.h. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "eval/curve.h"
#include "eval/experts.h"
#include "eval/figures.h"
#include "eval/report.h"
#include "eval/spread.h"

struct where {    // what a row is of
    struct buf *out;
    const char *model;
};

static void put(const struct where *w, const char *figure, const char *lang, const char *series,
                double x, double y)
{
    if (isnan(y))
        return;
    buf_printf(w->out, "%s\t%s\t%s\t%s\t", figure, w->model, lang, series);
    if (!isnan(x))
        buf_printf(w->out, "%.10g", x);
    buf_printf(w->out, "\t%.10g\n", y);
}

static void put_curve(const struct where *w, const char *figure, const char *lang,
                      const char *series, const struct curve *c)
{
    size_t i;

    for (i = 0; i < c->n; i++)
        put(w, figure, lang, series, c->x[i], c->y[i]);
}

/* A figure of training, as it is drawn. */
static void put_drawn(const struct where *w, const char *figure, const struct curve *c)
{
    struct curve plain = { 0 }, smooth = { 0 };

    curve_draw(c, &plain, &smooth);
    put_curve(w, figure, "", "plain", &plain);
    put_curve(w, figure, "", "smooth", &smooth);
    curve_release(&plain);
    curve_release(&smooth);
}

/* What is known of a model as a number. */
static void put_card(const struct where *w, const struct report_model *m)
{
    if (m->steps > 0) {
        put(w, "steps", "", "", NAN, m->steps);
        put(w, "tokens", "", "", NAN, m->tokens);
        put(w, "seconds", "", "", NAN, m->seconds);
        put(w, "dropped_at_the_end", "", "", NAN, 100 * m->dropped);
    }
    if (m->targets > 0) {
        put(w, "targets", "all", "", NAN, m->targets);
        put(w, "final_loss", "all", "", NAN, m->loss);
    }
}

static void put_languages(const struct where *w, const struct report *r,
                          const struct report_model *m, const char *const *tag, size_t n)
{
    size_t i;

    put_curve(w, "held_out_loss", "all", "", &m->all);
    for (i = 0; i < n; i++) {
        const struct report_lang *l = report_lang(m, tag[i]);

        if (!l)
            continue;
        put_curve(w, "held_out_loss", tag[i], "", &l->curve);
        if (l->targets > 0) {
            put(w, "targets", tag[i], "", NAN, l->targets);
            put(w, "final_loss", tag[i], "", NAN, l->loss);
        }
        put(w, "speed_up", tag[i], "", NAN, report_speed_up(r, m, tag[i]));
    }
    put(w, "speed_up", "all", "", NAN, report_speed_up(r, m, NULL));
}

static void put_spread(const struct where *w, const struct report *r, const struct report_model *m)
{
    struct spread s;
    size_t i;

    spread_of(&s, r, m);
    if (!s.known)
        return;
    for (i = 0; i < SPREAD_BINS; i++)
        put(w, "speed_ups", "", "languages from x on", spread_from[i], (double)s.bin[i]);
    put(w, "speed_ups", "", "mean", NAN, s.mean);
    put(w, "speed_ups", "", "at least 4, percent", NAN, 100 * (double)s.fourfold / (double)s.known);
}

void figures_tsv(struct buf *out, const struct report *r, struct experts *const *e)
{
    size_t i, n;
    const char **tag = report_tags(r, &n);

    buf_add_str(out, "figure\tmodel\tlang\tseries\tx\ty\n");
    for (i = 0; i < r->n_model; i++) {
        const struct report_model *m = &r->model[i];
        struct where w = { out, m->name };

        put_card(&w, m);
        put_drawn(&w, "loss", &m->train);
        put_drawn(&w, "dropped", &m->drop);
        put_drawn(&w, "tokens_per_s", &m->pace);
        put_curve(&w, "score_in_training", "all", "", &m->score);
        put_languages(&w, r, m, tag, n);
        put_spread(&w, r, m);
    }
    marks_tsv(out, &r->marks);
    for (; e && *e; e++)
        experts_tsv(out, *e);
    free(tag);
}
