/* chart.h - curves as an SVG picture that sits in a page: it takes its colours from the page's
 * CSS variables (--c0 ... --c5) and scales to the page's width. */
#ifndef EVAL_CHART_H
#define EVAL_CHART_H

#include <stddef.h>

struct buf;
struct curve;

enum { CHART_COLORS = 6 };

struct chart_line {
    const struct curve *curve;
    int color;           // from 0; past CHART_COLORS in other dashes
    int faint;           // thin and pale: what the bold line of its colour was smoothed from
    int dots;            // points instead of a line
    const char *name;    // for the legend; NULL: not in it
};

struct chart {
    const char *title, *x_label, *y_label;
    const struct chart_line *line;
    size_t n_line;
};

void chart_svg(struct buf *out, const struct chart *c);

/* s with & < > and quotes as entities. */
void html_text(struct buf *out, const char *s);

#endif
