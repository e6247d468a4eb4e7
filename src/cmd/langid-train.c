/* langid-train.c - labelled texts to a language identification model; and how good one is. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/die.h"
#include "base/err.h"
#include "base/opt.h"
#include "base/progress.h"
#include "io/out.h"
#include "langid/langid.h"
#include "learn/score.h"
#include "learn/train.h"

enum { COMPLAINTS = 10, TEXT_MAX_BYTES = 16384 };

static const char *output = "-", *evaluate, *store = "q8", *origin;
static const char *groups = "char1:1024:16,char2:4096:16,char3:16384:16,char4:32768:16,"
                            "words:16384:16,script_shares:103:8";
static struct opt_list apart, weigh;
static int64_t hidden = 208, pieces = 2000000, batch = 64, min_chars = 40, max_chars = 1200;
static int64_t measure = 20000, seed, n_thread = 1, min_bytes = 1, max_bytes = 10000;
static double rate = 0.002, embed_rate = 0.02, drop = 0.2, doubt = 0.01, smooth, power = 0.25;
static double foreign = 0.15, bare = 0.05, hold_out = -1;
static int strict, quiet;

static const struct opt opts[] = {
    { 'o', "output", "FILE", OPT_STR, &output, 0, 0, "the model (standard output)" },
    { 'e', "evaluate", "MODEL", OPT_STR, &evaluate, 0, 0,
      "train nothing: write how often MODEL is right about the texts, by label" },
    { 'a', "apart", "FILE", OPT_LIST, &apart, 0, 0,
      "leave out texts that share 32 letters in a row with one of FILE (a text a line)" },
    { 'g', "groups", "LIST", OPT_STR, &groups, 0, 0, "features, as name:ids:width,..." },
    { 'w', "hidden", "N", OPT_INT, &hidden, 1, LANGID_HIDDEN_MAX, "width of the layer (208)" },
    { 'n', "pieces", "N", OPT_INT, &pieces, 1, 1e12, "pieces of text to train on (2000000)" },
    { 'b', "batch", "N", OPT_INT, &batch, 1, 65536, "pieces of a step (64)" },
    { 'r', "rate", "X", OPT_NUM, &rate, 0, 1, "learning rate at the start (0.002)" },
    { 0, "embed-rate", "X", OPT_NUM, &embed_rate, 0, 1, "that of embeddings (0.02)" },
    { 0, "drop", "P", OPT_NUM, &drop, 0, 0.95, "share of features left out (0.2)" },
    { 0, "doubt", "P", OPT_NUM, &doubt, 0, 0.5,
      "drop a text whose label gets less than P and another 0.9 (0.01; 0 keeps all)" },
    { 0, "smooth", "P", OPT_NUM, &smooth, 0, 0.5, "probability spread over all labels (0)" },
    { 'p', "power", "X", OPT_NUM, &power, 0, 1, "draw labels by number of texts ^ X (0.25)" },
    { 0, "weigh", "LABEL:X", OPT_LIST, &weigh, 0, 0, "draw LABEL X times as often" },
    { 0, "min-chars", "N", OPT_INT, &min_chars, 1, 65536, "characters of a piece, least (40)" },
    { 0, "max-chars", "N", OPT_INT, &max_chars, 1, 65536, "and most (1200)" },
    { 0, "foreign", "P", OPT_NUM, &foreign, 0, 1, "pieces with words of another text (0.15)" },
    { 0, "bare", "P", OPT_NUM, &bare, 0, 1, "pieces that lose their accents (0.05)" },
    { 0, "hold-out", "P", OPT_NUM, &hold_out, 0, 0.9,
      "texts to measure with (0.03; to evaluate: 0)" },
    { 0, "measure", "N", OPT_INT, &measure, 0, 1 << 24, "pieces of them (20000)" },
    { 0, "store", "q8|bf16|f32", OPT_CHOICE, &store, 0, 0, "how embeddings are stored (q8)" },
    { 0, "origin", "TEXT", OPT_STR, &origin, 0, 0, "a line that goes into the model" },
    { 0, "min-bytes", "N", OPT_INT, &min_bytes, 0, 1 << 30,
      "to evaluate: shorter texts are und (1)" },
    { 0, "max-bytes", "N", OPT_INT, &max_bytes, 1, 1 << 30,
      "to evaluate: look at the first N bytes (10000)" },
    { 's', "seed", "N", OPT_INT, &seed, 0, 0x1p53, "of all that is drawn (0)" },
    { 'j', "jobs", "N", OPT_INT, &n_thread, 1, 256, "threads (1)" },
    { 0, "strict", NULL, OPT_FLAG, &strict, 0, 0, "a bad line is an error" },
    { 'q', "quiet", NULL, OPT_FLAG, &quiet, 0, 0, "no progress, no warnings of bad lines" },
    { 0 },
};

static const struct tool tool = { "langid-train", "[-o MODEL | -e MODEL] [option ...] [FILE ...]",
                                  "Train a language identification model.", opts };

static void complain(const char *file, uint64_t line, const char *why)
{
    static int n;

    if (!quiet && !strict && n++ < COMPLAINTS)
        warn("%s:%" PRIu64 ": %s", file, line, why);
}

static void read_texts(struct corpus *c, char **path)
{
    static char dash[] = "-", *standard_input[] = { dash, NULL };
    struct err err;
    int i;

    if (!*path) {
        if (isatty(STDIN_FILENO))
            die_misuse("no file given");
        path = standard_input;
    }
    corpus_init(c);
    c->complain = complain;
    c->strict = strict;
    for (i = 0; i < apart.n; i++)
        if (corpus_keep_apart(c, apart.item[i], &err))
            die("%s", err.msg);
    for (; *path; path++)
        if (corpus_read(c, *path, TEXT_MAX_BYTES, &err))
            die("%s", err.msg);
    corpus_sort(c);
    if (!quiet && c->n_bad)
        warn("%" PRIu64 " lines are no labelled text: left out", c->n_bad);
    if (!c->n)
        die("no labelled text in the input");
}

/* What each label of c is to be weighed with, from --weigh. */
static double *weights(const struct corpus *c)
{
    double *w = xreallocarray(NULL, (size_t)c->n_label + 1, sizeof(*w));
    int i, l;

    for (l = 0; l < c->n_label; l++)
        w[l] = 1;
    for (i = 0; i < weigh.n; i++) {
        const char *s = weigh.item[i], *colon = strrchr(s, ':');
        char *end = NULL;
        double x = colon ? strtod(colon + 1, &end) : 0;

        if (!colon || end == colon + 1 || *end || !(x > 0 && x <= 1e6))
            die_misuse("--weigh: '%s' is not label:number", s);
        for (l = 0; l < c->n_label; l++)
            if (strlen(c->label[l]) == (size_t)(colon - s) &&
                !memcmp(c->label[l], s, (size_t)(colon - s)))
                break;
        if (l == c->n_label)
            die("--weigh: no text has the label '%.*s'", (int)(colon - s), s);
        w[l] = x;
    }
    return w;
}

static void tell_progress(void *ctx, int64_t piece, double loss, double right)
{
    struct progress *p = ctx;

    (void)loss;
    (void)right;
    progress_show(p, (uint64_t)(piece < pieces ? piece : pieces), 0);    // the last batch is whole
}

static void parse_groups(struct langid_shape *shape)
{
    char *copy = xstrdup(groups), *at, *item;

    for (item = strtok_r(copy, ",", &at); item; item = strtok_r(NULL, ",", &at)) {
        struct langid_group *g = &shape->group[shape->n_group];
        char *ids = strchr(item, ':'), *dim = ids ? strchr(ids + 1, ':') : NULL, *end = NULL;
        long n = dim ? strtol(ids + 1, &end, 10) : 0;

        if (!dim || end != dim || n < 1 || n > LANGID_ID_MAX)
            die_misuse("--groups: '%s' is not name:ids:width", item);
        *ids = '\0';
        g->ids = (uint32_t)n;
        n = strtol(dim + 1, &end, 10);
        if (end == dim + 1 || *end || n < 1 || n > LANGID_DIM_MAX)
            die_misuse("--groups: the width of %s is not in [1, %d]", item, LANGID_DIM_MAX);
        if (langid_group_parse(item, g))
            die_misuse("--groups: no features are called '%s'", item);
        g->dim = (int)n;
        if (++shape->n_group == LANGID_GROUP_MAX)
            die_misuse("--groups: more than %d", LANGID_GROUP_MAX - 1);
    }
    free(copy);
}

static enum langid_store store_kind(void)
{
    return store[0] == 'q' ? LANGID_Q8 : store[0] == 'b' ? LANGID_BF16 : LANGID_F32;
}

static void train(char **path)
{
    struct train_options o = {
        .window = { (int)min_chars, (int)max_chars, power, foreign, bare, (uint64_t)seed, NULL },
        .n_piece = pieces,
        .batch = (int)batch,
        .rate = rate,
        .embed_rate = embed_rate,
        .drop = drop,
        .doubt = doubt,
        .smooth = smooth,
        .n_thread = (int)n_thread,
        .n_measure = measure,
        .seed = (uint64_t)seed,
        .tell = tell_progress,
    };
    struct progress progress;
    struct train_result result;
    struct corpus c;
    struct langid *m;
    struct err err;
    double *weight;

    parse_groups(&o.shape);
    o.shape.hidden = (int)hidden;
    read_texts(&c, path);
    corpus_part(&c, hold_out < 0 ? 0.03 : hold_out);
    weight = weights(&c);
    o.window.weight = weight;
    progress_init(&progress, "pieces", (uint64_t)pieces, quiet);
    o.ctx = &progress;
    m = langid_train(&c, &o, &result, &err);
    progress_end(&progress);
    if (!m)
        die("%s", err.msg);
    m->origin = xstrdup(origin ? origin : opt_line());
    if (langid_save(m, store_kind(), output, &err))
        die("%s", err.msg);
    if (!quiet)
        fprintf(stderr,
                "langid-train: %zu texts, %d labels; left out: %" PRIu64 " apart, %" PRIu64
                " twice, %" PRId64 " doubted; held out: %.2f %% right, loss %.4f at temperature "
                "%.3f\n",
                c.n, c.n_label, c.n_apart, c.n_again, result.n_doubted, 100 * result.right,
                result.loss, result.temperature);
    free(weight);
    langid_free(m);
    corpus_release(&c);
}

static void try(char **path)
{
    struct corpus c;
    struct score s;
    struct err err;
    struct langid *m = langid_load(evaluate, &err);
    struct out *o;

    if (!m)
        die("%s", err.msg);
    read_texts(&c, path);
    if (hold_out >= 0) {
        corpus_part(&c, hold_out);
        corpus_take_held_out(&c);
        if (!c.n)
            die("no text is held out");
    }
    score_init(&s, m, &c, (size_t)min_bytes, (size_t)max_bytes, (int)n_thread);
    o = out_open(output, &err);
    if (!o)
        die("%s", err.msg);
    if (score_write(&s, o, &err)) {
        out_abandon(o);
        die("%s", err.msg);
    }
    if (out_close(o, &err))
        die("%s", err.msg);
    score_release(&s);
    corpus_release(&c);
    langid_free(m);
}

int main(int argc, char **argv)
{
    argv += opt_parse(&tool, argc, argv);
    if (min_chars > max_chars)
        die_misuse("--min-chars is more than --max-chars");
    if (evaluate) {
        try(argv);
        return 0;
    }
    if (!strcmp(output, "-") && isatty(STDOUT_FILENO))
        die_misuse("a model is not for a terminal: give --output");
    train(argv);
    return 0;
}
