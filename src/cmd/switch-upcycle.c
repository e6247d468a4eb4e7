/* switch-upcycle.c - a dense model as a Switch model. */
#include <stddef.h>

#include "base/die.h"
#include "base/err.h"
#include "base/opt.h"
#include "convert/convert.h"

static const char *output;
static int64_t experts, every = 2, seed;
static double noise, init_scale = 0.1;

static const struct opt opts[] = {
    { 'o', "output", "DIR", OPT_STR, &output, 0, 0, "the folder to make (needed)" },
    { 'E', "experts", "N", OPT_INT, &experts, 1, 1 << 16, "experts of a sparse block (needed)" },
    { 'k', "every", "K", OPT_INT, &every, 1, 512, "block i is sparse where i mod K = 1 (2)" },
    { 'n', "noise", "P", OPT_NUM, &noise, 0, 10,
      "noise on the experts, as a share of their weights' size (0)" },
    { 'i', "init-scale", "S", OPT_NUM, &init_scale, 1e-6, 100, "of the routers (0.1)" },
    { 's', "seed", "N", OPT_INT, &seed, 0, 0x1p53, "of routers and noise (0)" },
    { 0 },
};

static const struct tool tool = { "switch-upcycle", "-E N -o DIR MODEL",
                                  "Make a Switch model of a dense one: copies, and a router.",
                                  opts };

int main(int argc, char **argv)
{
    struct convert_plan plan = { .layout = LAYOUT_OURS, .dtype = "keep" };
    struct upcycle_plan up = { 0 };
    struct err err;

    argv += opt_parse(&tool, argc, argv);
    if (!output || !experts || !*argv || argv[1])
        die_misuse("one model, --experts and --output");
    up.n_expert = (int)experts;
    up.every = (int)every;
    up.noise = noise;
    up.init_scale = init_scale;
    up.seed = (uint64_t)seed;
    if (upcycle_model(*argv, output, &plan, &up, &err) < 0)
        die("%s", err.msg);
    return 0;
}
