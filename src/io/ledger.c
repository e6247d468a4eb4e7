/* ledger.c - see ledger.h.
 *
 * Every object of the ledger is a table of named rows, kept sorted by name: so the output
 * does not depend on which thread met a name first.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/opt.h"
#include "io/json.h"
#include "io/ledger.h"
#include "io/out.h"

struct row {
    char *name, *text;    // text: a fact's
    uint64_t n, bytes;
};

struct table {
    struct row *row;
    size_t n, cap;
};

struct lang {
    char *name;
    uint64_t in, out;
    struct table dropped;
};

struct file {
    char *path, *trouble;
    uint64_t bytes;
};

struct ledger {
    char *tool;
    struct row in, out;
    struct table fact, dropped, counted;
    struct lang *lang;    // sorted
    size_t n_lang, n_file;
    struct file *file;
};

struct ledger *ledger_new(const char *tool)
{
    struct ledger *l = xcalloc(1, sizeof(*l));

    l->tool = xstrdup(tool);
    return l;
}

static void table_release(struct table *t)
{
    size_t i;

    for (i = 0; i < t->n; i++) {
        free(t->row[i].name);
        free(t->row[i].text);
    }
    free(t->row);
}

void ledger_free(struct ledger *l)
{
    size_t i;

    if (!l)
        return;
    table_release(&l->fact);
    table_release(&l->dropped);
    table_release(&l->counted);
    for (i = 0; i < l->n_lang; i++) {
        free(l->lang[i].name);
        table_release(&l->lang[i].dropped);
    }
    for (i = 0; i < l->n_file; i++) {
        free(l->file[i].path);
        free(l->file[i].trouble);
    }
    free(l->lang);
    free(l->file);
    free(l->tool);
    free(l);
}

/* Where name is, or belongs, among n sorted rows that each begin with their name. */
static size_t place(const void *rows, size_t n, size_t size, const char *name, int *found)
{
    size_t low = 0, mid;
    int c;

    *found = 0;
    while (low < n && !*found) {
        mid = low + (n - low) / 2;
        c = strcmp(name, *(char *const *)((const char *)rows + mid * size));
        if (c > 0)
            low = mid + 1;
        else
            n = mid;
        if (c == 0) {
            low = mid;
            *found = 1;
        }
    }
    return low;
}

static struct row *table_row(struct table *t, const char *name)
{
    int found;
    size_t i = place(t->row, t->n, sizeof(*t->row), name, &found);

    if (found)
        return &t->row[i];
    if (t->n == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 8;
        t->row = xreallocarray(t->row, t->cap, sizeof(*t->row));
    }
    memmove(t->row + i + 1, t->row + i, (t->n - i) * sizeof(*t->row));
    t->n++;
    t->row[i] = (struct row){ .name = xstrdup(name) };
    return &t->row[i];
}

static struct lang *lang_row(struct ledger *l, const char *name)
{
    int found;
    size_t i = place(l->lang, l->n_lang, sizeof(*l->lang), name, &found);

    if (found)
        return &l->lang[i];
    l->lang = xreallocarray(l->lang, l->n_lang + 1, sizeof(*l->lang));
    memmove(l->lang + i + 1, l->lang + i, (l->n_lang - i) * sizeof(*l->lang));
    l->n_lang++;
    l->lang[i] = (struct lang){ .name = xstrdup(name) };
    return &l->lang[i];
}

static void tally(struct row *r, uint64_t n, uint64_t bytes)
{
    r->n += n;
    r->bytes += bytes;
}

void ledger_in(struct ledger *l, const char *lang, uint64_t bytes)
{
    tally(&l->in, 1, bytes);
    if (lang)
        lang_row(l, lang)->in++;
}

void ledger_out(struct ledger *l, const char *lang, uint64_t bytes)
{
    tally(&l->out, 1, bytes);
    if (lang)
        lang_row(l, lang)->out++;
}

void ledger_drop(struct ledger *l, const char *lang, const char *reason, uint64_t bytes)
{
    tally(table_row(&l->dropped, reason), 1, bytes);
    if (lang)
        tally(table_row(&lang_row(l, lang)->dropped, reason), 1, bytes);
}

void ledger_count(struct ledger *l, const char *what, uint64_t n)
{
    tally(table_row(&l->counted, what), n, 0);
}

void ledger_set(struct ledger *l, const char *key, const char *value)
{
    struct row *r = table_row(&l->fact, key);

    free(r->text);
    r->text = xstrdup(value);
}

void ledger_file(struct ledger *l, const char *path, uint64_t bytes, const char *trouble)
{
    l->file = xreallocarray(l->file, l->n_file + 1, sizeof(*l->file));
    l->file[l->n_file++] = (struct file){ .path = xstrdup(path),
                                          .trouble = trouble ? xstrdup(trouble) : NULL,
                                          .bytes = bytes };
}

static void table_merge(struct table *t, const struct table *from)
{
    size_t i;

    for (i = 0; i < from->n; i++)
        tally(table_row(t, from->row[i].name), from->row[i].n, from->row[i].bytes);
}

void ledger_merge(struct ledger *l, const struct ledger *from)
{
    size_t i;

    tally(&l->in, from->in.n, from->in.bytes);
    tally(&l->out, from->out.n, from->out.bytes);
    table_merge(&l->dropped, &from->dropped);
    table_merge(&l->counted, &from->counted);
    for (i = 0; i < from->n_lang; i++) {
        struct lang *lang = lang_row(l, from->lang[i].name);

        lang->in += from->lang[i].in;
        lang->out += from->lang[i].out;
        table_merge(&lang->dropped, &from->lang[i].dropped);
    }
    for (i = 0; i < from->n_file; i++)
        ledger_file(l, from->file[i].path, from->file[i].bytes, from->file[i].trouble);
}

uint64_t ledger_records_in(const struct ledger *l)
{
    return l->in.n;
}

uint64_t ledger_records_out(const struct ledger *l)
{
    return l->out.n;
}

uint64_t ledger_records_dropped(const struct ledger *l)
{
    uint64_t sum = 0;
    size_t i;

    for (i = 0; i < l->dropped.n; i++)
        sum += l->dropped.row[i].n;
    return sum;
}

uint64_t ledger_counted(const struct ledger *l, const char *what)
{
    int found;
    size_t i = place(l->counted.row, l->counted.n, sizeof(*l->counted.row), what, &found);

    return found ? l->counted.row[i].n : 0;
}

/* ---- writing ---- */

static void add_string(struct buf *b, const char *s)
{
    json_write_string(b, (struct bytes){ (const unsigned char *)s, strlen(s) });
}

static void add_name(struct buf *b, const char *before, const char *name)
{
    buf_add_str(b, before);
    add_string(b, name);
    buf_add_str(b, ": ");
}

static void add_sum(struct buf *b, const struct row *r)
{
    buf_printf(b, "{\"records\": %" PRIu64 ", \"bytes\": %" PRIu64 "}", r->n, r->bytes);
}

enum show { SUMS, COUNTS, TEXTS };

/* A table as an object; open, between, close: what stands around its rows. */
static void add_table(struct buf *b, const struct table *t, enum show show, const char *open,
                      const char *between, const char *close)
{
    size_t i;

    buf_add_str(b, "{");
    for (i = 0; i < t->n; i++) {
        add_name(b, i ? between : open, t->row[i].name);
        if (show == SUMS)
            add_sum(b, &t->row[i]);
        else if (show == COUNTS)
            buf_printf(b, "%" PRIu64, t->row[i].n);
        else
            add_string(b, t->row[i].text);
    }
    buf_add_str(b, t->n ? close : "}");
}

static void add_langs(struct buf *b, const struct ledger *l)
{
    size_t i;

    buf_add_str(b, ",\n  \"lang\": {");
    for (i = 0; i < l->n_lang; i++) {
        const struct lang *lang = &l->lang[i];

        add_name(b, i ? ",\n    " : "\n    ", lang->name);
        buf_printf(b, "{\"in\": %" PRIu64 ", \"out\": %" PRIu64 ", \"dropped\": ", lang->in,
                   lang->out);
        add_table(b, &lang->dropped, COUNTS, "", ", ", "}");
        buf_add_str(b, "}");
    }
    buf_add_str(b, l->n_lang ? "\n  }" : "}");
}

static void add_files(struct buf *b, const struct ledger *l)
{
    size_t i;

    buf_add_str(b, ",\n  \"files\": [");
    for (i = 0; i < l->n_file; i++) {
        buf_add_str(b, i ? ",\n    {\"path\": " : "\n    {\"path\": ");
        add_string(b, l->file[i].path);
        buf_printf(b, ", \"bytes\": %" PRIu64, l->file[i].bytes);
        if (l->file[i].trouble) {
            add_name(b, ", ", "trouble");
            add_string(b, l->file[i].trouble);
        }
        buf_add_str(b, "}");
    }
    buf_add_str(b, l->n_file ? "\n  ]" : "]");
}

static void format(struct buf *b, const struct ledger *l)
{
    add_name(b, "{\n  ", "tool");
    add_string(b, l->tool);
    add_name(b, ",\n  ", "version");
    add_string(b, SWITCHYARD_VERSION);
    add_name(b, ",\n  ", "options");
    add_string(b, opt_line());
    add_name(b, ",\n  ", "facts");
    add_table(b, &l->fact, TEXTS, "\n    ", ",\n    ", "\n  }");
    add_name(b, ",\n  ", "in");
    add_sum(b, &l->in);
    add_name(b, ",\n  ", "out");
    add_sum(b, &l->out);
    add_name(b, ",\n  ", "dropped");
    add_table(b, &l->dropped, SUMS, "\n    ", ",\n    ", "\n  }");
    add_name(b, ",\n  ", "counted");
    add_table(b, &l->counted, COUNTS, "\n    ", ",\n    ", "\n  }");
    add_langs(b, l);
    add_files(b, l);
    buf_add_str(b, "\n}\n");
}

int ledger_write(const struct ledger *l, const char *path, struct err *err)
{
    uint64_t dropped = ledger_records_dropped(l);
    struct buf b = { 0 };
    struct out *o;
    int bad;

    if (l->in.n != l->out.n + dropped)
        return err_set(
            err, "ledger: %" PRIu64 " records in, but %" PRIu64 " out and %" PRIu64 " dropped",
            l->in.n, l->out.n, dropped);
    if (!path)
        return 0;
    o = out_open(path, err);
    if (!o)
        return -1;
    format(&b, l);
    bad = out_write(o, b.p, b.n, err);
    buf_release(&b);
    if (bad < 0)
        out_abandon(o);
    return bad < 0 ? -1 : out_close(o, err);
}
