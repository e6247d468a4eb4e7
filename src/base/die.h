/* die.h - how a tool speaks to people: warnings, errors, the end. */
#ifndef BASE_DIE_H
#define BASE_DIE_H

extern const char *die_name;            // the tool's name, set by opt_parse()
extern void (*die_hook)(int status);    // comm_init() sets it to MPI_Abort

void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* A message with the usage hint, then exit status 2: the caller asked for something senseless. */
void die_misuse(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif
