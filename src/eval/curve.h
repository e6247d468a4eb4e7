/* curve.h - points (x, y) with x rising: a loss over steps. */
#ifndef EVAL_CURVE_H
#define EVAL_CURVE_H

#include <stddef.h>

struct curve {    // { 0 } is empty and valid
    double *x, *y;
    size_t n, cap;
};

void curve_add(struct curve *c, double x, double y);
/* Means over at most n_point equal stretches of the points: a curve that can be drawn. */
void curve_thin(const struct curve *c, size_t n_point, struct curve *out);
/* As a page draws it: at most 400 points of the curve, and of it smoothed over a fiftieth. */
void curve_draw(const struct curve *c, struct curve *plain, struct curve *smooth);
/* Exponential moving average: the newest y weighs 1 / span. */
void curve_smooth(const struct curve *c, double span, struct curve *out);
/* The first x at which the curve has come down to level, between two points by a straight
 * line. NAN when it never does. */
double curve_reach(const struct curve *c, double level);
void curve_release(struct curve *c);

#endif
