/* unigram.c - fewer and fewer candidates, those without which the words are least unlikely gone;
 * see pieces.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "vocab/count.h"

struct trainer {
    struct candidates *c;
    struct counter *counter;
    int by_parts;
};

static double digamma(double x)
{
    double sum = 0, y;

    for (; x < 7; x++)
        sum -= 1 / x;
    x -= 0.5;
    y = 1 / (x * x);
    return sum + log(x) + y * (1 / 24.0 - y * (7 / 960.0 - y * (31 / 8064.0 - y * 127 / 30720.0)));
}

/* Scores from expected counts; candidates that are hardly expected go, letters stay. */
static void maximise(struct trainer *t, const int64_t *count)
{
    const double one = (double)CORPUS_ONE * COUNT_UNITS;
    double sum = 0;
    size_t i, n = 0;

    for (i = 0; i < t->c->n; i++) {
        double x = (double)count[i] / one;

        if (x < 0.5 && !t->c->of[i].letter)
            continue;
        if (x < 0.5)
            x = 0.5;
        sum += x;
        t->c->of[n] = t->c->of[i];
        t->c->of[n++].score = x;
    }
    t->c->n = n;
    for (i = 0; i < n; i++)
        t->c->of[i].score = digamma(t->c->of[i].score) - digamma(sum);
}

struct loss {
    double x;
    size_t piece;
};

static int by_loss(const void *a, const void *b)
{
    const struct loss *x = a, *y = b;

    if (x->x != y->x)
        return x->x < y->x ? 1 : -1;
    return (x->piece > y->piece) - (x->piece < y->piece);
}

/* How much less likely all is without a candidate: it is then said by others, which come that
 * much oftener. SentencePiece up to 0.2.1 took the sum of all counts to grow by the number of
 * candidates, not of parts, which holds that against pieces that are said by many. Infinite: it
 * cannot be said. Negative: it is not needed at all. */
static double loss_of(const struct trainer *t, const int64_t *count, size_t piece, double all)
{
    double freq = (double)count[piece], score, alone, others = 0, sum;
    const uint32_t *way;
    size_t n, i;

    if (t->c->of[piece].letter || !(n = counter_without(t->counter, piece, &way, &score)))
        return INFINITY;
    if (score > t->c->of[piece].score || freq == 0)
        return -1;
    sum = log(all + freq * (double)((t->by_parts ? n : t->c->n) - 1));
    for (i = 0; i < n; i++)
        others += log((double)count[way[i]] + freq) - sum;
    alone = log(freq) - log(all);
    return freq / all * (alone - others);
}

static int prune(struct trainer *t, size_t most, struct err *err)
{
    const int64_t *count =
        counter_build(t->counter, err) < 0 ? NULL : counter_best(t->counter, err);
    struct loss *loss;
    unsigned char *stays;
    double all = 0;
    size_t i, n = 0;

    if (!count)
        return -1;
    loss = xreallocarray(NULL, t->c->n + 1, sizeof(*loss));
    stays = xcalloc(t->c->n + 1, 1);
    for (i = 0; i < t->c->n; i++)
        all += (double)count[i];
    for (i = 0; i < t->c->n; i++) {
        double x = loss_of(t, count, i, all);

        if (x >= 0)
            loss[n++] = (struct loss){ x, i };
    }
    qsort(loss, n, sizeof(*loss), by_loss);
    for (i = 0; i < n && i < most; i++)
        stays[loss[i].piece] = 1;
    for (i = 0, n = 0; i < t->c->n; i++)
        if (stays[i])
            t->c->of[n++] = t->c->of[i];
    t->c->n = n;
    free(loss);
    free(stays);
    return 0;
}

static int by_score(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    int d;

    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    d = memcmp(x->s.p, y->s.p, x->s.n < y->s.n ? x->s.n : y->s.n);
    return d ? d : (x->s.n > y->s.n) - (x->s.n < y->s.n);
}

/* The best want candidates, and all letters. */
static void finish(struct trainer *t, size_t want)
{
    struct candidates *c = t->c;
    size_t i, n = 0, n_letter = 0, room;

    for (i = 0; i < c->n; i++)
        n_letter += c->of[i].letter != 0;
    room = want > n_letter ? want - n_letter : 0;
    qsort(c->of, c->n, sizeof(*c->of), by_score);
    for (i = 0; i < c->n; i++) {
        if (!c->of[i].letter && !room)
            continue;
        room -= !c->of[i].letter;
        c->of[n++] = c->of[i];
    }
    c->n = n;
}

static int train(struct trainer *t, const struct unigram_plan *plan, struct err *err)
{
    size_t desired = plan->want + plan->want / 10, most;
    const int64_t *count;
    int i;

    for (;;) {
        for (i = 0; i < plan->rounds; i++) {
            if (counter_build(t->counter, err) < 0 || !(count = counter_expect(t->counter, err)))
                return -1;
            maximise(t, count);
        }
        if (plan->say)
            plan->say(t->c->n, counter_bits(t->counter));
        if (t->c->n <= desired)
            break;
        most = (size_t)(plan->shrink * (double)t->c->n);
        if (prune(t, most > desired ? most : desired, err) < 0)
            return -1;
    }
    finish(t, plan->want);
    return 0;
}

int unigram_train(struct candidates *c, const struct corpus *from, const struct unigram_plan *plan,
                  struct err *err)
{
    struct trainer t = { c, counter_new(c, from, plan->n_thread), plan->by_parts };
    int bad = train(&t, plan, err);

    counter_free(t.counter);
    return bad;
}
