/* dedup.c - see dedup.h. Both tables: open addressing, linear steps, doubled at three quarters. The
 * keys are MD5s, so their first bytes are the hash. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "clean/dedup.h"
#include "text/unicode.h"

enum { FIRST_SLOTS = 1 << 12 };

static uint64_t key_slot(const unsigned char *key)
{
    uint64_t h;

    memcpy(&h, key, sizeof(h));
    return h;
}

static uint64_t big_endian(const unsigned char *p)
{
    uint64_t x = 0;
    int i;

    for (i = 0; i < 8; i++)
        x = x << 8 | p[i];
    return x;
}

/* URLs. page is one more than the number, so that 0 is an empty slot. */

struct url_slot {
    unsigned char key[16];
    uint64_t rank, page;
};

struct url_table {
    struct url_slot *slot;
    size_t n_slot, n;    // a power of two
    char **odd_date;     // dates that are no number, owned, by the low bits of their ranks
    size_t n_odd;
    char date[2][32];    // two ranks spelled out for comparison
};

static const uint64_t odd_rank = 1ULL << 63;

struct url_table *url_table_new(void)
{
    struct url_table *t = xcalloc(1, sizeof(*t));

    t->n_slot = FIRST_SLOTS;
    t->slot = xcalloc(t->n_slot, sizeof(*t->slot));
    return t;
}

static struct url_slot *url_find(const struct url_table *t, const unsigned char key[16])
{
    size_t i = key_slot(key) & (t->n_slot - 1);

    while (t->slot[i].page && memcmp(t->slot[i].key, key, 16) != 0)
        i = (i + 1) & (t->n_slot - 1);
    return &t->slot[i];
}

static void url_grow(struct url_table *t)
{
    struct url_slot *old = t->slot;
    size_t i, n_old = t->n_slot;

    t->n_slot *= 2;
    t->slot = xcalloc(t->n_slot, sizeof(*t->slot));
    for (i = 0; i < n_old; i++)
        if (old[i].page)
            *url_find(t, old[i].key) = old[i];
    free(old);
}

static const char *date_of(struct url_table *t, uint64_t rank, int which)
{
    static const unsigned char place[14] = { 0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18 };
    int i;

    if (rank & odd_rank)
        return t->odd_date[rank & ~odd_rank];
    memcpy(t->date[which], "....-..-..T..:..:..Z", 21);
    for (i = 13; i >= 0; i--, rank /= 10)
        t->date[which][place[i]] = (char)('0' + rank % 10);
    return t->date[which];
}

static int rank_above(struct url_table *t, uint64_t a, uint64_t b)
{
    if (!t->n_odd || !((a | b) & odd_rank))
        return a > b;
    return strcmp(date_of(t, a, 0), date_of(t, b, 1)) > 0;
}

void url_table_add(struct url_table *t, const unsigned char key[16], uint64_t page, uint64_t rank)
{
    struct url_slot *s = url_find(t, key);

    if (s->page) {
        if (rank_above(t, rank, s->rank)) {
            s->rank = rank;
            s->page = page + 1;
        }
        return;
    }
    memcpy(s->key, key, 16);
    s->rank = rank;
    s->page = page + 1;
    if (++t->n > t->n_slot / 4 * 3)
        url_grow(t);
}

uint64_t url_table_owner(const struct url_table *t, const unsigned char key[16])
{
    return url_find(t, key)->page - 1;
}

uint64_t url_table_rank_date(struct url_table *t, struct bytes date)
{
    static const char form[] = "dddd-dd-ddTdd:dd:ddZ";
    uint64_t rank = 0;
    size_t i;

    for (i = 0; i < 20 && date.n == 20; i++) {
        if (form[i] == 'd' ? date.p[i] < '0' || date.p[i] > '9'
                           : date.p[i] != (unsigned char)form[i])
            break;
        if (form[i] == 'd')
            rank = 10 * rank + (date.p[i] - '0');
    }
    if (i == 20)
        return rank;
    if (t->n_odd && strlen(t->odd_date[t->n_odd - 1]) == date.n &&
        !memcmp(t->odd_date[t->n_odd - 1], date.p, date.n))
        return odd_rank | (t->n_odd - 1);
    if (!(t->n_odd & (t->n_odd + 1)))
        t->odd_date = xreallocarray(t->odd_date, 2 * t->n_odd + 2, sizeof(*t->odd_date));
    t->odd_date[t->n_odd] = xstrndup(date.p, date.n);
    return odd_rank | t->n_odd++;
}

uint64_t url_rank_md5(const unsigned char md5[16])
{
    return big_endian(md5);
}

void url_table_free(struct url_table *t)
{
    size_t i;

    if (!t)
        return;
    for (i = 0; i < t->n_odd; i++)
        free(t->odd_date[i]);
    free(t->odd_date);
    free(t->slot);
    free(t);
}

/* Lines. An owner is 62 bits of the URL's MD5, the most significant ones, above a bit that is set
 * (0 is an empty slot) and one that says that the owner has taken the line. */

struct line_slot {
    unsigned char key[16];
    uint64_t owner;
};

struct line_table {
    struct line_slot *slot;
    size_t n_slot, n;
};

enum { TAKEN = 1, OWNED = 2 };

struct line_table *line_table_new(void)
{
    struct line_table *t = xcalloc(1, sizeof(*t));

    t->n_slot = FIRST_SLOTS;
    t->slot = xcalloc(t->n_slot, sizeof(*t->slot));
    return t;
}

void line_key(struct bytes line, struct buf *low, unsigned char key[16])
{
    buf_reset(low);
    unicode_lower(low, unicode_strip(line));
    hash_md5(low->p, low->n, key);
}

uint64_t line_owner(const unsigned char url_md5[16])
{
    return (big_endian(url_md5) & ~(uint64_t)TAKEN) | OWNED;
}

static struct line_slot *line_find(const struct line_table *t, const unsigned char key[16])
{
    size_t i = key_slot(key) & (t->n_slot - 1);

    while (t->slot[i].owner && memcmp(t->slot[i].key, key, 16) != 0)
        i = (i + 1) & (t->n_slot - 1);
    return &t->slot[i];
}

static void line_grow(struct line_table *t)
{
    struct line_slot *old = t->slot;
    size_t i, n_old = t->n_slot;

    t->n_slot *= 2;
    t->slot = xcalloc(t->n_slot, sizeof(*t->slot));
    for (i = 0; i < n_old; i++)
        if (old[i].owner)
            *line_find(t, old[i].key) = old[i];
    free(old);
}

void line_table_prefetch(const struct line_table *t, const unsigned char key[16])
{
    __builtin_prefetch(&t->slot[key_slot(key) & (t->n_slot - 1)]);
}

void line_table_add(struct line_table *t, const unsigned char key[16], uint64_t owner)
{
    struct line_slot *s = line_find(t, key);

    if (s->owner) {
        if (owner < s->owner)
            s->owner = owner;
        return;
    }
    memcpy(s->key, key, 16);
    s->owner = owner;
    if (++t->n > t->n_slot / 4 * 3)
        line_grow(t);
}

enum line_fate line_table_take(struct line_table *t, const unsigned char key[16], uint64_t owner)
{
    struct line_slot *s = line_find(t, key);

    if ((s->owner & ~(uint64_t)TAKEN) != owner)
        return LINE_OTHERS;
    if (s->owner & TAKEN)
        return LINE_AGAIN;
    s->owner |= TAKEN;
    return LINE_MINE;
}

size_t line_table_lines(const struct line_table *t)
{
    return t->n;
}

void line_table_free(struct line_table *t)
{
    if (!t)
        return;
    free(t->slot);
    free(t);
}
