/* die.c - see die.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/die.h"

const char *die_name = "switchyard";
void (*die_hook)(int status);

static void say(const char *fmt, va_list ap)
{
    char text[1024];

    vsnprintf(text, sizeof(text), fmt, ap);
    fflush(stdout);
    fprintf(stderr, "%s: %s\n", die_name, text);
}

void warn(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say(fmt, ap);
    va_end(ap);
}

static _Noreturn void end(int status)
{
    if (die_hook)
        die_hook(status);
    exit(status);
}

void die(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say(fmt, ap);
    va_end(ap);
    end(1);
}

void die_misuse(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say(fmt, ap);
    va_end(ap);
    fprintf(stderr, "Try '%s --help'.\n", die_name);
    end(2);
}
