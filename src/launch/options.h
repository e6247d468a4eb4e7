/* options.h - what all tools that train have in common: options, signals, how a run ends. */
#ifndef LAUNCH_OPTIONS_H
#define LAUNCH_OPTIONS_H

#include <stdint.h>

#include "base/opt.h"
#include "train/run.h"

struct comm;
struct err;

/* What the options set. A tool may change what it begins with before it parses. */
struct training {
    struct train_rule rule;
    struct run_ask ask;
    const char *schedule, *rollback, *explore, *cap, *init, *precision, *remat;    // what is chosen
    double lr;    // NAN: 1 for rsqrt, 1e-3 for constant
    int64_t threads;
    const char *mesh;    // for slice_lay()
    double timeout;      // for comm_watch()
};

extern struct training training;

/* Tables to end a tool's own with (base/opt.h): all but what is learned from and begun with; the
 * same, and --train and --eval as files. */
extern struct opt training_opts[], training_data_opts[];

/* After parsing: whether the options go together; the rule's schedule. */
int training_check(struct training *t, struct err *err);

/* Ranks, signals, threads and kernels. To be called once. */
struct comm *training_begin(struct training *t);

/* rc and err as of run_train(): says what went wrong, or how to go on; the exit status. */
int training_end(const struct training *t, struct comm *comm, int rc, const struct err *err);

#endif
