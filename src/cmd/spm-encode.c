/* spm-encode.c - documents or lines to ids. */
#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/die.h"
#include "base/err.h"
#include "base/opt.h"
#include "spm/encode.h"
#include "spm/run.h"

static const char *model, *format = "shard", *arithmetic = "0.2.2", *lang, *output = "-", *stats;
static int lines, strict, quiet;
static int64_t n_extra = -1, n_best, n_thread = 1, seed = -1;    // -1: not said
static double alpha = -1;                                        // not said

static const struct opt opts[] = {
    { 'm', "model", "FILE", OPT_STR, &model, 0, 0, "the SentencePiece model (needed)" },
    { 'f', "format", "shard|ids|pieces", OPT_CHOICE, &format, 0, 0,
      "a token shard, ids or pieces as text (default shard)" },
    { 'n', "lines", NULL, OPT_FLAG, &lines, 0, 0, "each line is a document, not JSON" },
    { 'l', "lang", "TAG", OPT_STR, &lang, 0, 0, "the language of all documents" },
    { 0, "extra-ids", "N", OPT_INT, &n_extra, 0, 10000,
      "sentinels after the pieces (default 100, 0 if the model has them)" },
    { 0, "arithmetic", "0.2.2|0.1.97", OPT_CHOICE, &arithmetic, 0, 0,
      "round as this SentencePiece (default 0.2.2)" },
    { 'a', "alpha", "A", OPT_NUM, &alpha, 0, 1000,
      "draw: ways in proportion to exp(A x score); BPE: pass over this share of merges" },
    { 'N', "nbest", "N", OPT_INT, &n_best, 1, N_BEST_MAX,
      "with --alpha: draw among the N best ways; without: write them all" },
    { 's', "seed", "S", OPT_INT, &seed, 0, 0x1p53, "seed of what is drawn (default 0)" },
    { 'j', "threads", "N", OPT_INT, &n_thread, 1, 256, "threads (default 1)" },
    { 'o', "output", "FILE", OPT_STR, &output, 0, 0, "write here, whole or not at all" },
    { 0, "stats", "FILE", OPT_STR, &stats, 0, 0, "write what came in and went out, as JSON" },
    { 0, "strict", NULL, OPT_FLAG, &strict, 0, 0, "stop at the first line that is no document" },
    { 'q', "quiet", NULL, OPT_FLAG, &quiet, 0, 0, "no progress, no warnings" },
    { 0 },
};

static const struct tool tool = {
    "spm-encode", "-m MODEL [FILE ...]",
    "Encode documents (JSON Lines) or lines with a SentencePiece model.", opts
};

static void check_options(void)
{
    int shard = !strcmp(format, "shard");
    const char *c;

    if (!model)
        die_misuse("--model is needed");
    if (n_extra >= 0 && !shard)
        die_misuse("--extra-ids belongs to --format shard");
    if (n_best && alpha < 0 && shard)
        die_misuse("--nbest without --alpha writes many ways for a document: no --format shard");
    if (seed >= 0 && alpha < 0)
        die_misuse("--seed belongs to --alpha");
    for (c = lang; c && *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_')
            break;
    if (c && (*c || c == lang))
        die_misuse("--lang: '%s' is no language tag", lang);
}

static struct run_plan plan(void)
{
    struct run_plan p = { .tool = tool.name,
                          .model = model,
                          .output = output,
                          .stats = stats,
                          .lang = lang,
                          .lines = lines,
                          .strict = strict,
                          .quiet = quiet,
                          .n_thread = (int)n_thread,
                          .n_extra = n_extra };

    p.format = *format == 's' ? RUN_SHARD : *format == 'i' ? RUN_IDS : RUN_PIECES;
    p.list = alpha < 0 ? (int)n_best : 0;
    p.option.old = !strcmp(arithmetic, "0.1.97");
    p.option.plain_sentinels = p.format == RUN_SHARD;
    p.option.draw = alpha >= 0;
    p.option.alpha = alpha;
    p.option.n_best = alpha >= 0 ? (int)n_best : 0;
    p.seed = seed < 0 ? 0 : (uint64_t)seed;
    return p;
}

int main(int argc, char **argv)
{
    struct run_plan p;
    struct err err;

    argv += opt_parse(&tool, argc, argv);
    check_options();
    if (!*argv && isatty(STDIN_FILENO))
        die_misuse("no input: name a file, or pipe one in");
    p = plan();
    if (run_encode(&p, argv, &err))
        die("%s", err.msg);
    return 0;
}
