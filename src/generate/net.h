/* net.h - the network as it generates: texts encoded once, then one token of each hypothesis at a
 * time, with what attention saw before kept.
 *
 * A hypothesis goes on from one of the step before, its parent: what the parent kept is not
 * copied, but found through it. No number depends on what else is in the batch, nor on threads.
 */
#ifndef GENERATE_NET_H
#define GENERATE_NET_H

#include <stddef.h>
#include <stdint.h>

struct net;
struct weights;

/* Threads of all work here, 0: as OpenMP sees fit; BLAS gets one, so that what it does does not
 * depend on how many there are. To be called before anything else. */
void net_threads(int n);

/* n_text: the most at once; n_row: the most hypotheses at once, of all texts; length: the most
 * tokens of one. The caller has run kernel_init() and net_threads(). */
struct net *net_new(const struct weights *w, int n_text, int n_row, int length);
void net_free(struct net *n);    // n may be NULL

/* Encode the ids of a text, n of them, n > 0; capacity as in layer.h. */
void net_encode(struct net *n, int text, const int32_t *id, size_t n_id, int capacity);

void net_begin_steps(struct net *n);    // the next step is that of the first token

/* One step of n_row hypotheses: each reads id, is of the text that was encoded as text[], and goes
 * on from row parent[] of the step before (at the first step it is not looked at). Returns logits
 * [n_row, V], valid until the next step; the caller may change them. */
float *net_step(struct net *n, int n_row, const int32_t *id, const int32_t *text,
                const int32_t *parent);

int net_vocab(const struct net *n);    // V
int net_length(const struct net *n);
int net_texts(const struct net *n);
int net_n_row(const struct net *n);

#endif
