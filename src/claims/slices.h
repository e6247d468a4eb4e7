/* slices.h - what tasks on many machines tell each other: sorted records in a file, cut into a
 * slice for each task, so that none has to read what is another's.
 *
 * A file is DIR/KIND.TASK-of-TASKS, counted from 1. It begins with what it is of (magic, kind,
 * task, options), and ends with an index of its slices, with their checksums, and an end mark. It
 * appears whole or not at all.
 */
#ifndef CLAIMS_SLICES_H
#define CLAIMS_SLICES_H

#include <stdint.h>

#include "base/mem.h"

struct err;
struct slices;
struct slices_writer;

enum slices_kind {
    SLICES_URLS,          // a task's claims on URLs, by range of keys
    SLICES_URLS_LOST,     // of a range of keys: the pages that lost, by task
    SLICES_LINES,         // a task's claims on lines, by range of keys
    SLICES_LINES_LOST,    // of a range of keys: the places of lines lost, by task
};

enum { SLICES_TASKS_MAX = 99999, SLICES_LOST = 8 };    // bytes of a page number or place

struct slices_about {
    unsigned task, n_task;        // task: from 0
    unsigned char options[16];    // of the run: those that differ are another's
    uint64_t n_page, input;       // of the task's input: pages, and a hash of their URLs
    uint64_t missing;             // of a range of keys of URLs: those of --urls that no page has
};

/* The slice that a key belongs to, of n. */
unsigned slices_of_key(const unsigned char *key, unsigned n);

struct slices_writer *slices_create(const char *dir, enum slices_kind kind,
                                    const struct slices_about *about, struct err *err);

/* Records come by slices, in their order. 0 or -1. */
int slices_add(struct slices_writer *w, unsigned slice, const void *record, struct err *err);
int slices_close(struct slices_writer *w, struct err *err);    // frees w whatever happens
void slices_abandon(struct slices_writer *w);                  // w may be NULL

/* Open what a task wrote, and check that it is of this run. about->task is whose it is; its n_page,
 * input and missing are filled in. NULL on failure. */
struct slices *slices_open(const char *dir, enum slices_kind kind, struct slices_about *about,
                           struct err *err);

/* The records of a slice, in their order, to each(). What was handed out can be believed once 0 is
 * returned; -1 on damage, a failed read, or when each() says so. */
int slices_read(struct slices *s, unsigned slice,
                int (*each)(void *ctx, const unsigned char *record, struct err *err), void *ctx,
                struct err *err);
void slices_free(struct slices *s);    // s may be NULL

#endif
