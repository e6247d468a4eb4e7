/* decode.h - ids to text, as SentencePiece does it. Any model type. */
#ifndef SPM_DECODE_H
#define SPM_DECODE_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct decoder;
struct err;
struct vocab;

/* n_extra sentinels are taken to follow the pieces, <extra_id_0> last. v must outlive it. NULL:
 * a damaged denormaliser. */
struct decoder *decoder_new(const struct vocab *v, int32_t n_extra, struct err *err);
void decoder_free(struct decoder *d);    // d may be NULL

/* Empties out and puts the text there. Ids that are none are taken for the unknown; *n_foreign
 * (may be NULL) says how many there were. 0, or -1 if the text grows too long. */
int decoder_run(struct decoder *d, const int32_t *id, size_t n, struct buf *out, size_t *n_foreign,
                struct err *err);

#endif
