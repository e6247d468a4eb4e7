/* url.c - see url.h. */
#include <stdint.h>
#include <string.h>

#include "base/hash.h"
#include "lists/url.h"

static int begins(const unsigned char *p, size_t n, const char *with)
{
    size_t m = strlen(with);

    return n >= m && !memcmp(p, with, m);
}

static size_t scheme_at(const unsigned char *p, size_t n)
{
    size_t len = begins(p, n, "http://") ? 7 : begins(p, n, "https://") ? 8 : 0;

    return len && begins(p + len, n - len, "www.") ? len + 4 : len;
}

static int is_tracking(const unsigned char *p, size_t n)
{
    return begins(p, n, "?utm_") || begins(p, n, "?ref") || begins(p, n, "?feed");
}

void url_normal(struct buf *b, struct bytes url)
{
    size_t i, n = 0, len;

    buf_reset(b);
    buf_need(b, url.n + 1);
    for (i = 0; i < url.n; i += len ? len : 1) {
        len = url.p[i] == 'h' ? scheme_at(url.p + i, url.n - i) : 0;
        if (!len)
            b->p[n++] = url.p[i];
    }
    url = (struct bytes){ b->p, n };
    for (n = i = 0; i < url.n; i++) {
        if (url.p[i] == '?' && is_tracking(url.p + i, url.n - i)) {
            while (i < url.n && url.p[i] != '\n')
                i++;
            i--;
            continue;
        }
        b->p[n++] = url.p[i];
    }
    while (n && b->p[n - 1] == '/')
        n--;
    b->n = n;
}

void url_key(struct bytes normal, unsigned char key[16])
{
    hash_md5(normal.p, normal.n, key);
}

unsigned url_modulo(const unsigned char key[16], unsigned n)
{
    uint64_t rest = 0;
    int i;

    for (i = 0; i < 16; i++)
        rest = (rest << 8 | key[i]) % n;
    return (unsigned)rest;
}

unsigned url_range(const unsigned char key[16], unsigned n)
{
    uint64_t top = (uint64_t)key[0] << 24 | (uint64_t)key[1] << 16 | (uint64_t)key[2] << 8 | key[3];

    return (unsigned)(top * n >> 32);
}
