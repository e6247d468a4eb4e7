/* read.h - the first step of run.h: documents into a stash, their buckets into a sorter. */
#ifndef MINHASH_READ_H
#define MINHASH_READ_H

#include <stdint.h>

#include "base/mem.h"

struct dedup_plan;
struct err;
struct sorter;
struct stash;

enum { DEDUP_BUCKET = 16 + 8 };    // bytes in the sorter: hash of a bucket, document, big-endian

struct dedup_head {             // of a line, in the head of a stash's block
    unsigned char key[16];      // hash of (url, text)
    uint64_t line_key, line;    // hash and bytes of the line; lines are the block's body
    uint64_t text;              // bytes
    int32_t lang;               // a row of langs, -1 when it is none of them
    int32_t is_document;
};    // if clusters are asked for, dedup_sketch() bytes follow: the low halves of the signature

size_t dedup_sketch(const struct dedup_plan *p);

/* All lines of files (each "-" or a path). *n_document: they are numbered from 0. 0 or -1. */
int dedup_read_files(const struct dedup_plan *p, char **file, struct stash *stash,
                     struct sorter *buckets, uint64_t *n_document, struct err *err);

const char *dedup_lang(const struct dedup_head *h);    // label, or NULL

/* Numbers as the sorters want them: big-endian, 8 bytes. */
void dedup_store(unsigned char *to, uint64_t x);
uint64_t dedup_load(const unsigned char *from);

#endif
