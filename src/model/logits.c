/* logits.c - from the decoder's output to losses, a chunk of rows at a time.
 *
 * [B T, V] logits are the largest array of a step by far (V is 250112 in mT5), so they are
 * never whole in memory: a chunk's loss, its gradient, and what that gives for the decoder's
 * output and for the table are taken before the next chunk is made.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/spent.h"
#include "comm/comm.h"
#include "kernel/kernel.h"
#include "loss/loss.h"
#include "loss/loss_slice.h"
#include "loss/soft.h"
#include "model/net.h"
#include "nn/linear.h"
#include "seq/batch.h"
#include "shape/params.h"

static float tied_factor(const struct model *m)
{
    return (float)(1.0 / sqrt((double)m->c.d_model));
}

/* The decoder's output [n, M] of targets [at, at + n), as the table takes it. */
static struct rows head_input(struct model *m, size_t at, size_t n)
{
    size_t width = (size_t)m->c.d_model;
    const float *z = m->stack[DECODER].last->normed + at * width;

    if (!m->c.tied)
        return net_rows(m, z, n, width);
    memcpy(m->scaled, z, n * width * sizeof(float));
    kern.scale(m->scaled, tied_factor(m), n * width);
    return net_rows(m, m->scaled, n, width);
}

/* loss_forward() of one slice of the ids among several. */
static void slice_loss(struct model *m, size_t at, size_t n, double scale)
{
    struct loss_slice s = { .first = net_vocab_first(m), .v = (size_t)m->c.n_vocab, .n = n };

    s.target = m->b->target + at;
    s.z = m->run->z_loss;
    s.scale = scale;
    loss_slice_top(&s, m->logits, m->top);
    comm_max_f32(m->slices, m->top, n);
    loss_slice_sums(&s, m->logits, m->top, m->sums);
    comm_sum_f64(m->slices, m->sums, 2 * n);
    loss_slice_end(&s, m->logits, m->top, m->sums, m->ce + at, m->log_z + at);
}

/* The same beside a teacher, whose logits are in the same slices. */
static void soft_loss(struct model *m, const struct soft_target *soft, size_t at, size_t n,
                      double scale)
{
    struct soft_sums to = { m->ce + at, m->log_z + at, m->soft_ce + at, m->soft_log_z + at };
    double *cross = m->sums + SOFT_SUMS * n;
    struct soft_slice s = { .logits = m->logits, .target = m->b->target + at, .n = n };

    s.rule = (struct soft_rule){ soft->share, soft->tau, m->run->z_loss };
    s.scale = scale;
    s.v = (size_t)m->c.n_vocab;
    s.teacher = soft->logits(soft->from, at, n, &s.rest);
    if (comm_size(m->slices) == 1) {
        soft_forward(s.logits, s.teacher, s.rest, s.target, n, s.v, &s.rule, scale, &to);
        return;
    }
    s.first = net_vocab_first(m);
    soft_slice_top(&s, m->top);
    comm_max_f32(m->slices, m->top, SOFT_TOPS * n);
    soft_slice_sums(&s, m->top, m->sums);
    comm_sum_f64(m->slices, m->sums, SOFT_SUMS * n);
    soft_slice_cross(&s, m->top, m->sums, cross);
    comm_sum_f64(m->slices, cross, n);
    soft_slice_end(&s, m->top, m->sums, cross, &to);
}

/* The loss of m->logits, which scale makes their gradient. */
static void chunk_loss(struct model *m, size_t at, size_t n, double scale)
{
    const struct soft_target *soft = m->run->soft;

    if (soft)
        soft_loss(m, soft, at, n, scale);
    else if (comm_size(m->slices) > 1)
        slice_loss(m, at, n, scale);
    else
        loss_forward(m->logits, m->b->target + at, n, (size_t)m->c.n_vocab, m->run->z_loss, scale,
                     m->ce + at, m->log_z + at);
}

/* Of the sum over targets; 0 where there is no gradient. */
static double gradient_scale(const struct model *m)
{
    return m->run->gradient && m->run->n_target > 0 ? 1.0 / m->run->n_target : 0;
}

/* Targets [at, at + n). */
static void chunk(struct model *m, size_t at, size_t n)
{
    const struct stack_net *st = &m->stack[DECODER];
    size_t width = (size_t)m->c.d_model, v = (size_t)m->c.n_vocab;
    struct rows z = head_input(m, at, n);
    double scale = gradient_scale(m);
    int was;

    net_product(m->logits, z, m->head, n, width, v);
    if (m->keep)
        memcpy(m->kept_logits + at * v, m->logits, n * v * sizeof(float));
    was = spent_on(SPENT_LOSS);
    chunk_loss(m, at, n, scale);
    spent_on(was);
    if (scale == 0)
        return;
    net_product_back(st->d_out + at * width, at ? 0 : net_fresh(m), m->head,
                     net_rows_here(m, m->logits, n, v), z, n, width, v);
    net_sum(m, st->d_out + at * width, n);
    if (m->c.tied)
        kern.scale(st->d_out + at * width, tied_factor(m), n * width);
}

size_t model_chunk(const struct model *m)
{
    return m->chunk;
}

const float *model_logits(struct model *m, size_t at, size_t n)
{
    assert(n <= m->chunk && at + n <= m->stack[DECODER].n);
    net_product(m->logits, head_input(m, at, n), m->head, n, (size_t)m->c.d_model,
                (size_t)m->c.n_vocab);
    return m->logits;
}

void net_logits(struct model *m, struct losses *sums, double *row_ce, double *row_target)
{
    const struct stack_net *st = &m->stack[DECODER];
    size_t at, i, row, width = (size_t)m->c.d_model;
    int carries;

    if (m->run->gradient)
        memset(st->d_out, 0, st->n * width * sizeof(float));
    if (m->run->gradient && m->run->fresh && (gradient_scale(m) == 0 || st->n == 0))
        memset(m->head->g, 0, m->head->n * sizeof(float));
    for (at = 0; at < st->n; at += m->chunk)
        chunk(m, at, st->n - at < m->chunk ? st->n - at : m->chunk);
    for (row = 0; row < (size_t)m->b->n_row; row++) {
        double ce = 0, n = 0;

        for (i = row * st->length; i < (row + 1) * st->length; i++) {
            carries = m->b->target[i] > 0;
            ce += carries ? m->ce[i] : 0;
            n += carries;
            sums->log_z2 += carries ? m->log_z[i] * m->log_z[i] : 0;
            if (m->run->soft && carries) {
                sums->soft_ce += m->soft_ce[i];
                sums->soft_log_z2 += m->soft_log_z[i] * m->soft_log_z[i];
            }
        }
        sums->ce += ce;
        sums->n_target += n;
        if (row_ce)
            row_ce[row] = ce;
        if (row_target)
            row_target[row] = n;
    }
}

void loss_parts(const struct losses *s, const struct run *run, double *hard, double *soft)
{
    double n = run->n_target > 0 ? run->n_target : 1;

    *hard = s->ce / n + run->z_loss * s->log_z2 / n;
    *soft = run->soft ? (s->soft_ce + run->z_loss * s->soft_log_z2) / n : 0;
}

double loss_total(const struct losses *s, const struct config *c, const struct run *run)
{
    double n_sparse = 0, loss, soft;
    int i, k;

    for (k = 0; k < 2; k++)
        for (i = 0; i < c->n_block[k]; i++)
            n_sparse += c->sparse[k][i] + c->mixed[k][i];
    if (!run->aux_mean || n_sparse == 0)
        n_sparse = 1;
    loss_parts(s, run, &loss, &soft);
    if (run->soft) {
        double f = run->soft->share, tau = run->soft->tau;

        loss = (1 - f) * loss + f * tau * tau * soft;
    }
    return loss + (run->aux_loss * s->aux + run->router_z_loss * s->router_z) / n_sparse;
}
