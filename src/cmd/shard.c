/* shard.c - look into token and example shards; check, mend, join, part and compare them. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/die.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/progress.h"
#include "io/grid.h"
#include "reshard/copy.h"
#include "reshard/foreign.h"
#include "reshard/lenient.h"
#include "reshard/list.h"
#include "reshard/rewrite.h"
#include "reshard/trace.h"
#include "shard/ids.h"
#include "shard/record.h"
#include "shard/shard.h"

static const char *output, *tmpdir, *format, *lang;
static int64_t n_record = -1, n_part = -1, seed = -1, mem = -1, vocab = -1, inputs = -1,
               targets = -1, eos = -1;
static int text, languages, skip_damage, repair;

static const struct opt opts[] = {
    { 'n', "records", "N", OPT_INT, &n_record, 0, 1e18,
      "head, diff: print N records (10); split: records a part; trace: this one (0)" },
    { 'p', "parts", "N", OPT_INT, &n_part, 1, 99999, "split: this many parts" },
    { 'o', "output", "FILE", OPT_STR, &output, 0, 0,
      "write to FILE; split: FILE with a % in it; Megatron: without .bin" },
    { 't', "text", NULL, OPT_FLAG, &text, 0, 0, "cat: print records as lines of ids" },
    { 'l', "languages", NULL, OPT_FLAG, &languages, 0, 0,
      "ls: count by language; split: a part a language" },
    { 's', "skip-damage", NULL, OPT_FLAG, &skip_damage, 0, 0, "go on behind what is damaged" },
    { 'r', "repair", NULL, OPT_FLAG, &repair, 0, 0, "check: write what is whole to -o FILE" },
    { 'S', "seed", "N", OPT_INT, &seed, 0, 0x1p53, "shuffle: of the order (0)" },
    { 'M', "mem", "SIZE", OPT_SIZE, &mem, 1 << 20, 0x1p50, "shuffle, diff: memory to use (1G)" },
    { 'T', "tmpdir", "DIR", OPT_STR, &tmpdir, 0, 0,
      "shuffle, diff: for what is over it ($TMPDIR)" },
    { 'f', "format", "megatron|llmc|tfrecord", OPT_CHOICE, &format, 0, 0,
      "export, import: whose files" },
    { 'v', "vocab-size", "N", OPT_INT, &vocab, 1, IDS_VOCAB_MAX, "import: ids are below N" },
    { 'L', "lang", "TAG", OPT_STR, &lang, 0, 0, "import: language of all records (und)" },
    { 'e', "eos", "ID", OPT_INT, &eos, 0, IDS_VOCAB_MAX, "import: id that ends a document" },
    { 'i', "inputs", "N", OPT_INT, &inputs, 1, 1 << 20, "import: make rows of N inputs" },
    { 'g', "targets", "N", OPT_INT, &targets, 1, 1 << 20, "import: ... and N targets" },
    { 0 },
};

static const struct tool tool = {
    "shard",
    "ls|cat|head|check|sum|merge|split|shuffle|diff|trace|export|import [OPTION]... [FILE]...",
    "Look into token and example shards; check, mend, join, part them.", opts
};

static struct grid table;
static struct err table_err;
static struct progress progress;

static void open_table(const char *path, const char *title)
{
    if (grid_open(&table, path, title, &table_err) < 0)
        die("%s", table_err.msg);
}

static void close_table(void)
{
    if (grid_close(&table) < 0)
        die("%s", table_err.msg);
}

static int ls(char **path)
{
    int bad = 0;

    open_table("-", languages ? list_lang_title : list_title);
    for (; *path; path++)
        bad |= (languages ? list_languages(&table, *path, skip_damage, warn)
                          : list_segments(&table, *path, skip_damage, warn)) < 0;
    close_table();
    return bad;
}

/* Print at most *left records of a shard. */
static int print_records(const char *path, int64_t *left)
{
    struct record rec;
    struct lenient in;
    int got = 0;

    if (lenient_open(&in, path, skip_damage, warn) < 0)
        return 1;
    for (; *left > 0 && (got = lenient_next(&in, &rec)) > 0; --*left) {
        record_format(&rec, &table.row);
        grid_row(&table);
        if (table.failed)
            die("%s", table_err.msg);
    }
    lenient_close(&in);
    return got < 0;
}

static int head(char **path)
{
    int64_t left = n_record < 0 ? 10 : n_record;
    int bad = 0;

    open_table("-", NULL);
    for (; *path && (left > 0 || n_record == 0); path++)
        bad |= print_records(*path, &left);
    close_table();
    return bad;
}

/* What is not whole is no file, and has no end block in a pipe. */
static int cat_shards(char **path)
{
    struct copy c = { .to = output ? output : "-", .progress = &progress };
    struct err err;
    int bad = 0;

    for (; *path && !bad; path++) {
        bad = copy_shard(&c, *path, skip_damage, warn, &err) < 0;
        if (c.failed)
            die("%s", err.msg);
        lenient_close(&c.in);
    }
    if (bad)
        shard_abandon(c.w);
    else if (shard_finish(c.w, &err) < 0)
        die("%s", err.msg);
    return bad;
}

static int cat(char **path)
{
    int64_t all = INT64_MAX;
    int bad = 0;

    if (!text)
        return cat_shards(path);
    open_table(output ? output : "-", NULL);
    for (; *path; path++)
        bad |= print_records(*path, &all);
    if (bad && output)
        grid_abandon(&table);
    else
        close_table();
    return bad;
}

static int check_file(const char *path)
{
    struct copy c = { .to = output, .progress = &progress };
    struct err err;
    int whole = copy_shard(&c, path, skip_damage, warn, &err) == 0 && !c.in.n_damage,
        mended = !whole && c.w;

    if (c.failed)
        die("%s", err.msg);
    if (c.w && shard_finish(c.w, &err) < 0)
        die("%s", err.msg);
    grid_text(&table, path);
    grid_text(&table, whole ? "whole" : mended ? "repaired" : "damaged");
    grid_number(&table, c.segments);
    grid_number(&table, c.blocks);
    grid_number(&table, c.records);
    grid_number(&table, c.tokens);
    grid_number(&table, c.in.r ? shard_reader_offset(c.in.shard) : 0);
    grid_number(&table, c.in.n_damage + !c.in.r);
    grid_number(&table, c.in.skipped);
    grid_row(&table);
    lenient_close(&c.in);
    return !whole && !mended;
}

static int check(char **path)
{
    int bad = 0;

    if (repair && (!output || !strcmp(output, "-") || path[1]))
        die_misuse("check --repair takes one shard and writes it to -o FILE");
    if (output && !repair)
        die_misuse("check: -o goes with --repair");
    open_table("-", "file\tstate\tsegments\tblocks\trecords\ttokens\tbytes\tdamage\tskipped");
    for (; *path; path++)
        bad |= check_file(*path);
    close_table();
    return bad;
}

static int sum_file(const char *path, struct record_sum *s)
{
    struct record rec;
    struct lenient in;
    int got;

    if (lenient_open(&in, path, skip_damage, warn) < 0)
        return 1;
    while ((got = lenient_next(&in, &rec)) > 0) {
        record_sum_add(s, &rec);
        progress_show(&progress, s->records, shard_reader_offset(in.shard));
    }
    progress_end(&progress);
    lenient_close(&in);
    return got < 0;
}

static void put_sum(const char *name, const struct record_sum *s)
{
    grid_text(&table, name);
    grid_number(&table, s->records);
    grid_number(&table, s->tokens);
    grid_format(&table, "%016" PRIx64 "\t%016" PRIx64 "\t%016" PRIx64, s->ids, s->docs, s->order);
    grid_row(&table);
}

static int sum(char **path)
{
    struct record_sum all = { 0 };
    int bad = 0, n = 0;

    open_table("-", "file\trecords\ttokens\tids\tdocs\torder");
    for (; *path; path++, n++) {
        struct record_sum s = { 0 };

        if (sum_file(*path, &s)) {    // no sum of a part
            bad = 1;
            continue;
        }
        put_sum(*path, &s);
        record_sum_join(&all, &s);
    }
    if (n > 1 && !bad)
        put_sum("total", &all);
    close_table();
    return bad;
}

/* The end of a command that gave up or not. */
static int end(int bad, const struct err *err)
{
    if (bad < 0)
        die("%s", err->msg);
    return bad;
}

static int merge(char **path)
{
    struct err err;

    return end(rewrite_merge(path, output ? output : "-", &err), &err);
}

static int split(char **path)
{
    enum split_by by = languages ? SPLIT_LANG : n_part > 0 ? SPLIT_PARTS : SPLIT_RECORDS;
    struct err err;

    if (!output || !strchr(output, '%') || strchr(strchr(output, '%') + 1, '%'))
        die_misuse("split: -o FILE with one %% in it, for the number of the part or the language");
    if ((n_part > 0) + (n_record >= 0) + languages != 1 || n_record == 0)
        die_misuse("split: one of --parts N, --records N and --languages");
    return end(rewrite_split(path, by, (uint64_t)(n_part > 0 ? n_part : n_record), output, &err),
               &err);
}

static size_t memory(void)
{
    return mem < 0 ? 1U << 30 : (size_t)mem;
}

static int shuffle(char **path)
{
    struct err err;

    return end(rewrite_shuffle(path, output ? output : "-", seed < 0 ? 0 : (uint64_t)seed, memory(),
                               tmpdir, &err),
               &err);
}

struct odd_ones {
    char **path;
    uint64_t n[2];
};

static int put_odd(void *ctx, const struct rewrite_odd *odd, struct err *err)
{
    struct odd_ones *o = ctx;

    (void)err;
    if (o->n[0] + o->n[1] < (uint64_t)(n_record < 0 ? 10 : n_record)) {
        grid_text(&table, o->path[odd->side]);
        grid_number(&table, odd->record);
        grid_number(&table, odd->doc);
        grid_row(&table);
    }
    o->n[odd->side]++;
    return 0;
}

static int diff(char **path)
{
    struct odd_ones o = { .path = path };
    struct err err;
    int differ;

    if (!path[1] || path[2])
        die_misuse("diff compares two shards");
    open_table("-", "only_in\trecord\tdoc");
    differ = end(rewrite_diff(path[0], path[1], memory(), tmpdir, put_odd, &o, &err), &err);
    close_table();
    if (differ)
        warn("%" PRIu64 " records only in %s, %" PRIu64 " only in %s", o.n[0], path[0], o.n[1],
             path[1]);
    return differ;
}

static int trace(char **path)
{
    struct err err;

    if (!*path || !strcmp(*path, "-"))
        die_misuse("trace: a shard, then the documents that were encoded");
    open_table("-", NULL);
    if (trace_record(&table, *path, n_record < 0 ? 0 : (uint64_t)n_record,
                     path[1] ? path + 1 : NULL, &err) < 0) {
        grid_abandon(&table);
        die("%s", err.msg);
    }
    close_table();
    return 0;
}

static int export(char **path)
{
    struct err err;

    if (!format || !output)
        die_misuse("export: --format and -o FILE are needed");
    return end(*format == 'm'   ? export_megatron(path, output, &err)
               : *format == 'l' ? export_llmc(path, output, &err)
                                : export_tfrecord(path, output, &err),
               &err);
}

static int import(char **path)
{
    struct import_plan plan = { .vocab = vocab, .lang = lang ? lang : "und", .eos = eos };
    struct err err;

    if (!format || vocab < 0 || !*path || path[1])
        die_misuse("import: --format, --vocab-size and one file are needed");
    if ((inputs > 0) != (targets > 0) || (inputs > 0 && *format != 't'))
        die_misuse("import: --inputs and --targets go together, and with tfrecord");
    if (*format == 'l' && eos < 0)
        die_misuse("import: llm.c's files need --eos, which ends documents");
    plan.inputs = inputs > 0 ? inputs : 0;
    plan.targets = targets > 0 ? targets : 0;
    return end(*format == 'm'   ? import_megatron(*path, output ? output : "-", &plan, &err)
               : *format == 'l' ? import_llmc(*path, output ? output : "-", &plan, &err)
                                : import_tfrecord(*path, output ? output : "-", &plan, &err),
               &err);
}

static const struct command {
    const char *name;
    int (*run)(char **path);
    const char *options;    // the letters that belong to it
} commands[] = {
    { "ls", ls, "ls" },
    { "cat", cat, "ots" },
    { "head", head, "ns" },
    { "check", check, "ors" },
    { "sum", sum, "s" },
    { "merge", merge, "o" },
    { "split", split, "nopl" },
    { "shuffle", shuffle, "oSMT" },
    { "diff", diff, "nMT" },
    { "trace", trace, "n" },
    { "export", export, "fo" },
    { "import", import, "foveLig" },
    { 0 },
};

static int is_given(const struct opt *o)
{
    if (o->kind == OPT_INT || o->kind == OPT_SIZE)
        return *(int64_t *)o->to >= 0;
    return o->kind == OPT_STR ? *(const char **)o->to != NULL : *(int *)o->to;
}

int main(int argc, char **argv)
{
    static char dash[] = "-", *standard_input[] = { dash, NULL };
    const struct command *c;
    const struct opt *o;
    char **path;

    argv += opt_parse(&tool, argc, argv);
    if (!*argv)
        die_misuse("no command: ls, cat, head, check, sum, merge, split, shuffle, diff, trace, "
                   "export or import");
    for (c = commands; c->name && strcmp(c->name, *argv) != 0; c++)
        ;
    if (!c->name)
        die_misuse("no command called '%s'", *argv);
    for (o = opts; o->name; o++)
        if (is_given(o) && !strchr(c->options, o->key))
            die_misuse("--%s does not belong to %s", o->name, c->name);
    argv = argv[1] ? argv + 1 : standard_input;
    for (path = argv; *path; path++)
        if (!strcmp(*path, "-") && isatty(STDIN_FILENO))
            die_misuse("no shard: standard input is a terminal");
    progress_init(&progress, "records", 0, isatty(STDOUT_FILENO));
    return c->run(argv);
}
