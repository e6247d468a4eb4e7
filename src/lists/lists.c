/* lists.c - see lists.h: sites and URLs to keep; blocklist.c has what to drop. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "io/stream.h"
#include "lists/lists.h"
#include "lists/lists_read.h"
#include "lists/site.h"
#include "lists/url.h"
#include "text/unicode.h"

int lists_read(const char *path, int (*each)(void *ctx, struct bytes line, struct err *why),
               void *ctx, struct err *err)
{
    struct stream *s = stream_open(path, err);
    unsigned long n = 0;
    struct bytes line;
    struct err why;
    int got = -1;

    while (s && (got = stream_line(s, &line, LISTS_LINE, err)) == 1) {
        n++;
        line = unicode_strip(line);
        if (!line.n || *line.p == '#' || each(ctx, line, &why) == 0)
            continue;
        got = err_set(err, "%s: line %lu: %.300s", path, n, why.msg);
        break;
    }
    stream_close(s);
    return got;
}

static int add_url(void *ctx, struct bytes line, struct err *why)
{
    struct keyset *k = ctx;
    struct buf normal = { 0 };

    (void)why;
    url_normal(&normal, line);
    keyset_add(k, buf_bytes(&normal));
    buf_release(&normal);
    return 0;
}

int urls_load(const char *path, struct keyset *k, struct err *err)
{
    if (lists_read(path, add_url, k, err) < 0)
        return -1;
    keyset_seal(k);
    return k->n ? 0 : err_set(err, "%s: no URL in it", path);
}

struct sites {
    struct keyset domain;    // all
    struct keyset any;       // of any host
    struct keyset host;      // of the others: sub.domain, or .domain for the domain itself
};

void sites_free(struct sites *s)
{
    if (!s)
        return;
    keyset_release(&s->domain);
    keyset_release(&s->any);
    keyset_release(&s->host);
    free(s);
}

static int add_domain(void *ctx, struct bytes line, struct err *why)
{
    struct sites *s = ctx;
    size_t i;

    for (i = 0; i < line.n; i++)
        if (line.p[i] <= ' ' || line.p[i] == '/' || line.p[i] == ':')
            return err_set(why, "'%.*s' is no domain", (int)line.n, (const char *)line.p);
    keyset_add(&s->domain, line);
    keyset_add(&s->any, line);
    return 0;
}

static int add_member(struct sites *s, const char *domain, const json_t *subs, struct err *why)
{
    struct bytes d = { (const unsigned char *)domain, strlen(domain) };
    size_t i;

    if (!json_is_array(subs))
        return json_is_true(subs) ? add_domain(s, d, why)
                                  : err_set(why, "%s: neither true nor subdomains", domain);
    keyset_add(&s->domain, d);
    for (i = 0; i < json_array_size(subs); i++) {
        const char *sub = json_string_value(json_array_get(subs, i));
        char *host;

        if (!sub)
            return err_set(why, "%s: a subdomain that is no string", domain);
        host = xasprintf("%s.%s", sub, domain);
        keyset_add(&s->host, (struct bytes){ (unsigned char *)host, strlen(host) });
        free(host);
    }
    return 0;
}

static int add_object(struct sites *s, const struct buf *text, const char *path, struct err *err)
{
    json_error_t bad;
    json_t *j = json_loadb((const char *)text->p, text->n, JSON_REJECT_DUPLICATES, &bad);
    const char *domain;
    json_t *subs;
    struct err why;
    int failed = 0;

    if (!j)
        return err_set(err, "%s: line %d: %s", path, bad.line, bad.text);
    json_object_foreach(j, domain, subs) if (!failed && add_member(s, domain, subs, &why) < 0)
    {
        err_set(err, "%s: %.300s", path, why.msg);
        failed = -1;
    }
    json_decref(j);
    return failed;
}

/* All of a file into text if it is a JSON object: 1; 0 if it is not; -1. */
static int read_object(const char *path, struct buf *text, struct err *err)
{
    struct stream *s = stream_open(path, err);
    const unsigned char *p;
    ssize_t n = s ? stream_peek(s, 1, &p, err) : -1, got = 0;
    int is = n > 0 && *p == '{';

    while (is && n >= 0) {
        buf_need(text, text->n + 65536);
        got = stream_read(s, text->p + text->n, 65536, err);
        if (got <= 0)
            break;
        text->n += (size_t)got;
    }
    stream_close(s);
    return n < 0 || got < 0 ? -1 : is;
}

struct sites *sites_load(const char *path, struct err *err)
{
    struct sites *s = xcalloc(1, sizeof(*s));
    struct buf text = { 0 };
    int got = read_object(path, &text, err);

    if (got == 1)
        got = add_object(s, &text, path, err);
    else if (got == 0)
        got = lists_read(path, add_domain, s, err);
    buf_release(&text);
    keyset_seal(&s->domain);
    keyset_seal(&s->any);
    keyset_seal(&s->host);
    if (got == 0 && !s->domain.n)
        got = err_set(err, "%s: no domain in it", path);
    if (got == 0)
        return s;
    sites_free(s);
    return NULL;
}

enum sites_fate sites_find(const struct sites *s, struct bytes url, struct buf *room)
{
    struct site site;
    struct bytes host;

    site_of(url, room, &site);
    if (!site.domain.n || !keyset_has(&s->domain, site.domain))
        return SITES_NO_DOMAIN;
    if (keyset_has(&s->any, site.domain))
        return SITES_HAS;
    host = site.host;
    if (!site.sub.n) {    // as "." and the domain, behind it in the room
        buf_need(room, 2 * host.n + 2);
        room->p[host.n + 1] = '.';
        memcpy(room->p + host.n + 2, room->p, host.n);
        host = (struct bytes){ room->p + host.n + 1, host.n + 1 };
    }
    return keyset_has(&s->host, host) ? SITES_HAS : SITES_NO_SUBDOMAIN;
}

uint64_t sites_fingerprint(const struct sites *s)
{
    uint64_t x[] = { keyset_fingerprint(&s->domain), keyset_fingerprint(&s->any),
                     keyset_fingerprint(&s->host) };

    return hash_xx64(x, sizeof(x), 0);
}
