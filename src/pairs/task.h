/* task.h - tasks as data: a row of a table says how a public file becomes inputs and targets. The
 * table is share/tasks.tsv, its columns are described in pack-pairs(1). */
#ifndef PAIRS_TASK_H
#define PAIRS_TASK_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct err;
struct form;
struct record;

enum task_format { TASK_TSV, TASK_JSONL, TASK_JSON, TASK_BIO };
enum { TASK_EACH_MAX = 5 };

struct task_each {    // a list to go through; of items with equal `once`, the first
    char *list, *once;
};

struct task {
    char *name, *note;
    enum task_format format;
    char *columns;    // tab-separated, of a TSV file without a header; or NULL
    struct task_each each[TASK_EACH_MAX];
    int n_each;
    struct form *input, *target;
    char *labels;               // "0=no;1=yes", or NULL
    char *keep_field, *keep;    // only records whose field says so; or NULL
    char *lang;                 // field; or NULL
    int64_t inputs, targets;    // lengths of a row
};

/* The task called name from the table at path. NULL: there is none, or its row is wrong. */
struct task *task_read(const char *path, const char *name, struct err *err);

/* Call each for all rows, in their order; 0 or -1. */
int task_list(const char *path, void (*each)(const struct task *t), struct err *err);

enum { LABEL_KNOWN, LABEL_NONE, LABEL_UNKNOWN };
/* What the label text means goes into b: LABEL_KNOWN; LABEL_NONE when it stands for "not said". */
int task_label(const struct task *t, struct bytes text, struct buf *b);

void task_free(struct task *t);    // t may be NULL

#endif
