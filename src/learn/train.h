/* train.h - numbers for a language identification model, from labelled texts.
 *
 * Adam on batches of pieces of text (window.h), its rate falling to 0 in a straight line; features
 * are dropped at random, so that no label hangs on a few n-grams. What comes out depends on the
 * texts and the options alone, not on the number of threads: each number's gradient is summed in
 * the order of the batch, by one thread.
 */
#ifndef LEARN_TRAIN_H
#define LEARN_TRAIN_H

#include <stdint.h>

#include "langid/model.h"
#include "learn/corpus.h"
#include "learn/window.h"

struct err;

struct train_options {
    struct langid_shape shape;    // n_label is read off the corpus
    struct window_rule window;
    int64_t n_piece;            // pieces to train on
    int batch;                  // pieces of a step
    double rate, embed_rate;    // at the start: of the two layers, of the embeddings
    double drop;                // share of features left out
    double doubt;     // texts whose label gets less than this, and another 0.9, are dropped
    double smooth;    // share of a label's probability that goes to all labels
    int n_thread;
    int64_t n_measure;    // held-out pieces to find the temperature with
    uint64_t seed;
    void (*tell)(void *ctx, int64_t piece, double loss, double right);    // now and then; or NULL
    void *ctx;
};

struct train_result {
    int64_t n_doubted;     // texts dropped
    double temperature;    // what the logits were divided by at the end
    double loss, right;    // of held-out pieces, in nats and as a share; NaN when none are held out
};

/* Train a model with the labels of c (sorted; doubted texts are taken out of it). NULL: err says
 * why. */
struct langid *langid_train(struct corpus *c, const struct train_options *o,
                            struct train_result *result, struct err *err);

#endif
