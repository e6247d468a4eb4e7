/* trials.c - see trials.h.
 *
 * `text` holds what had to be rewritten (escapes) of the present example; it is given its full
 * size before views into it are handed out, so that it does not move.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/tsv.h"
#include "io/stream.h"
#include "score/trials.h"
#include "text/utf8.h"

enum { LINE_MAX_BYTES = 1 << 24, COLUMN_MAX = 1024 };

struct trials {
    struct trials_how how;
    struct stream **in;
    struct bytes *line;    // of each file
    size_t n_in;
    uint64_t n_line;
    size_t n_column;    // 0: files of lines
    size_t *ref_at;     // columns of references
    size_t n_ref_at;
    int prediction, id, lang, group, label;    // columns; -1: none
    struct bytes *ref;
    size_t n_ref, cap;
    struct buf text;
};

static struct trials *trials_new(const char *const *path, size_t n, const struct trials_how *how,
                                 struct err *err)
{
    struct trials *r = xcalloc(1, sizeof(*r));

    r->how = *how;
    r->in = xcalloc(n, sizeof(struct stream *));
    r->line = xcalloc(n, sizeof(*r->line));
    for (; r->n_in < n; r->n_in++)
        if (!(r->in[r->n_in] = stream_open(path[r->n_in], err))) {
            trials_close(r);
            return NULL;
        }
    return r;
}

static int find(const struct bytes *header, size_t n, const char *name)
{
    struct tsv at = { "", 0 };
    struct err none;

    return tsv_column(&at, header, n, name, &none);
}

static int read_header(struct trials *r, struct err *err)
{
    struct bytes field[COLUMN_MAX];
    struct tsv at = { trials_path(r), 1 };
    const char *prediction = r->how.prediction ? r->how.prediction : "prediction";
    const char *reference = r->how.reference ? r->how.reference : "reference";
    size_t i;
    int got = stream_line(r->in[0], &r->line[0], LINE_MAX_BYTES, err);

    if (got <= 0)
        return got < 0 ? -1 : err_set(err, "%s: empty, not even a header", at.path);
    r->n_line = 1;
    r->n_column = tsv_split(r->line[0], field, COLUMN_MAX);
    if (r->n_column > COLUMN_MAX)
        return err_set(err, "%s: line 1: %zu columns are too many", at.path, r->n_column);
    r->prediction = tsv_column(&at, field, r->n_column, prediction, err);
    if (r->prediction < 0 || tsv_column(&at, field, r->n_column, reference, err) < 0)
        return -1;
    r->id = find(field, r->n_column, "id");
    r->lang = find(field, r->n_column, "lang");
    r->group = find(field, r->n_column, "group");
    r->label = find(field, r->n_column, "label");
    r->ref_at = xcalloc(r->n_column, sizeof(*r->ref_at));
    for (i = 0; i < r->n_column; i++)
        if (find(&field[i], 1, reference) == 0)
            r->ref_at[r->n_ref_at++] = i;
    return 0;
}

struct trials *trials_open(const char *path, const struct trials_how *how, struct err *err)
{
    struct trials *r = trials_new(&path, 1, how, err);

    if (r && read_header(r, err) < 0) {
        trials_close(r);
        return NULL;
    }
    return r;
}

struct trials *trials_open_lines(const char *const *path, size_t n, const struct trials_how *how,
                                 struct err *err)
{
    return trials_new(path, n, how, err);
}

const char *trials_path(const struct trials *r)
{
    return stream_path(r->in[0]);
}

static struct bytes unescape(struct trials *r, struct bytes s)
{
    static const char from[] = "ntr\\", to[] = "\n\t\r\\";
    size_t i, at = r->text.n;

    if (!r->how.escaped || !s.n || !memchr(s.p, '\\', s.n))
        return s;
    for (i = 0; i < s.n; i++) {
        const char *c =
            s.p[i] == '\\' && i + 1 < s.n && s.p[i + 1] ? strchr(from, s.p[i + 1]) : NULL;

        buf_add_byte(&r->text, c ? (unsigned char)to[c - from] : s.p[i]);
        i += !!c;
    }
    return (struct bytes){ r->text.p + at, r->text.n - at };
}

static void ref_add(struct trials *r, struct bytes s)
{
    if (r->n_ref == r->cap) {
        r->cap = r->cap ? 2 * r->cap : 8;
        r->ref = xreallocarray(r->ref, r->cap, sizeof(*r->ref));
    }
    r->ref[r->n_ref++] = unescape(r, s);
}

static void refs_add(struct trials *r, struct bytes s)
{
    size_t n = r->how.separator ? strlen(r->how.separator) : 0, i = 0;

    while (n && i + n <= s.n)
        if (!memcmp(s.p + i, r->how.separator, n)) {
            ref_add(r, (struct bytes){ s.p, i });
            s = (struct bytes){ s.p + i + n, s.n - i - n };
            i = 0;
        } else {
            i++;
        }
    ref_add(r, s);
}

static struct bytes column(const struct bytes *field, int at)
{
    return at < 0 ? (struct bytes){ NULL, 0 } : field[at];
}

static int next_row(struct trials *r, struct trial *p, struct err *err)
{
    struct bytes field[COLUMN_MAX];
    struct tsv at = { trials_path(r), r->n_line };
    size_t i;

    if (tsv_check(&at, tsv_split(r->line[0], field, r->n_column), r->n_column, err) < 0)
        return -1;
    for (i = 0; i < r->n_ref_at; i++)    // short lists leave the columns behind them empty
        if (!i || field[r->ref_at[i]].n)
            refs_add(r, field[r->ref_at[i]]);
    p->id = column(field, r->id);
    p->lang = column(field, r->lang);
    p->group = column(field, r->group);
    p->label = column(field, r->label);
    p->prediction = unescape(r, field[r->prediction]);
    return 1;
}

static int next_line(struct trials *r, struct trial *p)
{
    size_t i;

    for (i = 0; i < r->n_in; i++)
        if (r->line[i].n && r->line[i].p[r->line[i].n - 1] == '\r')
            r->line[i].n--;
    for (i = 0; i + 1 < r->n_in; i++)
        refs_add(r, r->line[i]);
    p->prediction = unescape(r, r->line[r->n_in - 1]);
    return 1;
}

/* A line of each file: 1, or 0 when all are at their end. */
static int read_all(struct trials *r, struct err *err)
{
    size_t i, n = 0;
    int got, first = 0;

    for (i = 0; i < r->n_in; i++) {
        got = stream_line(r->in[i], &r->line[i], LINE_MAX_BYTES, err);
        if (got < 0)
            return -1;
        if (!i)
            first = got;
        else if (got != first)
            return err_set(err, "%s: line %" PRIu64 ": %s has %s", trials_path(r), r->n_line + 1,
                           stream_path(r->in[i]), got ? "more lines" : "no such line");
        if (!utf8_valid(got ? r->line[i] : (struct bytes){ NULL, 0 }))
            return err_set(err, "%s: line %" PRIu64 ": not UTF-8", stream_path(r->in[i]),
                           r->n_line + 1);
        n += got ? r->line[i].n : 0;
    }
    r->n_line += first;
    buf_need(&r->text, n);
    return first;
}

int trials_next(struct trials *r, struct trial *p, struct err *err)
{
    int got;

    memset(p, 0, sizeof(*p));
    buf_reset(&r->text);
    r->n_ref = 0;
    if ((got = read_all(r, err)) <= 0)
        return got;
    got = r->n_column ? next_row(r, p, err) : next_line(r, p);
    if (!p->lang.n && r->how.lang)
        p->lang = (struct bytes){ (const unsigned char *)r->how.lang, strlen(r->how.lang) };
    p->ref = r->ref;
    p->n_ref = r->n_ref;
    p->line = r->n_line;
    return got;
}

void trials_close(struct trials *r)
{
    size_t i;

    if (!r)
        return;
    for (i = 0; i < r->n_in; i++)
        stream_close(r->in[i]);
    free(r->in);
    free(r->line);
    free(r->ref_at);
    free(r->ref);
    buf_release(&r->text);
    free(r);
}
