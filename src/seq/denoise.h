/* denoise.h - documents in, rows out: the pre-training task of T5, one language beside the
 * other, in memory that does not grow with the input.
 *
 * Of a document over 65,536 ids one aligned chunk is drawn; 128 documents of a language in
 * a row are joined without a mark, less ids 0; that is cut into pieces (the last one of each
 * 128 is shorter), each piece becomes an example (span.h), and examples are packed (pack.h).
 * With tiles, documents are joined without end, and the length of a piece follows from the rows
 * that are open when it begins. A pair's second example has the split of the first, mirrored.
 * A whole piece of span corruption fills a row by itself and passes by the open row, which so
 * collects tails.
 *
 * All randomness is a function of (seed, epoch, document, offset of the piece's first id in
 * its document): what came before, or on which other languages, cannot change it.
 */
#ifndef SEQ_DENOISE_H
#define SEQ_DENOISE_H

#include <stddef.h>
#include <stdint.h>

#include "seq/denoiser.h"
#include "seq/packer.h"

struct err;
struct example_row;

enum { DENOISE_CHUNK = 65536, DENOISE_JOIN = 128 };

struct denoise_rule {
    struct denoiser kind[DENOISER_MAX];    // one, or a mixture: a piece's is drawn with it
    int n_kind;
    uint32_t inputs, targets;
    uint64_t seed, epoch;
    enum packer_fit fit;
    int n_open;
    int whole_alone;    // a whole piece fills a row: it passes by the open ones
    int tiles;          // pieces are cut so that rows become full (tile.h), and groups are not
};

struct denoise_count {
    uint64_t n_doc, n_empty, n_chunked;
    uint64_t n_id, n_cut, n_zero;    // ids read; left out with a chunk not drawn; zeros dropped
    uint64_t n_example, n_row, n_input, n_target;    // ids in all rows, without padding
    uint64_t n_kind[DENOISER_MAX];                   // examples
};

struct denoise;

struct denoise *denoise_new(const struct denoise_rule *rule, struct packer_sink sink);

/* The next document of language lang, a small number from 0: 1; 0 when it holds no id; -1 when
 * the sink failed. */
int denoise_add(struct denoise *d, int lang, uint64_t doc, const int32_t *id, size_t n,
                struct err *err);

/* No document follows: tails and open rows, in the order of languages. */
int denoise_end(struct denoise *d, struct err *err);

const struct denoise_count *denoise_counts(const struct denoise *d);
const struct denoise_count *denoise_counts_of(const struct denoise *d, int lang);    // or NULL
void denoise_free(struct denoise *d);

#endif
