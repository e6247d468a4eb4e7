/* command.h - a number from a command of the user's. */
#ifndef TUNE_COMMAND_H
#define TUNE_COMMAND_H

struct err;

/* Run sh -c command with the file input as its standard input; the number it writes. -1: it cannot
 * be run, fails, or writes something else. */
int command_number(const char *command, const char *input, double *to, struct err *err);

#endif
