/* mem.c - see mem.h. */
#define _DEFAULT_SOURCE    // NOLINT(bugprone-reserved-identifier): libc's own switch, for madvise,
                           // MAP_ANONYMOUS
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/die.h"
#include "base/mem.h"

void *xmalloc(size_t size)
{
    void *p = malloc(size ? size : 1);

    if (!p)
        die("out of memory (%zu bytes)", size);
    return p;
}

void *xcalloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size ? size : 1);

    if (!p)
        die("out of memory (%zu x %zu bytes)", n, size);
    return p;
}

void *xrealloc(void *p, size_t size)
{
    p = realloc(p, size ? size : 1);
    if (!p)
        die("out of memory (%zu bytes)", size);
    return p;
}

void *xreallocarray(void *p, size_t n, size_t size)
{
    if (size && n > SIZE_MAX / size)
        die("out of memory (%zu x %zu bytes)", n, size);
    return xrealloc(p, n * size);
}

char *xstrdup(const char *s)
{
    size_t n = strlen(s) + 1;

    return memcpy(xmalloc(n), s, n);
}

char *xstrndup(const void *s, size_t n)
{
    char *p = xmalloc(n + 1);

    if (n)
        memcpy(p, s, n);
    p[n] = 0;
    return p;
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;
    int n;

    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    if (n < 0)
        die("cannot format '%s'", fmt);
    buf_need(b, b->n + (size_t)n + 1);
    vsnprintf((char *)b->p + b->n, (size_t)n + 1, fmt, again);
    va_end(again);
    b->n += (size_t)n;
}

char *xasprintf(const char *fmt, ...)
{
    struct buf b = { 0 };
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    return (char *)b.p;
}

void buf_need(struct buf *b, size_t cap)
{
    if (cap <= b->cap)
        return;
    b->cap = cap > 2 * b->cap ? cap : 2 * b->cap;
    b->p = xrealloc(b->p, b->cap);
}

void buf_add(struct buf *b, const void *p, size_t n)
{
    if (n > SIZE_MAX / 4 - b->n)
        die("out of memory (%zu bytes)", n);
    buf_need(b, b->n + n);
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
}

void buf_add_byte(struct buf *b, unsigned char c)
{
    buf_need(b, b->n + 1);
    b->p[b->n++] = c;
}

void buf_add_str(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(b, fmt, ap);
    va_end(ap);
}

struct bytes buf_bytes(const struct buf *b)
{
    return (struct bytes){ b->p, b->n };
}

void buf_reset(struct buf *b)
{
    b->n = 0;
}

void buf_trim(struct buf *b, size_t keep)
{
    if (b->cap > keep)
        buf_release(b);
    buf_reset(b);
}

void buf_release(struct buf *b)
{
    free(b->p);
    *b = (struct buf){ 0 };
}

struct block {
    struct block *next;
    size_t used, size;
};

struct arena {
    struct block *head, *cur;
    size_t block;
};

#define HEAD 64

static struct block *block_new(size_t size)
{
    struct block *b = aligned_alloc(64, HEAD + ((size + 63) & ~(size_t)63));

    if (!b)
        die("out of memory (%zu bytes)", size);
    *b = (struct block){ .size = size };
    return b;
}

struct arena *arena_new(size_t block)
{
    struct arena *a = xcalloc(1, sizeof(*a));

    a->block = block;
    a->head = a->cur = block_new(block);
    return a;
}

void *arena_get(struct arena *a, size_t size)
{
    size = (size + 63) & ~(size_t)63;
    while (a->cur->size - a->cur->used < size) {
        if (!a->cur->next)
            a->cur->next = block_new(size > a->block ? size : a->block);
        a->cur = a->cur->next;
        a->cur->used = 0;
    }
    a->cur->used += size;
    return (char *)a->cur + HEAD + a->cur->used - size;
}

void arena_reset(struct arena *a)
{
    a->cur = a->head;
    a->cur->used = 0;
}

void arena_free(struct arena *a)
{
    struct block *b, *next;

    if (!a)
        return;
    for (b = a->head; b; b = next) {
        next = b->next;
        free(b);
    }
    free(a);
}

void *mem_map(size_t size)
{
    void *p =
        mmap(NULL, size ? size : 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        die("out of memory (%zu bytes)", size);
#ifdef MADV_HUGEPAGE
    madvise(p, size, MADV_HUGEPAGE);    // a wish: no harm where it is refused
#endif
    return p;
}

void mem_unmap(void *p, size_t size)
{
    if (p)
        munmap(p, size ? size : 1);
}
