/* feature.c - see feature.h. Nothing is allocated per text once the buffers have grown. */
#include <stdlib.h>
#include <string.h>

#include "langid/feature.h"
#include "langid/ngram.h"
#include "langid/scan.h"
#include "langid/script.h"

struct feature_room {
    struct langid_shape shape;
    struct buf clean, text, marked;
    struct counter counter[LANGID_GROUP_MAX];
    struct feature *f;
    size_t cap;
};

struct feature_room *feature_room_new(const struct langid_shape *shape)
{
    struct feature_room *r = xcalloc(1, sizeof(*r));
    int g;

    scripts_get();
    r->shape = *shape;
    for (g = 0; g < shape->n_group; g++)
        counter_init(&r->counter[g], shape->group[g].ids);
    return r;
}

void feature_room_free(struct feature_room *r)
{
    int g;

    if (!r)
        return;
    for (g = 0; g < r->shape.n_group; g++)
        counter_release(&r->counter[g]);
    buf_release(&r->clean);
    buf_release(&r->text);
    buf_release(&r->marked);
    free(r->f);
    free(r);
}

/* The letter at p, which is not ASCII, of text that was cleaned; its length. */
static inline uint32_t letter_at(const unsigned char *p, size_t *len)
{
    *len = ngram_char_len(*p);
    switch (*len) {
    case 2:
        return (p[0] & 0x1Fu) << 6 | (p[1] & 0x3Fu);
    case 3:
        return (p[0] & 0xFu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
    default:
        return (p[0] & 0x7u) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);
    }
}

/* cld3's classes of characters: those that say much about the language. */
static uint32_t class_of(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } block[] = { { 0x370, 0x3FF },   { 0x400, 0x4FF },   { 0x590, 0x5FF },  { 0x600, 0x6FF },
                  { 0x1100, 0x11FF }, { 0x3041, 0x309F }, { 0x30A0, 0x30FF } };
    uint32_t i;

    for (i = 0; i < sizeof(block) / sizeof(*block); i++)
        if (c >= block[i].first && c <= block[i].last)
            return 5 + i;
    return c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
}

static void add_all(struct counter *to, const uint32_t *n, uint32_t ids)
{
    uint32_t i;

    for (i = 0; i < ids; i++)
        if (n[i])
            counter_add_many(to, i, n[i]);
}

static void count_classes(struct counter *to, struct bytes text)
{
    uint32_t n[LANGID_SCRIPT_CLASSES] = { 0 }, ascii = 0;
    size_t i, len;

    for (i = 0; i < text.n;) {
        if (text.p[i] < 0x80) {
            ascii += text.p[i++] != ' ';
        } else {
            n[class_of(letter_at(text.p + i, &len))]++;
            i += len;
        }
    }
    n[1] = ascii;
    add_all(to, n, LANGID_SCRIPT_CLASSES);
}

static void count_scripts(struct counter *to, struct bytes text)
{
    const struct scripts *scripts = scripts_get();
    uint32_t n[LANGID_SCRIPTS] = { 0 }, ascii = 0;
    size_t i, len;

    for (i = 0; i < text.n;) {
        uint32_t c;
        int script;

        if (text.p[i] < 0x80) {
            ascii += text.p[i++] != ' ';
            continue;
        }
        c = letter_at(text.p + i, &len);
        script = script_of(scripts, c);
        n[script == SCRIPT_HAN ? script_split_han(c) : script]++;
        i += len;
    }
    n[SCRIPT_LATIN] += ascii;
    add_all(to, n, LANGID_SCRIPTS);
}

static void count_words(struct counter *to, struct bytes text)
{
    size_t i = 0, start;

    while (i < text.n) {
        if (text.p[i] == ' ') {
            i++;
            continue;
        }
        for (start = i; i < text.n && text.p[i] != ' '; i++)
            ;
        counter_add(to, divisor_rest(&to->by, ngram_hash(text.p + start, i - start)));
    }
}

static void count_all(struct feature_room *r, struct bytes text)
{
    struct counter *of_size[LANGID_NGRAM_MAX + 1] = { NULL };
    int g;

    for (g = 0; g < r->shape.n_group; g++) {
        struct counter *to = &r->counter[g];

        switch (r->shape.group[g].kind) {
        case LANGID_CHARS:
            of_size[r->shape.group[g].n] = to;
            break;
        case LANGID_CLASSES:
            count_classes(to, text);
            break;
        case LANGID_SCRIPT:
            counter_add(to, (uint32_t)scan_first_script(text));
            break;
        case LANGID_SHARES:
            count_scripts(to, text);
            break;
        case LANGID_WORDS:
            count_words(to, text);
            break;
        }
    }
    ngram_mark(&r->marked, text);
    ngram_count(of_size, buf_bytes(&r->marked));
}

static void gather(struct feature_room *r, struct features *to)
{
    size_t n = 0, i;
    int g;

    for (g = 0; g < r->shape.n_group; g++)
        n += r->counter[g].n;
    if (n > r->cap) {
        r->cap = n + n / 2;
        r->f = xreallocarray(r->f, r->cap, sizeof(*r->f));
    }
    for (n = 0, g = 0; g < r->shape.n_group; g++) {
        struct counter *c = &r->counter[g];
        float share = 1 / (float)c->total;

        to->begin[g] = n;
        for (i = 0; i < c->n; i++) {
            uint32_t id = c->touched[i];

            r->f[n++] = (struct feature){ id, (float)c->count[id] * share };
        }
        counter_clear(c);
    }
    to->begin[g] = n;
    to->f = r->f;
}

int feature_find(struct feature_room *r, struct bytes text, size_t min, size_t max,
                 struct features *to)
{
    buf_reset(&r->clean);
    buf_reset(&r->text);
    scan_clean(&r->clean, text, max);
    if (r->clean.n < min || !r->clean.n)
        return 0;
    buf_need(&r->clean, r->clean.n + SCAN_PAD);
    memset(r->clean.p + r->clean.n, 0, SCAN_PAD);
    r->clean.n = scan_squeeze(r->clean.p, r->clean.n);
    if (r->clean.n < min)
        return 0;
    buf_reset(&r->marked);
    if (r->clean.n > max)
        scan_snippets(&r->text, buf_bytes(&r->clean), max);
    count_all(r, buf_bytes(r->clean.n > max ? &r->text : &r->clean));
    gather(r, to);
    return 1;
}
