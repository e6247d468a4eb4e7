/* flow.h - dispatch.h in chunks of experts: while one chunk runs on its rows, those of the next
 * ones come and results of the last ones go.
 *
 *     flow_plan(f);                      // after dispatch_plan()
 *     flow_begin(f, &way);
 *     for (c = 0; c < flow_chunks(f); c++) {
 *         flow_wait(f, c);               // the chunk's rows of way.to are there
 *         (its rows of way.to -> its rows of from)
 *         flow_return(f, c, from);
 *     }
 *     flow_end(f);                       // way.back is there
 *
 * Arrays and orders are those of dispatch_out() and dispatch_back(), and must not be touched but as
 * shown: no two of send, to, from, back may be one, but from may be to. The bytes are those that
 * dispatch.h gives.
 *
 * Where ranks are on several machines, what goes to others of this machine first and comes from
 * them last (rails.h) is not moved in chunks. What is between slices is, with nothing beside it.
 */
#ifndef MOE_FLOW_H
#define MOE_FLOW_H

#include <stddef.h>

struct dispatch;
struct flow;
struct moe_buffer;

enum { FLOW_WORK = 10 };    // buffers; those of layers that run one after another may be the same

struct flow_way {
    float *send;
    float *to, *back;
    size_t width, back_width;
    int whole;    // every slice has results whole; else they are parts of a sum over slices
};

/* work [FLOW_WORK]. NULL: it is of no use here, the same on all ranks. */
struct flow *flow_new(struct dispatch *d, struct moe_buffer *work);
void flow_free(struct flow *f);

int flow_chunks(const struct flow *f);
/* Own experts of a chunk: [*first, *first + returned number). */
int flow_experts(const struct flow *f, int chunk, int *first);

void flow_plan(struct flow *f);
void flow_begin(struct flow *f, const struct flow_way *way);
void flow_wait(struct flow *f, int chunk);
void flow_return(struct flow *f, int chunk, float *from);
void flow_end(struct flow *f);

#endif
