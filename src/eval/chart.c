/* chart.c - see chart.h. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "eval/chart.h"
#include "eval/curve.h"

enum { WIDTH = 760, HEIGHT = 356, LEFT = 84, RIGHT = 24, TOP = 14, BOTTOM = 52, N_TICK = 6 };

struct axis {
    double low, high, step;
};

void html_text(struct buf *out, const char *s)
{
    for (; *s; s++) {
        if (*s == '&')
            buf_add_str(out, "&amp;");
        else if (*s == '<')
            buf_add_str(out, "&lt;");
        else if (*s == '>')
            buf_add_str(out, "&gt;");
        else if (*s == '"')
            buf_add_str(out, "&quot;");
        else
            buf_add_byte(out, (unsigned char)*s);
    }
}

/* Round limits and a step of 1, 2 or 5 times a power of ten. */
static void axis_round(struct axis *a)
{
    double span = a->high - a->low, power, part;

    if (!(span > 0))
        span = fabs(a->high) > 0 ? fabs(a->high) : 1;
    power = pow(10, floor(log10(span / N_TICK)));
    part = span / N_TICK / power;
    a->step = power * (part > 5 ? 10 : part > 2 ? 5 : part > 1 ? 2 : 1);
    a->low = floor(a->low / a->step) * a->step;
    a->high = ceil(a->high / a->step) * a->step;
    if (a->high <= a->low)
        a->high = a->low + a->step;
}

static void limits(const struct chart *c, struct axis *x, struct axis *y)
{
    size_t i, j;

    *x = *y = (struct axis){ INFINITY, -INFINITY, 1 };
    for (i = 0; i < c->n_line; i++)
        for (j = 0; j < c->line[i].curve->n; j++) {
            x->low = fmin(x->low, c->line[i].curve->x[j]);
            x->high = fmax(x->high, c->line[i].curve->x[j]);
            y->low = fmin(y->low, c->line[i].curve->y[j]);
            y->high = fmax(y->high, c->line[i].curve->y[j]);
        }
    if (x->low > x->high)
        *x = *y = (struct axis){ 0, 1, 1 };
    axis_round(x);
    axis_round(y);
}

static double place_x(const struct axis *a, double x)
{
    return LEFT + (x - a->low) / (a->high - a->low) * (WIDTH - LEFT - RIGHT);
}

static double place_y(const struct axis *a, double y)
{
    return HEIGHT - BOTTOM - (y - a->low) / (a->high - a->low) * (HEIGHT - TOP - BOTTOM);
}

static double tick(const struct axis *a, int i)
{
    double v = a->low + i * a->step;

    return fabs(v) < a->step / 2 ? 0 : v;
}

static int n_tick(const struct axis *a)
{
    return (int)((a->high - a->low) / a->step + 1.5);
}

static void draw_axes(struct buf *out, const struct chart *c, const struct axis *x,
                      const struct axis *y)
{
    int i;

    for (i = 0; i < n_tick(y); i++)
        buf_printf(out,
                   "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
                   "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.6g</text>\n",
                   LEFT, WIDTH - RIGHT, place_y(y, tick(y, i)), place_y(y, tick(y, i)), LEFT - 8,
                   place_y(y, tick(y, i)) + 4, tick(y, i));
    for (i = 0; i < n_tick(x); i++)
        buf_printf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.6g</text>\n",
                   place_x(x, tick(x, i)), HEIGHT - BOTTOM + 22, tick(x, i));
    buf_printf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">", (LEFT + WIDTH - RIGHT) / 2,
               HEIGHT - 6);
    html_text(out, c->x_label);
    buf_printf(out,
               "</text>\n<text transform=\"translate(20 %d) rotate(-90)\" text-anchor=\"middle\">",
               (TOP + HEIGHT - BOTTOM) / 2);
    html_text(out, c->y_label);
    buf_add_str(out, "</text>\n");
}

/* Where the colours are used up, lines are dashed, then dotted. */
static void put_stroke(struct buf *out, const struct chart_line *l)
{
    static const char *const dash[] = { "", " stroke-dasharray=\"9 4\"",
                                        " stroke-dasharray=\"2 3\"" };

    buf_printf(out, "stroke=\"var(--c%d)\" %s%s", l->color % CHART_COLORS,
               l->faint ? "stroke-width=\"1\" opacity=\"0.3\"" : "stroke-width=\"2.2\"",
               l->faint ? "" : dash[l->color / CHART_COLORS % 3]);
}

static void draw_line(struct buf *out, const struct chart_line *l, const struct axis *x,
                      const struct axis *y)
{
    size_t i;

    if (l->dots) {
        for (i = 0; i < l->curve->n; i++)
            buf_printf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.2\" fill=\"var(--c%d)\"/>",
                       place_x(x, l->curve->x[i]), place_y(y, l->curve->y[i]),
                       l->color % CHART_COLORS);
        buf_add_byte(out, '\n');
        return;
    }
    buf_add_str(out, "<polyline fill=\"none\" ");
    put_stroke(out, l);
    buf_add_str(out, " points=\"");
    for (i = 0; i < l->curve->n; i++)
        buf_printf(out, "%.1f,%.1f ", place_x(x, l->curve->x[i]), place_y(y, l->curve->y[i]));
    buf_add_str(out, "\"/>\n");
}

/* The names are text of the page, not of the picture: they wrap, and stay as large as text is. */
static void put_names(struct buf *out, const struct chart *c)
{
    size_t i;

    buf_add_str(out, "<p class=\"names\">\n");
    for (i = 0; i < c->n_line; i++) {
        const struct chart_line *l = &c->line[i];

        if (!l->name)
            continue;
        buf_add_str(out,
                    "<span><svg viewBox=\"0 0 24 8\"><line x1=\"0\" x2=\"24\" y1=\"4\" y2=\"4\" ");
        put_stroke(out, l);
        buf_add_str(out, "/></svg> ");
        html_text(out, l->name);
        buf_add_str(out, "</span>\n");
    }
    buf_add_str(out, "</p>\n");
}

void chart_svg(struct buf *out, const struct chart *c)
{
    struct axis x, y;
    size_t i;

    limits(c, &x, &y);
    put_names(out, c);
    buf_printf(out, "<svg class=\"chart\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH,
               HEIGHT);
    html_text(out, c->title);
    buf_add_str(out, "\">\n");
    draw_axes(out, c, &x, &y);
    for (i = 0; i < c->n_line; i++)
        draw_line(out, &c->line[i], &x, &y);
    buf_add_str(out, "</svg>\n");
}
