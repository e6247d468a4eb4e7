/* command.h - a number from a command of the user's. */
#ifndef TUNE_COMMAND_H
#define TUNE_COMMAND_H

struct err;

/* Run sh -c command with the file input as its standard input, for limit seconds at most (0: as
 * long as it takes); the number it writes. -1: it cannot be run, fails, writes something else, or
 * is late: then it is killed, and all that it began in its process group. */
int command_number(const char *command, const char *input, double limit, double *to,
                   struct err *err);

#endif
