/* crew.c - see crew.h.
 *
 * Batches live in a ring: the one that is number n in the stream lies in slot n % n_slot, from its
 * taking until it is put. A thread that has worked on the oldest puts it, and those after it
 * that are done as well; on any other it leaves that to whoever has the oldest, and takes on.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/crew.h"
#include "base/die.h"
#include "base/err.h"
#include "base/mem.h"

enum slot_state { SLOT_FREE, SLOT_AT_WORK, SLOT_DONE, SLOT_FAILED };

struct slot {
    void *batch;
    enum slot_state state;
    struct err err;    // of work()
};

struct shift {
    const struct crew *crew;
    void *ctx;
    struct slot *slot;
    unsigned n_slot;
    pthread_mutex_t lock;    // of all below
    pthread_cond_t turn;     // something below has changed
    uint64_t taken, put;     // batches
    int taking, putting;     // somebody is
    int ended;               // no more are to be taken
    int failed;
    struct err *err;
};

struct hand {
    struct shift *shift;
    pthread_t id;
    int number;
};

static void fail(struct shift *s, const struct err *why)
{
    s->failed = s->ended = 1;
    *s->err = *why;
}

/* Take the next batch into its slot; NULL when there is none to be taken. Called and left with the
 * lock held. The failure of a take comes after all that was taken before it. */
static struct slot *take(struct shift *s)
{
    struct slot *at = &s->slot[s->taken % s->n_slot];
    struct err err;
    int got;

    s->taking = 1;
    pthread_mutex_unlock(&s->lock);
    got = s->crew->take(s->ctx, at->batch, &err);
    pthread_mutex_lock(&s->lock);
    s->taking = 0;
    pthread_cond_broadcast(&s->turn);
    if (got == 1) {
        at->state = SLOT_AT_WORK;
        s->taken++;
        return at;
    }
    s->ended = 1;
    if (got < 0) {
        at->state = SLOT_FAILED;
        at->err = err;
        s->taken++;
    }
    return NULL;
}

/* Put all batches that are due. Called and left with the lock held. */
static void put(struct shift *s)
{
    struct err err;

    if (s->putting)
        return;
    s->putting = 1;
    while (!s->failed && s->put < s->taken) {
        struct slot *at = &s->slot[s->put % s->n_slot];
        int bad;

        if (at->state == SLOT_AT_WORK)
            break;
        if (at->state == SLOT_FAILED) {
            fail(s, &at->err);
            break;
        }
        pthread_mutex_unlock(&s->lock);
        bad = s->crew->put(s->ctx, at->batch, &err);
        pthread_mutex_lock(&s->lock);
        if (bad)
            fail(s, &err);
        at->state = SLOT_FREE;
        s->put++;
        pthread_cond_broadcast(&s->turn);
    }
    s->putting = 0;
    pthread_cond_broadcast(&s->turn);
}

static void *work(void *arg)
{
    const struct hand *h = arg;
    struct shift *s = h->shift;
    struct slot *at;
    int bad;

    pthread_mutex_lock(&s->lock);
    for (;;) {
        put(s);
        while (!s->ended && (s->taking || s->taken - s->put == s->n_slot))
            pthread_cond_wait(&s->turn, &s->lock);
        if (s->ended)
            break;
        if (!(at = take(s)))
            continue;
        pthread_mutex_unlock(&s->lock);
        bad = s->crew->work(s->ctx, h->number, at->batch, &at->err);
        pthread_mutex_lock(&s->lock);
        at->state = bad ? SLOT_FAILED : SLOT_DONE;
    }
    put(s);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static int run_alone(const struct crew *c, void *ctx, struct err *err)
{
    void *batch = c->batch_new(ctx);
    int got;

    while ((got = c->take(ctx, batch, err)) == 1)
        if (c->work(ctx, 0, batch, err) < 0 || c->put(ctx, batch, err) < 0) {
            got = -1;
            break;
        }
    c->batch_free(ctx, batch);
    return got;
}

int crew_run(const struct crew *c, void *ctx, int n_thread, struct err *err)
{
    struct shift s = { .crew = c, .ctx = ctx, .n_slot = 2 * (unsigned)n_thread, .err = err };
    struct hand *hand;
    unsigned i;
    int t;

    if (n_thread <= 1)
        return run_alone(c, ctx, err);
    pthread_mutex_init(&s.lock, NULL);
    pthread_cond_init(&s.turn, NULL);
    s.slot = xcalloc(s.n_slot, sizeof(*s.slot));
    for (i = 0; i < s.n_slot; i++)
        s.slot[i].batch = c->batch_new(ctx);
    hand = xcalloc((size_t)n_thread, sizeof(*hand));
    for (t = 0; t < n_thread; t++)
        hand[t] = (struct hand){ .shift = &s, .number = t };
    for (t = 1; t < n_thread; t++)
        if (pthread_create(&hand[t].id, NULL, work, &hand[t]) != 0)
            die("cannot start thread %d of %d", t + 1, n_thread);
    work(&hand[0]);
    for (t = 1; t < n_thread; t++)
        pthread_join(hand[t].id, NULL);
    for (i = 0; i < s.n_slot; i++)
        c->batch_free(ctx, s.slot[i].batch);
    free(s.slot);
    free(hand);
    pthread_cond_destroy(&s.turn);
    pthread_mutex_destroy(&s.lock);
    return s.failed ? -1 : 0;
}
