/* claim.c - see claim.h. All numbers are big-endian; what wins by being greatest is inverted. */
#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "claims/claim.h"
#include "text/unicode.h"

enum { DATE = 32 };

void number_write(unsigned char p[8], uint64_t x)
{
    int i;

    for (i = 7; i >= 0; i--, x >>= 8)
        p[i] = (unsigned char)x;
}

uint64_t number_read(const unsigned char p[8])
{
    uint64_t x = 0;
    int i;

    for (i = 0; i < 8; i++)
        x = x << 8 | p[i];
    return x;
}

static void invert(unsigned char *p, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        p[i] = (unsigned char)~p[i];
}

void url_claim_write(unsigned char rec[URL_CLAIM], const struct url_claim *c, int compat301)
{
    unsigned char *at = rec + CLAIM_KEY;
    unsigned char *date = compat301 ? at + 24 : at, *url = at + (compat301 ? 0 : DATE) + 16;

    memcpy(rec, c->key, CLAIM_KEY);
    memset(date, 0, DATE);
    if (c->date.n)
        memcpy(date, c->date.p, c->date.n < DATE ? c->date.n : DATE);
    invert(date, DATE);
    url_claim_text(rec, c->text_md5, compat301);
    memcpy(url, c->url_md5, 8);
    number_write(rec + URL_CLAIM - 8, c->page);
}

void url_claim_text(unsigned char rec[URL_CLAIM], const unsigned char text_md5[16], int compat301)
{
    unsigned char *md5 = rec + CLAIM_KEY + (compat301 ? 0 : DATE);

    memcpy(md5, text_md5, 16);
    if (compat301)
        invert(md5, 16);
}

uint64_t url_claim_page(const unsigned char rec[URL_CLAIM])
{
    return number_read(rec + URL_CLAIM - 8);
}

void line_claim_write(unsigned char rec[LINE_CLAIM], const unsigned char key[CLAIM_KEY],
                      const unsigned char owner[8], uint64_t place)
{
    memcpy(rec, key, CLAIM_KEY);
    memcpy(rec + CLAIM_KEY, owner, 8);
    number_write(rec + CLAIM_KEY + 8, place);
}

uint64_t line_claim_place(const unsigned char rec[LINE_CLAIM])
{
    return number_read(rec + CLAIM_KEY + 8);
}

void line_key(struct bytes line, struct buf *low, unsigned char key[CLAIM_KEY])
{
    buf_reset(low);
    unicode_lower(low, unicode_strip(line));
    hash_xx128(low->p, low->n, key);
}

uint64_t line_place(uint64_t page, uint64_t line)
{
    assert(line < 1ULL << LINE_BITS && page < 1ULL << (63 - LINE_BITS));
    return page << (LINE_BITS + 1) | line << 1;
}

uint64_t place_page(uint64_t place)
{
    return place >> (LINE_BITS + 1);
}

uint64_t place_lost(uint64_t place, enum line_fate why)
{
    return place | (why == LINE_AGAIN);
}

uint64_t place_line(uint64_t place)
{
    return place >> 1 & ((1ULL << LINE_BITS) - 1);
}

enum line_fate place_fate(uint64_t place)
{
    return place & 1 ? LINE_AGAIN : LINE_OTHERS;
}

/* Whether key is another than that of the claim before. */
static int walk_on(struct walk *w, const unsigned char *key)
{
    if (w->begun && !memcmp(w->key, key, CLAIM_KEY))
        return 0;
    memcpy(w->key, key, CLAIM_KEY);
    return w->begun = 1;
}

int walk_url(struct walk *w, const unsigned char rec[URL_CLAIM])
{
    return walk_on(w, rec);
}

enum line_fate walk_line(struct walk *w, const unsigned char rec[LINE_CLAIM], unsigned task)
{
    uint64_t page = place_page(line_claim_place(rec));

    if (walk_on(w, rec)) {
        w->page = page;
        w->task = task;
        return LINE_MINE;
    }
    return page == w->page && task == w->task ? LINE_AGAIN : LINE_OTHERS;
}
