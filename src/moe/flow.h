/* flow.h - dispatch.h an expert at a time: while one runs on its rows, those of the next ones come
 * and results of the last ones go.
 *
 *     flow_out(d, send, to, width); flow_expect(d, back, width);
 *     for (e = 0; e < d->n_own; e++) {
 *         flow_wait(d, e);               // its rows of `to` are there
 *         (its rows of `to` -> its rows of `from`)
 *         flow_return(d, e, from, back, width);
 *     }
 *     flow_end(d);                       // back is there
 *
 * Arrays and orders are those of dispatch_out() and dispatch_back(), and must not be touched but as
 * shown: no two of send, to, from, back may be one.
 */
#ifndef MOE_FLOW_H
#define MOE_FLOW_H

#include <stddef.h>

struct dispatch;

int flow_is_for(const struct dispatch *d);    // of use here? The same on all ranks

void flow_out(struct dispatch *d, const float *send, float *to, size_t width);
void flow_expect(struct dispatch *d, float *back, size_t width);
void flow_wait(struct dispatch *d, int e);
void flow_return(struct dispatch *d, int e, const float *from, float *back, size_t width);
void flow_end(struct dispatch *d);

#endif
