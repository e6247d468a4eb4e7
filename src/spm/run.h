/* run.h - files of documents or lines through an encoder, on several threads, their order kept. */
#ifndef SPM_RUN_H
#define SPM_RUN_H

#include <stdint.h>

#include "spm/encode.h"

struct err;

enum run_format { RUN_SHARD, RUN_IDS, RUN_PIECES };

struct run_plan {
    const char *tool, *model, *output;
    const char *stats, *lang;    // may be NULL
    enum run_format format;
    int lines;    // a line is a document, not JSON
    int strict, quiet, n_thread;
    int list;           // so many best ways for each document, or 0; not in a shard
    int64_t n_extra;    // sentinels after the pieces; -1: as many as the model needs
    struct encode_option option;
    uint64_t seed;    // of what is drawn
};

/* files: NULL-terminated; none of them: standard input. 0 or -1. */
int run_encode(const struct run_plan *plan, char **files, struct err *err);

#endif
