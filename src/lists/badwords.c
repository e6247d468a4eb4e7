/* badwords.c - see badwords.h. A list is a trie; it is walked from every place where a word may
 * begin, and a walk is as long as the longest word at most. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>

#include "base/err.h"
#include "io/stream.h"
#include "lists/badwords.h"
#include "text/trie.h"
#include "text/unicode.h"
#include "text/utf8.h"

enum { LINE_BYTES = 4096, TAG_MAX = 16 };

struct list {
    char lang[TAG_MAX];
    int anywhere;       // words need not stand alone
    struct buf text;    // of the words, one after the other
    size_t *start;      // [n + 1]
    size_t n;
    struct trie trie;    // of those without a dot that means any character
    struct bytes *dotted;
    size_t n_dotted;
    unsigned char begins[256];    // whether a word begins with this byte
};

struct badwords {
    struct list *list;
    int n;
    int compat301;
};

static struct list *find_list(const struct badwords *b, const char *label, size_t n)
{
    int i;

    for (i = 0; i < b->n; i++)
        if (strlen(b->list[i].lang) == n && !memcmp(b->list[i].lang, label, n))
            return &b->list[i];
    return NULL;
}

static struct list *list_of(struct badwords *b, const char *name)
{
    size_t n = strcspn(name, "-");
    struct list *l = find_list(b, name, n);

    if (l)
        return l;
    b->list = xreallocarray(b->list, (size_t)b->n + 1, sizeof(*b->list));
    l = &b->list[b->n++];
    *l = (struct list){ .start = xcalloc(1, sizeof(*l->start)) };
    memcpy(l->lang, name, n);
    l->anywhere = !strcmp(l->lang, "th") || !strcmp(l->lang, "zh") ||
                  (!strcmp(l->lang, "ja") && !b->compat301);
    return l;
}

/* Entries that 3.1.0 takes off the lists. */
static int is_let_go(const struct list *l, struct bytes w)
{
    static const char *const gone[][2] = { { "ja", "sm" },
                                           { "ja", "\xE3\x82\xB0\xE3\x83\xAD" },
                                           { "ja", "\xE5\xA5\xB3\xE3\x81\xAE\xE5\xAD\x90" },
                                           { "zh", "\xE6\x80\xA7" } };
    size_t i;

    for (i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
        if (!strcmp(l->lang, gone[i][0]) && w.n == strlen(gone[i][1]) &&
            !memcmp(w.p, gone[i][1], w.n))
            return 1;
    return 0;
}

static int add_word(const struct badwords *b, struct list *l, struct bytes line, struct err *why)
{
    struct bytes w = unicode_strip(line);
    size_t i;

    if (!w.n)
        return err_set(why, "an empty entry matches everything");
    if (!utf8_valid(w) || memchr(w.p, 0, w.n))
        return err_set(why, "not UTF-8");
    for (i = 0; b->compat301 && i < w.n; i++)
        if (strchr("*+?[](){}^$|\\", w.p[i]))
            return err_set(why, "'%c' makes a pattern that is not known here", w.p[i]);
    if (!b->compat301 && is_let_go(l, w))
        return 0;
    for (i = 0; i < l->n; i++)    // lists are some hundred words
        if (l->start[i + 1] - l->start[i] == w.n && !memcmp(l->text.p + l->start[i], w.p, w.n))
            return 0;
    buf_add(&l->text, w.p, w.n);
    l->start = xreallocarray(l->start, l->n + 2, sizeof(*l->start));
    l->start[++l->n] = l->text.n;
    return 0;
}

static int read_list(struct badwords *b, const char *dir, const char *name, struct err *err)
{
    char *path = xasprintf("%s/%s", dir, name);
    struct stream *s = stream_open(path, err);
    struct list *l = list_of(b, name);
    unsigned long n = 0;
    struct bytes line;
    struct err why;
    int got = -1;

    while (s && (got = stream_line(s, &line, LINE_BYTES, err)) == 1) {
        n++;
        if (add_word(b, l, line, &why) == 0)
            continue;
        got = err_set(err, "%s: line %lu: %.300s", path, n, why.msg);
        break;
    }
    stream_close(s);
    free(path);
    return got;
}

/* Words with a dot go by themselves in 3.0.1, the others into the trie. */
static int index_list(struct list *l, int dots, struct err *err)
{
    struct bytes *key = xreallocarray(NULL, l->n + 1, sizeof(*key));
    uint32_t *number = xcalloc(l->n + 1, sizeof(*number));
    size_t i, n = 0;
    int bad;

    l->dotted = xcalloc(l->n + 1, sizeof(*l->dotted));
    for (i = 0; i < l->n; i++) {
        struct bytes w = { l->text.p + l->start[i], l->start[i + 1] - l->start[i] };

        memset(l->begins + (*w.p == '.' && dots ? 0 : *w.p), 1, *w.p == '.' && dots ? 256 : 1);
        if (dots && memchr(w.p, '.', w.n))
            l->dotted[l->n_dotted++] = w;
        else
            key[n++] = w;
    }
    bad = trie_build(&l->trie, key, number, n, err);
    free(key);
    free(number);
    return bad;
}

/* A list's name is a language tag: README.md and the like are none. A year in it ("en-2020") makes
 * it another edition of a list, which does not add to it. */
static int is_tag(const char *name)
{
    size_t n = strcspn(name, "-"), i;

    for (i = 0; i < n; i++)
        if (name[i] < 'a' || name[i] > 'z')
            return 0;
    return n >= 2 && n <= 3 && !strchr(name, '.') &&
           !(name[n] && isdigit((unsigned char)name[n + 1]));
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int load(struct badwords *b, const char *dir, char **name, size_t n, struct err *err)
{
    size_t i;
    int k;

    for (i = 0; i < n; i++)
        if (read_list(b, dir, name[i], err) < 0)
            return -1;
    for (k = 0; k < b->n; k++)
        if (index_list(&b->list[k], b->compat301, err) < 0)
            return -1;
    return b->n ? 0 : err_set(err, "%s: no list of words (files named by language)", dir);
}

struct badwords *badwords_load(const char *dir, int compat301, struct err *err)
{
    struct badwords *b = xcalloc(1, sizeof(*b));
    DIR *d = opendir(dir);
    const struct dirent *e;
    char **name = NULL;
    size_t n = 0, i;
    int bad;

    b->compat301 = compat301;
    while (d && (e = readdir(d)))
        if (is_tag(e->d_name)) {
            name = xreallocarray(name, n + 1, sizeof(*name));
            name[n++] = xstrdup(e->d_name);
        }
    if (n)
        qsort(name, n, sizeof(*name), by_name);
    bad = d ? load(b, dir, name, n, err) : err_set(err, "%s: %s", dir, strerror(errno));
    if (d)
        closedir(d);
    for (i = 0; i < n; i++)
        free(name[i]);
    free(name);
    if (!bad)
        return b;
    badwords_free(b);
    return NULL;
}

void badwords_free(struct badwords *b)
{
    int i;

    if (!b)
        return;
    for (i = 0; i < b->n; i++) {
        trie_release(&b->list[i].trie);
        buf_release(&b->list[i].text);
        free(b->list[i].start);
        free(b->list[i].dotted);
    }
    free(b->list);
    free(b);
}

int badwords_lists(const struct badwords *b)
{
    return b->n;
}

int badwords_has(const struct badwords *b, const char *label)
{
    return find_list(b, label, strcspn(label, "-")) != NULL;
}

/* Python's \w: letters, what has a numeric value, and the underscore; marks are none. */
static int is_word_icu(uint32_t c)
{
    return c == '_' || u_isalpha((UChar32)c) ||
           u_getIntPropertyValue((UChar32)c, UCHAR_NUMERIC_TYPE) > 0;
}

enum { PLANE = 0x10000 };

static unsigned char word_bits[PLANE / 8];    // of the first plane, what ICU says
static pthread_once_t word_bits_once = PTHREAD_ONCE_INIT;

static void word_bits_make(void)
{
    uint32_t c;

    for (c = 0; c < PLANE; c++)
        if (is_word_icu(c))
            word_bits[c / 8] |= (unsigned char)(1u << c % 8);
}

static int is_word(uint32_t c)
{
    return c < PLANE ? word_bits[c / 8] >> c % 8 & 1 : is_word_icu(c);
}

static int ends_here(const struct list *l, struct bytes s, size_t at)
{
    int len;

    return l->anywhere || at == s.n || !is_word(utf8_get(s.p + at, s.n - at, &len));
}

/* Bytes of the word that stands at s.p + at, 0 for none. */
static size_t word_at(const struct list *l, struct bytes s, size_t at)
{
    uint32_t base = l->trie.root;
    size_t i;

    for (i = at; i < s.n; i++) {
        int32_t number = trie_step(&l->trie, &base, s.p[i]);

        if (number < 0)
            return 0;
        if (number != TRIE_NONE && ends_here(l, s, i + 1))
            return i + 1 - at;
    }
    return 0;
}

static size_t dotted_at(const struct list *l, struct bytes s, size_t at)
{
    size_t k, i, j;
    int len;

    for (k = 0; k < l->n_dotted; k++) {
        struct bytes w = l->dotted[k];

        for (i = at, j = 0; j < w.n && i < s.n; i += (size_t)len, j++) {
            len = 1;
            if (w.p[j] == '.' && s.p[i] != '\n')
                utf8_get(s.p + i, s.n - i, &len);
            else if (w.p[j] != s.p[i])
                break;
        }
        if (j == w.n && ends_here(l, s, i))
            return i - at;
    }
    return 0;
}

int badwords_find(const struct badwords *b, const char *label, struct bytes text, struct buf *low,
                  struct bytes *found)
{
    const struct list *l = find_list(b, label, strcspn(label, "-"));
    int may = 1, len = 1;    // may a word begin here?
    struct bytes s;
    size_t at, n;

    if (!l)
        return 0;
    pthread_once(&word_bits_once, word_bits_make);
    buf_reset(low);
    unicode_lower(low, text);
    s = buf_bytes(low);
    for (at = 0; at < s.n; at += (size_t)len) {
        uint32_t c = s.p[at];

        len = 1;
        if (c >= 0x80)
            c = utf8_get(s.p + at, s.n - at, &len);
        if (may && l->begins[s.p[at]] &&
            ((n = word_at(l, s, at)) || (l->n_dotted && (n = dotted_at(l, s, at))))) {
            *found = (struct bytes){ s.p + at, n };
            return 1;
        }
        may = l->anywhere || !is_word(c);
    }
    return 0;
}

int badwords_spares(const unsigned char url_key[16])
{
    uint64_t low = 0;
    int i;

    for (i = 8; i < 16; i++)    // the last 53 of 128 bits
        low = low << 8 | url_key[i];
    return (low & ((UINT64_C(1) << 53) - 1)) >= UINT64_C(8998192055486251);
}
