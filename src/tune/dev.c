/* dev.c - see dev.h. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/tsv.h"
#include "io/stream.h"
#include "pairs/rows.h"
#include "score/trials.h"
#include "shard/example.h"
#include "spm/header.h"
#include "text/lang.h"
#include "tune/dev.h"
#include "tune/source.h"

enum { COLUMN_MAX = 256, LINE_MAX_BYTES = 1 << 24 };

struct reading {
    struct dev *dev;
    struct tongue *tongue;
    size_t n_input;      // ids at most, with the end
    const char *lang;    // of those that do not say it
    int cap;
};

static char *text_of(struct bytes s)
{
    return s.n ? xstrndup((const char *)s.p, s.n) : xstrdup("");
}

static struct dev_example *add(struct reading *r)
{
    struct dev *d = r->dev;

    if (d->n == r->cap) {
        r->cap = r->cap ? 2 * r->cap : 64;
        d->one = xreallocarray(d->one, (size_t)r->cap, sizeof(*d->one));
    }
    d->one[d->n] = (struct dev_example){ 0 };
    return &d->one[d->n++];
}

static void add_ref(struct dev_example *e, struct bytes text)
{
    e->ref = xreallocarray(e->ref, (size_t)e->n_ref + 1, sizeof(*e->ref));
    e->ref[e->n_ref++] = text_of(text);
}

static void set_words(struct dev_example *e, const struct reading *r, const struct trial *t)
{
    struct bytes lang = { (const unsigned char *)r->lang, strlen(r->lang) };

    e->id = text_of(t->id);
    e->lang = text_of(t->lang.n ? t->lang : lang);
    e->group = text_of(t->group);
    e->label = text_of(t->label);
}

/* The ids that pack-pairs(1) makes of the text. */
static int ask(struct reading *r, struct dev_example *e, struct bytes text, struct err *err)
{
    e->text = text_of(text);
    if (tongue_encode_plain(r->tongue, text, &e->input, err) < 0)
        return -1;
    if (e->input.n > r->n_input - 1)
        e->input.n = r->n_input - 1;
    ids_add(&e->input, tongue_end(r->tongue));
    return 0;
}

/* Is path a table with columns input and reference? */
static int is_table(const char *path, struct err *err)
{
    struct bytes line, field[COLUMN_MAX];
    struct tsv at = { path, 1 };
    struct stream *s = stream_open(path, err);
    struct err none;
    int got = s ? stream_line(s, &line, LINE_MAX_BYTES, err) : -1;

    if (got > 0) {
        size_t n = tsv_split(line, field, COLUMN_MAX);

        n = n < COLUMN_MAX ? n : COLUMN_MAX;
        got = tsv_column(&at, field, n, "input", &none) >= 0 &&
              tsv_column(&at, field, n, "reference", &none) >= 0;
    }
    stream_close(s);
    return got;
}

static int read_table(struct reading *r, const char *path, struct err *err)
{
    struct trials_how how = { .prediction = "input" };
    struct trials *from = trials_open(path, &how, err);
    struct trial t;
    size_t i;
    int got = from ? 1 : -1;

    while (from && (got = trials_next(from, &t, err)) > 0) {
        struct dev_example *e = add(r);

        set_words(e, r, &t);
        r->dev->has_lang |= t.lang.n > 0;
        for (i = 0; i < t.n_ref; i++)
            add_ref(e, t.ref[i]);
        if (ask(r, e, t.prediction, err) < 0) {
            got = -1;
            break;
        }
    }
    trials_close(from);
    return got;
}

static int take_pair(void *to, struct bytes input, struct bytes target, struct err *err)
{
    const struct trial none = { 0 };
    struct reading *r = to;
    struct dev_example *e = add(r);

    set_words(e, r, &none);
    add_ref(e, target);
    return ask(r, e, input, err);
}

/* Each segment of a row is an example. */
static int take_row(struct reading *r, const struct example_row *row, const char *lang,
                    struct err *err)
{
    const int32_t *input = row->input, *target = row->target;
    struct trial words = { .lang = { (const unsigned char *)lang, strlen(lang) } };
    struct buf text = { 0 };
    size_t i, k;
    int rc = 0;

    for (i = 0; i < row->n_segment && rc == 0; i++) {
        struct dev_example *e = add(r);
        size_t n = row->segment_target[i];

        set_words(e, r, &words);
        for (k = 0; k < row->segment_input[i] && k < r->n_input; k++)
            ids_add(&e->input, input[k]);
        n -= n && target[n - 1] == tongue_end(r->tongue);
        buf_reset(&text);
        rc = tongue_decode(r->tongue, target, n, &text, err);
        add_ref(e, buf_bytes(&text));
        input += row->segment_input[i];
        target += row->segment_target[i];
    }
    buf_release(&text);
    return rc;
}

static int read_shard(struct reading *r, const char *path, struct err *err)
{
    struct example_reader *from = example_open(path, err);
    struct example_row row;
    int got = from ? 1 : -1;

    while (from && (got = example_next(from, &row, err)) > 0)
        if (take_row(r, &row, example_lang(from, row.lang), err) < 0) {
            got = -1;
            break;
        }
    example_close(from);
    r->dev->has_lang = 1;
    return got;
}

int dev_read(struct dev *d, const struct source *s, const struct source_plan *plan,
             struct tongue *t, struct err *err)
{
    struct reading r = { .dev = d, .tongue = t, .n_input = (size_t)plan->inputs };
    int table = s->kind == SOURCE_TEXT ? is_table(s->path, err) : 0, rc = table;

    *d = (struct dev){ .name = s->name };
    r.lang = header_lang(plan->lang);
    if (s->kind == SOURCE_PLAN)
        return err_set(err, "%s: a mixture has no end: a shard or text is needed", s->path);
    if (s->kind == SOURCE_SHARD) {
        r.n_input = SIZE_MAX;    // they are cut
        rc = read_shard(&r, s->path, err);
    } else if (table > 0) {
        rc = read_table(&r, s->path, err);
    } else if (table == 0) {
        rc = source_pairs(s, take_pair, &r, plan->quiet, err);
    }
    if (rc == 0 && !d->n)
        rc = err_set(err, "%s: no examples", s->path);
    return rc < 0 ? -1 : 0;
}

static struct bytes view(const char *s)
{
    return (struct bytes){ (const unsigned char *)s, strlen(s) };
}

static int lang_number(const char *tag)
{
    const struct lang *l = lang_find(view(tag));

    return (int)((l ? l : lang_find(view("und"))) - langs);
}

int dev_pack(const struct dev *d, const struct source *s, const struct source_plan *plan,
             struct err *err)
{
    struct rows *rows = source_rows(s, plan, d->has_lang ? NULL : header_lang(plan->lang), err);
    int i, rc = rows ? 0 : -1;

    for (i = 0; i < d->n && rc == 0; i++) {
        const struct dev_example *e = &d->one[i];
        int lang = d->has_lang ? lang_number(e->lang) : 0;

        rc = rows_add(rows, view(e->text), view(e->ref[0]), lang, err) < 0 ? -1 : 0;
    }
    if (rc == 0)
        rc = rows_finish(rows, err);
    rows_free(rows);
    return rc;
}

void dev_release(struct dev *d)
{
    int i, k;

    for (i = 0; i < d->n; i++) {
        struct dev_example *e = &d->one[i];

        for (k = 0; k < e->n_ref; k++)
            free(e->ref[k]);
        free(e->ref);
        free(e->text);
        free(e->id);
        free(e->lang);
        free(e->group);
        free(e->label);
        ids_release(&e->input);
    }
    free(d->one);
    *d = (struct dev){ 0 };
}
