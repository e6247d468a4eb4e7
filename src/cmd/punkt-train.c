/* punkt-train.c - text to what Punkt knows of its language. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/die.h"
#include "base/err.h"
#include "base/opt.h"
#include "base/progress.h"
#include "io/doc.h"
#include "io/out.h"
#include "io/stream.h"
#include "punkt/params.h"
#include "punkt/train.h"
#include "text/utf8.h"

enum { INPUT_LINE_MAX = 1 << 28 };    // bytes

static struct punkt_bars bars;
static struct opt_list note;
static const char *output = "-";
static int text, strict, quiet;

static const struct opt opts[] = {
    { 't', "text", NULL, OPT_FLAG, &text, 0, 0, "plain text, not JSON Lines" },
    { 0, "abbrev", "X", OPT_NUM, &bars.abbrev, 0, 1e9, "score of an abbreviation (default 0.3)" },
    { 0, "rare", "N", OPT_INT, &bars.rare, 0, 1e15,
      "words seen less often may be abbreviations by what follows them (default 5)" },
    { 0, "collocation", "X", OPT_NUM, &bars.collocation, 0, 1e9,
      "log likelihood ratio of a collocation (default 7.88)" },
    { 0, "starter", "X", OPT_NUM, &bars.starter, 0, 1e9,
      "log likelihood ratio of a sentence starter (default 30)" },
    { 0, "context", "N", OPT_INT, &bars.context, 0, 1e15,
      "keep contexts of words seen as often (default 1)" },
    { 0, "votes", "N", OPT_INT, &bars.votes, 0, 1e9,
      "files that must find an abbreviation each (default 0: all text at once)" },
    { 0, "note", "TEXT", OPT_LIST, &note, 0, 0, "a comment for the file (again and again)" },
    { 'o', "output", "FILE", OPT_STR, &output, 0, 0, "write here, whole or not at all" },
    { 0, "strict", NULL, OPT_FLAG, &strict, 0, 0, "stop at damage instead of skipping it" },
    { 'q', "quiet", NULL, OPT_FLAG, &quiet, 0, 0, "no progress, no summary" },
    { 0 },
};

static const struct tool tool = {
    "punkt-train", "[FILE ...]",
    "Learn where a language's sentences end, from documents (JSON Lines) or text.", opts
};

struct job {
    struct punkt_trainer *trainer;
    struct doc_parser *parser;
    struct progress progress;
    uint64_t n_line, n_byte, n_bad;
};

/* A document: its lines, parted from those before. */
static void learn_doc(struct job *j, struct bytes doc)
{
    const unsigned char *end = bytes_end(doc), *lf;

    for (; doc.p < end; doc.p = lf + 1) {
        lf = memchr(doc.p, '\n', (size_t)(end - doc.p));
        if (!lf)
            lf = end;
        punkt_trainer_line(j->trainer, (struct bytes){ doc.p, (size_t)(lf - doc.p) });
    }
    punkt_trainer_line(j->trainer, (struct bytes){ end, 0 });
}

static void learn_line(struct job *j, const char *path, uint64_t number, struct bytes line)
{
    struct doc d = { .text = line };
    struct err err;

    if ((!text && doc_parse(j->parser, line, &d, &err)) ||
        (!utf8_valid(d.text) && err_set(&err, "not UTF-8"))) {
        if (strict)
            die("%s:%" PRIu64 ": %s", path, number, err.msg);
        j->n_bad++;
    } else if (text) {
        punkt_trainer_line(j->trainer, line);
    } else {
        learn_doc(j, d.text);
    }
    j->n_byte += d.text.n;
    progress_show(&j->progress, ++j->n_line, j->n_byte);
}

static void learn_file(struct job *j, const char *path)
{
    struct err err;
    struct stream *s = stream_open(path, &err);
    struct bytes line;
    uint64_t number = 0;
    int got;

    if (!s)
        die("%s", err.msg);
    while ((got = stream_line(s, &line, INPUT_LINE_MAX, &err)) != 0) {
        number++;
        if (got > 0) {
            learn_line(j, stream_path(s), number, line);
            continue;
        }
        if (strict)
            die("%s", err.msg);
        warn("%s", err.msg);
        got = stream_resume(s, &err);
        if (got < 0)
            die("%s", err.msg);
        if (!got)
            break;
    }
    punkt_trainer_line(j->trainer, (struct bytes){ (const unsigned char *)"", 0 });
    if (bars.votes)
        punkt_trainer_vote(j->trainer, &bars);
    stream_close(s);
}

static void write_params(const struct job *j)
{
    struct punkt_params *p = punkt_trainer_learn(j->trainer, &bars);
    struct buf comment = { 0 };
    struct out *out;
    struct err err;
    int i;

    for (i = 0; i < note.n; i++)
        buf_printf(&comment, "# %s\n", note.item[i]);
    buf_printf(&comment,
               "# punkt-train " SWITCHYARD_VERSION ": %" PRIu64 " tokens; abbrev %g, rare %" PRId64
               ", collocation %g, starter %g, context %" PRId64 ", votes %" PRId64 "\n",
               punkt_trainer_tokens(j->trainer), bars.abbrev, bars.rare, bars.collocation,
               bars.starter, bars.context, bars.votes);
    out = out_open(output, &err);
    if (!out || punkt_save(p, (char *)comment.p, out, &err) || out_close(out, &err))
        die("%s", err.msg);
    if (!quiet)
        warn("%" PRIu64 " tokens: %zu abbreviations, %zu collocations, %zu starters, %zu contexts",
             punkt_trainer_tokens(j->trainer), punkt_types_with(p, PUNKT_ABBREV), punkt_pairs(p),
             punkt_types_with(p, PUNKT_STARTER), punkt_types_with(p, PUNKT_UPPER | PUNKT_LOWER));
    punkt_params_free(p);
    buf_release(&comment);
}

static void check_options(void)
{
    int i;

    for (i = 0; i < note.n; i++)
        if (strchr(note.item[i], '\n'))
            die_misuse("--note: one line each");
}

int main(int argc, char **argv)
{
    struct job job = { 0 };

    bars = PUNKT_BARS;
    argv += opt_parse(&tool, argc, argv);
    check_options();
    if (!*argv && isatty(STDIN_FILENO))
        die_misuse("no input: name a file, or pipe one in");
    job.trainer = punkt_trainer_new();
    job.parser = doc_parser_new();
    progress_init(&job.progress, "lines", 0, quiet);
    if (!*argv)
        learn_file(&job, "-");
    for (; *argv; argv++)
        learn_file(&job, *argv);
    progress_end(&job.progress);
    if (job.n_bad && !quiet)
        warn("%" PRIu64 " of %" PRIu64 " lines skipped: no documents, or not UTF-8", job.n_bad,
             job.n_line);
    write_params(&job);
    doc_parser_free(job.parser);
    punkt_trainer_free(job.trainer);
    return 0;
}
