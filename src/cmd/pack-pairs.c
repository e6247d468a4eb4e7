/* pack-pairs.c - labelled sets to example shards: text in, text out, as T5 and mT5 have it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/die.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/progress.h"
#include "base/share.h"
#include "io/ledger.h"
#include "io/out.h"
#include "pairs/pairs.h"
#include "pairs/rows.h"
#include "pairs/task.h"
#include "seq/packer.h"
#include "spm/header.h"
#include "text/lang.h"

enum { REFERENCES_MAX = 64 };

static const char *model, *task_name = "text", *task_file, *lang, *output = "-", *stats;
static int64_t inputs, targets, n_open = 64, n_extra = -1, n_reference;
static int text, list, no_pack, unlabelled, strict, quiet;

static const struct opt opts[] = {
    { 'm', "model", "FILE", OPT_STR, &model, 0, 0, "the SentencePiece model (needed)" },
    { 'T', "task", "NAME", OPT_STR, &task_name, 0, 0, "what the files are (text: TSV of pairs)" },
    { 0, "task-file", "FILE", OPT_STR, &task_file, 0, 0, "tasks from here, not share/tasks.tsv" },
    { 0, "list", NULL, OPT_FLAG, &list, 0, 0, "list the tasks, then stop" },
    { 'l', "lang", "TAG", OPT_STR, &lang, 0, 0, "the language of all pairs (und)" },
    { 'i', "inputs", "N", OPT_INT, &inputs, 2, 32768,
      "ids of a row for the encoder (what the task says, or 512)" },
    { 't', "targets", "N", OPT_INT, &targets, 2, 32768,
      "ids of a row for the decoder (what the task says, or 128)" },
    { 'n', "no-pack", NULL, OPT_FLAG, &no_pack, 0, 0, "one pair a row" },
    { 0, "open", "N", OPT_INT, &n_open, 1, PACKER_OPEN_MAX,
      "rows of a language that are open at a time (64)" },
    { 0, "text", NULL, OPT_FLAG, &text, 0, 0, "write the pairs as TSV, not ids" },
    { 'r', "references", "N", OPT_INT, &n_reference, 1, REFERENCES_MAX,
      "with --text: a table of inputs, N references and languages" },
    { 0, "unlabelled", NULL, OPT_FLAG, &unlabelled, 0, 0, "keep pairs without a label: <unk>" },
    { 0, "extra-ids", "N", OPT_INT, &n_extra, 0, 10000,
      "sentinels after the pieces (default 100, 0 if the model has them)" },
    { 'o', "output", "FILE", OPT_STR, &output, 0, 0, "write here, whole or not at all" },
    { 0, "stats", "FILE", OPT_STR, &stats, 0, 0, "write what came in and went out, as JSON" },
    { 0, "strict", NULL, OPT_FLAG, &strict, 0, 0, "stop at the first record that is none" },
    { 'q', "quiet", NULL, OPT_FLAG, &quiet, 0, 0, "no progress, no warnings" },
    { 0 },
};

static const struct tool tool = { "pack-pairs", "[option ...] [file ...]",
                                  "Make labelled sets into rows of inputs and targets.", opts };

struct run {
    struct task *task;
    struct rows *rows;    // or
    struct out *text;
    struct ledger *ledger;
    struct progress progress;
    struct buf line;
    uint64_t n_pair, n_cut_input, n_cut_target, n_unknown_lang;
    const char *label;    // of the language of all, or NULL: what each pair says
    struct err err;
};

static void fail(struct run *run)
{
    rows_free(run->rows);
    out_abandon(run->text);
    die("%s", run->err.msg);
}

static void print_task(const struct task *t)
{
    printf("%s\t%s\n", t->name, t->note ? t->note : "");
}

/* Where languages differ, a row's language is its number in langs[]. */
static int lang_number(struct run *run, struct bytes tag, const char **label)
{
    static const char none[] = "und";
    const struct lang *l;

    *label = run->label;
    if (run->label)
        return 0;
    l = tag.n ? lang_find(tag) : NULL;
    run->n_unknown_lang += tag.n && !l;
    l = l ? l : lang_find((struct bytes){ (const unsigned char *)none, sizeof(none) - 1 });
    *label = l->label;
    return (int)(l - langs);
}

static void count_cut(struct run *run, const char *side, const char *label, uint64_t *n)
{
    char *what = xasprintf("%s_cut.%s", side, label);

    ++*n;
    ledger_count(run->ledger, what, 1);
    free(what);
}

static void pack_pair(struct run *run, const struct pair *p, int number, const char *label)
{
    int cut = rows_add(run->rows, p->input, p->target, number, &run->err);

    if (cut < 0)
        fail(run);
    if (cut & ROWS_CUT_INPUT)
        count_cut(run, "inputs", label, &run->n_cut_input);
    if (cut & ROWS_CUT_TARGET)
        count_cut(run, "targets", label, &run->n_cut_target);
}

static void add_field(struct buf *b, struct bytes s, unsigned char end)
{
    size_t i;

    for (i = 0; i < s.n; i++)
        buf_add_byte(b, strchr("\t\n\r", s.p[i]) && s.p[i] ? ' ' : s.p[i]);
    buf_add_byte(b, end);
}

static int is_among(struct bytes s, const struct buf *b, int64_t n)
{
    while (n-- > 0)
        if (b[n].n == s.n && (!s.n || !memcmp(b[n].p, s.p, s.n)))
            return 1;
    return 0;
}

/* All that would be right, each once; what is more than there is room for is left out. */
static void add_references(struct run *run, struct pairs *in, const struct pair *p)
{
    static struct buf have[REFERENCES_MAX];
    struct bytes other = p->target;
    int64_t n = 0, i;
    size_t k = 0;

    do {
        if (is_among(other, have, n))
            continue;
        buf_reset(&have[n]);
        buf_add(&have[n++], other.p, other.n);
    } while (n < n_reference && ++k < REFERENCES_MAX && pairs_other(in, k, &other));
    for (i = 0; i < n_reference; i++)
        add_field(&run->line, i < n ? buf_bytes(&have[i]) : (struct bytes){ NULL, 0 }, '\t');
}

static void print_pair(struct run *run, struct pairs *in, const struct pair *p, const char *label)
{
    buf_reset(&run->line);
    add_field(&run->line, p->input, '\t');
    if (n_reference) {
        add_references(run, in, p);
        buf_printf(&run->line, "%s\n", label);
    } else {
        add_field(&run->line, p->target, '\n');
    }
    if (out_write(run->text, run->line.p, run->line.n, &run->err))
        fail(run);
}

static void drop(struct run *run, const struct pair *p, const char *label, const char *why,
                 uint64_t bytes)
{
    int expected = !p->dropped || !strcmp(p->dropped, "not_kept");

    if (!expected && strict) {
        run->err = *p->why;
        fail(run);
    }
    if (!expected && !quiet && !ledger_counted(run->ledger, "bad_records"))
        warn("%s", p->why->msg);
    ledger_count(run->ledger, "bad_records", !expected);
    ledger_drop(run->ledger, label, why, bytes);
}

static void take_pair(struct run *run, struct pairs *in, const struct pair *p)
{
    const char *label;
    int number = lang_number(run, p->lang, &label);
    uint64_t bytes = p->input.n + p->target.n;

    ledger_in(run->ledger, label, bytes);
    if (p->dropped || (p->unlabelled && !unlabelled)) {
        drop(run, p, label, p->dropped ? p->dropped : "unlabelled", bytes);
        return;
    }
    ledger_out(run->ledger, label, bytes);
    if (run->text)
        print_pair(run, in, p, label);
    else
        pack_pair(run, p, number, label);
    run->n_pair++;
}

static void pack_file(struct run *run, const char *path)
{
    struct pairs *in = pairs_open(run->task, path, &run->err);
    struct pair p;
    int got;

    if (!in)
        fail(run);
    while ((got = pairs_next(in, &p, &run->err)) > 0) {
        take_pair(run, in, &p);
        progress_show(&run->progress, run->n_pair, 0);
    }
    if (got < 0)
        fail(run);
    ledger_file(run->ledger, pairs_path(in), pairs_bytes(in), NULL);
    pairs_close(in);
}

static void begin_shard(struct run *run)
{
    const struct rows_plan plan = { .output = output,
                                    .model = model,
                                    .task = run->task->name,
                                    .lang = run->label,
                                    .n_extra = n_extra,
                                    .inputs = inputs,
                                    .targets = targets,
                                    .n_open = (int)n_open,
                                    .alone = no_pack };

    run->rows = rows_open(&plan, &run->err);
    if (!run->rows)
        fail(run);
}

static void begin_text(struct run *run)
{
    int64_t i;

    run->text = out_open(output, &run->err);
    if (!run->text)
        fail(run);
    if (!n_reference)
        return;
    buf_add_str(&run->line, "input");
    for (i = 0; i < n_reference; i++)
        buf_add_str(&run->line, "\treference");
    buf_add_str(&run->line, "\tlang\n");
    if (out_write(run->text, run->line.p, run->line.n, &run->err))
        fail(run);
}

static void begin(struct run *run)
{
    char *path = task_file ? xstrdup(task_file) : share_find("tasks.tsv");

    if (!path)
        die("no share/tasks.tsv; is $SWITCHYARD_SHARE right?");
    if (list) {
        if (task_list(path, print_task, &run->err))
            die("%s", run->err.msg);
        out_close_stdout();
        exit(0);
    }
    run->task = task_read(path, task_name, &run->err);
    if (!run->task)
        die("%s", run->err.msg);
    free(path);
    inputs = inputs ? inputs : run->task->inputs;
    targets = targets ? targets : run->task->targets;
    run->label = lang || !run->task->lang ? header_lang(lang) : NULL;
    run->ledger = ledger_new(tool.name);
    ledger_set(run->ledger, "task", run->task->name);
    if (text)
        begin_text(run);
    else
        begin_shard(run);
    progress_init(&run->progress, "pairs", 0, quiet || strcmp(output, "-") == 0);
}

static void report(struct run *run)
{
    struct rows_count n = run->rows ? rows_counts(run->rows) : (struct rows_count){ 0 };
    uint64_t room_in = n.rows * (uint64_t)inputs, room_out = n.rows * (uint64_t)targets;
    char share[2][32];

    snprintf(share[0], sizeof(share[0]), "%.6f",
             room_in ? 1 - (double)n.inputs / (double)room_in : 0);
    snprintf(share[1], sizeof(share[1]), "%.6f",
             room_out ? 1 - (double)n.targets / (double)room_out : 0);
    ledger_count(run->ledger, "rows", n.rows);
    ledger_count(run->ledger, "inputs", n.inputs);
    ledger_count(run->ledger, "targets", n.targets);
    ledger_count(run->ledger, "inputs_cut", run->n_cut_input);
    ledger_count(run->ledger, "targets_cut", run->n_cut_target);
    ledger_count(run->ledger, "unknown_lang", run->n_unknown_lang);
    ledger_set(run->ledger, "padding_inputs", share[0]);
    ledger_set(run->ledger, "padding_targets", share[1]);
    if (ledger_write(run->ledger, stats, &run->err))
        die("%s", run->err.msg);
    if (ledger_records_dropped(run->ledger) && !quiet)
        warn("%" PRIu64 " of %" PRIu64 " records gave no pair", ledger_records_dropped(run->ledger),
             ledger_records_in(run->ledger));
}

/* Records of which not one is an example of the task are a mistake, not a set. */
static void end(struct run *run)
{
    uint64_t n = ledger_records_in(run->ledger);

    if (n && !run->n_pair) {
        err_set(&run->err, "not one of %" PRIu64 " records gave a pair of task %s", n,
                run->task->name);
        fail(run);
    }
    progress_end(&run->progress);
    if (run->rows && rows_finish(run->rows, &run->err))
        fail(run);
    if (run->text && out_close(run->text, &run->err))
        die("%s", run->err.msg);
    run->text = NULL;
    report(run);
}

static void release(struct run *run)
{
    rows_free(run->rows);
    task_free(run->task);
    buf_release(&run->line);
    ledger_free(run->ledger);
}

int main(int argc, char **argv)
{
    struct run run = { 0 };

    argv += opt_parse(&tool, argc, argv);
    if (!model && !text && !list)
        die_misuse("--model is needed");
    if (n_reference && !text)
        die_misuse("--references belongs to --text");
    if (!list && !*argv && isatty(STDIN_FILENO))
        die_misuse("no input: name a file, or pipe one in");
    begin(&run);
    if (!*argv)
        pack_file(&run, "-");
    for (; *argv; argv++)
        pack_file(&run, *argv);
    end(&run);
    release(&run);
    return 0;
}
