/* shard_header.c - the key=value lines at the start of a segment; see shard.h. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/opt.h"
#include "shard/shard_frame.h"

struct line {
    char *key, *value;
};

struct shard_header {
    struct line *line;
    size_t n;
};

static void add_line(struct shard_header *h, const char *key, size_t n_key, const char *value,
                     size_t n_value)
{
    h->line = xreallocarray(h->line, h->n + 1, sizeof(*h->line));
    h->line[h->n].key = xstrndup(key, n_key);
    h->line[h->n++].value = xstrndup(value, n_value);
}

struct shard_header *shard_header_new(const char *kind)
{
    struct shard_header *h = xcalloc(1, sizeof(*h));

    shard_header_add(h, "kind", kind);
    shard_header_add(h, "version", "1");
    return h;
}

struct shard_header *shard_header_copy(const struct shard_header *h)
{
    struct shard_header *copy = xcalloc(1, sizeof(*copy));
    size_t i;

    for (i = 0; i < h->n; i++)
        shard_header_add(copy, h->line[i].key, h->line[i].value);
    return copy;
}

void shard_header_free(struct shard_header *h)
{
    size_t i;

    if (!h)
        return;
    for (i = 0; i < h->n; i++) {
        free(h->line[i].key);
        free(h->line[i].value);
    }
    free(h->line);
    free(h);
}

void shard_header_add(struct shard_header *h, const char *key, const char *value)
{
    char *c;

    add_line(h, key, strlen(key), value, strlen(value));
    for (c = h->line[h->n - 1].value; *c; c++)
        if (*c == '\n')    // of a command line, say
            *c = ' ';
}

static struct line *find_line(const struct shard_header *h, const char *key)
{
    size_t i;

    for (i = 0; i < h->n; i++)
        if (!strcmp(h->line[i].key, key))
            return &h->line[i];
    return NULL;
}

void shard_header_set(struct shard_header *h, const char *key, const char *fmt, ...)
{
    struct line *old = find_line(h, key);
    struct buf b = { 0 };
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    shard_header_add(h, key, (const char *)b.p);
    buf_release(&b);
    if (old) {    // in its old place
        old = find_line(h, key);
        free(old->value);
        free(h->line[--h->n].key);
        old->value = h->line[h->n].value;
    }
}

void shard_header_unset(struct shard_header *h, const char *key)
{
    struct line *l;

    while ((l = find_line(h, key))) {
        free(l->key);
        free(l->value);
        memmove(l, l + 1, (size_t)(h->line + --h->n - l) * sizeof(*l));
    }
}

const char *shard_header_get(const struct shard_header *h, const char *key)
{
    const struct line *l = find_line(h, key);

    return l ? l->value : NULL;
}

int64_t shard_header_int(const struct shard_header *h, const char *key, int64_t otherwise)
{
    const char *value = shard_header_get(h, key);
    char *end;
    long long x;

    if (!value)
        return otherwise;
    errno = 0;
    x = strtoll(value, &end, 10);
    return end == value || *end || errno ? otherwise : x;
}

size_t shard_header_n(const struct shard_header *h)
{
    return h->n;
}

void shard_header_at(const struct shard_header *h, size_t i, const char **key, const char **value)
{
    *key = h->line[i].key;
    *value = h->line[i].value;
}

void shard_header_format(const struct shard_header *h, struct buf *b)
{
    size_t i;

    for (i = 0; i < h->n; i++)
        buf_printf(b, "%s=%s\n", h->line[i].key, h->line[i].value);
}

void shard_header_parent(struct shard_header *h, const struct shard_header *from)
{
    const char *options = shard_header_get(from, "options"), *seed = shard_header_get(from, "seed");
    const char *tool = shard_header_get(from, "tool");
    struct buf text = { 0 };
    unsigned char digest[32];
    char hex[65];
    size_t i;

    for (i = 0; h != from && i < from->n; i++)
        if (!strcmp(from->line[i].key, "parent"))
            shard_header_add(h, "parent", from->line[i].value);
    shard_header_format(from, &text);
    hash_sha256(text.p, text.n, digest);
    hash_hex(digest, sizeof(digest), hex);
    buf_reset(&text);
    buf_printf(&text, "%s [%s]", tool ? tool : "unknown", options ? options : "");
    if (seed)
        buf_printf(&text, " seed=%s", seed);
    buf_printf(&text, " sha256:%s", hex);
    buf_add_byte(&text, 0);
    shard_header_add(h, "parent", (const char *)text.p);
    buf_release(&text);
}

void shard_header_stamp(struct shard_header *h, const char *options, uint64_t seed)
{
    if (find_line(h, "tool"))
        shard_header_parent(h, h);
    shard_header_sign(h, options, seed);
}

void shard_header_sign(struct shard_header *h, const char *options, uint64_t seed)
{
    shard_header_set(h, "tool", "%s %s", die_name, SWITCHYARD_VERSION);
    shard_header_set(h, "options", "%s", options);
    shard_header_set(h, "seed", "%" PRIu64, seed);
}

int shard_header_joins(const struct shard_header *a, const struct shard_header *b, struct err *err)
{
    static const char *const keys[] = { "kind", "vocab.sha256", "vocab.size",
                                        "bits", "inputs",       "targets" };
    size_t i;

    for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const char *x = shard_header_get(a, keys[i]), *y = shard_header_get(b, keys[i]);

        if (strcmp(x ? x : "", y ? y : "") != 0)
            return err_set(err, "%s differs: %.100s before, now %.100s", keys[i], x ? x : "none",
                           y ? y : "none");
    }
    return 0;
}

static const char *bad_key(const unsigned char *key, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (!isalnum(key[i]) && !strchr("._-", key[i]))
            return "a key with a character that keys do not have";
    return n ? NULL : "a line without a key";
}

struct shard_header *shard_header_parse(struct bytes payload, struct err *err)
{
    struct shard_header *h = xcalloc(1, sizeof(*h));
    const unsigned char *p = payload.p, *end = bytes_end(payload), *eq, *lf;
    const char *trouble = payload.n > SHARD_HEADER_MAX ? "more than 1 MiB" : NULL, *version;

    for (; !trouble && p < end; p = lf + 1) {
        lf = memchr(p, '\n', (size_t)(end - p));
        eq = lf ? memchr(p, '=', (size_t)(lf - p)) : NULL;
        if (!eq)
            trouble = lf ? "a line without '='" : "a line without its end";
        else if (memchr(p, 0, (size_t)(lf - p)))
            trouble = "a NUL";
        else
            trouble = bad_key(p, (size_t)(eq - p));
        if (trouble)
            break;
        add_line(h, (const char *)p, (size_t)(eq - p), (const char *)eq + 1, (size_t)(lf - eq - 1));
    }
    version = shard_header_get(h, "version");
    if (!trouble && !(shard_header_get(h, "kind") && version))
        trouble = "no kind= or version=";
    else if (!trouble && strcmp(version, "1") != 0)
        trouble = "made by a later version of the format";
    if (!trouble)
        return h;
    err_set(err, "header: %s", trouble);
    shard_header_free(h);
    return NULL;
}
