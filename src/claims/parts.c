/* parts.c - see parts.h. */
#include <pthread.h>
#include <stdlib.h>

#include "claims/parts.h"
#include "spill/sort.h"

enum { FIRST_SHIFT = 4 };    // of the first byte: its upper bits number the part

struct parts {
    size_t size;
    struct sorter *sorter[PARTS];
    pthread_mutex_t lock[PARTS];
};

struct parts *parts_new(size_t size, size_t mem, const char *dir)
{
    struct parts *p = xcalloc(1, sizeof(*p));
    int i;

    p->size = size;
    for (i = 0; i < PARTS; i++) {
        p->sorter[i] = sorter_new(size, mem / PARTS, dir);
        pthread_mutex_init(&p->lock[i], NULL);
    }
    return p;
}

int parts_of(unsigned char first)
{
    return first >> FIRST_SHIFT;
}

unsigned char *parts_room_get(struct parts_room *r, unsigned char first, size_t size)
{
    struct buf *b = &r->part[parts_of(first)];

    buf_need(b, b->n + size);
    b->n += size;
    return b->p + b->n - size;
}

static int add_part(struct parts *p, int part, struct buf *b, struct err *err)
{
    size_t at;
    int bad = 0;

    pthread_mutex_lock(&p->lock[part]);
    for (at = 0; !bad && at < b->n; at += p->size)
        bad = sorter_add(p->sorter[part], b->p + at, err);
    pthread_mutex_unlock(&p->lock[part]);
    buf_reset(b);
    return bad;
}

int parts_add(struct parts *p, struct parts_room *r, struct err *err)
{
    int i;

    for (i = 0; i < PARTS; i++)
        if (r->part[i].n && add_part(p, i, &r->part[i], err) < 0)
            return -1;
    return 0;
}

struct sorter *parts_take(struct parts *p, int part)
{
    struct sorter *s = p->sorter[part];

    p->sorter[part] = NULL;
    return s;
}

void parts_room_release(struct parts_room *r)
{
    int i;

    for (i = 0; i < PARTS; i++)
        buf_release(&r->part[i]);
}

void parts_free(struct parts *p)
{
    int i;

    if (!p)
        return;
    for (i = 0; i < PARTS; i++) {
        sorter_free(p->sorter[i]);
        pthread_mutex_destroy(&p->lock[i]);
    }
    free(p);
}
