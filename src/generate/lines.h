/* lines.h - files of lines or documents through a model, their order kept. */
#ifndef GENERATE_LINES_H
#define GENERATE_LINES_H

#include <stdint.h>

#include "generate/search.h"

struct err;

enum { FORCE_MAX = 4096, INPUT_MAX = 32768 };

struct lines_plan {
    const char *checkpoint, *model, *output;    // model: of SentencePiece
    const char *prefix;                         // of every answer, or NULL
    int json, fill, quiet, hf_compat;
    int table;          // all n_best with scores, as TSV
    int64_t n_extra;    // sentinels after the pieces; -1: 100, or none if the model has them
    int n_text;         // texts at once
    int max_input;      // ids of a text at most, its end too: what is more is cut
    int limit;          // ids of an answer at most
    struct search_rule rule;    // end, n_id and capacity are filled in
};

/* files: NULL-terminated; none of them: standard input. 0 or -1. */
int lines_run(const struct lines_plan *plan, char **files, struct err *err);

#endif
