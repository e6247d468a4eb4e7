/* spm-encode.c - documents or lines to ids. */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/die.h"
#include "base/err.h"
#include "base/opt.h"
#include "base/progress.h"
#include "io/doc.h"
#include "io/ledger.h"
#include "io/out.h"
#include "io/stream.h"
#include "shard/ids.h"
#include "shard/shard.h"
#include "spm/encode.h"
#include "spm/vocab.h"
#include "text/lang.h"

enum { INPUT_LINE_MAX = 1 << 28, SENTINELS = 100 };    // bytes; what T5 adds to a vocabulary

static const char *model, *format = "shard", *arithmetic = "0.2.2", *lang, *output = "-", *stats;
static int lines, strict, quiet;
static int64_t n_extra = -1;    // not said

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
    { 'o', "output", "FILE", OPT_STR, &output, 0, 0, "write here, whole or not at all" },
    { 0, "stats", "FILE", OPT_STR, &stats, 0, 0, "write what came in and went out, as JSON" },
    { 0, "strict", NULL, OPT_FLAG, &strict, 0, 0, "stop at the first line that is no document" },
    { 'q', "quiet", NULL, OPT_FLAG, &quiet, 0, 0, "no progress, no warnings" },
    { 0 },
};

static const struct tool tool = {
    "spm-encode", "-m MODEL [FILE ...]",
    "Encode documents (JSON Lines) or lines with a SentencePiece unigram model.", opts
};

struct job {
    struct vocab *vocab;
    struct encoder *encoder;
    struct encoding enc;
    struct doc_parser *parser;
    struct ids_writer *shard;    // or
    struct out *text;
    struct buf line;    // of text
    struct ledger *ledger;
    struct progress progress;
    uint64_t n_doc, n_byte;
    int und;    // its number in langs
};

static const char *lang_label(void)
{
    struct bytes tag = { (const unsigned char *)lang, lang ? strlen(lang) : 0 };
    const struct lang *known = lang ? lang_find(tag) : NULL;

    return known ? known->label : lang ? lang : "und";
}

/* The header says one language where there can be but one, else the whole table. */
static void header_set_lang(struct shard_header *h)
{
    struct buf b = { 0 };
    int i;

    if (lang || lines) {
        shard_header_set(h, "lang", "%s", lang_label());
        return;
    }
    for (i = 0; i < n_lang; i++)
        buf_printf(&b, "%s%s", i ? "," : "", langs[i].label);
    shard_header_set(h, "langs", "%.*s", (int)b.n, (char *)b.p);
    buf_release(&b);
}

static struct ids_writer *create_shard(const struct vocab *v, struct err *err)
{
    struct shard_header *h = shard_header_new("ids");
    int64_t extra = n_extra >= 0 ? n_extra : v->sentinel0 < 0 ? SENTINELS : 0;
    struct ids_writer *w;
    char hex[65];

    if (extra && v->sentinel0 >= 0)
        die("%s: the model has sentinels of its own: --extra-ids must be 0", model);
    vocab_sha256(v, hex);
    shard_header_set(h, "vocab.size", "%" PRId64, v->n_piece + extra);
    shard_header_set(h, "vocab.sha256", "%s", hex);
    shard_header_set(h, "vocab.name", "%s", v->name);
    shard_header_set(h, "pieces", "%" PRId32, v->n_piece);
    shard_header_set(h, "sentinels", "%" PRId64, extra ? extra : v->n_sentinel);
    if (extra || v->sentinel0 >= 0)
        shard_header_set(h, "sentinel0", "%" PRId64,
                         extra ? v->n_piece + extra - 1 : (int64_t)v->sentinel0);
    if (v->eos >= 0)
        shard_header_set(h, "eos", "%" PRId32, v->eos);
    header_set_lang(h);
    shard_header_stamp(h, opt_line(), 0);
    w = ids_create(output, h, err);
    shard_header_free(h);
    return w;
}

static void job_begin(struct job *j)
{
    struct encode_option o = { .old = !strcmp(arithmetic, "0.1.97") };
    struct err err;

    o.plain_sentinels = !strcmp(format, "shard");
    j->vocab = vocab_open(model, &err);
    if (!j->vocab || !(j->encoder = encoder_new(j->vocab, &o, &err)))
        die("%s", err.msg);
    if (o.plain_sentinels)
        j->shard = create_shard(j->vocab, &err);
    else
        j->text = out_open(output, &err);
    if (!j->shard && !j->text)
        die("%s", err.msg);
    j->parser = doc_parser_new();
    j->ledger = ledger_new(tool.name);
    ledger_set(j->ledger, "vocab", j->vocab->name);
    j->und = (int)(lang_find((struct bytes){ (const unsigned char *)"und", 3 }) - langs);
    progress_init(&j->progress, "documents", 0, quiet || (j->text && out_is_terminal(j->text)));
}

static void add_id(struct buf *b, int32_t id)
{
    char digit[12];
    size_t i = sizeof(digit);

    do {
        digit[--i] = (char)('0' + id % 10);
    } while (id /= 10);
    buf_add(b, digit + i, sizeof(digit) - i);
}

/* A piece may hold a line feed, which would make two lines of one document. */
static void add_piece(struct job *j, size_t i)
{
    size_t from = j->line.n, at;

    encoding_piece(&j->enc, j->vocab, i, &j->line);
    for (at = from; at < j->line.n; at++)
        if (j->line.p[at] == '\n')
            j->line.p[at] = ' ';
}

static int put_text(struct job *j, struct err *err)
{
    size_t i;

    buf_reset(&j->line);
    for (i = 0; i < j->enc.n; i++) {
        if (i)
            buf_add_byte(&j->line, ' ');
        if (*format == 'i')
            add_id(&j->line, j->enc.id[i]);
        else
            add_piece(j, i);
    }
    buf_add_byte(&j->line, '\n');
    return out_write(j->text, j->line.p, j->line.n, err);
}

/* Number of the document's language in langs, or 0 if the header names the one. */
static int lang_number(struct job *j, const struct doc *d)
{
    const struct lang *known;

    if (lang || lines)
        return 0;
    known = d->lang.p ? lang_find(d->lang) : NULL;
    if (d->lang.p && !known)
        ledger_count(j->ledger, "unknown_lang", 1);
    return known ? (int)(known - langs) : j->und;
}

static void encode_doc(struct job *j, const struct doc *d)
{
    int number = lang_number(j, d);
    const char *label = lang || lines ? lang_label() : langs[number].label;
    struct ids_record rec = { .doc = j->n_doc++, .lang = number };
    struct err err;

    ledger_in(j->ledger, label, d->text.n);
    if (encoder_run(j->encoder, &j->enc, d->text, &err))
        die("document %" PRIu64 ": %s", j->n_doc, err.msg);
    rec.id = j->enc.id;
    rec.n = j->enc.n;
    if (j->shard && rec.n > IDS_RECORD_MAX) {
        if (strict)
            die("document %" PRIu64 ": %zu ids, more than a record holds", j->n_doc, rec.n);
        ledger_drop(j->ledger, label, "too_long", d->text.n);
        return;
    }
    if (j->shard ? ids_write(j->shard, &rec, &err) : put_text(j, &err))
        die("%s", err.msg);
    ledger_out(j->ledger, label, d->text.n);
    ledger_count(j->ledger, "ids", rec.n);
    ledger_count(j->ledger, "empty", rec.n == 0);
    ledger_count(j->ledger, "sentinels_in_text", j->enc.n_sentinel);
    j->n_byte += d->text.n;
    progress_show(&j->progress, j->n_doc, j->n_byte);
}

static void encode_line(struct job *j, const char *path, uint64_t number, struct bytes line)
{
    struct doc d = { .text = line };
    struct err err;

    if (!lines && doc_parse(j->parser, line, &d, &err)) {
        if (strict)
            die("%s:%" PRIu64 ": %s", path, number, err.msg);
        ledger_in(j->ledger, NULL, line.n);
        ledger_drop(j->ledger, NULL, "no_document", line.n);
        return;
    }
    encode_doc(j, &d);
}

static void encode_file(struct job *j, const char *path)
{
    struct stream *s;
    struct bytes line;
    struct err err, trouble = { { 0 } };
    uint64_t number = 0;
    int got;

    s = stream_open(path, &err);
    if (!s)
        die("%s", err.msg);
    while ((got = stream_line(s, &line, INPUT_LINE_MAX, &err)) != 0) {
        number++;
        if (got > 0) {
            encode_line(j, stream_path(s), number, line);
            continue;
        }
        if (strict)
            die("%s", err.msg);
        warn("%s", err.msg);
        trouble = err;
        ledger_count(j->ledger, "damage", 1);
        got = stream_resume(s, &err);
        if (got < 0)
            die("%s", err.msg);
        if (!got)
            break;
    }
    ledger_file(j->ledger, stream_path(s), stream_offset(s), *trouble.msg ? trouble.msg : NULL);
    stream_close(s);
}

static void job_end(struct job *j)
{
    uint64_t bad = ledger_records_dropped(j->ledger);
    struct err err;

    progress_end(&j->progress);
    if (j->shard ? ids_finish(j->shard, &err) : out_close(j->text, &err))
        die("%s", err.msg);
    if (ledger_write(j->ledger, stats, &err))
        die("%s", err.msg);
    if (bad && !quiet)
        warn("%" PRIu64 " of %" PRIu64 " lines dropped: no documents, or too long", bad,
             ledger_records_in(j->ledger));
    ledger_free(j->ledger);
    doc_parser_free(j->parser);
    buf_release(&j->line);
    encoding_release(&j->enc);
    encoder_free(j->encoder);
    vocab_free(j->vocab);
}

static void check_options(void)
{
    const char *c;

    if (!model)
        die_misuse("--model is needed");
    if (n_extra >= 0 && strcmp(format, "shard") != 0)
        die_misuse("--extra-ids belongs to --format shard");
    for (c = lang; c && *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_')
            break;
    if (c && (*c || c == lang))
        die_misuse("--lang: '%s' is no language tag", lang);
}

int main(int argc, char **argv)
{
    struct job job = { 0 };

    argv += opt_parse(&tool, argc, argv);
    check_options();
    if (!*argv && isatty(STDIN_FILENO))
        die_misuse("no input: name a file, or pipe one in");
    job_begin(&job);
    if (!*argv)
        encode_file(&job, "-");
    for (; *argv; argv++)
        encode_file(&job, *argv);
    job_end(&job);
    return 0;
}
