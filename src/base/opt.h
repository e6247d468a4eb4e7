/* opt.h - a tool's options as one table: parsing, checking, --help and shell
 * completion are all read off it, and a test holds the man page against it.
 *
 * Options and operands may be mixed; "--" ends the options; "-" is an operand.
 * Every tool has -h/--help, -V/--version and --completion bash|zsh.
 */
#ifndef BASE_OPT_H
#define BASE_OPT_H

#include <stdint.h>

#define SWITCHYARD_VERSION "0.1.0"

enum opt_kind {
    OPT_FLAG,      // int *: set to 1
    OPT_INT,       // int64_t *: a whole number in [min, max]
    OPT_NUM,       // double *: in [min, max]
    OPT_SIZE,      // int64_t *: bytes, with k, M, G or T (powers of 1024)
    OPT_STR,       // const char **
    OPT_CHOICE,    // const char **: one of the words of arg, "a|b|c"
    OPT_LIST,      // struct opt_list *: may be given again and again
};

struct opt_list {
    const char **item;
    int n;
};

/* A row without a name ends the table; if its `to` is set, that table goes on there: so tools
 * share rows. In help, @ stands for what the option is when no one says it. */
struct opt {
    char key;                  // 'k' for -k, 0 for none
    const char *name, *arg;    // --name ARG
    enum opt_kind kind;
    void *to;
    double min, max;
    const char *help;
};

struct tool {
    const char *name, *operands, *about;
    const struct opt *opts;
};

/* Table o, where it ends, goes on with table next. */
void opt_join(struct opt *o, struct opt *next);

/* Sets what the options point to and moves the operands to the end of argv, in their
 * order; returns the index of the first (argv[argc] stays NULL). Handles -h, -V and
 * --completion itself. Misuse: a message, then exit(2). */
int opt_parse(const struct tool *tool, int argc, char **argv);

/* The command line as one string without the program's name, as a shell would take it, for
 * provenance.
 * Valid until the process ends. */
const char *opt_line(void);

#endif
