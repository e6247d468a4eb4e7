/* pack-spans.c - token shards to example shards: span corruption and packing. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/die.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/progress.h"
#include "io/ledger.h"
#include "seq/denoise.h"
#include "seq/lengths.h"
#include "shard/columns.h"
#include "shard/example.h"
#include "shard/ids.h"
#include "shard/shard.h"

enum { PARENT_MAX = 256, SENTINELS = 100 };    // files that the header names; T5's extra ids

static int64_t inputs = 512, targets, extra_ids, seed, epoch, piece, n_open;
static double density, mean_span;    // 0: not said
static const char *objective, *denoisers, *fit, *output = "-", *stats;
static int quiet, skip_damage;

static const struct opt opts[] = {
    { 'i', "inputs", "N", OPT_INT, &inputs, 4, 32768, "ids of a row for the encoder (512)" },
    { 't', "targets", "N", OPT_INT, &targets, 3, 32768,
      "ids of a row for the decoder (so many that both sides become full)" },
    { 'd', "density", "P", OPT_NUM, &density, 0.01, 0.9, "share of noise (0.15)" },
    { 'm', "mean-span", "N", OPT_NUM, &mean_span, 1, 100, "mean length of a span (3)" },
    { 'x', "extra-ids", "N", OPT_INT, &extra_ids, 1, SPAN_MAX,
      "sentinels to use at most (what the shard says, or 100)" },
    { 's', "seed", "N", OPT_INT, &seed, 0, 0x1p53, "of the noise (0)" },
    { 'e', "epoch", "N", OPT_INT, &epoch, 0, 0x1p32,
      "of the noise: each has masks of its own (0)" },
    { 0, "objective", "span|prefix|ul2", OPT_CHOICE, &objective, 0, 0,
      "spans cut out, a prefix and what follows, or a mixture (span)" },
    { 0, "denoiser", "SPEC,...", OPT_STR, &denoisers, 0, 0,
      "of ul2: span:DENSITY:MEAN:SHARE[:MODE] or prefix:SHARE[:MODE] (UL2's seven)" },
    { 0, "piece", "N", OPT_INT, &piece, 2, SPAN_PIECE_MAX,
      "ids of a piece at most (what fits into a row)" },
    { 'p', "pack", "greedy|first-fit|best-fit|tile", OPT_CHOICE, &fit, 0, 0,
      "which open row takes an example (best-fit; prefix and ul2: tile)" },
    { 0, "open", "N", OPT_INT, &n_open, 1, PACKER_OPEN_MAX,
      "rows of a language that are open at a time (64; greedy: 1)" },
    { 'o', "output", "FILE", OPT_STR, &output, 0, 0, "write to FILE (standard output)" },
    { 0, "stats", "FILE", OPT_STR, &stats, 0, 0, "write counts as JSON to FILE" },
    { 0, "skip-damage", NULL, OPT_FLAG, &skip_damage, 0, 0, "pass over damaged blocks, and count" },
    { 'q', "quiet", NULL, OPT_FLAG, &quiet, 0, 0, "no progress line, no summary" },
    { 0 },
};

static const struct tool tool = { "pack-spans", "[option ...] [shard ...]",
                                  "Corrupt spans of token shards and pack them into rows.", opts };

struct run {
    char **path;
    struct ids_reader **in;    // [n_file]; NULL: is opened again when its turn comes
    int n_file;
    struct langs langs;           // of all files, as far as they are known
    struct shard_header *base;    // what all segments that are written have in their headers
    int n_parent;
    struct denoise_rule rule;
    struct denoise *denoise;
    struct example_writer *out;
    struct ledger *ledger;
    struct progress progress;
    int *map, n_map;       // the current file's languages among all; -1: not looked up yet
    uint64_t n_skipped;    // bytes
    struct err err;
};

static void fail(struct run *run)
{
    example_abandon(run->out);
    die("%s", run->err.msg);
}

static struct ids_reader *open_ids(struct run *run, int i)
{
    struct ids_reader *r = ids_open(run->path[i], &run->err);

    if (!r)
        fail(run);
    return r;
}

/* Keys that describe this run or the languages are written anew; all others pass on. */
static struct shard_header *inherit(const struct shard_header *from)
{
    static const char *const own[] = { "kind",   "version", "tool",  "options", "seed",
                                       "parent", "lang",    "langs", "bits" };
    struct shard_header *h = shard_header_new("examples");
    const char *key, *value;
    size_t i, k, n = sizeof(own) / sizeof(own[0]);

    for (i = 0; i < shard_header_n(from); i++) {
        shard_header_at(from, i, &key, &value);
        for (k = 0; k < n && strcmp(key, own[k]) != 0;)
            k++;
        if (k == n)
            shard_header_add(h, key, value);
    }
    return h;
}

static void add_parent(struct run *run, const struct shard_header *h)
{
    if (run->n_parent++ < PARENT_MAX)
        shard_header_parent(run->base, h);
}

/* All headers are read before the first record, for they name the languages. What is no
 * regular file cannot be opened twice and stays open. */
static void look(struct run *run)
{
    struct shard_header *first = NULL;
    int i;

    run->in = xcalloc((size_t)run->n_file, sizeof(struct ids_reader *));
    for (i = 0; i < run->n_file; i++) {
        struct ids_reader *r = open_ids(run, i);
        const struct shard_header *h = ids_header(r);
        struct stat st;

        if (!first) {
            first = shard_header_copy(h);
            run->base = inherit(h);
        }
        if (shard_header_joins(first, h, &run->err) || langs_join(&run->langs, h, &run->err))
            die("%s: %s", run->path[i], run->err.msg);
        add_parent(run, h);
        if (run->n_file > 1 && stat(run->path[i], &st) == 0 && S_ISREG(st.st_mode))
            ids_close(r);
        else
            run->in[i] = r;
    }
    shard_header_free(first);
}

/* What the shard says of sentinels and EOS, and the options of noise. */
static struct span_rule span_of(const struct run *run)
{
    const struct shard_header *h = run->base;
    int64_t vocab = shard_header_int(h, "vocab.size", 0), sentinels;
    struct span_rule span = { .density = density ? density : 0.15,
                              .mean = mean_span ? mean_span : 3 };

    sentinels = shard_header_int(h, "sentinels", extra_ids ? extra_ids : SENTINELS);
    if (sentinels < 1 && *objective != 'p')
        die("%s: the vocabulary has no sentinels (extra ids)", run->path[0]);
    if (extra_ids > sentinels)
        die_misuse("--extra-ids %" PRId64 ": the vocabulary has %" PRId64, extra_ids, sentinels);
    sentinels = extra_ids ? extra_ids : sentinels > SPAN_MAX ? SPAN_MAX : sentinels;
    span.n_sentinel = (int)sentinels;
    span.sentinel0 = (int32_t)shard_header_int(h, "sentinel0", vocab - 1);
    span.eos = (int32_t)shard_header_int(h, "eos", 1);
    if (span.sentinel0 >= vocab || span.sentinel0 < sentinels || span.eos < 1 || span.eos >= vocab)
        die("%s: a vocabulary of %" PRId64 " with sentinel0 %" PRId32 ", %" PRId64
            " sentinels and eos %" PRId32,
            run->path[0], vocab, span.sentinel0, sentinels, span.eos);
    return span;
}

static void rule_of(struct run *run)
{
    struct span_rule span = span_of(run);
    struct denoise_rule *rule = &run->rule;
    int64_t vocab = shard_header_int(run->base, "vocab.size", 0);
    int i;

    rule->inputs = (uint32_t)inputs;
    rule->seed = (uint64_t)seed;
    rule->epoch = (uint64_t)epoch;
    rule->fit = *fit == 'b' || *fit == 't' ? PACKER_BEST : PACKER_FIRST;
    rule->tiles = *fit == 't';
    rule->whole_alone = *objective == 's';
    rule->n_open = (int)n_open;
    rule->n_kind = 1;
    rule->kind[0] = (struct denoiser){ .prefix = *objective == 'p', .span = span, .share = 1 };
    if (denoisers)
        rule->n_kind = denoiser_parse(denoisers, &span, rule->kind, &run->err);
    if (rule->n_kind < 0)
        die_misuse("--denoiser: %s", run->err.msg);
    for (i = 0; i < rule->n_kind; i++)
        if (rule->kind[i].mode >= vocab)
            die_misuse("--denoiser: mode %" PRId32 " is no id of the vocabulary",
                       rule->kind[i].mode);
    if (lengths_fit(rule, (uint32_t)targets, (uint32_t)piece, &run->err))
        die_misuse("%s", run->err.msg);
}

/* What is not said follows from the objective. */
static void check_options(void)
{
    if (!objective)
        objective = denoisers ? "ul2" : "span";
    if (denoisers && *objective != 'u')
        die_misuse("--denoiser belongs to --objective ul2");
    if (*objective != 's' && (density || mean_span))
        die_misuse("--density and --mean-span belong to --objective span");
    if (*objective == 'u' && !denoisers)
        denoisers = denoiser_ul2;
    if (!fit)
        fit = *objective == 's' || piece ? "best-fit" : "tile";
    if (*fit == 't' && *objective == 's')
        die_misuse("--pack tile belongs to --objective prefix or ul2");
    if (*fit == 'g' && n_open > 1)
        die_misuse("--pack greedy has one row open");
    if (!n_open)
        n_open = *fit == 'g' ? 1 : 64;
}

/* The header of a segment, with all languages that are known. */
static struct shard_header *describe(const struct run *run)
{
    struct shard_header *h = shard_header_copy(run->base);
    const struct span_rule *span = &run->rule.kind[0].span;
    struct buf names = { 0 };
    int i;

    for (i = 0; i < run->langs.n; i++)
        buf_printf(&names, "%s%s", i ? "," : "", langs_name(&run->langs, i));
    shard_header_set(h, run->langs.n > 1 ? "langs" : "lang", "%s", (char *)names.p);
    buf_release(&names);
    shard_header_set(h, "objective", "%s",
                     *objective == 's'   ? "span_corruption"
                     : *objective == 'p' ? "prefix_lm"
                                         : "ul2");
    shard_header_set(h, "inputs", "%" PRIu32, run->rule.inputs);
    shard_header_set(h, "targets", "%" PRIu32, run->rule.targets);
    if (*objective == 's') {
        shard_header_set(h, "density", "%.9g", span->density);
        shard_header_set(h, "span", "%.9g", span->mean);
    }
    if (denoisers)
        shard_header_set(h, "denoiser", "%s", denoisers);
    shard_header_set(h, "sentinel0", "%" PRId32, span->sentinel0);
    shard_header_set(h, "sentinels", "%d", span->n_sentinel);
    shard_header_set(h, "eos", "%" PRId32, span->eos);
    shard_header_set(h, "epoch", "%" PRId64, epoch);
    shard_header_stamp(h, opt_line(), (uint64_t)seed);
    return h;
}

static int put(void *to, const struct example_row *row, struct err *err)
{
    struct run *run = to;

    return example_write(run->out, row, err);
}

/* A later segment of the input, whose header is h, has languages that were not known when the
 * segment being written began: another begins. The numbers of languages stay as they are. */
static void add_languages(struct run *run, const char *path, const struct shard_header *h)
{
    struct shard_header *mine;

    if (langs_join(&run->langs, h, &run->err)) {
        example_abandon(run->out);
        die("%s: %s", path, run->err.msg);
    }
    add_parent(run, h);
    mine = describe(run);
    if (example_begin(run->out, mine, &run->err))
        fail(run);
    shard_header_free(mine);
}

static int lang_find(const struct run *run, const char *lang)
{
    int i;

    for (i = 0; i < run->langs.n && strcmp(langs_name(&run->langs, i), lang) != 0;)
        i++;
    return i < run->langs.n ? i : -1;
}

/* Number of the reader's language lang, of the record just read, among all. */
static int lang_of(struct run *run, const char *path, const struct ids_reader *r, int lang)
{
    while (lang >= run->n_map) {
        run->map = xreallocarray(run->map, (size_t)run->n_map + 1, sizeof(*run->map));
        run->map[run->n_map++] = -1;
    }
    if (run->map[lang] < 0)
        run->map[lang] = lang_find(run, ids_lang(r, lang));
    if (run->map[lang] < 0) {
        add_languages(run, path, ids_header(r));
        run->map[lang] = lang_find(run, ids_lang(r, lang));
    }
    return run->map[lang];
}

static void pack_doc(struct run *run, int lang, const struct ids_record *rec)
{
    const char *name = langs_name(&run->langs, lang);
    uint64_t cut = denoise_counts(run->denoise)->n_cut;
    int kept = denoise_add(run->denoise, lang, rec->doc, rec->id, rec->n, &run->err);

    if (kept < 0)
        fail(run);
    ledger_in(run->ledger, name, 4 * rec->n);
    if (kept)
        ledger_out(run->ledger, name, 4 * (rec->n + cut - denoise_counts(run->denoise)->n_cut));
    else
        ledger_drop(run->ledger, name, "empty", 0);
    progress_show(&run->progress, denoise_counts(run->denoise)->n_id, 0);
}

/* The next document: 1, 0 at the end. Damage ends the run, or is passed over. */
static int next_doc(struct run *run, struct ids_reader *r, struct ids_record *rec)
{
    int got = ids_next(r, rec, &run->err);

    while (got < 0 && skip_damage) {
        warn("%s", run->err.msg);
        ledger_count(run->ledger, "damage", 1);
        got = ids_resync(r, &run->n_skipped, &run->err);
        if (got < 0)
            break;
        if (got == 1)
            got = ids_next(r, rec, &run->err);
    }
    if (got < 0)
        fail(run);
    return got;
}

static void pack_file(struct run *run, const char *path, struct ids_reader *r)
{
    uint64_t before = denoise_counts(run->denoise)->n_id;
    struct ids_record rec;

    run->n_map = 0;
    while (next_doc(run, r, &rec))
        pack_doc(run, lang_of(run, path, r, rec.lang), &rec);
    ledger_file(run->ledger, path, 4 * (denoise_counts(run->denoise)->n_id - before), NULL);
}

/* What became of it, in a line. */
static void summarize(const struct run *run)
{
    const struct denoise_count *c = denoise_counts(run->denoise);
    double rows = c->n_row ? (double)c->n_row : 1;

    if (!quiet)
        fprintf(stderr,
                "pack-spans: %" PRIu64 " examples in %" PRIu64 " rows, whose %" PRIu32
                " inputs are %.2f %% full, %" PRIu32 " targets %.2f %%\n",
                c->n_example, c->n_row, run->rule.inputs,
                100 * (double)c->n_input / rows / run->rule.inputs, run->rule.targets,
                100 * (double)c->n_target / rows / run->rule.targets);
}

/* The share of padding in rows for both sides, as facts; name ends in "" or ".LANG". */
static void report_padding(const struct run *run, const struct denoise_count *c, const char *name)
{
    const char *const side[2] = { "inputs", "targets" };
    uint64_t room[2] = { c->n_row * run->rule.inputs, c->n_row * run->rule.targets };
    uint64_t full[2] = { c->n_input, c->n_target };
    int i;

    for (i = 0; i < 2; i++) {
        char *key = xasprintf("padding_%s%s", side[i], name), text[32];

        snprintf(text, sizeof(text), "%.6f", room[i] ? 1 - (double)full[i] / (double)room[i] : 0);
        ledger_set(run->ledger, key, text);
        free(key);
    }
}

static void report_lang(const struct run *run, int lang)
{
    const struct denoise_count *c = denoise_counts_of(run->denoise, lang);
    char *name = xasprintf(".%s", langs_name(&run->langs, lang));
    char *rows = xasprintf("rows%s", name), *cut = xasprintf("ids_cut%s", name);

    if (c) {
        ledger_count(run->ledger, rows, c->n_row);
        ledger_count(run->ledger, cut, c->n_cut);
        report_padding(run, c, name);
    }
    free(name);
    free(rows);
    free(cut);
}

/* How many examples each denoiser of a mixture made, by its place in it: 1, 2, ... */
static void report_kinds(const struct run *run, const struct denoise_count *c)
{
    int i;

    for (i = 0; i < run->rule.n_kind && run->rule.n_kind > 1; i++) {
        char *name = xasprintf("examples.%d", i + 1);

        ledger_count(run->ledger, name, c->n_kind[i]);
        free(name);
    }
}

static void report(struct run *run)
{
    const struct denoise_count *c = denoise_counts(run->denoise);
    int i;

    ledger_count(run->ledger, "ids", c->n_id);
    ledger_count(run->ledger, "chunked", c->n_chunked);
    ledger_count(run->ledger, "ids_cut", c->n_cut);
    ledger_count(run->ledger, "ids_zero", c->n_zero);
    ledger_count(run->ledger, "examples", c->n_example);
    ledger_count(run->ledger, "rows", c->n_row);
    ledger_count(run->ledger, "inputs", c->n_input);
    ledger_count(run->ledger, "targets", c->n_target);
    ledger_count(run->ledger, "skipped_bytes", run->n_skipped);
    report_kinds(run, c);
    report_padding(run, c, "");
    for (i = 0; i < run->langs.n; i++)
        report_lang(run, i);
    if (ledger_write(run->ledger, stats, &run->err))
        die("%s", run->err.msg);
}

static void pack_all(struct run *run)
{
    int i;

    progress_init(&run->progress, "ids", 0, quiet || strcmp(output, "-") == 0);
    for (i = 0; i < run->n_file; i++) {
        struct ids_reader *r = run->in[i] ? run->in[i] : open_ids(run, i);

        pack_file(run, run->path[i], r);
        ids_close(r);
    }
    progress_end(&run->progress);
    if (denoise_end(run->denoise, &run->err))
        fail(run);
    if (example_finish(run->out, &run->err))
        die("%s", run->err.msg);
}

int main(int argc, char **argv)
{
    static char dash[] = "-", *standard[] = { dash, NULL };
    struct run run = { 0 };
    struct shard_header *header;
    int first = opt_parse(&tool, argc, argv);

    run.path = first < argc ? argv + first : standard;
    run.n_file = first < argc ? argc - first : 1;
    if (first == argc && isatty(STDIN_FILENO))
        die_misuse("no shard given, and standard input is a terminal");
    check_options();
    look(&run);
    rule_of(&run);
    header = describe(&run);
    run.out = example_create(output, header, &run.err);
    if (!run.out)
        fail(&run);
    shard_header_free(header);
    run.denoise = denoise_new(&run.rule, (struct packer_sink){ put, &run });
    run.ledger = ledger_new(tool.name);
    pack_all(&run);
    report(&run);
    summarize(&run);
    ledger_free(run.ledger);
    denoise_free(run.denoise);
    shard_header_free(run.base);
    langs_release(&run.langs);
    free(run.in);
    free(run.map);
    return 0;
}
