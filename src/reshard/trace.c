/* trace.c - see trace.h. */
#include <inttypes.h>
#include <string.h>

#include "base/err.h"
#include "io/doc.h"
#include "io/stream.h"
#include "reshard/trace.h"
#include "shard/record.h"
#include "shard/shard.h"

enum { LINE_MAX_BYTES = 256 << 20 };

const char trace_title[] = "record\tlang\tdocument\tfile\tline\turl\ttimestamp\tmore";

struct span {
    uint64_t first, last;    // documents
    char lang[80];
};

static void put_makers(struct grid *t, const struct shard_header *h)
{
    const char *key, *value, *tool = shard_header_get(h, "tool");
    const char *options = shard_header_get(h, "options");
    size_t i;

    for (i = 0; i < shard_header_n(h); i++) {
        shard_header_at(h, i, &key, &value);
        if (strcmp(key, "parent") != 0)
            continue;
        grid_format(t, "# %s", value);
        grid_row(t);
    }
    grid_format(t, "# %s [%s]", tool ? tool : "unknown", options ? options : "");
    grid_row(t);
}

/* The documents of record n: a record that follows in another order tells nothing. */
static int find(struct record_reader *r, uint64_t n, struct span *s, struct err *err)
{
    struct record rec;
    uint64_t i;
    int got = 1;

    for (i = 0; got == 1 && i <= n; i++)
        got = record_next(r, &rec, err);
    if (got < 0)
        return -1;
    if (!got)
        return err_set(err, "%s: record %" PRIu64 " of %" PRIu64,
                       shard_reader_path(record_shard(r)), n, i - 1);
    s->first = s->last = rec.row.doc;
    strncpy(s->lang, rec.lang, sizeof(s->lang) - 1);
    while (!rec.has_target ? 0 : (got = record_next(r, &rec, err)) == 1)
        if (!strcmp(rec.lang, s->lang)) {
            if (rec.row.doc >= s->first)
                s->last = rec.row.doc;
            break;
        }
    return got < 0 ? -1 : 0;
}

static void put_doc(struct grid *t, uint64_t n, const struct span *s, uint64_t doc,
                    const char *file, uint64_t line, const struct doc *d)
{
    grid_number(t, n);
    grid_text(t, s->lang);
    grid_number(t, doc);
    grid_text(t, file ? file : "-");
    if (file)
        grid_number(t, line);
    else
        grid_text(t, "-");
    grid_bytes(t, d->url.p ? d->url : (struct bytes){ (const unsigned char *)"-", 1 });
    grid_bytes(t, d->timestamp.p ? d->timestamp : (struct bytes){ (const unsigned char *)"-", 1 });
    grid_bytes(t, d->extra.p ? d->extra : (struct bytes){ (const unsigned char *)"-", 1 });
    grid_row(t);
}

/* The documents of a file, *doc being the number of its first: rows for those of the span. Lines
 * that are no documents have no number, as spm-encode(1) counts. */
static int scan(struct grid *t, uint64_t n, const struct span *s, const char *path, uint64_t *doc,
                struct err *err)
{
    struct stream *in = stream_open(path, err);
    struct doc_parser *parser = doc_parser_new();
    struct bytes line;
    struct doc d;
    struct err why;
    uint64_t number = 0;
    int got = -1;

    while (in && *doc <= s->last && (got = stream_line(in, &line, LINE_MAX_BYTES, err)) == 1) {
        number++;
        if (doc_parse(parser, line, &d, &why) < 0)
            continue;
        if (*doc >= s->first)
            put_doc(t, n, s, *doc, path, number, &d);
        ++*doc;
    }
    doc_parser_free(parser);
    stream_close(in);
    return got < 0 ? -1 : 0;
}

int trace_record(struct grid *t, const char *shard, uint64_t n, char *const *docs, struct err *err)
{
    struct record_reader *r = record_open(shard, err);
    struct span s = { 0 };
    struct doc none = { 0 };
    uint64_t doc = 0;
    int bad = r ? 0 : -1;

    if (!bad)
        put_makers(t, shard_reader_header(record_shard(r)));
    bad = bad || find(r, n, &s, err);
    record_close(r);
    if (bad)
        return -1;
    buf_add_str(&t->row, trace_title);
    grid_row(t);
    if (!docs)
        for (doc = s.first; doc <= s.last; doc++)
            put_doc(t, n, &s, doc, NULL, 0, &none);
    for (; docs && *docs && doc <= s.last; docs++)
        if (scan(t, n, &s, *docs, &doc, err) < 0)
            return -1;
    if (docs && doc <= s.first)
        return err_set(err, "document %" PRIu64 " of the shard, but the files hold %" PRIu64,
                       s.first, doc);
    return 0;
}
