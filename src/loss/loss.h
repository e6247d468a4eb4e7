/* loss.h - softmax cross-entropy with z-loss over the whole vocabulary. */
#ifndef LOSS_LOSS_H
#define LOSS_LOSS_H

#include <stddef.h>
#include <stdint.h>

/* logits [n, V]; target [n], 0 (or below) carries no loss. ce [n] and log_z [n] (out): plain
 * cross-entropy in nats and log sum exp; 0 where there is no loss. When scale is not 0, logits
 * are overwritten by their gradient: scale (softmax (1 + 2 z log_z) - [target]). */
void loss_forward(float *logits, const int32_t *target, size_t n, size_t v, double z, double scale,
                  double *ce, double *log_z);

#endif
