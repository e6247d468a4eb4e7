/* spm-train.c - documents or lines to a SentencePiece model. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/die.h"
#include "base/err.h"
#include "base/opt.h"
#include "base/progress.h"
#include "io/ledger.h"
#include "spm/vocab.h"
#include "text/charsmap.h"
#include "text/lang.h"
#include "vocab/corpus.h"
#include "vocab/intake.h"
#include "vocab/model.h"
#include "vocab/pieces.h"

enum { SENTINELS = 100 };

static const char *output, *type = "unigram", *normalizer = "nmt_nfkc", *lang, *prune = "0.1.97",
                           *tmpdir, *stats;
static int64_t size, extra_ids = -1, max_piece = 16, n_seed = 1000000, mem = 1 << 30, threads = 1,
                     rounds = 2, pad = -2, eos = -2, unk = -2, bos = -2;
static double coverage = 0.9995, alpha = 1, shrink = 0.75;
static int t5, lines, byte_fallback, split_digits, whole_scripts, whole_numbers, at_most, quiet;
static struct opt_list user;

static const struct opt opts[] = {
    { 'o', "output", "FILE", OPT_STR, &output, 0, 0, "the model to write (needed)" },
    { 's', "vocab-size", "N", OPT_INT, &size, 4, 1 << 23, "pieces in all (needed)" },
    { 't', "type", "unigram|bpe", OPT_CHOICE, &type, 0, 0, "kind of model (unigram)" },
    { 0, "t5", NULL, OPT_FLAG, &t5, 0, 0,
      "T5's ids: pad 0, eos 1, unk 2, no bos, 100 sentinels at the end" },
    { 'x', "extra-ids", "N", OPT_INT, &extra_ids, 0, 10000, "sentinels at the end (0)" },
    { 'c', "coverage", "P", OPT_NUM, &coverage, 0.5, 1,
      "share of the characters that get a piece (0.9995)" },
    { 'b', "byte-fallback", NULL, OPT_FLAG, &byte_fallback, 0, 0,
      "256 pieces for the bytes of other characters" },
    { 'a', "alpha", "A", OPT_NUM, &alpha, 0, 1, "count n characters of a language as n ^ A (1)" },
    { 'n', "lines", NULL, OPT_FLAG, &lines, 0, 0, "each line is a document, not JSON" },
    { 'l', "lang", "TAG", OPT_STR, &lang, 0, 0, "the language of all documents" },
    { 0, "normalizer", "NAME|FILE", OPT_STR, &normalizer, 0, 0,
      "nmt_nfkc, nfkc, either with _cf, identity, or a model's (nmt_nfkc)" },
    { 0, "max-piece", "N", OPT_INT, &max_piece, 1, 64, "characters of a piece (16)" },
    { 0, "seeds", "N", OPT_INT, &n_seed, 1000, 10000000, "candidates to begin with (1000000)" },
    { 0, "shrink", "P", OPT_NUM, &shrink, 0.1, 0.95, "share of them that a round keeps (0.75)" },
    { 0, "rounds", "N", OPT_INT, &rounds, 1, 20, "of counting between two prunings (2)" },
    { 0, "prune", "0.1.97|0.2.2", OPT_CHOICE, &prune, 0, 0,
      "weigh candidates as this SentencePiece (0.1.97: fewer tokens)" },
    { 0, "split-digits", NULL, OPT_FLAG, &split_digits, 0, 0, "each digit is a piece" },
    { 0, "whole-scripts", NULL, OPT_FLAG, &whole_scripts, 0, 0, "pieces may mix scripts" },
    { 0, "whole-numbers", NULL, OPT_FLAG, &whole_numbers, 0, 0, "digits may join letters" },
    { 'u', "user", "PIECE", OPT_LIST, &user, 0, 0, "a piece that is never split (repeatable)" },
    { 0, "pad", "ID", OPT_INT, &pad, -1, 1 << 23, "id of <pad>, -1 none (-1)" },
    { 0, "eos", "ID", OPT_INT, &eos, -1, 1 << 23, "id of </s>, -1 none (2)" },
    { 0, "unk", "ID", OPT_INT, &unk, 0, 1 << 23, "id of <unk> (0)" },
    { 0, "bos", "ID", OPT_INT, &bos, -1, 1 << 23, "id of <s>, -1 none (1)" },
    { 0, "at-most", NULL, OPT_FLAG, &at_most, 0, 0, "fewer pieces are no failure" },
    { 'j', "threads", "N", OPT_INT, &threads, 1, 1024, "threads (1)" },
    { 'M', "mem", "SIZE", OPT_SIZE, &mem, 16 << 20, 0x1p50, "memory for words (1G)" },
    { 'T', "tmpdir", "DIR", OPT_STR, &tmpdir, 0, 0, "for what is over it ($TMPDIR)" },
    { 0, "stats", "FILE", OPT_STR, &stats, 0, 0, "write counts here, as JSON" },
    { 'q', "quiet", NULL, OPT_FLAG, &quiet, 0, 0,
      "no progress, no warnings, no account of the rounds" },
    { 0 },
};

static const struct tool tool = { "spm-train", "-o MODEL -s N [FILE ...]",
                                  "Train a SentencePiece model on documents (JSON Lines) or lines.",
                                  opts };

static void plan_set(struct model_plan *p)
{
    p->type = *type == 'u' ? MODEL_UNIGRAM : MODEL_BPE;
    p->size = size;
    p->pad = pad > -2 ? pad : t5 ? 0 : -1;
    p->eos = eos > -2 ? eos : t5 ? 1 : 2;
    p->unk = unk > -2 ? unk : t5 ? 2 : 0;
    p->bos = bos > -2 ? bos : t5 ? -1 : 1;
    p->byte_fallback = byte_fallback;
    p->extra_ids = extra_ids >= 0 ? extra_ids : t5 ? SENTINELS : 0;
    p->coverage = coverage;
    p->rule = (struct piece_rule){ .max_chars = (int)max_piece,
                                   .split_scripts = !whole_scripts,
                                   .split_numbers = !whole_numbers,
                                   .split_digits = split_digits,
                                   .split_spaces = 1 };
    if (model_meta(p) >= size)
        die_misuse("--vocab-size %" PRId64 " is taken up by pieces that are not trained", size);
}

/* The normaliser's table into room: made here, or that of a model. */
static void choose_normalizer(struct model_plan *p, struct buf *room)
{
    struct vocab *v;
    struct err err;

    p->normalizer = normalizer;
    if (charsmap_make(normalizer, room) < 0) {
        if (!(v = vocab_open(normalizer, &err)))
            die("%s", err.msg);
        buf_add(room, v->normal.charsmap.p, v->normal.charsmap.n);
        vocab_free(v);
        p->normalizer = "user_defined";
    }
    p->charsmap = buf_bytes(room);
}

static struct normal *make_normal(const struct model_plan *p)
{
    struct normal_spec spec = {
        .charsmap = p->charsmap, .add_dummy_prefix = 1, .remove_extra = 1, .escape = 1
    };
    struct normal *n;
    struct err err;

    if (!(n = normal_new(&spec, NULL, 0, &err)))
        die("%s", err.msg);
    return n;
}

static int lang_row(void)
{
    const struct lang *l;

    if (!lang)
        return -1;
    l = lang_find((struct bytes){ (const unsigned char *)lang, strlen(lang) });
    if (!l)
        die_misuse("no language '%s' here", lang);
    return (int)(l - langs);
}

static void read_all(struct intake *in, char **file)
{
    struct err err;

    for (; *file; file++)
        if (intake_file(in, *file, &err) < 0)
            die("%s", err.msg);
    progress_end(in->progress);
    if (in->n_bad && !quiet)
        warn("%" PRIu64 " lines that are no documents", in->n_bad);
    if (corpus_end(in->corpus, &err) < 0)
        die("%s", err.msg);
}

static void account(const struct corpus *c, struct ledger *l)
{
    size_t n_word, n_letter;

    corpus_words(c, &n_word);
    corpus_letters(c, &n_letter);
    ledger_count(l, "words", n_word);
    ledger_count(l, "letters", n_letter);
    ledger_count(l, "rare_words", corpus_rare(c));
    ledger_count(l, "spilled_bytes", corpus_spilled(c));
    if (corpus_rare(c))
        warn("%" PRIu64 " words, the rarest, did not fit into --mem and are left out",
             corpus_rare(c));
    if (!quiet)
        fprintf(stderr,
                "spm-train: %" PRIu64 " characters, %zu words, %zu letters that cover %.5g\n",
                corpus_chars(c), n_word, n_letter, corpus_covered(c));
}

static void say(size_t n_piece, double bits)
{
    fprintf(stderr, "spm-train: %zu pieces, %.4f bits a character\n", n_piece, bits);
}

static void train(const struct model_plan *p, const struct corpus *corpus, struct candidates *c)
{
    struct unigram_plan u = { .want = (size_t)(size - model_meta(p)),
                              .shrink = shrink,
                              .rounds = (int)rounds,
                              .by_parts = !strcmp(prune, "0.2.2"),
                              .n_thread = (int)threads,
                              .say = quiet ? NULL : say };
    size_t n_letter;
    struct err err;

    corpus_letters(corpus, &n_letter);
    if (!n_letter)
        die("no text to train on");
    if (n_letter > u.want)
        die("%zu letters and %" PRId64 " other pieces are more than --vocab-size: lower --coverage",
            n_letter, model_meta(p));
    if (p->type == MODEL_BPE)
        bpe_train(c, corpus, (int)max_piece, u.want);
    else if (seeds_find(c, corpus, (int)max_piece, (size_t)n_seed, (size_t)mem, &err) < 0 ||
             unigram_train(c, corpus, &u, &err) < 0)
        die("%s", err.msg);
    if (c->n < u.want && !at_most)
        die("the text gives %zu pieces: --vocab-size %" PRId64 " at most (or --at-most)", c->n,
            (int64_t)c->n + model_meta(p));
}

int main(int argc, char **argv)
{
    char **file = argv + opt_parse(&tool, argc, argv), dash[] = "-", *standard[] = { dash, NULL };
    struct model_plan p = { 0 };
    struct corpus_plan how = { .coverage = coverage, .alpha = alpha, .tmpdir = tmpdir };
    struct candidates c = { 0 };
    struct progress progress;
    struct buf table = { 0 };
    struct intake in = { .progress = &progress, .lines = lines, .n_thread = (int)threads };
    struct err err;

    if (!output || !size)
        die_misuse("--output and --vocab-size are needed");
    if (!*file && isatty(STDIN_FILENO))
        die_misuse("no files, and standard input is a terminal");
    plan_set(&p);
    choose_normalizer(&p, &table);
    how.rule = p.rule;
    how.mem = (size_t)mem;
    p.user = user.n ? user.item : NULL;
    p.input = (const char *const *)(*file ? file : standard);
    in.corpus = corpus_new(&how);
    in.normal = make_normal(&p);
    in.ledger = ledger_new(tool.name);
    in.lang = lang_row();
    progress_init(&progress, "documents", 0, quiet);
    read_all(&in, *file ? file : standard);
    account(in.corpus, in.ledger);
    train(&p, in.corpus, &c);
    if (model_write(output, &p, &c, &err) < 0 || ledger_write(in.ledger, stats, &err) < 0)
        die("%s", err.msg);
    candidates_release(&c);
    corpus_free(in.corpus);
    normal_free(in.normal);
    ledger_free(in.ledger);
    buf_release(&table);
    return 0;
}
