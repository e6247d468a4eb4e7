/* opt.c - see opt.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "base/mem.h"
#include "base/opt.h"

#define HELP_COLUMN 30

static struct buf line;    // the command line, for opt_line()

/* o, or where its table goes on; NULL at the end. */
static const struct opt *row(const struct opt *o)
{
    while (o && !o->name)
        o = o->to;
    return o;
}

void opt_join(struct opt *o, struct opt *next)
{
    while (o->name || o->to)
        o = o->name ? o + 1 : (struct opt *)o->to;
    o->to = next;
}

static void print_default(const struct opt *o)
{
    if (o->kind == OPT_NUM)
        printf("%.15g", *(const double *)o->to);
    else if (o->kind == OPT_INT || o->kind == OPT_SIZE)
        printf("%" PRId64, *(const int64_t *)o->to);
    else if (o->kind == OPT_STR || o->kind == OPT_CHOICE)
        printf("%s", *(const char **)o->to);
}

static void print_help(const struct opt *o)
{
    const char *c;

    for (c = o->help; *c; c++)
        if (*c == '@')
            print_default(o);
        else
            putchar(*c);
}

static void help(const struct tool *t)
{
    const struct opt *o;

    printf("usage: %s %s\n%s\n\n", t->name, t->operands, t->about);
    for (o = row(t->opts); o; o = row(o + 1)) {
        int n = o->key ? printf("  -%c, --%s", o->key, o->name) : printf("      --%s", o->name);

        if (o->arg)
            n += printf(" %s", o->arg);
        if (n >= HELP_COLUMN)
            n = printf("\n") - 1;
        printf("%*s", HELP_COLUMN - n, "");
        print_help(o);
        putchar('\n');
    }
    printf("  -h, --help                  print this help\n"
           "  -V, --version               print the version\n"
           "      --completion SHELL      print completion code for bash or zsh\n");
}

static void complete_bash(const struct tool *t)
{
    const struct opt *o;

    printf("complete -o default -W '");
    for (o = row(t->opts); o; o = row(o + 1))
        printf("--%s ", o->name);
    printf("--help --version' %s\n", t->name);
}

static void zsh_values(const struct opt *o)
{
    const char *c;

    printf(":%s", o->name);
    if (o->kind != OPT_CHOICE) {
        printf(":_files");
        return;
    }
    printf(":(");
    for (c = o->arg; *c; c++)
        putchar(*c == '|' ? ' ' : *c);
    printf(")");
}

static void complete_zsh(const struct tool *t)
{
    const struct opt *o;
    const char *c;

    printf("#compdef %s\n_arguments", t->name);
    for (o = row(t->opts); o; o = row(o + 1)) {
        printf(" \\\n  '%s--%s%s[", o->kind == OPT_LIST ? "*" : "", o->name, o->arg ? "=" : "");
        for (c = o->help; *c; c++)
            if (*c == '@')
                print_default(o);
            else
                printf(*c == '\'' ? "'\\''" : strchr("[]:", *c) ? "\\%c" : "%c", *c);
        printf("]");
        if (o->arg)
            zsh_values(o);
        printf("'");
    }
    printf(" \\\n  '*:file:_files'\n");
}

static _Noreturn void print_and_exit(const struct tool *t, const char *what)
{
    if (!strcmp(what, "help"))
        help(t);
    else if (!strcmp(what, "version"))
        printf("%s (Switchyard) %s\n", t->name, SWITCHYARD_VERSION);
    else if (!strcmp(what, "bash"))
        complete_bash(t);
    else if (!strcmp(what, "zsh"))
        complete_zsh(t);
    else
        die_misuse("--completion: no shell called '%s'", what);
    if (fflush(stdout) || ferror(stdout))
        die("standard output: write failed: %s", strerror(errno));
    exit(0);
}

static const struct opt *find(const struct tool *t, const char *word, size_t n, char key)
{
    const struct opt *o;

    for (o = row(t->opts); o; o = row(o + 1))
        if (key ? o->key == key : strlen(o->name) == n && !memcmp(o->name, word, n))
            return o;
    return NULL;
}

static void bad_value(const struct opt *o, const char *val)
{
    if (o->kind == OPT_INT || o->kind == OPT_NUM)
        die_misuse("--%s: '%s' is not a %s from %.15g to %.15g", o->name, val,
                   o->kind == OPT_INT ? "whole number" : "number", o->min, o->max);
    die_misuse("--%s: '%s' is not %s %s", o->name, val, o->kind == OPT_SIZE ? "a" : "one of",
               o->kind == OPT_SIZE ? "size" : o->arg);
}

static void set_int(const struct opt *o, const char *val)
{
    char *end;
    long long x;

    errno = 0;
    x = strtoll(val, &end, 10);
    if (end == val || errno)
        bad_value(o, val);
    if (o->kind == OPT_SIZE && *end) {
        const char *unit = strchr("kMGT", *end == 'K' ? 'k' : *end);
        int shift = unit ? 10 * (int)(unit - "kMGT" + 1) : 0;

        if (!unit || x < 0 || x > INT64_MAX >> shift)
            bad_value(o, val);
        x <<= shift;
        end++;
    }
    if (*end || (double)x < o->min || (double)x > o->max)
        bad_value(o, val);
    *(int64_t *)o->to = x;
}

static void set_num(const struct opt *o, const char *val)
{
    char *end;
    double x = strtod(val, &end);

    if (end == val || *end || !(x >= o->min && x <= o->max))
        bad_value(o, val);
    *(double *)o->to = x;
}

static void set_choice(const struct opt *o, const char *val)
{
    const char *c, *end;

    for (c = o->arg; c; c = *end ? end + 1 : NULL) {
        end = c + strcspn(c, "|");
        if (strlen(val) == (size_t)(end - c) && !memcmp(c, val, (size_t)(end - c))) {
            *(const char **)o->to = val;
            return;
        }
    }
    bad_value(o, val);
}

static void set(const struct opt *o, const char *val)
{
    struct opt_list *list;

    switch (o->kind) {
    case OPT_FLAG:
        *(int *)o->to = 1;
        break;
    case OPT_INT:
    case OPT_SIZE:
        set_int(o, val);
        break;
    case OPT_NUM:
        set_num(o, val);
        break;
    case OPT_STR:
        *(const char **)o->to = val;
        break;
    case OPT_CHOICE:
        set_choice(o, val);
        break;
    case OPT_LIST:
        list = o->to;
        list->item = xreallocarray(list->item, (size_t)list->n + 1, sizeof(*list->item));
        list->item[list->n++] = val;
        break;
    }
}

/* One word "--name", "--name=value"; the value may be the next word: returns how many were used. */
static int parse_long(const struct tool *t, char **word)
{
    char *name = word[0] + 2, *eq = strchr(name, '=');
    size_t n = eq ? (size_t)(eq - name) : strlen(name);
    const struct opt *o = find(t, name, n, 0);
    char *val = eq ? eq + 1 : word[1];

    if ((n == 4 && !memcmp(name, "help", n)) || (n == 7 && !memcmp(name, "version", n))) {
        if (eq)
            die_misuse("--%.*s takes no value", (int)n, name);
        print_and_exit(t, name);
    }
    if (n == 10 && !memcmp(name, "completion", 10))
        print_and_exit(t, val ? val : "");
    if (!o)
        die_misuse("unknown option '%s'", word[0]);
    if (o->kind == OPT_FLAG && eq)
        die_misuse("--%s takes no value", o->name);
    if (o->kind != OPT_FLAG && !val)
        die_misuse("--%s needs a value", o->name);
    set(o, val);
    return o->kind == OPT_FLAG || eq ? 1 : 2;
}

/* One word of short options, "-abn3" or "-n" "3": returns how many words were used. */
static int parse_short(const struct tool *t, char **word)
{
    char *c;

    for (c = word[0] + 1; *c; c++) {
        const struct opt *o = find(t, NULL, 0, *c);

        if (*c == 'h')
            print_and_exit(t, "help");
        if (*c == 'V')
            print_and_exit(t, "version");
        if (!o)
            die_misuse("unknown option '-%c'", *c);
        if (o->kind == OPT_FLAG) {
            set(o, NULL);
            continue;
        }
        if (!c[1] && !word[1])
            die_misuse("-%c needs a value", *c);
        set(o, c[1] ? c + 1 : word[1]);
        return c[1] ? 1 : 2;
    }
    return 1;
}

/* A word as a shell takes it: quoted where it must be. */
static void remember_word(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_./=:,+%@";

    if (*word && strspn(word, plain) == strlen(word)) {
        buf_add_str(&line, word);
        return;
    }
    buf_add_byte(&line, '\'');
    for (; *word; word++)
        buf_printf(&line, *word == '\'' ? "'\\''" : "%c", *word);
    buf_add_byte(&line, '\'');
}

static void remember(int argc, char **argv)
{
    int i;

    buf_reset(&line);
    for (i = 1; i < argc; i++) {
        if (i > 1)
            buf_add_byte(&line, ' ');
        remember_word(argv[i]);
    }
    buf_add_byte(&line, 0);
}

const char *opt_line(void)
{
    return line.p ? (const char *)line.p : "";
}

int opt_parse(const struct tool *t, int argc, char **argv)
{
    char **operand = xcalloc((size_t)argc + 1, sizeof(*operand));
    int i = 1, n = 0;

    die_name = t->name;
    remember(argc, argv);
    while (i < argc) {
        if (!strcmp(argv[i], "--")) {
            for (i++; i < argc; i++)
                operand[n++] = argv[i];
        } else if (argv[i][0] != '-' || !argv[i][1]) {
            operand[n++] = argv[i++];
        } else {
            i += argv[i][1] == '-' ? parse_long(t, argv + i) : parse_short(t, argv + i);
        }
    }
    for (i = 0; i < n; i++)
        argv[argc - n + i] = operand[i];
    free(operand);
    return argc - n;
}
