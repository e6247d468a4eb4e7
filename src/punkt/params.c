/* params.c - see params.h. A pair is one string with an LF between: no token has one. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/share.h"
#include "io/out.h"
#include "io/stream.h"
#include "punkt/params.h"
#include "punkt/types.h"

#define MAGIC "# switchyard-punkt 1"

enum { LINE_MAX_BYTES = 1 << 16 };

enum part { ABBREVIATIONS, COLLOCATIONS, STARTERS, CONTEXTS, PARTS, NO_PART = PARTS };

static const char *const part_name[PARTS] = { "[abbreviations]", "[collocations]", "[starters]",
                                              "[contexts]" };
static const char *const part_file[PARTS] = { "english.abbrev.txt", "english.collocations.tsv",
                                              "english.sent_starters.txt",
                                              "english.ortho_context.tsv" };

struct punkt_params {
    struct types *type, *pair;
    unsigned char *bits;    // of each type
    size_t cap;
};

struct punkt_params *punkt_params_new(void)
{
    struct punkt_params *p = xcalloc(1, sizeof(*p));

    p->type = types_new();
    p->pair = types_new();
    return p;
}

void punkt_params_free(struct punkt_params *p)
{
    if (!p)
        return;
    types_free(p->type);
    types_free(p->pair);
    free(p->bits);
    free(p);
}

void punkt_learn(struct punkt_params *p, struct bytes type, unsigned bits)
{
    size_t n = types_count(p->type), i = types_add(p->type, type);

    if (i == p->cap) {
        p->cap = p->cap ? 2 * p->cap : 1024;
        p->bits = xreallocarray(p->bits, p->cap, 1);
    }
    p->bits[i] = (unsigned char)((i == n ? 0 : p->bits[i]) | bits);
}

static struct bytes pair_of(struct buf *room, struct bytes type, struct bytes next)
{
    buf_reset(room);
    buf_add(room, type.p, type.n);
    buf_add_byte(room, '\n');
    buf_add(room, next.p, next.n);
    return buf_bytes(room);
}

void punkt_learn_pair(struct punkt_params *p, struct bytes type, struct bytes next)
{
    struct buf room = { 0 };

    types_add(p->pair, pair_of(&room, type, next));
    buf_release(&room);
}

unsigned punkt_known(const struct punkt_params *p, struct bytes type)
{
    uint32_t i = types_find(p->type, type);

    return i == TYPE_NONE ? 0 : p->bits[i];
}

int punkt_known_pair(const struct punkt_params *p, struct bytes type, struct bytes next,
                     struct buf *room)
{
    return types_find(p->pair, pair_of(room, type, next)) != TYPE_NONE;
}

/* "TYPE<TAB>FLAGS": a sum of the flags of a context. */
static int read_context(struct punkt_params *p, struct bytes line)
{
    size_t tab = line.n, i;
    unsigned bits = 0;

    while (tab && line.p[tab - 1] != '\t')
        tab--;
    if (tab < 2 || tab == line.n || line.n - tab > 3)
        return -1;
    for (i = tab; i < line.n; i++) {
        if (line.p[i] < '0' || line.p[i] > '9')
            return -1;
        bits = 10 * bits + (line.p[i] - '0');
    }
    if (!bits || bits & ~(unsigned)(PUNKT_UPPER | PUNKT_LOWER))
        return -1;
    punkt_learn(p, (struct bytes){ line.p, tab - 1 }, bits);
    return 0;
}

/* One line of a part: 0, or -1 when it is none. */
static int read_item(struct punkt_params *p, enum part part, struct bytes line)
{
    const unsigned char *tab;

    if (part == CONTEXTS)
        return read_context(p, line);
    if (part == ABBREVIATIONS || part == STARTERS) {
        punkt_learn(p, line, part == STARTERS ? PUNKT_STARTER : PUNKT_ABBREV);
        return 0;
    }
    tab = memchr(line.p, '\t', line.n);
    if (!tab || tab == line.p || tab + 1 == line.p + line.n)
        return -1;
    punkt_learn_pair(p, (struct bytes){ line.p, (size_t)(tab - line.p) },
                     (struct bytes){ tab + 1, (size_t)(line.p + line.n - tab - 1) });
    return 0;
}

static enum part find_part(struct bytes line)
{
    int i;

    for (i = 0; i < PARTS; i++)
        if (line.n == strlen(part_name[i]) && !memcmp(line.p, part_name[i], line.n))
            return (enum part)i;
    return NO_PART;
}

/* Read path: a part of its own, or with NO_PART a file of ours. */
static int read_file(struct punkt_params *p, enum part part, const char *path, struct err *err)
{
    struct stream *s = stream_open(path, err);
    int whole = part == NO_PART, got, bad = 0;
    struct bytes line;
    unsigned long n = 0;

    if (!s)
        return -1;
    while (!bad && (got = stream_line(s, &line, LINE_MAX_BYTES, err)) == 1) {
        enum part next = whole ? find_part(line) : NO_PART;

        while (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        if (whole && ++n == 1) {
            if (line.n != strlen(MAGIC) || memcmp(line.p, MAGIC, line.n) != 0)
                bad = err_set(err, "%s: not a file of sentence parameters", path);
            continue;
        }
        if (next != NO_PART)
            part = next;
        else if (line.n && !(part == NO_PART && *line.p == '#') &&
                 (part == NO_PART || read_item(p, part, line) < 0))
            bad = err_set(err, "%s: line %lu: no %s", path, n + !whole,
                          part == NO_PART ? "part is named" : "such item");
    }
    if (!bad && got == 0 && whole && !n)
        bad = err_set(err, "%s: empty", path);
    stream_close(s);
    return bad || got < 0 ? -1 : 0;
}

static int load_folder(struct punkt_params *p, const char *path, struct err *err)
{
    int i, bad = 0;

    for (i = 0; i < PARTS && !bad; i++) {
        char *file = xasprintf("%s/%s", path, part_file[i]);

        bad = read_file(p, (enum part)i, file, err);
        free(file);
    }
    return bad;
}

struct punkt_params *punkt_load(const char *path, struct err *err)
{
    struct punkt_params *p;
    char *own = NULL;
    struct stat st;
    int bad;

    if (!path && !(path = own = share_find("punkt/en.punkt"))) {
        err_set(err, "punkt/en.punkt: not found in share");
        return NULL;
    }
    p = punkt_params_new();
    bad = stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? load_folder(p, path, err)
                                                      : read_file(p, NO_PART, path, err);
    free(own);
    if (!bad)
        return p;
    punkt_params_free(p);
    return NULL;
}

size_t punkt_types_with(const struct punkt_params *p, unsigned bits)
{
    size_t i, n = 0;

    for (i = 0; i < types_count(p->type); i++)
        n += (p->bits[i] & bits) != 0;
    return n;
}

size_t punkt_pairs(const struct punkt_params *p)
{
    return types_count(p->pair);
}

uint64_t punkt_fingerprint(const struct punkt_params *p)
{
    uint64_t sum = 0;    // no order is better than another
    size_t i;

    for (i = 0; i < types_count(p->type); i++) {
        struct bytes s = types_get(p->type, (uint32_t)i);

        sum += hash_xx64(s.p, s.n, p->bits[i]);
    }
    for (i = 0; i < types_count(p->pair); i++) {
        struct bytes s = types_get(p->pair, (uint32_t)i);

        sum += hash_xx64(s.p, s.n, 256);
    }
    return sum;
}

static int bytes_compare(struct bytes a, struct bytes b)
{
    int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

    return c ? c : (a.n > b.n) - (a.n < b.n);
}

static int in_order(const void *a, const void *b)
{
    return bytes_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

/* All of t, in order of bytes; the caller frees it. */
static struct bytes *sorted(const struct types *t)
{
    size_t i, n = types_count(t);
    struct bytes *s = xreallocarray(NULL, n + 1, sizeof(*s));

    for (i = 0; i < n; i++)
        s[i] = types_get(t, (uint32_t)i);
    qsort(s, n, sizeof(*s), in_order);
    return s;
}

/* The types that have one of bits, one a line; with the bits behind a tab, or without. */
static void save_types(const struct punkt_params *p, const struct bytes *type, unsigned bits,
                       int with_bits, struct buf *to)
{
    size_t i, n = types_count(p->type);

    for (i = 0; i < n; i++) {
        unsigned known = punkt_known(p, type[i]) & bits;

        if (!known)
            continue;
        buf_add(to, type[i].p, type[i].n);
        if (with_bits)
            buf_printf(to, "\t%u", known);
        buf_add_byte(to, '\n');
    }
}

static void save_pairs(const struct punkt_params *p, struct buf *to)
{
    struct bytes *pair = sorted(p->pair);
    size_t i, n = types_count(p->pair);
    unsigned char *lf;

    for (i = 0; i < n; i++) {
        buf_add(to, pair[i].p, pair[i].n);
        lf = memchr(to->p + to->n - pair[i].n, '\n', pair[i].n);
        *lf = '\t';
        buf_add_byte(to, '\n');
    }
    free(pair);
}

int punkt_save(const struct punkt_params *p, const char *comment, struct out *out, struct err *err)
{
    struct bytes *type = sorted(p->type);
    struct buf b = { 0 };
    int bad;

    buf_printf(&b, MAGIC "\n%s%s\n", comment, part_name[ABBREVIATIONS]);
    save_types(p, type, PUNKT_ABBREV, 0, &b);
    buf_printf(&b, "%s\n", part_name[COLLOCATIONS]);
    save_pairs(p, &b);
    buf_printf(&b, "%s\n", part_name[STARTERS]);
    save_types(p, type, PUNKT_STARTER, 0, &b);
    buf_printf(&b, "%s\n", part_name[CONTEXTS]);
    save_types(p, type, PUNKT_UPPER | PUNKT_LOWER, 1, &b);
    bad = out_write(out, b.p, b.n, err);
    buf_release(&b);
    free(type);
    return bad;
}
