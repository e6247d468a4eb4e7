/* mem.h - memory that never comes back NULL: the x-calls die instead. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>

struct bytes {    // a view: never owns what it points to
    const unsigned char *p;
    size_t n;
};

/* Where s ends; of nothing, which may be NULL, where it begins: C has no NULL + 0. */
static inline const unsigned char *bytes_end(struct bytes s)
{
    return s.n ? s.p + s.n : s.p;
}

void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
void *xreallocarray(void *p, size_t n, size_t size);    // dies on overflow of n * size
char *xstrdup(const char *s);
char *xstrndup(const void *s, size_t n);    // a NUL-terminated copy of n bytes
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

struct buf {    // a growing array of bytes; { 0 } is empty and valid
    unsigned char *p;
    size_t n, cap;
};

void buf_need(struct buf *b, size_t cap);    // room for cap bytes in all
void buf_add(struct buf *b, const void *p, size_t n);
void buf_add_byte(struct buf *b, unsigned char c);
void buf_add_str(struct buf *b, const char *s);
/* Append what printf would print, with a NUL behind the end of b. */
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
struct bytes buf_bytes(const struct buf *b);
void buf_reset(struct buf *b);                // empties, keeps its memory
void buf_trim(struct buf *b, size_t keep);    // empties, keeps no more memory than that
void buf_release(struct buf *b);

struct arena;    // many small things that die together

struct arena *arena_new(size_t block);
void *arena_get(struct arena *a, size_t size);    // 64-byte aligned, not zeroed
void arena_reset(struct arena *a);                // keeps its blocks for reuse
void arena_free(struct arena *a);

/* One large zeroed block, 64-byte aligned, backed by huge pages where the system has them. */
void *mem_map(size_t size);
void mem_unmap(void *p, size_t size);

#endif
