/* rails.h - the part of a journey of rows that stays on a machine, where ranks are on several.
 *
 * Rank i of a machine gives rank j of it what is for ranks j of all machines. Between machines rows
 * then go from ranks j to ranks j: fewer messages, and larger ones. What rank j passes on is
 * in the order (machine, expert of rank j there, i): each expert gets its rows from a machine in
 * one piece, in the order of their sources.
 */
#ifndef MOE_RAILS_H
#define MOE_RAILS_H

#include <stddef.h>
#include <stdint.h>

struct comm;
struct moe_buffer;

struct rails {
    struct comm *local, *rail;
    int n, n_local, most;       // machines; ranks of each; most experts of a rank
    size_t n_send, n_pass;      // rows of this rank; that it passes on
    int32_t *pass_of;           // [n, most] rows passed on, by expert of the rank there
    int32_t *give, *take;       // [n_local, n, most] rows given to and taken from others here
    size_t *give_n, *take_n;    // [n_local]
    size_t *at;                 // [n_local] work
};

enum { RAILS_WORK = 2 };    // buffers that a journey needs

/* NULL: ranks are not on several machines, several on each. */
struct rails *rails_new(struct comm *c, int most);
/* send_of [ranks, most]: rows of this rank by expert. */
void rails_plan(struct rails *r, const int32_t *send_of);
/* send, in the order of ranks -> pass [n_pass, width]; and the other way. What is read stays;
 * work [RAILS_WORK]. */
void rails_out(struct rails *r, float *send, float *pass, size_t width, struct moe_buffer *work);
void rails_back(struct rails *r, float *pass, float *back, size_t width, struct moe_buffer *work);
void rails_free(struct rails *r);

#endif
