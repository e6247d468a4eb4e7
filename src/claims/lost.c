/* lost.c - see lost.h. */
#include <string.h>

#include "claims/claim.h"
#include "claims/lost.h"
#include "spill/sort.h"

static int advance(struct lost *l, int i, struct err *err)
{
    const void *record;
    int got = l->sorter[i] ? sorter_next(l->sorter[i], &record, err) : 0;

    l->next[i] = got == 1 ? number_read(record) : UINT64_MAX;
    return got < 0 ? -1 : 0;
}

int lost_start(struct lost *l, struct err *err)
{
    int i;

    for (i = 0; i < PARTS; i++)
        if ((l->sorter[i] && sorter_start(l->sorter[i], err) < 0) || advance(l, i, err) < 0)
            return -1;
    return 0;
}

int lost_take(struct lost *l, uint64_t page, struct buf *b, struct err *err)
{
    uint64_t below = line_place(page, 0);
    int i, least;

    for (;;) {
        for (least = 0, i = 1; i < PARTS; i++)
            if (l->next[i] < l->next[least])
                least = i;
        if (l->next[least] >= below)
            return 0;
        buf_add(b, &l->next[least], sizeof(uint64_t));
        if (advance(l, least, err) < 0)
            return -1;
    }
}

void lost_release(struct lost *l)
{
    int i;

    for (i = 0; i < PARTS; i++)
        sorter_free(l->sorter[i]);
    memset(l, 0, sizeof(*l));
}
