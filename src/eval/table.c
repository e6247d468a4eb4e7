/* table.c - see table.h.
 *
 * The text is kept as one buffer in which tabs and line ends became NULs; `cell` holds the
 * offset of every field, the header's first.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "eval/table.h"
#include "io/stream.h"

#define LINE_MAX_BYTES (1 << 20)

struct table {
    char *path;
    struct buf text;
    size_t *cell;
    size_t n_cell, cap;
    size_t n_column, n_row;    // without the header
};

static void add_cell(struct table *t, const unsigned char *p, size_t n)
{
    if (t->n_cell == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 256;
        t->cell = xreallocarray(t->cell, t->cap, sizeof(*t->cell));
    }
    t->cell[t->n_cell++] = t->text.n;
    buf_add(&t->text, p, n);
    buf_add_byte(&t->text, 0);
}

static size_t add_line(struct table *t, struct bytes line)
{
    size_t n = 0, from = 0, i;

    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    for (i = 0; i <= line.n; i++)
        if (i == line.n || line.p[i] == '\t') {
            add_cell(t, line.p + from, i - from);
            from = i + 1;
            n++;
        }
    return n;
}

static int read_lines(struct table *t, struct stream *s, struct err *err)
{
    struct bytes line;
    size_t n, number;
    int got;

    for (number = 1; (got = stream_line(s, &line, LINE_MAX_BYTES, err)) == 1; number++) {
        if (line.n == 0 || line.p[0] == '#')
            continue;
        n = add_line(t, line);
        if (!t->n_column)
            t->n_column = n;
        else if (n != t->n_column)
            return err_set(err, "%s: line %zu: %zu fields, the header has %zu", t->path, number, n,
                           t->n_column);
        else
            t->n_row++;
    }
    if (got == 0 && !t->n_column)
        return err_set(err, "%s: empty, not even a header", t->path);
    return got;
}

struct table *table_read(const char *path, struct err *err)
{
    struct table *t = xcalloc(1, sizeof(*t));
    struct stream *s = stream_open(path, err);
    int bad = !s;

    if (s) {
        t->path = xstrdup(stream_path(s));
        bad = read_lines(t, s, err) < 0;
    }
    stream_close(s);
    if (!bad)
        return t;
    table_free(t);
    return NULL;
}

size_t table_rows(const struct table *t)
{
    return t->n_row;
}

static const char *cell(const struct table *t, size_t row, size_t column)
{
    return (const char *)t->text.p + t->cell[row * t->n_column + column];
}

int table_column(const struct table *t, const char *name)
{
    size_t i;

    for (i = 0; i < t->n_column; i++)
        if (!strcmp(cell(t, 0, i), name))
            return (int)i;
    return -1;
}

int table_need(const struct table *t, const char *name, struct err *err)
{
    int i = table_column(t, name);

    return i >= 0 ? i : err_set(err, "%s: no column '%s'", t->path, name);
}

const char *table_text(const struct table *t, size_t row, int column)
{
    return cell(t, row + 1, (size_t)column);
}

int table_num(const struct table *t, size_t row, int column, double *x, struct err *err)
{
    const char *s = table_text(t, row, column);
    char *end;

    *x = strtod(s, &end);
    if (end == s || *end || !isfinite(*x))
        return err_set(err, "%s: row %zu: %s: '%.40s' is not a finite number", t->path, row + 1,
                       cell(t, 0, (size_t)column), s);
    return 0;
}

void table_free(struct table *t)
{
    if (!t)
        return;
    free(t->path);
    free(t->cell);
    buf_release(&t->text);
    free(t);
}
