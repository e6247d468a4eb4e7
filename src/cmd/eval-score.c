/* eval-score.c - how well predictions match references, by metric and language. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/die.h"
#include "base/err.h"
#include "base/opt.h"
#include "io/out.h"
#include "score/measure.h"
#include "score/score.h"
#include "score/trials.h"

enum { METRICS_MAX = 64, SAMPLES_MAX = 1000000 };

#define NORMS "squad|trivia|mlqa|none"    // as in enum answer_norm
#define BLEUS "13a|intl|char|none"        // as in enum words_cut
#define ROUGES "ascii|unicode"

static const char *metrics, *task_name, *lang, *norm, *labels, *separator, *output = "-";
static const char *bleu = "intl", *rouge = "ascii";
static int64_t n_sample, seed;
static double confidence = 95;
static int escaped, list, watch_rouge;

static const struct opt opts[] = {
    { 'm', "metric", "NAME,...", OPT_STR, &metrics, 0, 0, "compute these (see --list)" },
    { 't', "task", "NAME", OPT_STR, &task_name, 0, 0,
      "the metrics, labels and normalizer of a task (see --list)" },
    { 0, "list", NULL, OPT_FLAG, &list, 0, 0, "print metrics and tasks as TSV and exit" },
    { 'l', "lang", "TAG", OPT_STR, &lang, 0, 0, "language where no column says it" },
    { 0, "labels", "A,B,...", OPT_STR, &labels, 0, 0,
      "the classes; of two the second is the positive one" },
    { 'n', "normalizer", NORMS, OPT_CHOICE, &norm, 0, 0, "what is done to answers" },
    { 0, "bleu-tokenizer", BLEUS, OPT_CHOICE, &bleu, 0, 0, "words of bleu (default intl)" },
    { 0, "rouge-tokenizer", ROUGES, OPT_CHOICE, &rouge, 0, 0, "words of rouge (default ascii)" },
    { 0, "separator", "TEXT", OPT_STR, &separator, 0, 0, "parts the references of one field" },
    { 'E', "escaped", NULL, OPT_FLAG, &escaped, 0, 0, "read \\n, \\t, \\r and \\\\ as in C" },
    { 'b', "bootstrap", "N", OPT_INT, &n_sample, 0, SAMPLES_MAX,
      "intervals from N resamples (default 0: none)" },
    { 0, "confidence", "PERCENT", OPT_NUM, &confidence, 1, 99.99, "of the intervals (default 95)" },
    { 's', "seed", "N", OPT_INT, &seed, 0, 0x1p53, "of the resamples (default 0)" },
    { 'o', "output", "FILE", OPT_STR, &output, 0, 0, "write here, whole or not at all" },
    { 0 },
};
static const struct tool tool = {
    "eval-score",
    "-m NAME,...|-t TASK [TABLE | REFERENCES ... PREDICTIONS]",
    "Score predictions against references, by metric and language.",
    opts,
};

static void print_list(void)
{
    const struct measure *m;
    const struct measure_task *t;
    size_t i;

    puts("kind\tname\tabout\tlabels");
    for (i = 0; (m = measure_at(i)); i++)
        printf("metric\t%s\t%s\t\n", m->name, m->about);
    for (i = 0; (t = measure_task_at(i)); i++)
        printf("task\t%s\t%s\t%s\n", t->name, t->measures, t->labels ? t->labels : "");
    out_close_stdout();
}

/* The place of word in "a|b|c". */
static int choice(const char *word, const char *words)
{
    int i = 0;

    for (; strncmp(words, word, strlen(word)) || !strchr("|", words[strlen(word)]); i++)
        words = strchr(words, '|') + 1;
    return i;
}

static struct score *prepare(struct measure_how *how)
{
    const struct measure_task *task = task_name ? measure_task(task_name) : NULL;
    const struct measure *list_of[METRICS_MAX];
    struct err err;
    int i, n;

    if (task_name && !task)
        die_misuse("no task is called '%s' (see --list)", task_name);
    if (!metrics && !task)
        die_misuse("name metrics or a task (see --list)");
    measure_how_init(how);
    how->norm = task ? task->norm : ANSWER_SQUAD;
    if (norm)
        how->norm = (enum answer_norm)choice(norm, NORMS);
    how->bleu = (enum words_cut)choice(bleu, BLEUS);
    how->rouge = choice(rouge, ROUGES) ? WORDS_UNICODE : WORDS_ROUGE;
    if (labels || (task && task->labels))
        measure_set_labels(how, labels ? labels : task->labels);
    n = measure_parse(metrics ? metrics : task->measures, list_of, METRICS_MAX, &err);
    if (n < 0)
        die_misuse("%s (see --list)", err.msg);
    for (i = 0; i < n; i++)
        watch_rouge |= how->rouge == WORDS_ROUGE && !strncmp(list_of[i]->name, "rouge", 5);
    return score_new(how, list_of, (size_t)n);
}

static struct trials *open_trials(char **path)
{
    struct trials_how how = { .separator = separator, .lang = lang, .escaped = escaped };
    struct err err = { 0 };
    struct trials *in;
    size_t n = 0;

    while (path[n])
        n++;
    if (!n && isatty(STDIN_FILENO))
        die_misuse("no input: give a table, or references and predictions");
    if (n > 1 && !separator)
        how.separator = "\t";
    in = n > 1 ? trials_open_lines((const char *const *)path, n, &how, &err)
               : trials_open(n ? *path : "-", &how, &err);
    if (!in)
        die("%s", err.msg);
    return in;
}

static void add_all(struct score *s, struct trials *in)
{
    struct err err = { 0 };
    struct trial p;
    size_t n_blind = 0;
    int got;

    while ((got = trials_next(in, &p, &err)) == 1) {
        if (score_add(s, &p, &err) < 0)
            die("%s: line %" PRIu64 "%s%.*s: %s", trials_path(in), p.line, p.id.n ? ": id " : "",
                (int)p.id.n, p.id.n ? (const char *)p.id.p : "", err.msg);
        n_blind += watch_rouge && words_rouge_is_blind(p.ref[0]);
    }
    if (got < 0)
        die("%s", err.msg);
    if (!score_examples(s))
        die("%s: no examples", trials_path(in));
    if (n_blind)
        warn("%zu of %zu references are mostly letters that rouge-score does not see: "
             "consider --rouge-tokenizer=unicode",
             n_blind, score_examples(s));
}

static void write_scores(const struct score *s)
{
    struct err err = { 0 };
    struct out *o = out_open(output, &err);
    struct score_value v;
    size_t i;
    int bad = !o;

    bad = bad || out_printf(o, &err, "metric\tlang\tn\tscore%s\n", n_sample ? "\tlow\thigh" : "");
    for (i = 0; !bad && score_get(s, i, &v); i++) {
        bad = out_printf(o, &err, "%s\t%s\t%zu\t%.4f", v.measure->name, v.lang, v.n, v.score) < 0;
        if (!bad && n_sample)
            bad = out_printf(o, &err, "\t%.4f\t%.4f", v.low, v.high) < 0;
        bad = bad || out_printf(o, &err, "\n") < 0;
    }
    if (bad || out_close(o, &err) < 0)
        die("%s", err.msg);
}

int main(int argc, char **argv)
{
    struct measure_how how;
    struct score *s;
    struct trials *in;

    argv += opt_parse(&tool, argc, argv);
    if (list) {
        print_list();
        return 0;
    }
    s = prepare(&how);
    in = open_trials(argv);
    add_all(s, in);
    trials_close(in);
    score_compute(s, (size_t)n_sample, (uint64_t)seed, confidence);
    write_scores(s);
    score_free(s);
    measure_how_release(&how);
    return 0;
}
