/* blocklist.c - see lists.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/hash.h"
#include "lists/lists.h"
#include "lists/lists_read.h"
#include "lists/site.h"
#include "text/trie.h"

enum { DOMAINS, HOSTS, URLS, WORDS, SUBSTRINGS, SOFT_WORDS, LISTS };

enum { SOFT_MAX = 64 };

static const char *const list_name[] = {
    [DOMAINS] = "domains", [HOSTS] = "hosts",           [URLS] = "urls",
    [WORDS] = "words",     [SUBSTRINGS] = "substrings", [SOFT_WORDS] = "soft-words",
};

struct blocklist {
    struct keyset set[LISTS];
    struct trie substring;
    struct buf text;    // of the substrings, a byte between each two
};

static unsigned char lower(unsigned char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

static int is_plain(unsigned char c)
{
    c = lower(c);
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Letters and digits of s in lower case, appended to b. */
static void add_plain(struct buf *b, struct bytes s)
{
    size_t i;

    for (i = 0; i < s.n; i++)
        if (is_plain(s.p[i]))
            buf_add_byte(b, lower(s.p[i]));
}

struct reading {
    struct blocklist *b;
    int list;
};

static int add_entry(void *ctx, struct bytes line, struct err *why)
{
    const struct reading *r = ctx;
    struct buf low = { 0 };
    size_t i;

    if (r->list == URLS)
        buf_add(&low, line.p, line.n);
    else if (r->list <= HOSTS)
        for (i = 0; i < line.n; i++)
            buf_add_byte(&low, lower(line.p[i]));
    else
        add_plain(&low, line);
    if (!low.n) {
        buf_release(&low);
        return err_set(why, "no letter or digit in it");
    }
    if (r->list == SUBSTRINGS) {
        buf_add(&r->b->text, low.p, low.n);
        buf_add_byte(&r->b->text, '\n');
    }
    keyset_add(&r->b->set[r->list], buf_bytes(&low));
    buf_release(&low);
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct bytes *x = a, *y = b;
    int order = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);

    return order ? order : x->n < y->n ? -1 : x->n > y->n;
}

static int index_substrings(struct blocklist *b, struct err *err)
{
    const unsigned char *at = b->text.p, *end = at + b->text.n, *lf;
    struct bytes *key = NULL;
    uint32_t *number;
    size_t n = 0, i, left = 0;
    int bad;

    for (; at < end; at = lf + 1) {
        lf = memchr(at, '\n', (size_t)(end - at));
        key = xreallocarray(key, n + 1, sizeof(*key));
        key[n++] = (struct bytes){ at, (size_t)(lf - at) };
    }
    if (n)
        qsort(key, n, sizeof(*key), compare);
    for (i = 0; i < n; i++)
        if (!left || compare(&key[i], &key[left - 1]) != 0)
            key[left++] = key[i];
    number = xcalloc(left + 1, sizeof(*number));
    bad = trie_build(&b->substring, key, number, left, err);
    free(key);
    free(number);
    return bad;
}

static int load(struct blocklist *b, const char *dir, struct err *err)
{
    struct reading r = { b, 0 };
    size_t n = 0;
    char *path;
    int bad = 0;

    for (; !bad && r.list < LISTS; r.list++) {
        path = xasprintf("%s/%s", dir, list_name[r.list]);
        if (access(path, F_OK) == 0)
            bad = lists_read(path, add_entry, &r, err);
        else if (errno != ENOENT)
            bad = err_set(err, "%s: %s", path, strerror(errno));
        free(path);
        keyset_seal(&b->set[r.list]);
        n += b->set[r.list].n;
    }
    if (bad)
        return -1;
    return n ? index_substrings(b, err)
             : err_set(err, "%s: no entry in domains, hosts, urls, words, substrings or soft-words",
                       dir);
}

struct blocklist *blocklist_load(const char *dir, struct err *err)
{
    struct blocklist *b = xcalloc(1, sizeof(*b));

    if (load(b, dir, err) == 0)
        return b;
    blocklist_free(b);
    return NULL;
}

void blocklist_free(struct blocklist *b)
{
    int i;

    if (!b)
        return;
    for (i = 0; i < LISTS; i++)
        keyset_release(&b->set[i]);
    trie_release(&b->substring);
    buf_release(&b->text);
    free(b);
}

uint64_t blocklist_fingerprint(const struct blocklist *b)
{
    uint64_t x[LISTS];
    int i;

    for (i = 0; i < LISTS; i++)
        x[i] = keyset_fingerprint(&b->set[i]);
    return hash_xx64(x, sizeof(x), 0);
}

int blocklist_domain(const struct blocklist *b, struct bytes url, struct buf *room,
                     struct bytes *what)
{
    struct site site;

    if (!b->set[DOMAINS].n)
        return 0;
    site_of(url, room, &site);
    *what = site.domain;
    if (site.domain.n && keyset_has(&b->set[DOMAINS], site.domain))
        return 1;
    *what = site.host;
    return keyset_has(&b->set[DOMAINS], site.host);
}

int blocklist_host(const struct blocklist *b, struct bytes url, struct buf *room,
                   struct bytes *what)
{
    struct site site;

    if (!b->set[HOSTS].n)
        return 0;
    site_of(url, room, &site);
    *what = site.host;
    return keyset_has(&b->set[HOSTS], site.host);
}

int blocklist_url(const struct blocklist *b, struct bytes url)
{
    return keyset_has(&b->set[URLS], url);
}

/* The next word of *rest, in lower case, into *word. */
static int next_word(struct bytes *rest, struct buf *room, struct bytes *word)
{
    buf_reset(room);
    for (; rest->n && (room->n == 0 || is_plain(*rest->p)); rest->p++, rest->n--)
        if (is_plain(*rest->p))
            buf_add_byte(room, lower(*rest->p));
    *word = buf_bytes(room);
    return room->n > 0;
}

int blocklist_word(const struct blocklist *b, struct bytes url, struct buf *room,
                   struct bytes *what)
{
    if (!b->set[WORDS].n)
        return 0;
    while (next_word(&url, room, what))
        if (keyset_has(&b->set[WORDS], *what))
            return 1;
    return 0;
}

int blocklist_soft_words(const struct blocklist *b, struct bytes url, struct buf *room)
{
    uint64_t met[SOFT_MAX], key;
    struct bytes word;
    int n = 0, i;

    if (!b->set[SOFT_WORDS].n)
        return 0;
    while (n < SOFT_MAX && next_word(&url, room, &word)) {
        if (!keyset_has(&b->set[SOFT_WORDS], word))
            continue;
        key = hash_xx64(word.p, word.n, 0);
        for (i = 0; i < n && met[i] != key; i++)
            ;
        if (i == n)
            met[n++] = key;
    }
    return n;
}

int blocklist_substring(const struct blocklist *b, struct bytes url, struct buf *room,
                        struct bytes *what)
{
    struct bytes s;
    size_t n;

    if (!b->set[SUBSTRINGS].n)
        return 0;
    buf_reset(room);
    add_plain(room, url);
    for (s = buf_bytes(room); s.n; s.p++, s.n--)
        if ((n = trie_longest(&b->substring, s))) {
            *what = (struct bytes){ s.p, n };
            return 1;
        }
    return 0;
}
