/* pages.c - see pages.h. Since a batch is filled by bytes alone, it holds the same pages whatever
 * the number of threads. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "clean/pages.h"

enum { BATCH = 1 << 20, PAGES_MAX = 4096, KEEP_MAX = 8 << 20 };

struct pages {
    char **file;    // the one to be opened next
    struct crawl_mode mode;
    struct ledger *ledger;
    struct crawl *crawl;    // NULL: between files
    uint64_t done;          // stored bytes of files that are closed
    struct pages_notes notes;
};

struct pages *pages_open(char **files, const struct crawl_mode *mode, struct ledger *l)
{
    struct pages *p = xcalloc(1, sizeof(*p));

    p->file = files;
    p->mode = *mode;
    p->ledger = l;
    return p;
}

static void end_file(struct pages *p)
{
    const char *said;
    uint64_t bad;

    if (!p->crawl)
        return;
    p->done += crawl_offset(p->crawl);
    bad = crawl_damage(p->crawl, &said);
    p->notes.damaged += bad;
    if (bad)
        snprintf(p->notes.said, sizeof(p->notes.said), "%s", said);
    crawl_close(p->crawl);
    p->crawl = NULL;
}

/* The next page of any file: 1, 0 at the end of all, -1. */
static int next(struct pages *p, struct page *page, struct err *err)
{
    int got;

    for (;;) {
        if (!p->crawl) {
            if (!*p->file)
                return 0;
            if (!(p->crawl = crawl_open(*p->file, &p->mode, p->ledger, err)))
                return -1;
            p->file++;
            p->notes.files++;
        }
        if ((got = crawl_next(p->crawl, page, err)) != 0)
            return got;
        end_file(p);
    }
}

/* Copy what s views to the end of raw; p is then its place there, until raw has stopped moving. */
static void keep(struct buf *raw, struct bytes *s)
{
    size_t at = raw->n;

    if (!s->p)
        return;
    buf_add(raw, s->p, s->n);
    s->p = (const unsigned char *)(uintptr_t)(at + 1);
}

static void settle(const struct buf *raw, struct bytes *s)
{
    if (s->p)
        s->p = raw->p + ((uintptr_t)s->p - 1);
}

static void add(struct pages_batch *b, const struct page *page)
{
    struct page *to;

    if (b->n == b->cap) {
        b->cap = b->cap ? 2 * b->cap : 256;
        b->page = xreallocarray(b->page, b->cap, sizeof(*b->page));
    }
    to = &b->page[b->n++];
    *to = *page;
    keep(&b->raw, &to->raw);
    keep(&b->raw, &to->url);
    keep(&b->raw, &to->date);
    keep(&b->raw, &to->extra);
    keep(&b->raw, &to->content_type);
    keep(&b->raw, &to->content_length);
    keep(&b->raw, &to->trouble);
}

int pages_take(struct pages *p, struct pages_batch *b, struct err *err)
{
    struct page page;
    size_t i;
    int got = 1;

    pages_batch_done(b);
    b->n = 0;
    b->first = p->notes.pages;
    while (b->raw.n < BATCH && b->n < PAGES_MAX && (got = next(p, &page, err)) == 1)
        add(b, &page);
    if (got < 0)
        return -1;
    for (i = 0; i < b->n; i++) {
        settle(&b->raw, &b->page[i].raw);
        settle(&b->raw, &b->page[i].url);
        settle(&b->raw, &b->page[i].date);
        settle(&b->raw, &b->page[i].extra);
        settle(&b->raw, &b->page[i].content_type);
        settle(&b->raw, &b->page[i].content_length);
        settle(&b->raw, &b->page[i].trouble);
    }
    p->notes.pages += b->n;
    b->offset = p->done + (p->crawl ? crawl_offset(p->crawl) : 0);
    return b->n > 0;
}

const struct pages_notes *pages_notes(const struct pages *p)
{
    return &p->notes;
}

void pages_batch_done(struct pages_batch *b)
{
    buf_trim(&b->raw, KEEP_MAX);
}

void pages_batch_release(struct pages_batch *b)
{
    free(b->page);
    buf_release(&b->raw);
}

void pages_close(struct pages *p)
{
    if (!p)
        return;
    end_file(p);
    free(p);
}
