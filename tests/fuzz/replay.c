/* replay.c - the main of a fuzz target where there is no fuzzer: run it on files. */
#define _GNU_SOURCE    // memfd_create
#include "fuzz.h"

static void run(const char *path)
{
    enum { MAX = 1 << 20 };
    uint8_t *data = malloc(MAX);
    FILE *f = fopen(path, "rb");
    size_t n;

    if (!data || !f) {
        fprintf(stderr, "replay: cannot read %s\n", path);
        exit(1);
    }
    n = fread(data, 1, MAX, f);
    fclose(f);
    LLVMFuzzerTestOneInput(data, n);
    free(data);
}

int main(int argc, char **argv)
{
    int i;

    for (i = 1; i < argc; i++)
        run(argv[i]);
    return argc < 2;
}
