/* switch-convert.c - models of others into ours and back. */
#include <stddef.h>

#include "base/die.h"
#include "base/err.h"
#include "base/opt.h"
#include "convert/convert.h"

static const char *to = "ours", *dtype = "keep", *output;
static int64_t file_size = (int64_t)5 << 30;

static const struct opt opts[] = {
    { 'o', "output", "DIR", OPT_STR, &output, 0, 0, "the folder to make (needed)" },
    { 't', "to", "ours|hf", OPT_CHOICE, &to, 0, 0,
      "a file an expert, or files as Hugging Face has them (ours)" },
    { 'd', "dtype", "keep|f32|bf16|f16", OPT_CHOICE, &dtype, 0, 0, "kind of numbers (keep)" },
    { 's', "file-size", "SIZE", OPT_SIZE, &file_size, 1, 0x1p60,
      "hf: most bytes of numbers in a file (5G)" },
    { 0 },
};

static const struct tool tool = { "switch-convert", "-o DIR MODEL",
                                  "Convert T5, mT5 and Switch models of safetensors.", opts };

int main(int argc, char **argv)
{
    struct convert_plan plan = { .layout = LAYOUT_OURS };
    struct err err;

    argv += opt_parse(&tool, argc, argv);
    if (!output || !*argv || argv[1])
        die_misuse("one model, and --output");
    plan.layout = *to == 'o' ? LAYOUT_OURS : LAYOUT_FILES;
    plan.dtype = dtype;
    plan.file_bytes = (uint64_t)file_size;
    if (convert_model(*argv, output, &plan, &err) < 0)
        die("%s", err.msg);
    return 0;
}
