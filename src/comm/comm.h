/* comm.h - the only door to MPI. comm/mpi.c or, with MPI=no, comm/self.c for one process.
 *
 * Every call is collective unless it says otherwise; a failure ends all ranks through die().
 * Sums run in an order that depends on the number of ranks only, so a repeated run gives
 * the same bytes. Counts are in elements and may exceed 2^31.
 */
#ifndef COMM_COMM_H
#define COMM_COMM_H

#include <stddef.h>
#include <stdint.h>

struct comm;

/* Sets die_hook: die() on a rank ends them all. Without MPI, dies as one of several ranks. */
struct comm *comm_init(void);
int comm_rank(const struct comm *c);
int comm_size(const struct comm *c);
/* Ranks on this machine, this one too; $SWITCHYARD_NODE_RANKS=N: as if machines had N each (tests).
 */
int comm_node_size(const struct comm *c);
/* Threads that suit this rank, at least 1: an even share of the processors that the ranks on
 * this machine may run on together, but no more than this one may run on. */
int comm_threads(const struct comm *c);

/* The ranks as a mesh of n_data x n_model, rank r at (r / n_model, r % n_model); along data
 * the experts are divided over runs of n_expert ranks, and each run holds all of them. A
 * communicator of each axis is made; they end with c. n_data * n_model is the size, n_expert
 * divides n_data. Without this call all ranks lie along data, experts divided over all. */
enum axis {
    AXIS_DATA,       // the same slice of the model, other tokens
    AXIS_MODEL,      // the same tokens, other slices
    AXIS_EXPERT,     // of AXIS_DATA: between them, all experts
    AXIS_REPLICA,    // of AXIS_DATA: the same experts
    N_AXIS
};
void comm_lay(struct comm *c, int n_data, int n_model, int n_expert);
struct comm *comm_axis(const struct comm *c, enum axis axis);    // belongs to c

void comm_barrier(struct comm *c);
void comm_sum_f32(struct comm *c, float *x, size_t n);    // in place, all ranks get it
void comm_sum_f64(struct comm *c, double *x, size_t n);
void comm_max_f32(struct comm *c, float *x, size_t n);
void comm_max_i64(struct comm *c, int64_t *x, size_t n);
void comm_broadcast(struct comm *c, void *p, size_t bytes, int root);

/* send_n[r], recv_n[r]: rows of width floats to and from rank r, laid out rank after rank. */
void comm_exchange_f32(struct comm *c, const float *send, const size_t *send_n, float *recv,
                       const size_t *recv_n, size_t width);
/* n int32 to and from each rank: send and recv are [size, n]. No array may overlap another. */
void comm_exchange_i32(struct comm *c, const int32_t *send, int32_t *recv, size_t n);

/* own [n] of every rank on all of them, rank after rank: all [size, n]. No array may overlap. */
void comm_share_f32(struct comm *c, const float *own, size_t n, float *all);

/* Every rank's bytes on root, rank after rank; all is [sum of n], n_of [size], on root only. */
void comm_gather(struct comm *c, const void *p, size_t n, void *all, const size_t *n_of, int root);

/* The pages of p (of mem_map(): whole pages), whose numbers become 0, are from now on seen by the
 * other ranks of c, too: of [size] is where each rank's are here. bytes may differ by rank. 0
 * where that cannot be, for all ranks: they are not on one machine, or it does not allow it. */
int comm_expose(struct comm *c, void *p, size_t bytes, void **of);
/* Look at the others' no longer; each rank unmaps its own. bytes [size]. */
void comm_hide(struct comm *c, void **of, const size_t *bytes);
int comm_one_node(struct comm *c);    // are its ranks on one machine?

/* Begin, and go on with other work: the sum of x over ranks comes to root, and what x is elsewhere
 * is undefined; p of root comes to all. Every rank begins the same in the same order, and leaves x
 * and p alone until comm_wait(), which waits for all that was begun on c. */
void comm_start_sum_f32(struct comm *c, float *x, size_t n, int root);
void comm_start_broadcast(struct comm *c, void *p, size_t bytes, int root);
void comm_advance(struct comm *c);    // now and then, so that it moves; not collective
void comm_wait(struct comm *c);

/* Messages between two ranks that move while other work goes on: both say the same n and tag (from
 * 1), and messages of a pair with one tag come in order. comm_post_wait() waits for all that was
 * put into a box (from 0); until then x is left alone. */
void comm_post_send(struct comm *c, int box, const float *x, size_t n, int to, int tag);
void comm_post_recv(struct comm *c, int box, float *x, size_t n, int from, int tag);
void comm_post_wait(struct comm *c, int box);
/* In how many chunks, at most, what is exchanged should come, each worked on while others move:
 * $SWITCHYARD_CHUNKS of rank 0, or 4; 1 where there is nobody to exchange with. */
int comm_chunks(const struct comm *c);
/* Where ranks are several on each of several machines: those of this machine, and those of this
 * one's number on all machines; they end with c. Rank i of machine b is b * size of local + i.
 * 0: it is not so. */
int comm_rails(const struct comm *c, struct comm **local, struct comm **rail);

/* A rank that waits for others for over `seconds` says where it is, and ends the run with exit
 * status 1; 0: it waits for ever. */
void comm_watch(struct comm *c, double seconds);
/* Where this rank is, in constant words: "encoder", 5 (-1: no block), "dispatch"; stack NULL:
 * nowhere. Not collective. */
void comm_place(const char *stack, int block, const char *work);

void comm_end(struct comm *c);    // c may be NULL

/* What this rank has done so far, on all axes. For the time it took see base/spent.h. */
struct comm_stats {
    uint64_t n_exchange, exchange_bytes;    // of rows; bytes that left for other ranks
};
const struct comm_stats *comm_stats(const struct comm *c);

/* Most elements one message may carry (an MPI count is an int): longer ones go in pieces.
 * Only tests need to set it, to the same on all ranks. */
void comm_set_piece(struct comm *c, size_t n);

/* The experts of rank r: [*first, *first + returned count), as even as can be; a rank may have
 * none. */
int comm_slice(int n_expert, int size, int rank, int *first);

#endif
