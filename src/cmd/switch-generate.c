/* switch-generate - text from text by a model. */
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/die.h"
#include "base/err.h"
#include "base/opt.h"
#include "checkpoint/folder.h"
#include "checkpoint/sums.h"
#include "checkpoint/weights.h"
#include "generate/lines.h"
#include "generate/net.h"
#include "kernel/kernel.h"
#include "model/threads.h"
#include "tensors/tensors.h"

static const char *model, *prefix, *output = "-";
static int json, fill, quiet, hf_compat, check;
static int64_t beams = 1, n_best, top_k, seed = -1, max_length = 128, max_input = 1024, rows = 16,
               n_extra = -1, threads;
static double alpha = -1, temperature, top_p;    // not said

static const struct opt opts[] = {
    { 'm', "model", "FILE", OPT_STR, &model, 0, 0, "the SentencePiece model (needed)" },
    { 'B', "beams", "N", OPT_INT, &beams, 1, BEAMS_MAX,
      "hypotheses a beam keeps (default 1: the likeliest id at each step)" },
    { 'a', "length-penalty", "A", OPT_NUM, &alpha, 0, 10,
      "divide log probabilities by ((5 + length) / 6) ^ A (default 0.6)" },
    { 't', "temperature", "T", OPT_NUM, &temperature, 0.01, 100, "draw, from logits / T" },
    { 'k', "top-k", "N", OPT_INT, &top_k, 1, 1e6, "draw, among the N likeliest ids" },
    { 'p', "top-p", "P", OPT_NUM, &top_p, 1e-6, 1,
      "draw, among the fewest ids of this probability together" },
    { 's', "seed", "S", OPT_INT, &seed, 0, 0x1p53, "seed of what is drawn (default 0)" },
    { 'n', "nbest", "N", OPT_INT, &n_best, 1, BEAMS_MAX,
      "write N answers a text, with scores, as TSV" },
    { 'x', "prefix", "TEXT", OPT_STR, &prefix, 0, 0, "every answer begins so" },
    { 'L', "max-length", "N", OPT_INT, &max_length, 1, 32768,
      "ids of an answer, after the prefix (default 128)" },
    { 'i', "max-input", "N", OPT_INT, &max_input, 2, INPUT_MAX,
      "ids of a text: what is more is cut (default 1024)" },
    { 'f', "fill", NULL, OPT_FLAG, &fill, 0, 0,
      "write the text with its <extra_id_0>, <extra_id_1>, ... filled" },
    { 0, "json", NULL, OPT_FLAG, &json, 0, 0, "documents as JSON Lines in and out" },
    { 0, "extra-ids", "N", OPT_INT, &n_extra, 0, 10000,
      "sentinels after the pieces (default 100, 0 if the model has them)" },
    { 'b', "rows", "N", OPT_INT, &rows, 1, 4096, "texts at once (default 16)" },
    { 0, "hf-compat", NULL, OPT_FLAG, &hf_compat, 0, 0,
      "an encoder's expert takes no more of a text than expert_capacity ids" },
    { 'c', "check", NULL, OPT_FLAG, &check, 0, 0,
      "first read all of the checkpoint: is it as files.xxh128 in it says?" },
    { 'j', "threads", "N", OPT_INT, &threads, 1, THREADS_MAX,
      "threads (default: OMP_NUM_THREADS, else the processors there are)" },
    { 'o', "output", "FILE", OPT_STR, &output, 0, 0, "write here, whole or not at all" },
    { 'q', "quiet", NULL, OPT_FLAG, &quiet, 0, 0, "no progress, no warnings" },
    { 0 },
};

static const struct tool tool = { "switch-generate", "-m MODEL [OPTION ...] CHECKPOINT [FILE ...]",
                                  "Answer each line of text with a model.", opts };

static int drawing(void)
{
    return temperature > 0 || top_k > 0 || top_p > 0;
}

static void check_options(void)
{
    if (!model)
        die_misuse("--model is needed");
    if (beams > 1 && drawing())
        die_misuse("--beams does not go with --temperature, --top-k and --top-p");
    if (seed >= 0 && !drawing())
        die_misuse("--seed belongs to --temperature, --top-k or --top-p");
    if (n_best > beams && !drawing())
        die_misuse("--nbest of more than --beams");
}

static struct lines_plan plan(const char *checkpoint)
{
    struct lines_plan p = { .checkpoint = checkpoint,
                            .model = model,
                            .output = output,
                            .prefix = prefix,
                            .json = json,
                            .fill = fill,
                            .quiet = quiet,
                            .hf_compat = hf_compat,
                            .table = n_best > 0,
                            .n_extra = n_extra,
                            .n_text = (int)rows,
                            .max_input = (int)max_input,
                            .limit = (int)max_length };

    p.rule.kind = drawing() ? SEARCH_DRAW : beams > 1 ? SEARCH_BEAM : SEARCH_GREEDY;
    p.rule.n_beam = (int)beams;
    p.rule.n_best = n_best ? (int)n_best : 1;
    p.rule.alpha = alpha < 0 ? 0.6 : alpha;
    p.rule.draw.temperature = temperature > 0 ? temperature : 1;
    p.rule.draw.top_k = (size_t)top_k;
    p.rule.draw.top_p = top_p > 0 ? top_p : 1;
    p.rule.seed = seed < 0 ? 0 : (uint64_t)seed;
    return p;
}

/* The model is mapped and read where it is needed: no more of it without being asked. */
static void check_files(const char *path)
{
    struct err err = { 0 };
    struct tensors *t = tensors_open(path, &err);
    int rc = t ? weights_check(t, path, 0, INT_MAX, &err) : -1;

    if (rc == 0)
        err_set(&err, "%s: no %s to check by", path, sums_name);
    if (rc <= 0)
        die("%s", err.msg);
    tensors_close(t);
}

int main(int argc, char **argv)
{
    struct lines_plan p;
    struct err err = { 0 };
    char *path;

    threads_calm(argv);
    argv += opt_parse(&tool, argc, argv);
    check_options();
    if (!*argv)
        die_misuse("no checkpoint");
    if (!argv[1] && isatty(STDIN_FILENO))
        die_misuse("no input: name a file, or pipe one in");
    net_threads((int)threads);
    kernel_init();
    path = folder_find(*argv, &err);
    if (!path)
        die("%s", err.msg);
    if (check)
        check_files(path);
    p = plan(path);
    if (lines_run(&p, argv + 1, &err) < 0)
        die("%s", err.msg);
    free(path);
    return 0;
}
