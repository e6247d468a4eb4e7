/* feature.c - see feature.h. Nothing is allocated per text once the buffers have grown. */
#include <stdlib.h>
#include <string.h>

#include "langid/feature.h"
#include "langid/ngram.h"
#include "langid/scan.h"
#include "langid/script.h"
#include "text/utf8.h"

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

/* cld3's classes of characters: those that say much about the language. */
static uint32_t class_of(const unsigned char *p, size_t len)
{
    uint32_t c;

    switch (len) {
    case 1:
        return 1;
    case 2:
        c = (p[0] & 0x1Fu) << 6 | (p[1] & 0x3Fu);
        return c >= 0x600 && c <= 0x6FF   ? 8
               : c >= 0x590 && c <= 0x5FF ? 7
               : c >= 0x400 && c <= 0x4FF ? 6
               : c >= 0x370 && c <= 0x3FF ? 5
                                          : 2;
    case 3:
        c = (p[0] & 0xFu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
        return c >= 0x1100 && c <= 0x11FF   ? 9
               : c >= 0x3041 && c <= 0x309F ? 10
               : c >= 0x30A0 && c <= 0x30FF ? 11
                                            : 3;
    default:
        return 4;
    }
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
    uint32_t n[LANGID_SCRIPT_CLASSES] = { 0 };
    size_t i, len;

    for (i = 0; i < text.n; i += len) {
        len = 1;
        if (text.p[i] < 0x80) {
            n[1] += text.p[i] != ' ';
        } else {
            len = ngram_char_len(text.p[i]);
            n[class_of(text.p + i, len)]++;
        }
    }
    add_all(to, n, LANGID_SCRIPT_CLASSES);
}

static void count_scripts(struct counter *to, struct bytes text)
{
    const struct scripts *scripts = scripts_get();
    uint32_t n[LANGID_SCRIPTS] = { 0 };
    size_t i, len;

    for (i = 0; i < text.n; i += len) {
        uint32_t c = text.p[i];
        int bytes, script;

        len = 1;
        if (c < 0x80) {
            n[SCRIPT_LATIN] += c != ' ';
            continue;
        }
        c = utf8_get(text.p + i, text.n - i, &bytes);
        len = (size_t)bytes;
        script = script_of(scripts, c);
        n[script == SCRIPT_HAN ? script_split_han(c) : script]++;
    }
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
    scan_snippets(&r->text, buf_bytes(&r->clean), max);
    count_all(r, buf_bytes(&r->text));
    gather(r, to);
    return 1;
}
