/* runs.c - see runs.h. A record is two lengths of 32 bits (text, lang), a count of 64, the text. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "spill/temp.h"
#include "vocab/runs.h"

enum { HEAD = 16, WRITE = 1 << 20, READ_MIN = 4 << 10, READ_MAX = 1 << 20 };

struct run {
    uint64_t at, end;    // of what is not yet in buf
    struct buf buf;      // what is read of it
    size_t next;         // the current record in buf; its size
    size_t size;
};

struct runs {
    struct temp file;
    struct buf out;    // not yet written
    uint64_t end;      // with what is in out
    struct run *run;
    size_t n_run, n_heap, read_size;
    size_t *heap;
    int popped;
};

struct runs *runs_new(const char *dir)
{
    struct runs *r = xcalloc(1, sizeof(*r));

    temp_init(&r->file, dir);
    return r;
}

static int flush(struct runs *r, struct err *err)
{
    int rc = temp_write(&r->file, r->out.p, r->out.n, err);

    buf_reset(&r->out);
    return rc;
}

void runs_begin(struct runs *r)
{
    r->run = xreallocarray(r->run, r->n_run + 1, sizeof(*r->run));
    r->run[r->n_run++] = (struct run){ .at = r->end, .end = r->end };
}

int runs_put(struct runs *r, struct bytes text, uint32_t lang, uint64_t count, struct err *err)
{
    uint32_t head[2] = { (uint32_t)text.n, lang };

    buf_add(&r->out, head, sizeof(head));
    buf_add(&r->out, &count, sizeof(count));
    buf_add(&r->out, text.p, text.n);
    r->end += HEAD + text.n;
    r->run[r->n_run - 1].end = r->end;
    return r->out.n >= WRITE ? flush(r, err) : 0;
}

/* More of a run into its buffer, which the last record does not need any more. */
static int fill(struct runs *r, struct run *x, struct err *err)
{
    size_t left = x->buf.n - x->next,
           want = x->end - x->at < r->read_size ? (size_t)(x->end - x->at) : r->read_size;

    if (left)
        memmove(x->buf.p, x->buf.p + x->next, left);
    x->next = 0;
    buf_need(&x->buf, left + want);
    x->buf.n = left + want;
    x->at += want;
    return temp_read(&r->file, x->at - want, x->buf.p + left, want, err);
}

static size_t text_size(const struct run *x)
{
    uint32_t n;

    memcpy(&n, x->buf.p + x->next, sizeof(n));
    return n;
}

/* Is all of the next record in the buffer? */
static int is_here(const struct run *x)
{
    size_t left = x->buf.n - x->next;

    return left >= HEAD && left >= HEAD + text_size(x);
}

/* On to the next record: 1, or 0 when there is none. */
static int advance(struct runs *r, struct run *x, struct err *err)
{
    x->next += x->size;
    x->size = 0;
    while (!is_here(x)) {
        if (x->at == x->end)
            return 0;
        if (fill(r, x, err) < 0)
            return -1;
    }
    x->size = HEAD + text_size(x);
    return 1;
}

static struct runs_entry entry_of(const struct run *x)
{
    struct runs_entry e;

    e.text = (struct bytes){ x->buf.p + x->next + HEAD, x->size - HEAD };
    memcpy(&e.lang, x->buf.p + x->next + 4, 4);
    memcpy(&e.count, x->buf.p + x->next + 8, 8);
    return e;
}

static int is_less(const struct runs *r, size_t a, size_t b)
{
    struct runs_entry x = entry_of(&r->run[a]), y = entry_of(&r->run[b]);
    int d = memcmp(x.text.p, y.text.p, x.text.n < y.text.n ? x.text.n : y.text.n);

    if (d)
        return d < 0;
    if (x.text.n != y.text.n)
        return x.text.n < y.text.n;
    return x.lang != y.lang ? x.lang < y.lang : a < b;
}

static void sift(struct runs *r, size_t i)
{
    size_t top = r->heap[i], child;

    while ((child = 2 * i + 1) < r->n_heap) {
        if (child + 1 < r->n_heap && is_less(r, r->heap[child + 1], r->heap[child]))
            child++;
        if (!is_less(r, r->heap[child], top))
            break;
        r->heap[i] = r->heap[child];
        i = child;
    }
    r->heap[i] = top;
}

int runs_end(struct runs *r, size_t mem, struct err *err)
{
    size_t i;
    int got;

    if (flush(r, err) < 0)
        return -1;
    r->heap = xcalloc(r->n_run + 1, sizeof(*r->heap));
    r->read_size = mem / (r->n_run + 1);
    r->read_size = r->read_size < READ_MIN ? READ_MIN : r->read_size;
    r->read_size = r->read_size > READ_MAX ? READ_MAX : r->read_size;
    for (i = 0; i < r->n_run; i++) {
        if ((got = advance(r, &r->run[i], err)) < 0)
            return -1;
        if (got)
            r->heap[r->n_heap++] = i;
    }
    for (i = r->n_heap / 2; i-- > 0;)
        sift(r, i);
    return 0;
}

int runs_next(struct runs *r, struct runs_entry *e, struct err *err)
{
    int got;

    if (r->popped) {
        if ((got = advance(r, &r->run[r->heap[0]], err)) < 0)
            return -1;
        if (!got)
            r->heap[0] = r->heap[--r->n_heap];
        sift(r, 0);
    }
    r->popped = r->n_heap > 0;
    if (r->popped)
        *e = entry_of(&r->run[r->heap[0]]);
    return r->popped;
}

uint64_t runs_spilled(const struct runs *r)
{
    return r->end;
}

void runs_free(struct runs *r)
{
    size_t i;

    if (!r)
        return;
    for (i = 0; i < r->n_run; i++)
        buf_release(&r->run[i].buf);
    temp_release(&r->file);
    buf_release(&r->out);
    free(r->run);
    free(r->heap);
    free(r);
}
