/* site.c - see site.h. */
#include <libpsl.h>
#include <string.h>

#include "lists/site.h"

static int is_scheme(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '-' || c == '.';
}

/* What stands between // or the beginning and the path. */
static struct bytes authority(struct bytes url)
{
    size_t i = 0, n;
    const unsigned char *at;

    while (i < url.n && is_scheme(url.p[i]))
        i++;
    i += i < url.n && url.p[i] == ':';
    if (url.n - i >= 2 && url.p[i] == '/' && url.p[i + 1] == '/') {
        url.p += i + 2;
        url.n -= i + 2;
    }
    for (n = 0; n < url.n && !strchr("/?#", url.p[n]); n++)
        ;
    for (at = url.p + n; at > url.p && at[-1] != '@'; at--)
        ;
    return (struct bytes){ at, (size_t)(url.p + n - at) };
}

static struct bytes without_port(struct bytes s)
{
    const unsigned char *colon;

    if (s.n && s.p[0] == '[') {    // an address of IPv6
        colon = memchr(s.p, ']', s.n);
        return colon ? (struct bytes){ s.p, (size_t)(colon + 1 - s.p) } : s;
    }
    colon = memchr(s.p, ':', s.n);
    if (colon)
        s.n = (size_t)(colon - s.p);
    while (s.n && s.p[s.n - 1] == '.')
        s.n--;
    return s;
}

static int is_suffix(const char *domain)
{
    return psl_is_public_suffix2(psl_builtin(), domain, PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE);
}

/* The longest suffix that is public, and the label before it. */
static void find_domain(const char *host, struct site *s)
{
    const char *label = host, *before = NULL, *dot;

    for (; !is_suffix(label); label = dot + 1) {
        dot = strchr(label, '.');
        if (!dot)
            return;
        before = label;
    }
    if (!before)
        return;
    s->domain = (struct bytes){ (const unsigned char *)before, strlen(before) };
    if (before > host)
        s->sub = (struct bytes){ (const unsigned char *)host, (size_t)(before - 1 - host) };
}

void site_of(struct bytes url, struct buf *room, struct site *s)
{
    struct bytes host = without_port(authority(url));
    size_t i;

    buf_reset(room);
    for (i = 0; i < host.n && host.p[i]; i++)
        buf_add_byte(room, (unsigned char)(host.p[i] >= 'A' && host.p[i] <= 'Z' ? host.p[i] + 32
                                                                                : host.p[i]));
    buf_add_byte(room, 0);
    *s = (struct site){ .host = { room->p, room->n - 1 } };
    if (s->host.n && room->p[0] != '[')
        find_domain((const char *)room->p, s);
}
