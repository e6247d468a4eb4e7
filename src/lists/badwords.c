/* badwords.c - see badwords.h. The words of all lists are one automaton (lists/automaton.h). Where
 * a language parts words they begin with an edge, and an edge follows every character that is none
 * of a word, in words and in text.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>

#include "base/err.h"
#include "io/stream.h"
#include "lists/automaton.h"
#include "lists/badwords.h"
#include "text/unicode.h"
#include "text/utf8.h"

enum { LINE_BYTES = 4096, TAG_MAX = 16 };

struct list {
    char lang[TAG_MAX];
    int anywhere;       // words need not stand alone
    struct buf text;    // of the words, one after the other
    size_t *start;      // [n + 1]
    size_t n;
};

struct badwords {
    struct list *list;
    int n;
    int compat301;
    struct automaton words;    // of all lists: list, and number in it
};

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

static struct bytes list_word(const struct list *l, size_t i)
{
    return (struct bytes){ l->text.p + l->start[i], l->start[i + 1] - l->start[i] };
}

/* How much of a word is before its first dot that means any character. */
static size_t plain_part(const struct badwords *b, struct bytes w)
{
    const unsigned char *dot = b->compat301 ? memchr(w.p, '.', w.n) : NULL;

    return dot ? (size_t)(dot - w.p) : w.n;
}

/* A word as the automaton sees it, as far as its first dot. */
static void index_word(struct badwords *b, const struct list *l, size_t n)
{
    struct bytes w = list_word(l, n);
    size_t plain = plain_part(b, w), n_symbol = 0, i;
    uint16_t *symbol = xreallocarray(NULL, 2 * plain + 1, sizeof(*symbol));
    uint32_t c = l->anywhere ? '_' : ' ';    // before it
    int len, k;

    for (i = 0;; i += (size_t)len) {
        if (!is_word(c) && (i || !l->anywhere) && (i < plain || !i))
            symbol[n_symbol++] = AUTOMATON_EDGE;
        if (i == plain)
            break;
        c = utf8_get(w.p + i, plain - i, &len);
        for (k = 0; k < len; k++)
            symbol[n_symbol++] = w.p[i + (size_t)k];
    }
    automaton_add(&b->words, symbol, n_symbol, (uint32_t)(l - b->list), (uint32_t)n);
    free(symbol);
}

static int index_lists(struct badwords *b, struct err *err)
{
    size_t i;
    int k;

    pthread_once(&word_bits_once, word_bits_make);
    for (k = 0; k < 128; k++)
        b->words.edged[k] = !is_word((uint32_t)k);
    for (k = 0; k < b->n; k++)
        for (i = 0; i < b->list[k].n; i++)
            index_word(b, &b->list[k], i);
    if (automaton_seal(&b->words) < 0)
        return err_set(err, "too many words");
    return 0;
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

    for (i = 0; i < n; i++)
        if (read_list(b, dir, name[i], err) < 0)
            return -1;
    if (!b->n)
        return err_set(err, "%s: no list of words (files named by language)", dir);
    return index_lists(b, err);
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
        buf_release(&b->list[i].text);
        free(b->list[i].start);
    }
    automaton_release(&b->words);
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

struct search {
    const struct badwords *b;
    uint32_t list;
    struct bytes s;
    struct bytes found;    // the first, so far
    uint32_t dotted;       // its number, from 1; 0: it is a word that stands there as it is
};

/* Whether a word may end at s.p + at. */
static int ends_here(const struct list *l, struct bytes s, size_t at)
{
    int len;

    return l->anywhere || at == s.n || !is_word(utf8_get(s.p + at, s.n - at, &len));
}

/* Bytes of w, whose dots are any characters, at s.p + at; 0 when it is not there. */
static size_t dotted_at(const struct list *l, struct bytes w, struct bytes s, size_t at)
{
    size_t i = at, j;
    int len = 1;

    for (j = 0; j < w.n && i < s.n; i += (size_t)len, j++) {
        len = 1;
        if (w.p[j] == '.' && s.p[i] != '\n')
            utf8_get(s.p + i, s.n - i, &len);
        else if (w.p[j] != s.p[i])
            return 0;
    }
    return j == w.n && ends_here(l, s, i) ? i - at : 0;
}

/* Take word n of the list, which stands before end as far as its first dot, if it is the first:
 * that which begins first; then one without dots, the shortest; then the first of the list. */
static void take_word(struct search *f, uint32_t n, size_t end)
{
    const struct list *l = &f->b->list[f->list];
    struct bytes w = list_word(l, n);
    size_t plain = plain_part(f->b, w), at = end - plain, len = plain;
    uint32_t dotted = plain < w.n ? n + 1 : 0;
    size_t before = f->found.n ? (size_t)(f->found.p - f->s.p) : SIZE_MAX;

    if (at > before || (at == before && f->dotted <= dotted))
        return;
    if (dotted ? !(len = dotted_at(l, w, f->s, at)) : !ends_here(l, f->s, end))
        return;
    f->found = (struct bytes){ f->s.p + at, len };
    f->dotted = dotted;
}

/* Look at the words that end in this state, of which s ends at end. */
static void take_hits(struct search *f, uint32_t state, size_t end)
{
    const struct automaton *a = &f->b->words;
    uint32_t h;

    for (h = automaton_hits(a, state, f->list); h; h = a->hit[h].next)
        if (a->hit[h].list == f->list)
            take_word(f, a->hit[h].word, end);
}

/* Whether a word that is begun may still be the first. */
static int is_open(const struct search *f, uint32_t state, size_t at)
{
    const struct automaton *a = &f->b->words;
    size_t begun = at - a->depth[state / a->n_column], first = (size_t)(f->found.p - f->s.p);

    return begun < first || (begun == first && f->dotted);
}

/* Behind a step to a state with hits over ASCII that ends at end. */
static uint32_t stop_at(struct search *f, uint32_t state, unsigned char c, size_t end)
{
    const struct automaton *a = &f->b->words;

    take_hits(f, state, end);
    if (!a->edged[c] || a->edge[state / a->n_column])
        return state;
    state = automaton_step(a, state, AUTOMATON_EDGE);
    take_hits(f, state, end);
    return state;
}

/* The valid character at p, which is not ASCII, and its length. */
static inline uint32_t wide_at(const unsigned char *p, unsigned *len)
{
    *len = p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    if (*len == 2)
        return (p[0] & 0x1Fu) << 6 | (p[1] & 0x3Fu);
    if (*len == 3)
        return (p[0] & 0xFu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
    return (p[0] & 7u) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);
}

/* The first word of the list in f->s. */
static void search(struct search *f)
{
    const struct automaton *a = &f->b->words;
    const unsigned char *p = f->s.p, *end = p + f->s.n;
    uint32_t state = a->start, edge;
    unsigned len;

    take_hits(f, state, 0);
    while (p < end && (!f->found.n || is_open(f, state, (size_t)(p - f->s.p)))) {
        if (*p < 0x80) {
            state = automaton_step(a, state, *p++);
            if (state >= a->first_hit)
                state = stop_at(f, state, p[-1], (size_t)(p - f->s.p));
            continue;
        }
        edge = !is_word(wide_at(p, &len));
        state = automaton_step(a, state, p[0]);
        state = automaton_step(a, state, p[1]);
        if (len > 2)
            state = automaton_step(a, state, p[2]);
        if (len > 3)
            state = automaton_step(a, state, p[3]);
        p += len;
        if (state >= a->first_hit)
            take_hits(f, state, (size_t)(p - f->s.p));
        state = edge ? automaton_step(a, state, AUTOMATON_EDGE) : state;
        if (state >= a->first_hit)
            take_hits(f, state, (size_t)(p - f->s.p));
    }
}

int badwords_find(const struct badwords *b, const char *label, struct bytes text, struct buf *low,
                  struct bytes *found)
{
    const struct list *l = find_list(b, label, strcspn(label, "-"));
    struct search f = { .b = b };

    if (!l)
        return 0;
    buf_reset(low);
    unicode_lower(low, text);
    f.list = (uint32_t)(l - b->list);
    f.s = buf_bytes(low);
    search(&f);
    *found = f.found;
    return f.found.n > 0;
}

int badwords_spares(const unsigned char url_key[16])
{
    uint64_t low = 0;
    int i;

    for (i = 8; i < 16; i++)    // the last 53 of 128 bits
        low = low << 8 | url_key[i];
    return (low & ((UINT64_C(1) << 53) - 1)) >= UINT64_C(8998192055486251);
}
