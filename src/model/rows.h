/* rows.h - a batch from a safetensors file of ids, for tools that look at a model.
 *
 * Names: input_ids, encoder_segment_ids, targets, decoder_segment_ids, decoder_input_ids; or
 * HF's input_ids, attention_mask, labels (-100 carries no loss), decoder_input_ids. Segments
 * that are not there are 1 where ids are not 0; decoder inputs that are not there are the
 * targets, one place later in each segment. Other names are ignored.
 */
#ifndef MODEL_ROWS_H
#define MODEL_ROWS_H

struct batch;
struct err;

struct rows_names {
    int hf;         // they were HF's
    int targets;    // there were targets or labels; else all targets are 0
};

/* Fills *b (numbered from 0), to be released with batch_release() when all went well. Ids must
 * be below n_vocab. 0 or -1. */
int rows_read(struct batch *b, const char *path, int n_vocab, struct rows_names *names,
              struct err *err);

#endif
