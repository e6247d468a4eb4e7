/* scan_plain.c - the definitions of what scan.c does fast, for tests. */
#include <string.h>

#include "langid/scan.h"
#include "langid/script.h"
#include "text/utf8.h"

struct letter {
    uint32_t c;
    int script, len;    // len 0: the text ends here
};

static struct letter letter_at(struct bytes text, size_t at)
{
    struct letter l = { 0, SCRIPT_COMMON, 0 };
    int32_t entry;

    if (at >= text.n)
        return l;
    l.c = utf8_get(text.p + at, text.n - at, &l.len);
    entry = l.c == UTF8_BAD ? SCRIPT_NONE : script_entry(scripts_get(), l.c);
    l.script = entry & 0xFF;
    if (l.script == SCRIPT_NONE)
        return (struct letter){ 0, SCRIPT_COMMON, 0 };
    l.c += (uint32_t)((entry - l.script) / 256);
    return l;
}

static int is_of(int span, int script)
{
    return script == span || script == SCRIPT_INHERITED;
}

static size_t plain_letters(struct buf *out, struct bytes whole, struct bytes text, size_t at,
                            int span)
{
    for (;;) {
        struct letter l = letter_at(text, at);
        unsigned char u[4];

        if (!l.len || l.script == SCRIPT_COMMON)
            return at;
        if (!is_of(span, l.script)) {
            int next = letter_at(whole, at + (size_t)l.len).script;

            if (next != SCRIPT_COMMON && next != span)
                return at;
        }
        buf_add(out, u, (size_t)utf8_put(u, l.c));
        at += (size_t)l.len;
    }
}

void scan_clean_plain(struct buf *out, struct bytes whole, size_t max)
{
    struct bytes text = { whole.p, whole.n < max ? whole.n : max };
    int span = SCRIPT_COMMON;
    size_t at = 0;

    for (;;) {
        struct letter l = letter_at(text, at);

        if (!l.len)
            return;
        if (l.script == SCRIPT_COMMON) {
            at += (size_t)l.len;
            continue;
        }
        if (!is_of(span, l.script) || span == SCRIPT_COMMON) {
            span = l.script;
            buf_add_byte(out, ' ');
        }
        at = plain_letters(out, whole, text, at, span);
        buf_add_byte(out, ' ');
    }
}

struct squeeze {
    unsigned char *p;
    size_t at, to, n;
    uint32_t hash, table[4096];
};

/* The 48 bytes at z->at, and on to the start of a character. */
static size_t chunk_len(const struct squeeze *z)
{
    size_t len = z->n - z->at < 48 ? z->n - z->at : 48;

    while (z->at + len < z->n && (z->p[z->at + len] & 0xC0) == 0x80)
        len++;
    return len;
}

static int is_dull(struct squeeze *z, size_t len)
{
    const unsigned char *p = z->p + z->at;
    size_t spaces = 0, predicted = 0, i, j, n;

    for (i = 0; i < len / 4 * 4; i++)
        spaces += p[i] == ' ';
    for (i = 0; i < len; i += n) {
        uint32_t c = 0;

        n = p[i] < 0xC0 ? 1 : p[i] < 0xE0 ? 2 : p[i] < 0xF0 ? 3 : 4;
        for (j = 0; j < n; j++)
            c = c << 8 | p[i + j];
        if (z->table[z->hash] == c)
            predicted += n;
        z->table[z->hash] = c;
        z->hash = (z->hash << 4 ^ c) & 0xFFF;
    }
    return spaces >= 48 * 30 / 100 || predicted >= 48 * 40 / 100;
}

static void back(struct squeeze *z)
{
    size_t n;

    for (n = 0; n < 32 && n < z->to; n++)
        if (z->p[z->to - n - 1] == ' ') {
            z->to -= n;
            return;
        }
    for (n = 0; n < 32 && n < z->to; n++)
        if ((z->p[z->to - n] & 0xC0) != 0x80) {
            z->to -= n;
            return;
        }
}

size_t scan_squeeze_plain(unsigned char *p, size_t n)
{
    struct squeeze z = { p, 0, 0, n, 0, { 0 } };
    int skipping = 0;

    while (z.at < n) {
        size_t len = chunk_len(&z), i;

        if (is_dull(&z, len)) {
            if (!skipping)
                back(&z);
            if (!skipping && z.to == 0)
                z.p[z.to++] = ' ';
            skipping = 1;
        } else {
            i = 0;
            if (skipping) {
                while (i < len && i < 32 && z.p[z.at + i] != ' ')
                    i++;
                i = i < len && i < 32 ? i + 1 : 0;
            }
            for (; i < len; i++)
                z.p[z.to++] = z.p[z.at + i];
            skipping = 0;
        }
        z.at += len;
    }
    return z.to;
}
