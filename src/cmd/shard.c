/* shard.c - look into token and example shards; check, mend, join, part and compare them. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/die.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/progress.h"
#include "io/out.h"
#include "shard/copy.h"
#include "shard/ids.h"
#include "shard/lenient.h"
#include "shard/record.h"
#include "shard/rewrite.h"
#include "shard/shard.h"

static const char *output, *tmpdir;
static int64_t n_record = -1, n_part = -1, seed = -1, mem = -1;
static int text, languages, skip_damage, repair;

static const struct opt opts[] = {
    { 'n', "records", "N", OPT_INT, &n_record, 0, 1e18,
      "head, diff: print N records (10); split: records a part" },
    { 'p', "parts", "N", OPT_INT, &n_part, 1, 99999, "split: this many parts" },
    { 'o', "output", "FILE", OPT_STR, &output, 0, 0,
      "cat, merge, shuffle, check: write to FILE; split: FILE with a % in it" },
    { 't', "text", NULL, OPT_FLAG, &text, 0, 0, "cat: print records as lines of ids" },
    { 'l', "languages", NULL, OPT_FLAG, &languages, 0, 0,
      "ls: count by language; split: a part a language" },
    { 's', "skip-damage", NULL, OPT_FLAG, &skip_damage, 0, 0, "go on behind what is damaged" },
    { 'r', "repair", NULL, OPT_FLAG, &repair, 0, 0, "check: write what is whole to -o FILE" },
    { 'S', "seed", "N", OPT_INT, &seed, 0, 0x1p53, "shuffle: of the order (0)" },
    { 'M', "mem", "SIZE", OPT_SIZE, &mem, 1 << 20, 0x1p50, "shuffle, diff: memory to use (1G)" },
    { 'T', "tmpdir", "DIR", OPT_STR, &tmpdir, 0, 0,
      "shuffle, diff: for what is over it ($TMPDIR)" },
    { 0 },
};

static const struct tool tool = {
    "shard", "ls|cat|head|check|sum|merge|split|shuffle|diff [OPTION]... [FILE]...",
    "Look into token and example shards; check, mend, join, part them.", opts
};

static struct out *out;    // tables and text
static struct buf line;    // the next of it
static struct progress progress;

static void put_line(void)
{
    struct err err;

    buf_add_byte(&line, '\n');
    if (out_write(out, line.p, line.n, &err) < 0)
        die("%s", err.msg);
    buf_reset(&line);
}

/* title: the first line, or NULL. */
static void open_out(const char *path, const char *title)
{
    struct err err;

    out = out_open(path, &err);
    if (!out)
        die("%s", err.msg);
    if (title) {
        buf_add_str(&line, title);
        put_line();
    }
}

static void close_out(void)
{
    struct err err;

    if (out_close(out, &err) < 0)
        die("%s", err.msg);
}

/* A value of a header as one field of a table. */
static void add_field(const char *value)
{
    for (; *value; value++)
        buf_add_byte(&line, *value == '\t' ? ' ' : (unsigned char)*value);
}

static void add_numbers(const uint64_t *x, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        buf_printf(&line, "\t%" PRIu64, x[i]);
}

static void put_segment(const char *path, const struct shard_header *h,
                        const struct shard_segment *s)
{
    const char *name = shard_header_get(h, "vocab.name"), *langs = shard_header_get(h, "langs");
    const char *lang = shard_header_get(h, "lang");

    add_field(path);
    add_numbers(&s->number, 1);
    buf_add_byte(&line, '\t');
    add_field(shard_header_get(h, "kind"));
    add_numbers((uint64_t[]){ s->records, s->tokens, s->blocks, s->bytes }, 4);
    if (s->tokens)
        buf_printf(&line, "\t%.2f\t", 8.0 * (double)s->bytes / (double)s->tokens);
    else
        buf_add_str(&line, "\t-\t");
    add_field(name ? name : "-");
    buf_add_byte(&line, '\t');
    add_field(langs ? langs : lang ? lang : "und");
    put_line();
}

/* By the indices of a file; a pipe is read. */
static int ls_segments(const char *path)
{
    struct shard_file *f;
    struct shard_segment s;
    struct shard_block b;
    struct lenient in;
    struct stat st;
    struct err err;
    uint64_t i, n_token;
    int got;

    if (strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
        f = shard_file_open(path, &err);
        if (!f)
            return warn("%s", err.msg), 1;
        for (i = 0; i < shard_file_segments(f); i++) {
            shard_file_segment(f, i, &s);
            put_segment(path, shard_file_segment_header(f, i), &s);
        }
        shard_file_close(f);
        return 0;
    }
    if (lenient_open(&in, path, skip_damage, warn) < 0)
        return 1;
    while ((got = lenient_step(&in, &b, &n_token)) > 0)
        if (got == SHARD_ENDED)
            put_segment(path, shard_reader_header(in.shard), shard_reader_segment(in.shard));
    lenient_close(&in);
    return got < 0;
}

static struct count {
    const char *lang;
    uint64_t records, tokens;
} count[IDS_LANGS_MAX];    // of one segment

static void put_counts(const char *path, uint64_t segment)
{
    int i;

    for (i = 0; i < IDS_LANGS_MAX; i++) {
        if (!count[i].records)
            continue;
        add_field(path);
        add_numbers(&segment, 1);
        buf_printf(&line, "\t%s", count[i].lang);
        add_numbers((uint64_t[]){ count[i].records, count[i].tokens }, 2);
        put_line();
    }
    memset(count, 0, sizeof(count));
}

static int ls_languages(const char *path)
{
    struct record rec;
    struct lenient in;
    uint64_t segment = 0;
    int got;

    if (lenient_open(&in, path, skip_damage, warn) < 0)
        return 1;
    while ((got = lenient_next(&in, &rec)) > 0) {
        struct count *c = &count[rec.row.lang];

        if (segment != shard_reader_segment(in.shard)->number)
            put_counts(path, segment);
        segment = shard_reader_segment(in.shard)->number;
        c->lang = rec.lang;
        c->records++;
        c->tokens += rec.n_token;
    }
    put_counts(path, segment);
    lenient_close(&in);
    return got < 0;
}

static int ls(char **path)
{
    int bad = 0;

    open_out("-", languages
                      ? "file\tsegment\tlang\trecords\ttokens"
                      : "file\tsegment\tkind\trecords\ttokens\tblocks\tbytes\tbits_per_id\tvocab"
                        "\tlangs");
    for (; *path; path++)
        bad |= languages ? ls_languages(*path) : ls_segments(*path);
    close_out();
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
        record_format(&rec, &line);
        put_line();
    }
    lenient_close(&in);
    return got < 0;
}

static int head(char **path)
{
    int64_t left = n_record < 0 ? 10 : n_record;
    int bad = 0;

    open_out("-", NULL);
    for (; *path && (left > 0 || n_record == 0); path++)
        bad |= print_records(*path, &left);
    close_out();
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
    open_out(output ? output : "-", NULL);
    for (; *path; path++)
        bad |= print_records(*path, &all);
    if (bad && output)
        out_abandon(out);
    else
        close_out();
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
    add_field(path);
    buf_printf(&line, "\t%s", whole ? "whole" : mended ? "repaired" : "damaged");
    add_numbers((uint64_t[]){ c.segments, c.blocks, c.records, c.tokens,
                              c.in.r ? shard_reader_offset(c.in.shard) : 0, c.in.n_damage + !c.in.r,
                              c.in.skipped },
                7);
    put_line();
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
    open_out("-", "file\tstate\tsegments\tblocks\trecords\ttokens\tbytes\tdamage\tskipped");
    for (; *path; path++)
        bad |= check_file(*path);
    close_out();
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
    add_field(name);
    buf_printf(&line, "\t%" PRIu64 "\t%" PRIu64 "\t%016" PRIx64 "\t%016" PRIx64 "\t%016" PRIx64,
               s->records, s->tokens, s->ids, s->docs, s->order);
    put_line();
}

static int sum(char **path)
{
    struct record_sum all = { 0 };
    int bad = 0, n = 0;

    open_out("-", "file\trecords\ttokens\tids\tdocs\torder");
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
    close_out();
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
        add_field(o->path[odd->side]);
        add_numbers((uint64_t[]){ odd->record, odd->doc }, 2);
        put_line();
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
    open_out("-", "only_in\trecord\tdoc");
    differ = end(rewrite_diff(path[0], path[1], memory(), tmpdir, put_odd, &o, &err), &err);
    close_out();
    if (differ)
        warn("%" PRIu64 " records only in %s, %" PRIu64 " only in %s", o.n[0], path[0], o.n[1],
             path[1]);
    return differ;
}

static const struct command {
    const char *name;
    int (*run)(char **path);
    const char *options;    // the letters that belong to it
} commands[] = {
    { "ls", ls, "ls" },         { "cat", cat, "ots" },
    { "head", head, "ns" },     { "check", check, "ors" },
    { "sum", sum, "s" },        { "merge", merge, "o" },
    { "split", split, "nopl" }, { "shuffle", shuffle, "oSMT" },
    { "diff", diff, "nMT" },    { 0 },
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
        die_misuse("no command: ls, cat, head, check, sum, merge, split, shuffle or diff");
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
