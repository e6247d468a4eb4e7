/* page.c - see page.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uloc.h>
#include <unicode/ustring.h>

#include "base/mem.h"
#include "eval/chart.h"
#include "eval/curve.h"
#include "eval/experts.h"
#include "eval/page.h"
#include "eval/report.h"
#include "eval/share.h"
#include "eval/spread.h"

enum { NAME_MAX_BYTES = 96 };

static const char style[] =
    ":root{color-scheme:light dark;--bg:#fff;--text:#1c2128;--soft:#5f6b7a;--grid:#e3e7ec;"
    "--card:#f6f8fa;--good:#1a7f4b;--bad:#b3402a;"
    "--c0:#0b66c3;--c1:#d9730d;--c2:#1a8f5a;--c3:#8a4fc9;--c4:#c0334d;--c5:#6b7280}\n"
    "@media(prefers-color-scheme:dark){:root{--bg:#14181d;--text:#e6e9ed;--soft:#9aa5b1;"
    "--grid:#2a323b;--card:#1c222a;--good:#4cc38a;--bad:#f2876b;"
    "--c0:#5aa9f5;--c1:#f2a154;--c2:#52c792;--c3:#b78cf0;--c4:#f07a8f;--c5:#9aa5b1}}\n"
    "body{margin:0 auto;max-width:60rem;padding:1.5rem 1rem 4rem;background:var(--bg);"
    "color:var(--text);font:16px/1.5 system-ui,sans-serif}\n"
    "h1{font-size:1.6rem;margin:.2em 0}h2{font-size:1.15rem;margin:2.2em 0 .6em}"
    "p{color:var(--soft);margin:.3em 0 1em}\n"
    ".cards{display:flex;flex-wrap:wrap;gap:.8rem;margin:1.4rem 0}"
    ".card{flex:1 1 15rem;background:var(--card);border-radius:8px;padding:.8rem 1rem}"
    ".card h3{margin:0 0 .4rem;font-size:1rem}"
    ".card b{font-size:1.5rem;font-variant-numeric:tabular-nums}"
    ".card .bad{color:var(--bad);font-size:.9rem}.card span{color:var(--soft);font-size:.9rem}\n"
    "svg{width:100%;height:auto;font:12px system-ui,sans-serif}svg text{fill:var(--soft)}"
    ".grid{stroke:var(--grid)}.names{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;"
    "font-size:.85rem;overflow-wrap:anywhere}.names svg{width:24px;height:8px}\n"
    "@media(max-width:40rem){.chart{font-size:21px}}\n"
    ".wide{overflow-x:auto}table{border-collapse:collapse;width:100%;"
    "font-variant-numeric:tabular-nums}th,td{padding:.3rem .6rem;text-align:right;"
    "border-bottom:1px solid var(--grid);white-space:nowrap}"
    "th:first-child,td:first-child{text-align:left}th{font-weight:600;color:var(--soft)}"
    "td small{color:var(--soft)}tr.all td{font-weight:600;border-top:2px solid var(--grid)}"
    ".good{color:var(--good)}.bad{color:var(--bad)}\n"
    ".bar{width:8rem}.hist{width:70%}.bar i,.hist "
    "i{display:block;height:.7rem;border-radius:2px}\n";

const char *page_lang_name(const char *tag, char *to, int size)
{
    UChar wide[NAME_MAX_BYTES];
    UErrorCode bad = U_ZERO_ERROR;
    int32_t n;

    uloc_getDisplayName(tag, "en", wide, NAME_MAX_BYTES, &bad);
    if (bad <= U_ZERO_ERROR)
        u_strToUTF8(to, size, &n, wide, -1, &bad);
    if (U_FAILURE(bad) || bad == U_STRING_NOT_TERMINATED_WARNING)
        return tag;
    return strcmp(tag, "und") ? to : "unknown";
}

static const struct report_model *base_of(const struct report *r)
{
    return r->baseline >= 0 ? &r->model[r->baseline] : NULL;
}

static int color_of(const struct report *r, const struct report_model *m)
{
    return (int)(m - r->model) % CHART_COLORS;
}

/* 3014400 as "3.01 M": a number to read, not to reckon with. */
static void put_count(struct buf *out, double x)
{
    static const char *const unit[] = { "", " k", " M", " G", " T" };
    int i = 0;

    while (x >= (i ? 999.5 : 9999.5) && i < 4) {
        x /= 1000;
        i++;
    }
    buf_printf(out, i ? "%.3g%s" : "%.0f%s", x, unit[i]);
}

/* What is known of a model's training, a line each. */
static void put_training(struct buf *out, const struct report *r, const struct report_model *m)
{
    double speed = report_speed_up(r, m, NULL);

    buf_printf(out, "<br><span>%.0f steps, ", m->steps);
    put_count(out, m->tokens);
    buf_add_str(out, " tokens");
    if (m->seconds > 0) {
        buf_add_str(out, ", ");
        put_count(out, m->tokens / m->seconds);
        buf_add_str(out, " a second");
    }
    if (m->n_lost)
        buf_printf(out, "<br><b class=\"bad\">diverged: no finite loss in %zu step%s</b>",
                   m->n_lost, m->n_lost == 1 ? "" : "s");
    if (m->dropped > 0)
        buf_printf(out, "<br>%.2f %% of tokens dropped at the end", 100 * m->dropped);
    if (speed > 0 && isfinite(speed)) {
        buf_printf(out, "<br>%.2f times fewer steps to what ", speed);
        html_text(out, base_of(r)->name);
        buf_add_str(out, " came to");
    }
    buf_add_str(out, "</span>");
}

static void put_cards(struct buf *out, const struct report *r)
{
    size_t i;

    buf_add_str(out, "<div class=\"cards\">\n");
    for (i = 0; i < r->n_model; i++) {
        const struct report_model *m = &r->model[i];

        buf_printf(out, "<div class=\"card\"><h3 style=\"color:var(--c%d)\">", color_of(r, m));
        html_text(out, m->name);
        buf_add_str(out, "</h3>");
        if (m->targets > 0)
            buf_printf(out,
                       "<b>%.3f</b> <span>nats a target token<br>perplexity %.2f over %.0f "
                       "held-out targets</span>",
                       m->loss, exp(m->loss), m->targets);
        if (m->steps > 0 || m->n_lost)
            put_training(out, r, m);
        buf_add_str(out, "</div>\n");
    }
    buf_add_str(out, "</div>\n");
}

struct over_steps {    // a figure with a curve in each model
    struct chart chart;
    const char *head;
    size_t curve, dots;    // where in struct report_model; dots 0: there are none
    int faint;             // show what was smoothed as well
};

static const struct curve *curve_of(const struct report_model *m, size_t offset)
{
    return (const struct curve *)(const void *)((const char *)m + offset);
}

static int is_flat_zero(const struct curve *c)
{
    size_t i;

    for (i = 0; i < c->n; i++)
        if (c->y[i] != 0)
            return 0;
    return 1;
}

static void put_over_steps(struct buf *out, const struct report *r, const struct over_steps *f)
{
    struct curve *c = xcalloc(2 * r->n_model + 1, sizeof(*c));
    struct chart_line *line = xcalloc(3 * r->n_model + 1, sizeof(*line));
    struct chart chart = f->chart;
    size_t i;

    chart.line = line;
    for (i = 0; i < r->n_model; i++) {
        const struct report_model *m = &r->model[i];
        const struct curve *from = curve_of(m, f->curve);
        int color = (int)i;

        if (is_flat_zero(from))    // nothing known, or a dense model that drops nothing
            continue;
        curve_draw(from, &c[2 * i], &c[2 * i + 1]);
        if (f->faint)
            line[chart.n_line++] = (struct chart_line){ &c[2 * i], color, 1, 0, NULL };
        line[chart.n_line++] = (struct chart_line){ &c[2 * i + 1], color, 0, 0, m->name };
        if (f->dots && curve_of(m, f->dots)->n)
            line[chart.n_line++] = (struct chart_line){ curve_of(m, f->dots), color, 0, 1, NULL };
    }
    if (chart.n_line) {
        buf_add_str(out, f->head);
        chart_svg(out, &chart);
    }
    for (i = 0; i < 2 * r->n_model; i++)
        curve_release(&c[i]);
    free(c);
    free(line);
}

static void put_curves(struct buf *out, const struct report *r)
{
    static const struct over_steps figure[] = {
        { { "Loss over training steps", "step", "loss (nats a target token)", NULL, 0 },
          "<h2>Loss over training</h2>\n<p>Pale: each step's batch. Bold: smoothed. Dots: held-out "
          "text of all languages.</p>\n",
          offsetof(struct report_model, train),
          offsetof(struct report_model, all),
          1 },
        { { "Dropped tokens over training steps", "step", "dropped (%)", NULL, 0 },
          "<h2>Dropped tokens</h2>\n<p>Past the capacity of their expert, smoothed.</p>\n",
          offsetof(struct report_model, drop),
          0,
          0 },
        { { "Tokens a second over training steps", "step", "tokens a second", NULL, 0 },
          "<h2>Speed of training</h2>\n<p>Inputs and targets, smoothed.</p>\n",
          offsetof(struct report_model, pace),
          0,
          0 },
        { { "Score over steps of fine-tuning", "step", "score", NULL, 0 },
          "<h2>Score in fine-tuning</h2>\n<p>What decided which checkpoint was the best.</p>\n",
          offsetof(struct report_model, score),
          0,
          0 },
    };
    size_t i;

    for (i = 0; i < sizeof(figure) / sizeof(figure[0]); i++)
        put_over_steps(out, r, &figure[i]);
}

static void put_head(struct buf *out, const struct report *r)
{
    size_t i;

    buf_add_str(out, "<tr><th>language</th><th>targets</th>");
    for (i = 0; i < r->n_model; i++) {
        buf_printf(out, "<th style=\"color:var(--c%d)\">", color_of(r, &r->model[i]));
        html_text(out, r->model[i].name);
        buf_add_str(out, "</th>");
    }
    for (i = 0; base_of(r) && i < r->n_model; i++) {
        if (&r->model[i] == base_of(r))
            continue;
        buf_add_str(out, "<th>");
        html_text(out, r->model[i].name);
        buf_add_str(out, " &minus; ");
        html_text(out, base_of(r)->name);
        buf_add_str(out, "</th><th class=\"bar\"></th><th>speed-up</th>");
    }
    buf_add_str(out, "</tr>\n");
}

static double most_difference(const struct report *r, const char *const *tag, size_t n)
{
    double most = 0;
    size_t i, j;

    for (i = 0; base_of(r) && i < r->n_model; i++)
        for (j = 0; j < n; j++) {
            const struct report_lang *l = report_lang(&r->model[i], tag[j]);
            const struct report_lang *b = report_lang(base_of(r), tag[j]);

            if (l && b && l->targets > 0 && b->targets > 0)
                most = fmax(most, fabs(l->loss - b->loss));
        }
    return most;
}

static void put_difference(struct buf *out, double loss, double base, double speed, double most)
{
    double d = loss - base;

    if (isnan(d)) {
        buf_add_str(out, "<td></td><td></td>");
    } else {
        buf_printf(out, "<td class=\"%s\">%+.3f</td><td class=\"bar\">", d <= 0 ? "good" : "bad",
                   d);
        if (most > 0)
            buf_printf(out, "<i style=\"width:%.1f%%;background:var(--%s)\"></i>",
                       fmin(100, 100 * fabs(d) / most), d <= 0 ? "good" : "bad");
        buf_add_str(out, "</td>");
    }
    if (isnan(speed))
        buf_add_str(out, "<td></td>");
    else if (speed < 1)
        buf_add_str(out, "<td>&lt; 1x</td>");
    else
        buf_printf(out, "<td>%.2fx</td>", speed);
}

/* Loss and targets of a model on one language, or on all (tag NULL); NAN and 0 if unknown. */
static double loss_of(const struct report_model *m, const char *tag, double *targets)
{
    const struct report_lang *l = tag ? report_lang(m, tag) : NULL;
    double n = m->targets, loss = m->loss;

    if (tag) {
        n = l ? l->targets : 0;
        loss = l ? l->loss : NAN;
    }
    if (targets && n > 0)
        *targets = n;
    return n > 0 ? loss : NAN;
}

static void put_row(struct buf *out, const struct report *r, const char *tag, double most)
{
    char name[NAME_MAX_BYTES];
    double targets = 0, x;
    size_t i;

    for (i = 0; i < r->n_model; i++)
        loss_of(&r->model[i], tag, &targets);
    buf_printf(out, "<tr%s><td>", tag ? "" : " class=\"all\"");
    html_text(out, tag ? page_lang_name(tag, name, sizeof(name)) : "all");
    if (tag) {
        buf_add_str(out, " <small>");
        html_text(out, tag);
        buf_add_str(out, "</small>");
    }
    buf_printf(out, "</td><td>%.0f</td>", targets);
    for (i = 0; i < r->n_model; i++) {
        x = loss_of(&r->model[i], tag, NULL);
        buf_printf(out, isnan(x) ? "<td></td>" : "<td>%.3f</td>", x);
    }
    for (i = 0; base_of(r) && i < r->n_model; i++)
        if (&r->model[i] != base_of(r))
            put_difference(out, loss_of(&r->model[i], tag, NULL), loss_of(base_of(r), tag, NULL),
                           report_speed_up(r, &r->model[i], tag), most);
    buf_add_str(out, "</tr>\n");
}

static void put_speed_ups(struct buf *out, const struct report *r, const struct report_model *m)
{
    struct spread s;
    size_t k;

    spread_of(&s, r, m);
    if (!s.known)
        return;
    buf_add_str(out, "<h2>Speed-up of ");
    html_text(out, m->name);
    buf_printf(out,
               "</h2>\n<p>Mean over %zu languages %.2fx, those never as good counted as 0; %.0f %% "
               "of them at least 4x.</p>\n<table>\n",
               s.known, s.mean, 100 * (double)s.fourfold / (double)s.known);
    for (k = 0; k < SPREAD_BINS; k++) {
        buf_printf(
            out, isinf(spread_from[k + 1]) ? "<tr><td>%gx and more</td>" : "<tr><td>%g to %gx</td>",
            spread_from[k], spread_from[k + 1]);
        buf_printf(out,
                   "<td>%zu</td><td class=\"hist\"><i style=\"width:%.0f%%;"
                   "background:var(--c%d)\"></i></td></tr>\n",
                   s.bin[k], 100 * (double)s.bin[k] / (double)s.most, color_of(r, m));
    }
    buf_add_str(out, "</table>\n");
}

static void put_losses(struct buf *out, const struct report *r)
{
    size_t n, i;
    const char **tag = report_tags(r, &n);
    double most = most_difference(r, tag, n);

    buf_printf(out, "<p>%zu model%s, %zu language%s. Lower loss is better.</p>\n", r->n_model,
               r->n_model == 1 ? "" : "s", n, n == 1 ? "" : "s");
    put_cards(out, r);
    put_curves(out, r);
    buf_add_str(out, "<h2>Loss by language</h2>\n<p>Cross-entropy of held-out text, nats a target "
                     "token.");
    if (base_of(r)) {
        buf_add_str(out, " Speed-up: steps of ");
        html_text(out, base_of(r)->name);
        buf_add_str(out, " over the steps the other model needed to be as good.");
    }
    buf_add_str(out, "</p>\n<div class=\"wide\"><table>\n");
    put_head(out, r);
    for (i = 0; i < n; i++)
        put_row(out, r, tag[i], most);
    put_row(out, r, NULL, most);
    buf_add_str(out, "</table></div>\n");
    share_html(out, r);
    for (i = 0; base_of(r) && i < r->n_model; i++)
        put_speed_ups(out, r, &r->model[i]);
    free(tag);
}

/* Or scores of answers alone. */
static int has_losses(const struct report *r)
{
    size_t i;

    for (i = 0; i < r->n_model; i++)
        if (r->model[i].n_lang || r->model[i].targets > 0 || r->model[i].train.n)
            return 1;
    return 0;
}

void page_html(struct buf *out, const struct report *r, struct experts *const *e, const char *title)
{
    buf_add_str(out,
                "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>");
    html_text(out, title);
    buf_printf(out, "</title>\n<style>\n%s</style></head><body>\n<h1>", style);
    html_text(out, title);
    buf_add_str(out, "</h1>\n");
    if (has_losses(r))
        put_losses(out, r);
    marks_html(out, &r->marks);
    for (; e && *e; e++)
        experts_html(out, *e);
    buf_add_str(out, "</body></html>\n");
}

static void tsv_row(struct buf *out, const struct report *r, const char *tag)
{
    char name[NAME_MAX_BYTES];
    size_t i;

    buf_printf(out, "%s\t%s", tag ? tag : "all",
               tag ? page_lang_name(tag, name, sizeof(name)) : "all");
    for (i = 0; i < r->n_model; i++) {
        double targets = 0, loss = loss_of(&r->model[i], tag, &targets);

        if (isnan(loss))
            buf_add_str(out, "\t0\t\t");
        else
            buf_printf(out, "\t%.0f\t%.6f\t%.4f", targets, loss, exp(loss));
    }
    for (i = 0; base_of(r) && i < r->n_model; i++) {
        double d = loss_of(&r->model[i], tag, NULL) - loss_of(base_of(r), tag, NULL);
        double speed = report_speed_up(r, &r->model[i], tag);

        if (&r->model[i] == base_of(r))
            continue;
        buf_printf(out, isnan(d) ? "\t" : "\t%.6f", d);
        buf_printf(out, isnan(speed) ? "\t" : "\t%.4f", speed);
    }
    for (i = 0; i < r->n_model; i++)
        if (share_is_asked(r, &r->model[i])) {
            double kept = share_kept(r, &r->model[i], tag);

            buf_printf(out, isnan(kept) ? "\t" : "\t%.4f", kept);
        }
    buf_add_byte(out, '\n');
}

void page_tsv(struct buf *out, const struct report *r)
{
    size_t n, i;
    const char **tag = report_tags(r, &n);

    buf_add_str(out, "lang\tname");
    for (i = 0; i < r->n_model; i++)
        buf_printf(out, "\t%s.targets\t%s.loss\t%s.perplexity", r->model[i].name, r->model[i].name,
                   r->model[i].name);
    for (i = 0; base_of(r) && i < r->n_model; i++)
        if (&r->model[i] != base_of(r))
            buf_printf(out, "\t%s.difference\t%s.speed_up", r->model[i].name, r->model[i].name);
    for (i = 0; i < r->n_model; i++)
        if (share_is_asked(r, &r->model[i]))
            buf_printf(out, "\t%s.kept", r->model[i].name);
    buf_add_byte(out, '\n');
    for (i = 0; i < n; i++)
        tsv_row(out, r, tag[i]);
    tsv_row(out, r, NULL);
    free(tag);
}
