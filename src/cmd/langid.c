/* langid.c - which language documents or lines are in. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/die.h"
#include "base/err.h"
#include "base/opt.h"
#include "base/progress.h"
#include "base/share.h"
#include "base/tsv.h"
#include "io/ledger.h"
#include "io/out.h"
#include "io/stream.h"
#include "langid/label.h"
#include "langid/langid.h"

enum { THREADS_MAX = 1024, PRIORS_LINE = 1 << 16, MC4_MIN = 100, MC4_MAX = 10000 };

static const char *model, *langs_wanted, *priors, *output = "-", *stats;
static int64_t min_bytes = -1, max_bytes = MC4_MAX, threads = 1;
static double min_prob = -1;
static int lines, list, strict, quiet;

static const struct opt opts[] = {
    { 'm', "model", "FILE", OPT_STR, &model, 0, 0, "the model (default: the installed one)" },
    { 'n', "lines", NULL, OPT_FLAG, &lines, 0, 0,
      "each line is a text; print its label and probability" },
    { 'p', "min-prob", "P", OPT_NUM, &min_prob, 0, 1,
      "less sure is und (default: the model's bars, mostly 0.7)" },
    { 'l', "langs", "L,...", OPT_STR, &langs_wanted, 0, 0, "one of these labels" },
    { 0, "priors", "FILE", OPT_STR, &priors, 0, 0, "TSV: label, how much likelier beforehand" },
    { 0, "min-bytes", "N", OPT_SIZE, &min_bytes, 0, 0x1p40,
      "fewer bytes of letters are und (default 100, of lines 0)" },
    { 0, "max-bytes", "N", OPT_SIZE, &max_bytes, 1, 0x1p40,
      "look at so much of a text (default 10000)" },
    { 0, "list", NULL, OPT_FLAG, &list, 0, 0, "print the model's labels and exit" },
    { 'o', "output", "FILE", OPT_STR, &output, 0, 0, "write here, whole or not at all" },
    { 0, "stats", "FILE", OPT_STR, &stats, 0, 0, "write what came in and went out, as JSON" },
    { 'j', "threads", "N", OPT_INT, &threads, 1, THREADS_MAX, "threads (default 1)" },
    { 0, "strict", NULL, OPT_FLAG, &strict, 0, 0, "stop at the first line that is no document" },
    { 'q', "quiet", NULL, OPT_FLAG, &quiet, 0, 0, "no progress, no warnings" },
    { 0 },
};

static const struct tool tool = { "langid", "[FILE ...]",
                                  "Say which language documents (JSON Lines) or lines are in.",
                                  opts };

static struct langid *load(void)
{
    char *path = model ? xstrdup(model) : share_find("langid.model");
    struct langid *m;
    struct err err;

    if (!path)
        die("no model is installed: name one with --model");
    m = langid_load(path, &err);
    if (!m)
        die("%s", err.msg);
    free(path);
    return m;
}

static void print_labels(const struct langid *m)
{
    int i;

    for (i = 0; i < langid_n_label(m); i++)
        puts(langid_label(m, i));
    out_close_stdout();
}

static void only_wanted(const struct langid *m, float *weight)
{
    const char *p = langs_wanted, *end;
    float *only = xcalloc((size_t)langid_n_label(m), sizeof(*only));
    int i;

    for (;; p = end + 1) {
        struct bytes tag = { (const unsigned char *)p, strcspn(p, ",") };

        end = p + tag.n;
        i = langid_label_find(m, tag);
        if (i < 0)
            die_misuse("--langs: the model has no label '%.*s': see --list", (int)tag.n, p);
        only[i] = 1;
        if (!*end)
            break;
    }
    for (i = 0; i < langid_n_label(m); i++)
        weight[i] *= only[i];
    free(only);
}

static void read_prior(const struct langid *m, const struct tsv *at, struct bytes line,
                       float *weight)
{
    struct bytes field[2];
    size_t n = tsv_split(line, field, 2);
    struct err err;
    double w;
    int i;

    if (at->line == 1 && n == 2 && field[0].n == 5 && !memcmp(field[0].p, "label", 5))
        return;    // the header
    if (n != 2)
        die("%s: line %" PRIu64 ": %zu fields, not a label and a weight", at->path, at->line, n);
    if (tsv_num(at, "weight", field[1], 0, 1e30, &w, &err) < 0)
        die("%s", err.msg);
    i = langid_label_find(m, field[0]);
    if (i < 0)
        die("%s: line %" PRIu64 ": the model has no label '%.*s'", at->path, at->line,
            (int)field[0].n, (const char *)field[0].p);
    weight[i] *= (float)w;
}

static void read_priors(const struct langid *m, float *weight)
{
    struct tsv at = { priors, 0 };
    struct bytes line;
    struct err err;
    struct stream *s = stream_open(priors, &err);
    int got;

    if (!s)
        die("%s", err.msg);
    while (at.line++, (got = stream_line(s, &line, PRIORS_LINE, &err)) == 1)
        read_prior(m, &at, line, weight);
    if (got < 0)
        die("%s", err.msg);
    stream_close(s);
}

static float *weights(const struct langid *m)
{
    int n = langid_n_label(m), i;
    float *weight;

    if (!langs_wanted && !priors)
        return NULL;
    weight = xcalloc((size_t)n, sizeof(*weight));
    for (i = 0; i < n; i++)
        weight[i] = 1;
    if (langs_wanted)
        only_wanted(m, weight);
    if (priors)
        read_priors(m, weight);
    return weight;
}

static void run(struct label_plan *p, char **file)
{
    struct err err;

    p->out = out_open(output, &err);
    if (!p->out)
        die("%s", err.msg);
    progress_init(p->progress, lines ? "lines" : "documents", 0, quiet || out_is_terminal(p->out));
    p->ledger = ledger_new(tool.name);
    if (model)
        ledger_set(p->ledger, "model", model);
    if (label_run(p, file, &err) < 0)
        die("%s", err.msg);
    progress_end(p->progress);
    if (out_close(p->out, &err) < 0 || ledger_write(p->ledger, stats, &err) < 0)
        die("%s", err.msg);
    if (ledger_records_dropped(p->ledger) && !quiet)
        warn("%" PRIu64 " of %" PRIu64 " lines dropped: no documents",
             ledger_records_dropped(p->ledger), ledger_records_in(p->ledger));
    ledger_free(p->ledger);
}

int main(int argc, char **argv)
{
    char **file = argv + opt_parse(&tool, argc, argv), dash[] = "-",
         *standard_input[] = { dash, NULL };
    struct progress progress;
    struct label_plan plan = { .progress = &progress };
    struct langid *m;
    float *weight;

    if (!list && !*file && isatty(STDIN_FILENO))
        die_misuse("no input: name a file, or pipe one in");
    m = load();
    if (list) {
        print_labels(m);
        langid_free(m);
        return 0;
    }
    plan.model = m;
    plan.weight = weight = weights(m);
    plan.min_prob = min_prob;
    plan.min = min_bytes >= 0 ? (size_t)min_bytes : lines ? 0 : MC4_MIN;
    plan.max = (size_t)max_bytes;
    plan.lines = lines;
    plan.strict = strict;
    plan.n_thread = (int)threads;
    run(&plan, *file ? file : standard_input);
    free(weight);
    langid_free(m);
    return 0;
}
