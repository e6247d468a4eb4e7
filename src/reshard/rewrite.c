/* rewrite.c - see rewrite.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/opt.h"
#include "reshard/rewrite.h"
#include "shard/columns.h"
#include "shard/ids.h"
#include "shard/shard.h"

static int refuse_logits(const struct shard_header *h, struct err *err)
{
    if (strcmp(shard_header_get(h, "kind"), "logits") != 0)
        return 0;
    return err_set(err, "its logits belong to rows of a mixture, in their order: left as it is");
}

/* The headers of all segments of a file. */
static int add_file(struct shard_header **h, struct langs *langs, uint64_t *records,
                    const char *path, struct err *err)
{
    struct shard_file *f = shard_file_open(path, err);
    struct err why;
    uint64_t i;
    int bad = f ? 0 : -1;

    for (i = 0; !bad && i < shard_file_segments(f); i++) {
        const struct shard_header *own = shard_file_segment_header(f, i);

        if (!*h)
            *h = shard_header_copy(own);
        bad = refuse_logits(own, &why) < 0 || shard_header_joins(*h, own, &why) < 0 ||
              langs_join(langs, own, &why) < 0;
        if (bad)
            bad = err_set(err, "%s: %.400s", path, why.msg);
        shard_header_parent(*h, own);
    }
    *records += f ? shard_file_records(f) : 0;
    shard_file_close(f);
    return bad;
}

static int set_langs(struct shard_header *h, const struct langs *l, struct err *err)
{
    struct buf list = { 0 };
    int i;

    if (l->n > IDS_LANG_MAX)
        return err_set(err, "%d languages: one segment has %d at most", l->n, IDS_LANG_MAX);
    for (i = 0; i < l->n; i++)
        buf_printf(&list, "%s%s", i ? "," : "", l->name[i]);
    shard_header_set(h, l->n > 1 ? "langs" : "lang", "%.*s", (int)list.n, (char *)list.p);
    buf_release(&list);
    return 0;
}

struct shard_header *rewrite_header(char *const *path, uint64_t seed, uint64_t *records,
                                    struct err *err)
{
    struct shard_header *h = NULL;
    struct langs langs = { 0 };
    int bad = 0;

    *records = 0;
    for (; !bad && *path; path++)
        bad = strcmp(*path, "-") ? add_file(&h, &langs, records, *path, err)
                                 : err_set(err, "standard input: only files can be read twice");
    if (!bad)
        bad = set_langs(h, &langs, err);
    langs_release(&langs);
    if (bad) {
        shard_header_free(h);
        return NULL;
    }
    shard_header_sign(h, opt_line(), seed);
    return h;
}

struct record_writer {    // one of the two
    struct ids_writer *ids;
    struct example_writer *example;
    struct langs langs;
    int last;    // language of the last record
};

struct record_writer *record_create(const char *path, const struct shard_header *h, struct err *err)
{
    struct record_writer *w = xcalloc(1, sizeof(*w));
    const char *kind = shard_header_get(h, "kind");
    int bad = langs_join(&w->langs, h, err);

    if (!bad && !strcmp(kind, "ids"))
        bad = (w->ids = ids_create(path, h, err)) ? 0 : -1;
    else if (!bad && !strcmp(kind, "examples"))
        bad = (w->example = example_create(path, h, err)) ? 0 : -1;
    else if (!bad)
        bad = err_set(err, "%s: a shard of an unknown kind (%.100s)", path, kind);
    if (!bad)
        return w;
    record_abandon(w);
    return NULL;
}

int record_write(struct record_writer *w, const struct record *rec, struct err *err)
{
    struct example_row row = rec->row;
    int i;

    for (i = 0; i < w->langs.n; i++, w->last = (w->last + 1) % w->langs.n)
        if (!strcmp(w->langs.name[w->last], rec->lang))
            break;
    if (i == w->langs.n)
        return err_set(err, "language %s is not in the header", rec->lang);
    row.lang = w->last;
    if (w->example)
        return example_write(w->example, &row, err);
    return ids_write(
        w->ids,
        &(struct ids_record){ .id = row.input, .n = row.n_input, .doc = row.doc, .lang = row.lang },
        err);
}

int record_finish(struct record_writer *w, struct err *err)
{
    int bad = w->ids ? ids_finish(w->ids, err) : example_finish(w->example, err);

    w->ids = NULL;
    w->example = NULL;
    record_abandon(w);
    return bad;
}

void record_abandon(struct record_writer *w)
{
    if (!w)
        return;
    ids_abandon(w->ids);
    example_abandon(w->example);
    langs_release(&w->langs);
    free(w);
}

int rewrite_each(char *const *path, int (*f)(void *ctx, const struct record *rec, struct err *err),
                 void *ctx, struct err *err)
{
    int got = 0;

    for (; got == 0 && *path; path++) {
        struct record_reader *r = record_open(*path, err);
        struct record rec;
        struct err why;

        if (!r)
            return -1;
        if (refuse_logits(shard_reader_header(record_shard(r)), &why) < 0)
            got = err_set(err, "%s: %s", *path, why.msg);
        while (!got && (got = record_next(r, &rec, err)) == 1)
            if ((got = f(ctx, &rec, err)))
                break;
        record_close(r);
    }
    return got;
}

static int write_one(void *ctx, const struct record *rec, struct err *err)
{
    return record_write(ctx, rec, err);
}

int rewrite_merge(char *const *path, const char *to, struct err *err)
{
    uint64_t records;
    struct shard_header *h = rewrite_header(path, 0, &records, err);
    struct record_writer *w = h ? record_create(to, h, err) : NULL;
    int bad = w ? rewrite_each(path, write_one, w, err) : -1;

    shard_header_free(h);
    if (!bad)
        return record_finish(w, err);
    record_abandon(w);
    return -1;
}

/* Splitting. */

struct parts {
    struct shard_header *h;
    const char *pattern;
    uint64_t n_part, part, records;            // parts in all, of the open one; records in all
    uint64_t seen;                             // records
    struct record_writer *w;                   // by part: the open one
    struct record_writer *of[IDS_LANG_MAX];    // by language
    struct langs langs;
};

static char *name_of(const char *pattern, const char *part)
{
    const char *at = strchr(pattern, '%');

    return xasprintf("%.*s%s%s", (int)(at - pattern), pattern, part, at + 1);
}

static struct record_writer *open_part(const struct parts *p, const char *name,
                                       const struct shard_header *h, struct err *err)
{
    char *path = name_of(p->pattern, name);
    struct record_writer *w = record_create(path, h, err);

    free(path);
    return w;
}

/* Part k has the records from k records / n_part on. */
static uint64_t first_of(const struct parts *p, uint64_t k)
{
    uint64_t each_has = p->records / p->n_part, more = p->records % p->n_part;

    return k * each_has + (k < more ? k : more);
}

static int next_part(struct parts *p, struct err *err)
{
    char name[64];
    int bad = p->w ? record_finish(p->w, err) : 0;

    p->w = NULL;
    if (bad)
        return -1;
    snprintf(name, sizeof(name), "%05" PRIu64 "-of-%05" PRIu64, p->part, p->n_part);
    p->part++;
    p->w = open_part(p, name, p->h, err);
    return p->w ? 0 : -1;
}

static int write_part(void *ctx, const struct record *rec, struct err *err)
{
    struct parts *p = ctx;

    while (p->part < p->n_part && p->seen == first_of(p, p->part))
        if (next_part(p, err) < 0)
            return -1;
    p->seen++;
    return record_write(p->w, rec, err);
}

static int write_lang(void *ctx, const struct record *rec, struct err *err)
{
    struct parts *p = ctx;
    struct record_writer **w;
    int i = 0;

    while (i < p->langs.n && strcmp(p->langs.name[i], rec->lang) != 0)
        i++;
    w = &p->of[i];    // rewrite_header() has seen all languages
    if (!*w) {
        struct shard_header *h = shard_header_copy(p->h);

        shard_header_unset(h, "langs");
        shard_header_set(h, "lang", "%s", rec->lang);
        *w = open_part(p, rec->lang, h, err);
        shard_header_free(h);
    }
    return *w ? record_write(*w, rec, err) : -1;
}

static int finish_langs(struct parts *p, struct err *err)
{
    int i, bad = 0;

    for (i = 0; i < IDS_LANG_MAX; i++) {
        if (p->of[i] && !bad)
            bad = record_finish(p->of[i], err);
        else
            record_abandon(p->of[i]);
        p->of[i] = NULL;
    }
    return bad;
}

int rewrite_split(char *const *path, enum split_by by, uint64_t n, const char *pattern,
                  struct err *err)
{
    struct parts p = { .pattern = pattern };
    int bad, i;

    p.h = rewrite_header(path, 0, &p.records, err);
    bad = !p.h || langs_join(&p.langs, p.h, err) < 0;
    p.n_part = by == SPLIT_PARTS     ? n
               : by == SPLIT_RECORDS ? p.records / n + (p.records % n > 0)
                                     : 1;
    if (!p.n_part)
        p.n_part = 1;
    if (by == SPLIT_RECORDS)
        p.records = p.n_part * n;    // all full, the last but for what there is
    bad = bad || rewrite_each(path, by == SPLIT_LANG ? write_lang : write_part, &p, err);
    if (by == SPLIT_LANG)
        bad = bad || finish_langs(&p, err);
    while (!bad && by != SPLIT_LANG && p.part < p.n_part)    // parts without records
        bad = next_part(&p, err);
    if (!bad && p.w) {
        bad = record_finish(p.w, err);
        p.w = NULL;
    }
    record_abandon(p.w);
    for (i = 0; i < IDS_LANG_MAX; i++)
        record_abandon(p.of[i]);
    langs_release(&p.langs);
    shard_header_free(p.h);
    return bad ? -1 : 0;
}
