/* sort.c - see sort.h.
 *
 * Records gather in one array; when it is full it is sorted in place and appended to a nameless
 * file as a run. More runs than can be merged at once are first merged in groups into a second
 * file that takes the place of the first.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "spill/sort.h"
#include "spill/temp.h"

enum {
    RECORDS_MIN = 4096,     // held at least
    SMALL = 24,             // records that are sorted by insertion
    READ_MIN = 32 << 10,    // bytes of a run that are read at once: at least, at most
    READ_MAX = 4 << 20,
    FAN_IN_MAX = 1024,
};

struct run {
    uint64_t at, end;      // of what is not yet read, in the file
    unsigned char *buf;    // of read_size bytes
    size_t next, n;        // bytes of buf handed out, and there
    uint64_t first;        // the first bytes of the record at next, as a number
};

struct sorter {
    size_t size, n_max;    // bytes of a record; records held at most
    unsigned char *rec;
    size_t n, cap;       // records in rec, and room
    struct temp file;    // of the runs
    struct run *run;
    size_t n_run;
    size_t *heap, n_heap;      // runs that have records, the least on top
    size_t read_size, next;    // next: of rec when nothing is spilled
    int popped;                // the top of the heap was handed out
    uint64_t n_all, spilled;
};

struct sorter *sorter_new(size_t size, size_t mem, const char *dir)
{
    struct sorter *s = xcalloc(1, sizeof(*s));

    temp_init(&s->file, dir);
    s->size = size;
    s->n_max = mem / size < RECORDS_MIN ? RECORDS_MIN : mem / size;
    return s;
}

/* Sorting: by a byte at a time from the left, in place (the American flag sort of McIlroy, Bostic
 * and McIlroy 1993), small groups by insertion. */

static void swap(unsigned char *a, unsigned char *b, size_t size)
{
    unsigned char t[64];
    size_t n;

    for (; size; size -= n, a += n, b += n) {
        n = size < sizeof(t) ? size : sizeof(t);
        memcpy(t, a, n);
        memcpy(a, b, n);
        memcpy(b, t, n);
    }
}

static void sort_small(unsigned char *p, size_t n, size_t size, size_t from)
{
    size_t i, j;

    for (i = 1; i < n; i++)
        for (j = i; j && memcmp(p + (j - 1) * size + from, p + j * size + from, size - from) > 0;
             j--)
            swap(p + (j - 1) * size, p + j * size, size);
}

static void sort_from(unsigned char *p, size_t n, size_t size, size_t from)
{
    size_t count[256] = { 0 }, head[256], tail[256], i, at = 0;
    int b;

    if (n <= SMALL || from == size) {
        sort_small(p, n, size, from);
        return;
    }
    for (i = 0; i < n; i++)
        count[p[i * size + from]]++;
    for (b = 0; b < 256; b++) {
        head[b] = at;
        tail[b] = at += count[b];
    }
    if (count[p[from]] < n)
        for (b = 0; b < 256; b++)
            while (head[b] < tail[b]) {
                unsigned char *r = p + head[b] * size;
                int to = r[from];

                if (to != b)
                    swap(r, p + head[to] * size, size);
                head[to]++;
            }
    for (at = 0, b = 0; b < 256; at += count[b++])
        if (count[b] > 1)
            sort_from(p + at * size, count[b], size, from + 1);
}

static int spill(struct sorter *s, struct err *err)
{
    uint64_t at = s->file.size;

    sort_from(s->rec, s->n, s->size, 0);
    if (temp_write(&s->file, s->rec, s->n * s->size, err) < 0)
        return -1;
    s->run = xreallocarray(s->run, s->n_run + 1, sizeof(*s->run));
    s->run[s->n_run++] = (struct run){ .at = at, .end = s->file.size };
    s->spilled += s->file.size - at;
    s->n = 0;
    return 0;
}

int sorter_add(struct sorter *s, const void *record, struct err *err)
{
    if (s->n == s->n_max && spill(s, err) < 0)
        return -1;
    if (s->n == s->cap) {
        s->cap = s->cap ? 2 * s->cap : RECORDS_MIN;
        if (s->cap > s->n_max)
            s->cap = s->n_max;
        s->rec = xreallocarray(s->rec, s->cap, s->size);
    }
    memcpy(s->rec + s->n++ * s->size, record, s->size);
    s->n_all++;
    return 0;
}

/* Merging. */

/* Bring the next record of a run to its front: 1, or 0 when there is none. */
static int advance(struct sorter *s, struct run *r, struct err *err)
{
    size_t want, i;

    if (r->next == r->n) {
        want = r->end - r->at < s->read_size ? (size_t)(r->end - r->at) : s->read_size;
        if (temp_read(&s->file, r->at, r->buf, want, err) < 0)
            return -1;
        r->at += want;
        r->next = 0;
        r->n = want;
        if (!want)
            return 0;
    }
    for (r->first = 0, i = 0; i < 8; i++)
        r->first = r->first << 8 | (i < s->size ? r->buf[r->next + i] : 0);
    return 1;
}

static int is_less(const struct sorter *s, size_t a, size_t b)
{
    const struct run *x = &s->run[a], *y = &s->run[b];

    if (x->first != y->first)
        return x->first < y->first;
    return memcmp(x->buf + x->next, y->buf + y->next, s->size) < 0;
}

static void sift(struct sorter *s, size_t i)
{
    size_t top = s->heap[i], child;

    while ((child = 2 * i + 1) < s->n_heap) {
        if (child + 1 < s->n_heap && is_less(s, s->heap[child + 1], s->heap[child]))
            child++;
        if (!is_less(s, s->heap[child], top))
            break;
        s->heap[i] = s->heap[child];
        i = child;
    }
    s->heap[i] = top;
}

/* Begin to merge n runs from first on. */
static int merge_start(struct sorter *s, size_t first, size_t n, struct err *err)
{
    size_t i;
    int got;

    s->n_heap = 0;
    s->popped = 0;
    for (i = first; i < first + n; i++) {
        s->run[i].buf = xmalloc(s->read_size);
        if ((got = advance(s, &s->run[i], err)) < 0)
            return -1;
        if (got)
            s->heap[s->n_heap++] = i;
    }
    for (i = s->n_heap / 2; i-- > 0;)
        sift(s, i);
    return 0;
}

static int merge_next(struct sorter *s, const void **record, struct err *err)
{
    struct run *top;
    int got;

    if (s->popped) {
        top = &s->run[s->heap[0]];
        top->next += s->size;
        if ((got = advance(s, top, err)) < 0)
            return -1;
        if (!got)
            s->heap[0] = s->heap[--s->n_heap];
        sift(s, 0);
    }
    s->popped = s->n_heap > 0;
    if (!s->popped)
        return 0;
    top = &s->run[s->heap[0]];
    *record = top->buf + top->next;
    return 1;
}

static void free_buffers(struct sorter *s)
{
    size_t i;

    for (i = 0; i < s->n_run; i++) {
        free(s->run[i].buf);
        s->run[i].buf = NULL;
    }
}

/* Merge n runs from first on into a run at the end of file. */
static int merge_group(struct sorter *s, size_t first, size_t n, struct temp *file,
                       struct run *made, struct err *err)
{
    struct buf out = { 0 };
    const void *record;
    int got = merge_start(s, first, n, err);

    made->at = file->size;
    while (got >= 0 && (got = merge_next(s, &record, err)) == 1) {
        buf_add(&out, record, s->size);
        if (out.n < s->read_size)
            continue;
        got = temp_write(file, out.p, out.n, err);
        buf_reset(&out);
    }
    if (got == 0)
        got = temp_write(file, out.p, out.n, err);
    made->end = file->size;
    buf_release(&out);
    free_buffers(s);
    return got;
}

/* Merge the runs of s in groups of fan_in into runs of a new file. */
static int merge_groups(struct sorter *s, size_t fan_in, struct err *err)
{
    struct run *made = xcalloc((s->n_run + fan_in - 1) / fan_in, sizeof(*made));
    struct temp file;
    size_t i, n = 0;
    int bad = 0;

    temp_init(&file, s->file.dir);
    for (i = 0; !bad && i < s->n_run; i += fan_in, n++)
        bad =
            merge_group(s, i, s->n_run - i < fan_in ? s->n_run - i : fan_in, &file, &made[n], err);
    s->spilled += file.size;
    if (bad) {
        free(made);
        temp_release(&file);
        return -1;
    }
    temp_release(&s->file);
    free(s->run);
    s->file = file;
    s->run = made;
    s->n_run = n;
    return 0;
}

int sorter_start(struct sorter *s, struct err *err)
{
    size_t fan_in, mem = s->n_max * s->size;

    if (!s->n_run) {
        sort_from(s->rec, s->n, s->size, 0);
        return 0;
    }
    if (s->n && spill(s, err) < 0)
        return -1;
    free(s->rec);
    s->rec = NULL;
    fan_in = mem / READ_MIN < 2 ? 2 : mem / READ_MIN > FAN_IN_MAX ? FAN_IN_MAX : mem / READ_MIN;
    s->heap = xcalloc(s->n_run, sizeof(*s->heap));
    s->read_size = READ_MIN - READ_MIN % s->size;
    if (s->read_size < s->size)
        s->read_size = s->size;
    while (s->n_run > fan_in)
        if (merge_groups(s, fan_in, err) < 0)
            return -1;
    if (mem / s->n_run > s->read_size) {
        s->read_size = mem / s->n_run < READ_MAX ? mem / s->n_run : READ_MAX;
        s->read_size -= s->read_size % s->size;
    }
    return merge_start(s, 0, s->n_run, err);
}

int sorter_next(struct sorter *s, const void **record, struct err *err)
{
    if (s->n_run)
        return merge_next(s, record, err);
    if (s->next == s->n)
        return 0;
    *record = s->rec + s->next++ * s->size;
    return 1;
}

uint64_t sorter_n(const struct sorter *s)
{
    return s->n_all;
}

uint64_t sorter_spilled(const struct sorter *s)
{
    return s->spilled;
}

void sorter_free(struct sorter *s)
{
    if (!s)
        return;
    temp_release(&s->file);
    free_buffers(s);
    free(s->run);
    free(s->heap);
    free(s->rec);
    free(s);
}
