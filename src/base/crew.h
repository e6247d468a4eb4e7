/* crew.h - a stream worked on by several threads, its order kept.
 *
 *     take (one at a time, in order) -> work (any number at once) -> put (one at a time, in order)
 *
 * A batch is what goes through as one: a megabyte of records, say. take() fills one, work() may
 * use thread-own things (they are numbered), put() writes it out. Since take() and put() see the
 * batches in order, what comes out does not depend on how many threads there are. Whoever is free
 * takes: there is no reading thread, so -j 2 is two threads at work. The three run at the same time
 * for different batches, so that take() and put() may share nothing that either changes.
 */
#ifndef BASE_CREW_H
#define BASE_CREW_H

struct err;

struct crew {
    void *(*batch_new)(void *ctx);
    void (*batch_free)(void *ctx, void *batch);
    int (*take)(void *ctx, void *batch, struct err *err);                // 1, 0 at the end, -1
    int (*work)(void *ctx, int thread, void *batch, struct err *err);    // 0 or -1
    int (*put)(void *ctx, void *batch, struct err *err);                 // 0 or -1
};

/* Run until take() says 0, on n_thread threads, the caller's among them (1: no other is made).
 * The first failure in the order of the stream ends it, after all before it was put: -1 and err.
 */
int crew_run(const struct crew *c, void *ctx, int n_thread, struct err *err);

#endif
