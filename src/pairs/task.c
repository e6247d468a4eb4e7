/* task.c - see task.h. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/tsv.h"
#include "io/stream.h"
#include "pairs/form.h"
#include "pairs/task.h"

enum { LINE_BYTES_MAX = 1 << 16 };
enum { NAME, FORMAT, COLUMNS, EACH, INPUT, TARGET, LABELS, KEEP, LANG, INPUTS, TARGETS, NOTE, N };

static const char *const names[N] = { "name",   "format", "columns", "each",   "input",   "target",
                                      "labels", "keep",   "lang",    "inputs", "targets", "note" };

struct table {
    struct stream *in;
    struct tsv at;
    int column[N];
    size_t n_column;
};

static struct bytes field_of(const struct table *t, const struct bytes *field, int i)
{
    return field[t->column[i]];
}

/* A copy of a field; NULL for "-", which stands for nothing. */
static char *text_of(const struct table *t, const struct bytes *field, int i)
{
    struct bytes f = field_of(t, field, i);

    return !f.n || (f.n == 1 && *f.p == '-') ? NULL : xstrndup(f.p, f.n);
}

static int parse_format(const struct table *t, struct bytes f, struct task *task, struct err *err)
{
    static const char *const formats[] = { "tsv", "jsonl", "json", "bio" };
    int i;

    for (i = 0; i < 4; i++)
        if (f.n == strlen(formats[i]) && !memcmp(f.p, formats[i], f.n)) {
            task->format = (enum task_format)i;
            return 0;
        }
    return err_set(err, "%s: line %llu: format '%.*s' is none of tsv, jsonl, json, bio", t->at.path,
                   (unsigned long long)t->at.line, (int)(f.n < 40 ? f.n : 40), f.p);
}

/* "a b/c": lists a, then b in each of its items, of which those with another c. */
static int parse_each(const struct table *t, char *each, struct task *task, struct err *err)
{
    char *s = each;

    while (s && *s) {
        size_t n = strcspn(s, " "), slash = strcspn(s, "/ ");
        struct task_each *e = &task->each[task->n_each];

        if (task->n_each == TASK_EACH_MAX)
            return err_set(err, "%s: line %llu: more than %d lists", t->at.path,
                           (unsigned long long)t->at.line, TASK_EACH_MAX);
        e->list = xstrndup(s, slash);
        e->once = slash < n ? xstrndup(s + slash + 1, n - slash - 1) : NULL;
        task->n_each++;
        s += n + (s[n] == ' ');
    }
    return 0;
}

static int parse_keep(const struct table *t, struct task *task, struct err *err)
{
    char *is = task->keep_field ? strchr(task->keep_field, '=') : NULL;

    if (task->keep_field && !is)
        return err_set(err, "%s: line %llu: keep is FIELD=VALUE", t->at.path,
                       (unsigned long long)t->at.line);
    if (is) {
        task->keep = xstrdup(is + 1);
        *is = 0;
    }
    return 0;
}

static int parse_length(const struct table *t, const struct bytes *field, int i, int64_t otherwise,
                        int64_t *to, struct err *err)
{
    struct bytes f = field_of(t, field, i);

    *to = otherwise;
    if (!f.n || (f.n == 1 && *f.p == '-'))
        return 0;
    return tsv_int(&t->at, names[i], f, 2, 32768, to, err);
}

static int parse_forms(const struct table *t, const struct bytes *field, struct task *task,
                       struct err *err)
{
    char *input = text_of(t, field, INPUT), *target = text_of(t, field, TARGET);
    struct err why = { "name, input and target are needed" };
    int bad = !task->name || !input || !target || !(task->input = form_new(input, &why)) ||
              !(task->target = form_new(target, &why));

    free(input);
    free(target);
    return bad ? err_set(err, "%s: line %llu: %s", t->at.path, (unsigned long long)t->at.line,
                         why.msg)
               : 0;
}

static struct task *parse_task(const struct table *t, const struct bytes *field, struct err *err)
{
    struct task *task = xcalloc(1, sizeof(*task));
    char *each = text_of(t, field, EACH), *c;
    int bad;

    task->name = text_of(t, field, NAME);
    task->note = text_of(t, field, NOTE);
    task->columns = text_of(t, field, COLUMNS);
    for (c = task->columns; c && *c; c++)
        *c = *c == ',' ? '\t' : *c;
    task->labels = text_of(t, field, LABELS);
    task->keep_field = text_of(t, field, KEEP);
    task->lang = text_of(t, field, LANG);
    bad = parse_format(t, field_of(t, field, FORMAT), task, err) ||
          parse_each(t, each, task, err) || parse_keep(t, task, err) ||
          parse_length(t, field, INPUTS, 512, &task->inputs, err) ||
          parse_length(t, field, TARGETS, 128, &task->targets, err) ||
          parse_forms(t, field, task, err);
    free(each);
    if (!bad)
        return task;
    task_free(task);
    return NULL;
}

/* Fields of the next row: 1, 0 at the end, -1. Comments begin with #. */
static int next_row(struct table *t, struct bytes *field, struct err *err)
{
    struct bytes line;
    size_t n;
    int got;

    do {
        got = stream_line(t->in, &line, LINE_BYTES_MAX, err);
        t->at.line += got > 0;
    } while (got > 0 && (!line.n || *line.p == '#'));
    if (got <= 0)
        return got;
    n = tsv_split(line, field, N);
    if (t->n_column && tsv_check(&t->at, n, t->n_column, err))
        return -1;
    if (n != N)
        return err_set(err, "%s: line %llu: %zu fields, not %d", t->at.path,
                       (unsigned long long)t->at.line, n, N);
    return 1;
}

static int table_open(struct table *t, const char *path, struct err *err)
{
    struct bytes field[N];
    int got, i;

    memset(t, 0, sizeof(*t));
    t->at.path = path;
    t->in = stream_open(path, err);
    if (!t->in)
        return -1;
    got = next_row(t, field, err);
    if (got == 0)
        err_set(err, "%s: empty", path);
    for (i = 0; got > 0 && i < N; i++)
        if ((t->column[i] = tsv_column(&t->at, field, N, names[i], err)) < 0)
            got = -1;
    t->n_column = N;
    if (got > 0)
        return 0;
    stream_close(t->in);
    return -1;
}

struct task *task_read(const char *path, const char *name, struct err *err)
{
    struct bytes field[N];
    struct task *task = NULL;
    struct table t;
    int got;

    if (table_open(&t, path, err))
        return NULL;
    while ((got = next_row(&t, field, err)) > 0) {
        struct bytes f = field_of(&t, field, NAME);

        if (f.n == strlen(name) && !memcmp(f.p, name, f.n)) {
            task = parse_task(&t, field, err);
            break;
        }
    }
    if (got == 0)
        err_set(err, "%s: no task '%s'", path, name);
    stream_close(t.in);
    return task;
}

int task_list(const char *path, void (*each)(const struct task *t), struct err *err)
{
    struct bytes field[N];
    struct table t;
    int got;

    if (table_open(&t, path, err))
        return -1;
    while ((got = next_row(&t, field, err)) > 0) {
        struct task *task = parse_task(&t, field, err);

        if (!task) {
            got = -1;
            break;
        }
        each(task);
        task_free(task);
    }
    stream_close(t.in);
    return got;
}

int task_label(const struct task *t, struct bytes text, struct buf *b)
{
    const char *s = t->labels;

    buf_reset(b);
    if (!s) {
        buf_add(b, text.p, text.n);
        return LABEL_KNOWN;
    }
    while (*s) {
        size_t n = strcspn(s, ";"), is = strcspn(s, "=;");

        if (is == text.n && !memcmp(s, text.p ? text.p : (const void *)"", is)) {
            is += is < n;
            buf_add(b, s + is, n - is);
            return b->n ? LABEL_KNOWN : LABEL_NONE;
        }
        s += n + (s[n] == ';');
    }
    return LABEL_UNKNOWN;
}

void task_free(struct task *t)
{
    int i;

    if (!t)
        return;
    for (i = 0; i < t->n_each; i++) {
        free(t->each[i].list);
        free(t->each[i].once);
    }
    free(t->name);
    free(t->note);
    free(t->columns);
    free(t->labels);
    free(t->keep_field);
    free(t->keep);
    free(t->lang);
    form_free(t->input);
    form_free(t->target);
    free(t);
}
