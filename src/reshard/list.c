/* list.c - see list.h. */
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "reshard/list.h"
#include "shard/ids.h"
#include "shard/shard.h"

const char list_title[] =
    "file\tsegment\tkind\trecords\ttokens\tblocks\tbytes\tbits_per_id\tvocab\tlangs";
const char list_lang_title[] = "file\tsegment\tlang\trecords\ttokens";

static void put_segment(struct grid *t, const char *path, const struct shard_header *h,
                        const struct shard_segment *s)
{
    const char *name = shard_header_get(h, "vocab.name"), *langs = shard_header_get(h, "langs");
    const char *lang = shard_header_get(h, "lang");

    grid_text(t, path);
    grid_number(t, s->number);
    grid_text(t, shard_header_get(h, "kind"));
    grid_number(t, s->records);
    grid_number(t, s->tokens);
    grid_number(t, s->blocks);
    grid_number(t, s->bytes);
    if (s->tokens)
        grid_format(t, "%.2f", 8.0 * (double)s->bytes / (double)s->tokens);
    else
        grid_text(t, "-");
    grid_text(t, name ? name : "-");
    grid_text(t, langs ? langs : lang ? lang : "und");
    grid_row(t);
}

static int list_file(struct grid *t, const char *path, void (*tell)(const char *, ...))
{
    struct shard_segment s;
    struct err err;
    struct shard_file *f = shard_file_open(path, &err);
    uint64_t i;

    if (!f)
        return tell("%s", err.msg), -1;
    for (i = 0; i < shard_file_segments(f); i++) {
        shard_file_segment(f, i, &s);
        put_segment(t, path, shard_file_segment_header(f, i), &s);
    }
    shard_file_close(f);
    return 0;
}

int list_segments(struct grid *t, const char *path, int skip, void (*tell)(const char *, ...))
{
    struct shard_block b;
    struct lenient in;
    struct stat st;
    uint64_t n_token;
    int got;

    if (strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode))
        return list_file(t, path, tell);
    if (lenient_open(&in, path, skip, tell) < 0)
        return -1;
    while ((got = lenient_step(&in, &b, &n_token)) > 0)
        if (got == SHARD_ENDED)
            put_segment(t, path, shard_reader_header(in.shard), shard_reader_segment(in.shard));
    lenient_close(&in);
    return got;
}

struct count {
    const char *lang;
    uint64_t records, tokens;
};

/* And start anew, for the next segment. */
static void put_counts(struct grid *t, const char *path, uint64_t segment, struct count *count)
{
    int i;

    for (i = 0; i < IDS_LANGS_MAX; i++) {
        if (!count[i].records)
            continue;
        grid_text(t, path);
        grid_number(t, segment);
        grid_text(t, count[i].lang);
        grid_number(t, count[i].records);
        grid_number(t, count[i].tokens);
        grid_row(t);
    }
    memset(count, 0, IDS_LANGS_MAX * sizeof(*count));
}

int list_languages(struct grid *t, const char *path, int skip, void (*tell)(const char *, ...))
{
    static struct count count[IDS_LANGS_MAX];
    struct record rec;
    struct lenient in;
    uint64_t segment = 0;
    int got;

    if (lenient_open(&in, path, skip, tell) < 0)
        return -1;
    while ((got = lenient_next(&in, &rec)) > 0) {
        struct count *c = &count[rec.row.lang];

        if (segment != shard_reader_segment(in.shard)->number)
            put_counts(t, path, segment, count);
        segment = shard_reader_segment(in.shard)->number;
        c->lang = rec.lang;
        c->records++;
        c->tokens += rec.n_token;
    }
    put_counts(t, path, segment, count);
    lenient_close(&in);
    return got;
}
