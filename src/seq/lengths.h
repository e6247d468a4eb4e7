/* lengths.h - how long pieces are, and how many targets a row has where that is not said. */
#ifndef SEQ_LENGTHS_H
#define SEQ_LENGTHS_H

#include <stdint.h>

struct denoise_rule;
struct err;

/* Given a rule's inputs and denoisers, whole_alone and tiles: the longest piece of each denoiser,
 * at most `piece` ids unless that is 0, and the targets unless they are given (not 0).
 * whole_alone, of one denoiser of spans: T5's pieces, which fill a row, and the targets that these
 * need; it is cleared when they are shorter. With tiles: so many targets that the mixture fills
 * both sides, and pieces up to a whole row. Else as many targets as inputs. -1 when nothing fits.
 */
int lengths_fit(struct denoise_rule *rule, uint32_t targets, uint32_t piece, struct err *err);

#endif
