/* spm-decode.c - ids to text. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/die.h"
#include "base/err.h"
#include "base/opt.h"
#include "io/doc.h"
#include "io/out.h"
#include "io/stream.h"
#include "shard/ids.h"
#include "shard/shard.h"
#include "spm/decode.h"
#include "spm/vocab.h"

enum { INPUT_LINE_MAX = 1 << 28, SENTINELS = 100 };

static const char *model, *format, *output = "-";
static int json, strict, quiet;

static const struct opt opts[] = {
    { 'm', "model", "FILE", OPT_STR, &model, 0, 0, "the SentencePiece model (needed)" },
    { 'f', "format", "shard|ids", OPT_CHOICE, &format, 0, 0,
      "what comes in (default: files say so themselves, pipes are shards)" },
    { 0, "json", NULL, OPT_FLAG, &json, 0, 0, "write documents as JSON Lines, with languages" },
    { 'o', "output", "FILE", OPT_STR, &output, 0, 0, "write here, whole or not at all" },
    { 0, "strict", NULL, OPT_FLAG, &strict, 0, 0,
      "stop at an id that is none, and at another vocabulary" },
    { 'q', "quiet", NULL, OPT_FLAG, &quiet, 0, 0, "no warnings" },
    { 0 },
};

static const struct tool tool = { "spm-decode", "-m MODEL [FILE ...]",
                                  "Turn token shards or lines of ids back into text.", opts };

struct job {
    struct vocab *vocab;
    struct out *out;
    struct buf text, line;
    int32_t *id;    // of a line of text
    size_t cap;
    char sha256[65];
    uint64_t n_record, n_foreign, n_broken;    // ids that are none; texts with a line feed
};

static void put_record(struct job *j, struct decoder *d, const int32_t *id, size_t n,
                       const char *lang)
{
    struct doc doc = { .lang = { (const unsigned char *)lang, lang ? strlen(lang) : 0 } };
    struct err err;
    size_t foreign;

    j->n_record++;
    if (decoder_run(d, id, n, &j->text, &foreign, &err))
        die("record %" PRIu64 ": %s", j->n_record, err.msg);
    if (foreign && strict)
        die("record %" PRIu64 ": an id that is not in the vocabulary", j->n_record);
    j->n_foreign += foreign;
    buf_reset(&j->line);
    if (json) {
        buf_need(&j->text, 1);    // text is never NULL
        doc.text = buf_bytes(&j->text);
        doc_format(&j->line, &doc);
    } else {
        j->n_broken += j->text.n && memchr(j->text.p, '\n', j->text.n);
        buf_add(&j->line, j->text.p, j->text.n);
        buf_add_byte(&j->line, '\n');
    }
    if (out_write(j->out, j->line.p, j->line.n, &err))
        die("%s", err.msg);
}

static struct decoder *decoder(const struct job *j, int64_t n_extra)
{
    struct err err;
    struct decoder *d = decoder_new(j->vocab, (int32_t)n_extra, &err);

    if (!d)
        die("%s", err.msg);
    return d;
}

static void decode_shard(struct job *j, const char *path)
{
    const struct shard_header *h;
    struct ids_reader *r;
    struct ids_record rec;
    struct decoder *d;
    struct err err;
    const char *sha256;
    int64_t n_extra;
    int got;

    r = ids_open(path, &err);
    if (!r)
        die("%s", err.msg);
    h = ids_header(r);
    sha256 = shard_header_get(h, "vocab.sha256");
    if (sha256 && strcmp(sha256, j->sha256) != 0 && strict)
        die("%s: made with another vocabulary than %s", path, model);
    if (sha256 && strcmp(sha256, j->sha256) != 0 && !quiet)
        warn("%s: made with another vocabulary than %s", path, model);
    n_extra = shard_header_int(h, "vocab.size", 0) - j->vocab->n_piece;
    d = decoder(j, n_extra > 0 && n_extra < VOCAB_MAX ? n_extra : 0);
    while ((got = ids_next(r, &rec, &err)) > 0)
        put_record(j, d, rec.id, rec.n, ids_lang(r, rec.lang));
    if (got < 0)
        die("%s", err.msg);
    decoder_free(d);
    ids_close(r);
}

/* The ids of a line, spaces or tabs between: how many, -1 if it holds something else. */
static int64_t parse_line(struct job *j, struct bytes line)
{
    size_t n = 0, i = 0;

    while (i < line.n) {
        int64_t x = 0;
        size_t from = i;

        for (; i < line.n && line.p[i] >= '0' && line.p[i] <= '9'; i++)
            x = x > INT32_MAX / 10 ? INT32_MAX : x * 10 + line.p[i] - '0';
        if (i == from && line.p[i] != ' ' && line.p[i] != '\t' && line.p[i] != '\r')
            return -1;
        if (i == from) {
            i++;
            continue;
        }
        if (n == j->cap) {
            j->cap = j->cap ? j->cap * 2 : 1024;
            j->id = xreallocarray(j->id, j->cap, sizeof(*j->id));
        }
        j->id[n++] = x > INT32_MAX ? INT32_MAX : (int32_t)x;
    }
    return (int64_t)n;
}

/* Ids as text say nothing of sentinels: T5's follow a vocabulary that has none. */
static void decode_text(struct job *j, struct stream *s)
{
    struct decoder *d = decoder(j, j->vocab->sentinel0 < 0 ? SENTINELS : 0);
    struct bytes line;
    struct err err;
    uint64_t number = 0;
    int64_t n;
    int got;

    while ((got = stream_line(s, &line, INPUT_LINE_MAX, &err)) > 0) {
        number++;
        n = parse_line(j, line);
        if (n < 0)
            die("%s:%" PRIu64 ": not a line of ids", stream_path(s), number);
        put_record(j, d, j->id, (size_t)n, NULL);
    }
    if (got < 0)
        die("%s", err.msg);
    decoder_free(d);
}

/* Text, or a shard: a file's first bytes tell; a pipe cannot be looked into. */
static void decode_file(struct job *j, const char *path)
{
    const unsigned char *p;
    struct stream *s = NULL;
    struct err err;
    int text = format && *format == 'i';

    if (text || (!format && strcmp(path, "-") != 0)) {
        s = stream_open(path, &err);
        if (!s)
            die("%s", err.msg);
        text = text || stream_peek(s, 4, &p, &err) < 4 || memcmp(p, "SYS1", 4) != 0;
    }
    if (text)
        decode_text(j, s);
    else
        decode_shard(j, path);
    stream_close(s);
}

static void job_begin(struct job *j)
{
    struct err err;

    j->vocab = vocab_open(model, &err);
    if (!j->vocab || !(j->out = out_open(output, &err)))
        die("%s", err.msg);
    vocab_sha256(j->vocab, j->sha256);
}

static void job_end(struct job *j)
{
    struct err err;

    if (out_close(j->out, &err))
        die("%s", err.msg);
    if (j->n_foreign && !quiet)
        warn("%" PRIu64 " ids are not in the vocabulary: taken for the unknown", j->n_foreign);
    if (j->n_broken && !quiet)
        warn("%" PRIu64 " texts hold a line feed: --json keeps them apart", j->n_broken);
    buf_release(&j->text);
    buf_release(&j->line);
    free(j->id);
    vocab_free(j->vocab);
}

int main(int argc, char **argv)
{
    struct job job = { 0 };

    argv += opt_parse(&tool, argc, argv);
    if (!model)
        die_misuse("--model is needed");
    if (!*argv && isatty(STDIN_FILENO))
        die_misuse("no input: name a file, or pipe one in");
    job_begin(&job);
    if (!*argv)
        decode_file(&job, "-");
    for (; *argv; argv++)
        decode_file(&job, *argv);
    job_end(&job);
    return 0;
}
