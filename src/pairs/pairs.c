/* pairs.c - see pairs.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "io/stream.h"
#include "pairs/form.h"
#include "pairs/pairs.h"
#include "pairs/record.h"
#include "pairs/task.h"

struct level {    // a list that is gone through
    const json_t *list;
    size_t at;
};

struct pairs {
    const struct task *task;
    struct records from;
    json_t *root;            // the record, NULL between two
    struct record record;    // parts: the root, an item of its list, an item of that one's ...
    struct level level[TASK_EACH_MAX + 1];    // level[i] is the list of which part[i + 1] is
    int n_level;
    struct buf input, target, label, lang, other;
    struct err why;
};

struct pairs *pairs_open(const struct task *t, const char *path, struct err *err)
{
    struct pairs *p = xcalloc(1, sizeof(*p));

    p->task = t;
    p->from.task = t;
    p->from.in = stream_open(path, err);
    if (p->from.in)
        return p;
    pairs_close(p);
    return NULL;
}

static int same_text(const json_t *a, const json_t *b)
{
    return a && b && json_equal(a, b);
}

/* Is item at of the list, by its field `once`, there already? */
static int comes_again(const struct level *l, const char *once)
{
    const json_t *is = json_object_get(json_array_get(l->list, l->at), once);
    size_t i;

    for (i = 0; i < l->at; i++)
        if (same_text(json_object_get(json_array_get(l->list, i), once), is))
            return 1;
    return 0;
}

/* The list that the next part comes from: of the root when that is one itself, or by name. */
static const json_t *list_below(const struct pairs *p)
{
    int named = p->n_level - json_is_array(p->root);
    const json_t *list = NULL;

    if (p->n_level == 0 && json_is_array(p->root))
        return p->root;
    if (named < p->task->n_each)
        list = record_field(&p->record, p->task->each[named].list);
    return json_array_size(list) ? list : NULL;
}

/* Enter lists as long as there are any: the innermost item is a pair's. */
static void descend(struct pairs *p)
{
    const json_t *list;

    while ((list = list_below(p)) != NULL) {
        p->level[p->n_level++] = (struct level){ list, 0 };
        p->record.part[p->record.n_part++] = json_array_get(list, 0);
    }
}

/* To the next item of the innermost list that has one: 1, 0 when all is gone through. */
static int advance(struct pairs *p)
{
    while (p->n_level) {
        struct level *l = &p->level[p->n_level - 1];
        int named = p->n_level - 1 - json_is_array(p->root);
        const char *once = named >= 0 ? p->task->each[named].once : NULL;

        do
            l->at++;
        while (once && l->at < json_array_size(l->list) && comes_again(l, once));
        if (l->at < json_array_size(l->list)) {
            p->record.part[p->record.n_part - 1] = json_array_get(l->list, l->at);
            descend(p);
            return 1;
        }
        p->n_level--;
        p->record.n_part--;
    }
    json_decref(p->root);
    p->root = NULL;
    return 0;
}

static void drop(struct pairs *p, struct pair *pair, const char *word, const char *why)
{
    pair->dropped = word;
    err_set(&p->why, "%s:%" PRIu64 ": %s", stream_path(p->from.in), p->from.line, why);
    pair->why = &p->why;
}

/* Whether the record is one that the task wants. */
static int wanted(const struct pairs *p, struct buf *b)
{
    const json_t *field = p->task->keep ? record_field(&p->record, p->task->keep_field) : NULL;

    buf_reset(b);
    return !field || (record_text(field, b) == 0 && b->n == strlen(p->task->keep) &&
                      !memcmp(b->p ? b->p : (const void *)"", p->task->keep, b->n));
}

static void form(struct pairs *p, struct pair *pair)
{
    int label = LABEL_NONE;

    if (!wanted(p, &p->label)) {
        drop(p, pair, "not_kept", "not what the task keeps");
        return;
    }
    if (form_fill(p->task->input, &p->record, &p->input)) {
        drop(p, pair, "no_field", "not all fields of the input are there");
        return;
    }
    if (form_fill(p->task->target, &p->record, &p->label) == 0)
        label = task_label(p->task, buf_bytes(&p->label), &p->target);
    if (label == LABEL_UNKNOWN) {
        drop(p, pair, "unknown_label", "a label that the task does not know");
        return;
    }
    pair->unlabelled =
        label == LABEL_NONE || (p->task->keep && !record_field(&p->record, p->task->keep_field));
    if (label == LABEL_NONE) {
        buf_reset(&p->target);
        buf_add_str(&p->target, "<unk>");
    }
    buf_reset(&p->lang);
    if (p->task->lang && record_field(&p->record, p->task->lang))
        record_text(record_field(&p->record, p->task->lang), &p->lang);
    pair->input = buf_bytes(&p->input);
    pair->target = buf_bytes(&p->target);
    pair->lang = buf_bytes(&p->lang);
}

int pairs_other(struct pairs *p, size_t k, struct bytes *target)
{
    int rc;

    p->record.nth = k;
    rc = form_fill(p->task->target, &p->record, &p->label);
    p->record.nth = 0;
    if (rc || task_label(p->task, buf_bytes(&p->label), &p->other) != LABEL_KNOWN)
        return 0;
    *target = buf_bytes(&p->other);
    return 1;
}

int pairs_next(struct pairs *p, struct pair *pair, struct err *err)
{
    int got = 1;

    *pair = (struct pair){ .dropped = NULL };
    if (!p->root || !advance(p)) {
        got = records_next(&p->from, &p->root, &pair->dropped, &p->why);
        if (got < 0)
            *err = p->why;
        if (got == RECORD_BAD)
            pair->why = &p->why;
        if (got != 1)
            return got == RECORD_BAD ? 1 : got;
        p->n_level = 0;
        p->record.part[0] = p->root;
        p->record.n_part = 1;
        descend(p);
    }
    form(p, pair);
    return 1;
}

uint64_t pairs_bytes(const struct pairs *p)
{
    return stream_offset(p->from.in);
}

const char *pairs_path(const struct pairs *p)
{
    return stream_path(p->from.in);
}

void pairs_close(struct pairs *p)
{
    if (!p)
        return;
    json_decref(p->root);
    records_release(&p->from);
    buf_release(&p->input);
    buf_release(&p->target);
    buf_release(&p->label);
    buf_release(&p->lang);
    buf_release(&p->other);
    free(p);
}
