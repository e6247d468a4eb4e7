/* dispatch.h - rows of tokens to the ranks that hold their experts, and back.
 *
 * What is sent is a choice: one of a token's K experts, numbered token K + k. A rank sends its
 * kept choices in the order (expert, number); an expert sees its rows in the order (source rank,
 * number). Where ranks hold consecutive rows of the batch that is
 * the order of the tokens in the whole batch, so sums over an expert's rows do not depend on
 * the number of ranks, but for rounding.
 *
 * Where experts are sliced, m ranks have the same tokens and slices of the same experts. Each
 * moves 1 / m of the columns; they are put together where they arrive. On the way back what the
 * slices made of a row is summed first.
 */
#ifndef MOE_DISPATCH_H
#define MOE_DISPATCH_H

#include <stddef.h>
#include <stdint.h>

struct comm;

struct moe_buffer {    // grows, never shrinks; loses what it held when it grows
    float *p;
    size_t n;
};

float *moe_buffer_need(struct moe_buffer *b, size_t n);
void moe_buffer_release(struct moe_buffer *b);

struct dispatch {
    struct comm *comm, *slices;
    int n_expert, n_own, n_rank;
    size_t n_send, n_recv;         // rows of this rank's choices; rows for this rank's experts
    int32_t *choice;               // [n_send] which choice each sent row is
    int32_t *row;                  // [n K] which sent row a choice is, where it is kept
    size_t *rows;                  // [n_own] rows of each own expert
    size_t *send_n, *recv_n;       // [n_rank]
    int32_t *send_of, *recv_of;    // [n_rank, most experts of a rank] rows by expert
    size_t *from;                  // [n_expert + 1] work
    int most;
};

/* comm: the ranks between which the experts are divided; slices: those with their other slices. */
void dispatch_init(struct dispatch *d, struct comm *comm, struct comm *slices, int n_expert,
                   size_t n_choice);
/* Who goes where: expert [n], kept [n] of n choices. Exchanges the counts. */
void dispatch_plan(struct dispatch *d, const int32_t *expert, const int32_t *kept, size_t n);
enum { DISPATCH_WORK = 3 };    // buffers that the next two need
/* send [n_send, width] -> to [n_recv, width] in expert order. */
void dispatch_out(struct dispatch *d, const float *send, float *to, size_t width,
                  struct moe_buffer work[DISPATCH_WORK]);
/* from [n_recv, width] in expert order, a part of the sum over slices -> back [n_send, width]; from
 * stays as it is. */
void dispatch_back(struct dispatch *d, float *from, float *back, size_t width,
                   struct moe_buffer work[DISPATCH_WORK]);
/* The same of rows that every slice has whole, of whatever four bytes a place. */
void dispatch_back_whole(struct dispatch *d, float *from, float *back, size_t width,
                         struct moe_buffer work[DISPATCH_WORK]);
void dispatch_release(struct dispatch *d);

#endif
