/* task.h - a run shared out over machines that have nothing in common but a folder.
 *
 * Each task has input files of its own, and reads them three times; between, each decides a range
 * of keys for all. What the tasks write together is what a single run over all files writes.
 *
 *     urls         reads its files, writes its claims on URLs
 *     merge-urls   of a range of keys: reads the claims of all tasks, writes whose pages lost
 *     lines        reads its files, writes the claims on lines of pages that did not lose
 *     merge-lines  of a range of keys: writes whose lines are lost
 *     filter       reads its files, writes its documents
 *
 * A pass needs what the one before wrote for all tasks, and memory as a run does.
 */
#ifndef CLEAN_TASK_H
#define CLEAN_TASK_H

#include "clean/run.h"

enum clean_pass { PASS_URLS, PASS_MERGE_URLS, PASS_LINES, PASS_MERGE_LINES, PASS_FILTER };

struct clean_task {
    const char *dir;            // what passes tell each other: clean/slices.h
    unsigned number, n_task;    // number: from 0
};

/* A pass of a task. files (NULL ends them) are the same in its three passes; merging takes none.
 * to: where filter writes. 0, or -1: err says why, and there is no file of this pass. */
int clean_pass(const struct clean_plan *plan, enum clean_pass pass, const struct clean_task *task,
               char **files, struct sink *to, struct clean_notes *notes, struct err *err);

#endif
