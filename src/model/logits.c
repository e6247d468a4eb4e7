/* logits.c - from the decoder's output to losses, a chunk of rows at a time.
 *
 * [B T, V] logits are the largest array of a step by far (V is 250112 in mT5), so they are
 * never whole in memory: a chunk's loss, its gradient, and what that gives for the decoder's
 * output and for the table are taken before the next chunk is made.
 */
#include <math.h>
#include <string.h>

#include "kernel/kernel.h"
#include "model/net.h"
#include "model/params.h"
#include "nn/linear.h"
#include "nn/loss.h"
#include "seq/batch.h"

/* Targets [at, at + n). */
static void chunk(struct model *m, size_t at, size_t n)
{
    const struct stack_net *st = &m->stack[DECODER];
    size_t width = (size_t)m->c.d_model, v = (size_t)m->c.n_vocab;
    const float *z = st->last->normed + at * width;
    float factor = m->c.tied ? (float)(1.0 / sqrt((double)width)) : 1.0f;
    double scale = m->run->gradient && m->run->n_target > 0 ? 1.0 / m->run->n_target : 0;

    if (m->c.tied) {
        memcpy(m->scaled, z, n * width * sizeof(float));
        kern.scale(m->scaled, factor, n * width);
        z = m->scaled;
    }
    linear_forward(m->logits, z, m->head->w, n, width, v);
    if (m->keep)
        memcpy(m->kept_logits + at * v, m->logits, n * v * sizeof(float));
    loss_forward(m->logits, m->b->target + at, n, v, m->run->z_loss, scale, m->ce + at,
                 m->log_z + at);
    if (scale == 0)
        return;
    linear_backward(st->d_out + at * width, 0, m->head->g, m->logits, z, m->head->w, n, width, v);
    if (m->c.tied)
        kern.scale(st->d_out + at * width, factor, n * width);
}

void net_logits(struct model *m, struct losses *sums, double *row_ce, double *row_target)
{
    const struct stack_net *st = &m->stack[DECODER];
    size_t at, i, row, width = (size_t)m->c.d_model;
    int carries;

    if (m->run->gradient)
        memset(st->d_out, 0, st->n * width * sizeof(float));
    for (at = 0; at < st->n; at += m->chunk)
        chunk(m, at, st->n - at < m->chunk ? st->n - at : m->chunk);
    for (row = 0; row < (size_t)m->b->n_row; row++) {
        double ce = 0, n = 0;

        for (i = row * st->length; i < (row + 1) * st->length; i++) {
            carries = m->b->target[i] > 0;
            ce += carries ? m->ce[i] : 0;
            n += carries;
            sums->log_z2 += carries ? m->log_z[i] * m->log_z[i] : 0;
        }
        sums->ce += ce;
        sums->n_target += n;
        if (row_ce)
            row_ce[row] = ce;
        if (row_target)
            row_target[row] = n;
    }
}

double loss_total(const struct losses *s, const struct config *c, const struct run *run)
{
    double n = run->n_target > 0 ? run->n_target : 1, n_sparse = 0;
    int i, k;

    for (k = 0; k < 2; k++)
        for (i = 0; i < c->n_block[k]; i++)
            n_sparse += c->sparse[k][i];
    if (!run->aux_mean || n_sparse == 0)
        n_sparse = 1;
    return s->ce / n + run->z_loss * s->log_z2 / n +
           (run->aux_loss * s->aux + run->router_z_loss * s->router_z) / n_sparse;
}
