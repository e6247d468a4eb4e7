/* grid.c - see grid.h. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "io/grid.h"
#include "io/out.h"

int grid_open(struct grid *t, const char *path, const char *title, struct err *err)
{
    *t = (struct grid){ .err = err, .out = out_open(path, err) };
    if (!t->out)
        return -1;
    if (title) {
        buf_add_str(&t->row, title);
        grid_row(t);
    }
    return 0;
}

static void begin(struct grid *t)
{
    if (t->n_field++)
        buf_add_byte(&t->row, '\t');
}

void grid_bytes(struct grid *t, struct bytes field)
{
    size_t i;

    begin(t);
    for (i = 0; i < field.n; i++)
        buf_add_byte(&t->row, field.p[i] == '\t' || field.p[i] == '\n' ? ' ' : field.p[i]);
}

void grid_text(struct grid *t, const char *field)
{
    grid_bytes(t, (struct bytes){ (const unsigned char *)field, strlen(field) });
}

void grid_number(struct grid *t, uint64_t x)
{
    begin(t);
    buf_printf(&t->row, "%" PRIu64, x);
}

void grid_format(struct grid *t, const char *fmt, ...)
{
    va_list ap;

    begin(t);
    va_start(ap, fmt);
    buf_vprintf(&t->row, fmt, ap);
    va_end(ap);
}

void grid_row(struct grid *t)
{
    buf_add_byte(&t->row, '\n');
    if (!t->failed)
        t->failed = out_write(t->out, t->row.p, t->row.n, t->err) < 0;
    buf_reset(&t->row);
    t->n_field = 0;
}

int grid_close(struct grid *t)
{
    if (t->failed) {
        grid_abandon(t);
        return -1;
    }
    buf_release(&t->row);
    return out_close(t->out, t->err);
}

void grid_abandon(struct grid *t)
{
    out_abandon(t->out);
    buf_release(&t->row);
    *t = (struct grid){ 0 };
}
