/* merge.h - a range of keys decided for all tasks: clean/task.h's merge-urls and merge-lines. */
#ifndef CLEAN_MERGE_H
#define CLEAN_MERGE_H

struct clean_plan;
struct err;
struct slices_about;

/* about: of the range, which has the number of a task. 0, or -1. */
int merge_urls(const struct clean_plan *plan, const char *dir, const struct slices_about *about,
               struct err *err);
int merge_lines(const struct clean_plan *plan, const char *dir, const struct slices_about *about,
                struct err *err);

#endif
