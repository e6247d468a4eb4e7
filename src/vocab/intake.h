/* intake.h - files of documents or lines to a corpus, on several threads. */
#ifndef VOCAB_INTAKE_H
#define VOCAB_INTAKE_H

#include <stdint.h>

#include "text/normal.h"
#include "vocab/corpus.h"

struct err;
struct ledger;
struct progress;

struct intake {
    struct corpus *corpus;
    struct normal *normal;
    struct ledger *ledger;
    struct progress *progress;
    int lines;    // each line is a document, not JSON
    int lang;     // of all documents, a row of langs; -1: what each says, else und
    int n_thread;
    uint64_t n_doc, n_byte, n_bad;    // documents read, their bytes; lines that are none
};

/* All documents of a file ("-": standard input). 0 or -1. */
int intake_file(struct intake *in, const char *path, struct err *err);

#endif
