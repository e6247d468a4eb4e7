/* switch-pretrain - train a model from examples, on any number of ranks. */
#include <stddef.h>

#include "base/die.h"
#include "base/err.h"
#include "base/opt.h"
#include "launch/options.h"
#include "model/threads.h"
#include "shape/config.h"
#include "shape/preset.h"
#include "shape/slice.h"
#include "shape/variant.h"
#include "train/run.h"

static const char *config_word;

static const struct opt opts[] = {
    { 'c', "config", "FILE|PRESET", OPT_STR, &config_word, 0, 0, "the model's shape" },
    { 0, "weights", "DIR", OPT_STR, &training.ask.weights, 0, 0,
      "begin with the weights of a checkpoint" },
    { 0, "init", "paper|mtf|t5x", OPT_CHOICE, &training.init, 0, 0,
      "whose rules the first weights are drawn by (default @)" },
    { 0, "init-scale", "X", OPT_NUM, &training.rule.init_scale, 1e-9, 1e6,
      "scale of the first weights (default @)" },
    { .to = variant_opts },
};

static const struct tool tool = { "switch-pretrain",
                                  "--config FILE|PRESET --train FILE --out DIR [OPTION ...]",
                                  "Train a T5 or Switch Transformer; under mpirun on many ranks.",
                                  opts };

static void check_options(int more)
{
    struct err err;

    if (more)
        die_misuse("there are no operands");
    if (!config_word || !training.ask.train || !training.ask.out)
        die_misuse("--config, --train and --out are needed");
    if (training_check(&training, &err) < 0)
        die_misuse("%s", err.msg);
}

int main(int argc, char **argv)
{
    struct config c;
    struct comm *comm;
    struct err err;
    int rc;

    threads_calm(argv);
    opt_join(variant_opts, training_data_opts);
    argv += opt_parse(&tool, argc, argv);
    check_options(*argv != NULL);
    comm = training_begin(&training);
    if (config_find(&c, config_word, &err) < 0)
        die("%s", err.msg);
    if (variant_apply(&c, &err) < 0 || slice_lay(comm, &c, training.mesh, &err) < 0)
        die_misuse("%s", err.msg);
    rc = run_train(&c, &training.rule, &training.ask, comm, &err);
    return training_end(&training, comm, rc, &err);
}
