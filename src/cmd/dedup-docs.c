/* dedup-docs.c - documents without those that are much like another. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/die.h"
#include "base/err.h"
#include "base/opt.h"
#include "base/progress.h"
#include "io/ledger.h"
#include "io/out.h"
#include "minhash/run.h"

enum { THREADS_MAX = 1024, FUNCTIONS_MAX = 1 << 14 };

static const char *hash = "xx64", *keep = "hash", *output = "-", *clusters, *rejects, *stats,
                  *tmpdir;
static int64_t n_bucket = 14, n_hash = 8, n_gram = 5, seed = 1, mem = 1 << 30, threads = 1;
static int dates, by_lang, strict, quiet;

static const struct opt opts[] = {
    { 'b', "buckets", "N", OPT_INT, &n_bucket, 1, FUNCTIONS_MAX, "buckets (default 14)" },
    { 'r', "hashes", "N", OPT_INT, &n_hash, 1, FUNCTIONS_MAX, "hashes in a bucket (default 8)" },
    { 'n', "ngram", "N", OPT_INT, &n_gram, 1, 1000, "words in a shingle (default 5)" },
    { 's', "seed", "N", OPT_INT, &seed, 0, UINT32_MAX, "of the hash functions (default 1)" },
    { 0, "hash", "xx64|sha1", OPT_CHOICE, &hash, 0, 0, "of a shingle (default xx64)" },
    { 0, "dates", NULL, OPT_FLAG, &dates, 0, 0,
      "English weekdays are one word, and so are months" },
    { 0, "by-lang", NULL, OPT_FLAG, &by_lang, 0, 0, "compare within a \"lang\" only" },
    { 'k', "keep", "hash|first|longest", OPT_CHOICE, &keep, 0, 0,
      "which document of a cluster stays (default hash)" },
    { 'o', "output", "FILE", OPT_STR, &output, 0, 0, "write here, whole or not at all" },
    { 0, "clusters", "FILE", OPT_STR, &clusters, 0, 0, "write who is like whom, as TSV" },
    { 0, "rejects", "FILE", OPT_STR, &rejects, 0, 0, "write removed documents here" },
    { 0, "stats", "FILE", OPT_STR, &stats, 0, 0, "write what came in and went out, as JSON" },
    { 'M', "mem", "SIZE", OPT_SIZE, &mem, 1 << 20, 0x1p50, "memory to sort in (default 1G)" },
    { 0, "tmpdir", "DIR", OPT_STR, &tmpdir, 0, 0, "for temporary files (default $TMPDIR)" },
    { 'j', "threads", "N", OPT_INT, &threads, 1, THREADS_MAX, "threads (default 1)" },
    { 0, "strict", NULL, OPT_FLAG, &strict, 0, 0, "stop at the first line that is no document" },
    { 'q', "quiet", NULL, OPT_FLAG, &quiet, 0, 0, "no progress, no warnings" },
    { 0 },
};

static const struct tool tool = {
    "dedup-docs", "[FILE ...]",
    "Remove documents (JSON Lines) that are near-duplicates of others, by MinHash.", opts
};

static void check_outputs(void)
{
    const char *const to[] = { output, clusters, rejects, stats };
    size_t i;
    int n = 0;

    for (i = 0; i < sizeof(to) / sizeof(to[0]); i++)
        n += to[i] && !strcmp(to[i], "-");
    if (n > 1)
        die_misuse(
            "only one of --output, --clusters, --rejects and --stats can be standard output");
}

static void fill_plan(struct dedup_plan *p)
{
    if (n_bucket * n_hash > FUNCTIONS_MAX)
        die_misuse("--buckets times --hashes: at most %d", FUNCTIONS_MAX);
    p->n_bucket = (int)n_bucket;
    p->n_hash = (int)n_hash;
    p->n_gram = (int)n_gram;
    p->seed = (uint32_t)seed;
    p->hash = !strcmp(hash, "sha1") ? SIGN_SHA1 : SIGN_XX64;
    p->keep = *keep == 'f' ? DEDUP_FIRST : *keep == 'l' ? DEDUP_LONGEST : DEDUP_HASH;
    p->dates = dates;
    p->by_lang = by_lang;
    p->strict = strict;
    p->n_thread = (int)threads;
    p->mem = (size_t)mem;
    p->tmpdir = tmpdir;
}

static struct out *open_or_die(const char *path)
{
    struct out *o;
    struct err err;

    if (!path)
        return NULL;
    o = out_open(path, &err);
    if (!o)
        die("%s", err.msg);
    return o;
}

static void close_or_die(struct out *o)
{
    struct err err;

    if (o && out_close(o, &err) < 0)
        die("%s", err.msg);
}

static void run(const struct dedup_plan *p, char **file)
{
    struct err err;
    struct dedup *d = dedup_open(p, &err);

    if (!d || dedup_read(d, file, &err) < 0 || dedup_write(d, &err) < 0)
        die("%s", err.msg);
    progress_end(p->progress);
    dedup_close(d);
    close_or_die(p->clusters);
    close_or_die(p->rejects);
    close_or_die(p->out);
    if (ledger_write(p->ledger, stats, &err) < 0)
        die("%s", err.msg);
}

int main(int argc, char **argv)
{
    char **file = argv + opt_parse(&tool, argc, argv), dash[] = "-",
         *standard_input[] = { dash, NULL };
    struct progress progress;
    struct dedup_plan plan = { .progress = &progress };
    uint64_t bad;

    check_outputs();
    fill_plan(&plan);
    if (!*file && isatty(STDIN_FILENO))
        die_misuse("no input: name a file, or pipe one in");
    plan.out = open_or_die(output);
    plan.clusters = open_or_die(clusters);
    plan.rejects = open_or_die(rejects);
    plan.ledger = ledger_new(tool.name);
    progress_init(&progress, "documents", 0, quiet || out_is_terminal(plan.out));
    run(&plan, *file ? file : standard_input);
    bad = ledger_records_in(plan.ledger) - ledger_counted(plan.ledger, "documents");
    if (bad && !quiet)
        warn("%" PRIu64 " of %" PRIu64 " lines dropped: no documents", bad,
             ledger_records_in(plan.ledger));
    ledger_free(plan.ledger);
    return 0;
}
