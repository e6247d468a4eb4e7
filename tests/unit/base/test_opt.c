/* test_opt.c - command lines, from outside: each is parsed in a process of its own. */
#include "../test.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/opt.h"

static int all, every;
static int64_t count, mem;
static double share;
static const char *name, *kind;
static struct opt_list lang;

static int64_t depth = 7;
static double rate = 1e-4;
static const char *shape = "round";

static struct opt shared[] = {
    // the table of other tools, too
    { 0, "depth", "N", OPT_INT, &depth, 0, 10, "how deep (default @)" },
    { 0, "rate", "X", OPT_NUM, &rate, 0, 1, "rate (default @)" },
    { 's', "shape", "WORD", OPT_STR, &shape, 0, 0, "shape (default @)" },
    { 0 },
};

static struct opt more[] = {
    { 0, "shade", "WORD", OPT_STR, &shape, 0, 0, "the same" },
    { 0 },
};

static const struct opt opts[] = {
    { 'a', "all", NULL, OPT_FLAG, &all, 0, 0, "take all" },
    { 'e', "every", NULL, OPT_FLAG, &every, 0, 0, "take [every]: it's one" },
    { 'n', "count", "N", OPT_INT, &count, -5, 1000, "how many" },
    { 0, "share", "P", OPT_NUM, &share, 0, 1, "which share" },
    { 'm', "mem", "SIZE", OPT_SIZE, &mem, 1, 0x1p50, "memory" },
    { 'o', "output", "FILE", OPT_STR, &name, 0, 0, "where to" },
    { 'k', "kind", "ids|text|both", OPT_CHOICE, &kind, 0, 0, "what" },
    { 'l', "lang", "LANG", OPT_LIST, &lang, 0, 0, "language" },
    { .to = shared },
};
static const struct tool tool = { "try", "[file ...]", "Try options.", opts };

/* Parse words, parted by blanks ('~': an empty word), print what came of it. */
static void parse_and_print(const char *line)
{
    char *copy = xstrdup(line), *argv[40] = { copy }, *w;
    int argc = 1, i;

    for (w = strtok(copy, " "); w; w = strtok(NULL, " "))
        argv[argc++] = strcmp(w, "~") ? w : w + 1;
    argv[0] = copy;    // not looked at
    i = opt_parse(&tool, argc, argv);
    printf("a%d e%d n%lld p%g m%lld o%s k%s", all, every, (long long)count, share, (long long)mem,
           name ? name : "", kind ? kind : "");
    if (depth != 7 || rate != 1e-4 || strcmp(shape, "round") != 0)
        printf(" d%lld r%g s%s", (long long)depth, rate, shape);
    for (argc = 0; argc < lang.n; argc++)
        printf(" l%s", lang.item[argc]);
    for (; argv[i]; i++)
        printf(" [%s]", argv[i]);
    printf("; %s", opt_line());
}

/* The exit status of parsing line; what was printed is in to. */
static int run(const char *line, char *to, size_t size)
{
    int status;
    pid_t child;
    FILE *f;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        if (!freopen("printed", "w", stdout) || dup2(STDOUT_FILENO, STDERR_FILENO) < 0)
            _exit(99);
        parse_and_print(line);
        fflush(stdout);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    f = fopen("printed", "r");
    assert_non_null(f);
    to[fread(to, 1, size - 1, f)] = 0;
    fclose(f);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void check(const char *line, const char *want)
{
    char got[4096], all_of_it[4096];

    snprintf(all_of_it, sizeof(all_of_it), "%s; %s", want, line);
    assert_int_equal(run(line, got, sizeof(got)), 0);
    assert_string_equal(got, all_of_it);
}

static void test_taken(void **state)
{
    char got[4096];

    (void)state;
    check("", "a0 e0 n0 p0 m0 o k");
    check("-a file -n 3 other --every", "a1 e1 n3 p0 m0 o k [file] [other]");
    check("-aen3 -", "a1 e1 n3 p0 m0 o k [-]");
    check("-aeofile", "a1 e1 n0 p0 m0 ofile k");
    check("--count=-5 --count 7", "a0 e0 n7 p0 m0 o k");
    check("-n -5", "a0 e0 n-5 p0 m0 o k");
    check("x -- -a --every -", "a0 e0 n0 p0 m0 o k [x] [-a] [--every] [-]");
    check("-o -- -a", "a1 e0 n0 p0 m0 o-- k");
    check("--share=.25 --output=a=b", "a0 e0 n0 p0.25 m0 oa=b k");
    check("-m 3k --kind both", "a0 e0 n0 p0 m3072 o kboth");
    check("-m2G", "a0 e0 n0 p0 m2147483648 o k");
    check("-m 1T", "a0 e0 n0 p0 m1099511627776 o k");
    check("-m 1K -l fi -l zh-Hant --lang=sw x", "a0 e0 n0 p0 m1024 o k lfi lzh-Hant lsw [x]");
    check("--output=", "a0 e0 n0 p0 m0 o k");
    assert_int_equal(run("-o it's|$x y", got, sizeof(got)), 0);
    assert_string_equal(strstr(got, "; "), "; -o 'it'\\''s|$x' y");
    assert_int_equal(run("-o ~", got, sizeof(got)), 0);
    assert_string_equal(strstr(got, "; "), "; -o ''");
    check("--depth 3 -s flat -a", "a1 e0 n0 p0 m0 o k d3 r0.0001 sflat");
    opt_join(shared, more);
    check("--depth 3 --shade flat", "a0 e0 n0 p0 m0 o k d3 r0.0001 sflat");
    shared[3].to = NULL;
}

static void test_misuse(void **state)
{
    static const char *const pair[][2] = {
        { "-x", "unknown option '-x'" },
        { "-ax", "unknown option '-x'" },
        { "--al", "unknown option '--al'" },
        { "--alll", "unknown option '--alll'" },
        { "--all=1", "--all takes no value" },
        { "-n", "-n needs a value" },
        { "-an", "-n needs a value" },
        { "--count", "--count needs a value" },
        { "-n many", "--count: 'many' is not a whole number from -5 to 1000" },
        { "-n 1001", "--count: '1001' is not a whole number from -5 to 1000" },
        { "-n 5x", "--count: '5x' is not" },
        { "-n 1k", "--count: '1k' is not" },
        { "-n 99999999999999999999", "--count: '99999999999999999999' is not" },
        { "--count=", "--count: '' is not" },
        { "--share 1.5", "--share: '1.5' is not a number from 0 to 1" },
        { "--share nan", "--share: 'nan' is not" },
        { "--share=0.5x", "--share: '0.5x' is not" },
        { "-m 5Q", "--mem: '5Q' is not a size" },
        { "-m 5kk", "--mem: '5kk' is not a size" },
        { "-m 9999999999T", "--mem: '9999999999T' is not a size" },
        { "-m -1k", "--mem: '-1k' is not a size" },
        { "-m 0", "--mem: '0' is not a size" },
        { "-k id", "--kind: 'id' is not one of ids|text|both" },
        { "-k ~", "--kind: '' is not one of" },
        { "--kind=ids|text", "--kind: 'ids|text' is not one of" },
        { "--completion fish", "--completion: no shell called 'fish'" },
        { "--completion", "--completion: no shell called ''" },
        { "--help=x", "--help takes no value" },
        { "--version=x", "--version takes no value" },
    };
    char got[4096];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(pair) / sizeof(pair[0]); i++) {
        if (run(pair[i][0], got, sizeof(got)) != 2)
            fail_msg("not misuse: %s: %s", pair[i][0], got);
        if (strncmp(got, "try: ", 5) != 0 || strstr(got, pair[i][1]) != got + 5 ||
            !strstr(got, "\nTry 'try --help'.\n"))
            fail_msg("%s: '%s' does not say '%s'", pair[i][0], got, pair[i][1]);
    }
}

static void test_help(void **state)
{
    char got[4096];

    (void)state;
    assert_int_equal(run("-a --help -x", got, sizeof(got)), 0);
    assert_string_equal(got, "usage: try [file ...]\nTry options.\n\n"
                             "  -a, --all                   take all\n"
                             "  -e, --every                 take [every]: it's one\n"
                             "  -n, --count N               how many\n"
                             "      --share P               which share\n"
                             "  -m, --mem SIZE              memory\n"
                             "  -o, --output FILE           where to\n"
                             "  -k, --kind ids|text|both    what\n"
                             "  -l, --lang LANG             language\n"
                             "      --depth N               how deep (default 7)\n"
                             "      --rate X                rate (default 0.0001)\n"
                             "  -s, --shape WORD            shape (default round)\n"
                             "  -h, --help                  print this help\n"
                             "  -V, --version               print the version\n"
                             "      --completion SHELL      print completion code for bash or "
                             "zsh\n");
    assert_int_equal(run("-eV", got, sizeof(got)), 0);
    assert_string_equal(got, "try (Switchyard) " SWITCHYARD_VERSION "\n");
}

static void test_completion(void **state)
{
    char got[4096];

    (void)state;
    assert_int_equal(run("--completion bash", got, sizeof(got)), 0);
    assert_string_equal(got, "complete -o default -W '--all --every --count --share --mem --output "
                             "--kind --lang --depth --rate --shape --help --version' try\n");
    assert_int_equal(run("--completion=zsh", got, sizeof(got)), 0);
    assert_true(!strncmp(got, "#compdef try\n", 13));
    assert_non_null(strstr(got, "'--every[take \\[every\\]\\: it'\\''s one]'"));
    assert_non_null(strstr(got, "'--kind=[what]:kind:(ids text both)'"));
    assert_non_null(strstr(got, "'*--lang=[language]:lang:_files'"));
    assert_non_null(strstr(got, "'--shape=[shape (default round)]:shape:_files'"));
}

TESTS("base/opt", cmocka_unit_test(test_taken), cmocka_unit_test(test_misuse),
      cmocka_unit_test(test_help), cmocka_unit_test(test_completion))
