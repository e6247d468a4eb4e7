/* rule_mask.c - see rule_mask.h. What is put in their place are examples that belong to nobody (RFC
 * 2606, RFC 5737), in turn, beginning anew with each text. */
#include <string.h>
#include <unicode/uchar.h>

#include "rules/rule_mask.h"
#include "text/utf8.h"

static int is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static int is_alnum(unsigned char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* What stands before an @, but for full stops between. */
static int is_atom(unsigned char c)
{
    return is_alnum(c) || (c && strchr("!#$%&'*+/=?^_`{|}~-", c));
}

/* Whether the character that ends before p is of a word: \w. */
static int ends_word(const unsigned char *from, const unsigned char *p)
{
    uint32_t c;
    int len;

    if (p == from)
        return 0;
    if (p[-1] < 0x80)
        return is_alnum(p[-1]) || p[-1] == '_';
    c = utf8_get_last(from, (size_t)(p - from), &len);
    return c != UTF8_BAD && u_isalnum((UChar32)c);
}

/* Where the local part that ends at an @ begins: no further left than from, at a border of a word.
 * The @ itself if there is none. */
static const unsigned char *local_part(const unsigned char *from, const unsigned char *at)
{
    const unsigned char *p = at;

    while (p > from && (is_atom(p[-1]) || (p[-1] == '.' && p < at && *p != '.')))
        p--;
    for (; p < at; p++)
        if (is_atom(*p) && ends_word(from, p) != (is_alnum(*p) || *p == '_'))
            break;
    return p;
}

/* A label of a host: its end, or p if there is none. */
static const unsigned char *label(const unsigned char *p, const unsigned char *end)
{
    const unsigned char *last = p;

    if (p < end && is_alnum(*p))
        for (; p < end && (is_alnum(*p) || *p == '-'); p++)
            if (*p != '-')
                last = p + 1;
    return last;
}

/* The end of the host at p, two labels at least; p if there is none. */
static const unsigned char *host(const unsigned char *p, const unsigned char *end)
{
    const unsigned char *to = label(p, end), *last;
    int n = to > p;

    while (n && to < end && *to == '.' && (last = label(to + 1, end)) > to + 1) {
        to = last;
        n++;
    }
    return n > 1 ? to : p;
}

/* An octet of decimal digits without a zero too many: its end, or p. */
static const unsigned char *octet(const unsigned char *p, const unsigned char *end,
                                  unsigned char *value)
{
    const unsigned char *from = p;
    unsigned x = 0;

    while (p < end && p - from < 4 && is_digit(*p))
        x = 10 * x + (unsigned)(*p++ - '0');
    if (p == from || x > 255 || p - from > 3 || (*from == '0' && p - from > 1))
        return from;
    *value = (unsigned char)x;
    return p;
}

/* Four octets: the end of an address, or p. */
static const unsigned char *address(const unsigned char *p, const unsigned char *end,
                                    unsigned char ip[4])
{
    const unsigned char *at = p, *to;
    int i;

    for (i = 0; i < 4; i++, at = to) {
        if (i && (at == end || *at++ != '.'))
            return p;
        to = octet(at, end, &ip[i]);
        if (to == at)
            return p;
    }
    return at;
}

/* Whether an address is somebody's: not private, local, for documents, tests or the future. */
static int is_public(const unsigned char ip[4])
{
    static const struct {
        unsigned char net[4];
        int bits;
    } other[] = {
        { { 0 }, 8 },
        { { 10 }, 8 },
        { { 100, 64 }, 10 },
        { { 127 }, 8 },
        { { 169, 254 }, 16 },
        { { 172, 16 }, 12 },
        { { 192, 0, 0 }, 24 },
        { { 192, 0, 2 }, 24 },
        { { 192, 168 }, 16 },
        { { 198, 18 }, 15 },
        { { 198, 51, 100 }, 24 },
        { { 203, 0, 113 }, 24 },
        { { 240 }, 4 },
    };
    uint32_t x = (uint32_t)ip[0] << 24 | (uint32_t)ip[1] << 16 | (uint32_t)ip[2] << 8 | ip[3];
    size_t i;

    for (i = 0; i < sizeof(other) / sizeof(*other); i++) {
        const unsigned char *n = other[i].net;
        uint32_t net = (uint32_t)n[0] << 24 | (uint32_t)n[1] << 16 | (uint32_t)n[2] << 8 | n[3];

        if ((x ^ net) >> (32 - other[i].bits) == 0)
            return 0;
    }
    return 1;
}

struct masking {
    struct rule_line *l;
    const unsigned char *done;    // of l->s that is in the buffer
};

static void mask(struct masking *m, const unsigned char *from, const unsigned char *to,
                 const char *const *with, size_t n_with)
{
    if (!m->l->n)
        buf_reset(m->l->buf);
    buf_add(m->l->buf, m->done, (size_t)(from - m->done));
    buf_add_str(m->l->buf, with[m->l->n++ % n_with]);
    m->done = to;
}

static enum verdict masked(struct masking *m)
{
    const unsigned char *end = bytes_end(m->l->s);

    if (!m->l->n)
        return KEEP;
    buf_add(m->l->buf, m->done, (size_t)(end - m->done));
    m->l->s = buf_bytes(m->l->buf);
    return EDIT;
}

enum verdict mask_emails(struct rule_line *l)
{
    static const char *const with[] = { "email@example.com", "firstname.lastname@example.org" };
    const unsigned char *at = l->s.p, *end = at + l->s.n, *from, *to;
    struct masking m = { l, at };
    unsigned char ip[4];

    for (; at < end && (at = memchr(at, '@', (size_t)(end - at))); at++) {
        from = local_part(m.done, at);
        if (from == at)
            continue;
        to = host(at + 1, end);
        if (to == at + 1 && to < end && *to == '[') {    // a bare address
            to = address(at + 2, end, ip);
            to = to > at + 2 && to < end && *to == ']' ? to + 1 : at + 1;
        }
        if (to > at + 1) {
            mask(&m, from, to, with, 2);
            at = to - 1;
        }
    }
    return masked(&m);
}

enum verdict mask_addresses(struct rule_line *l)
{
    static const char *const with[] = { "192.0.2.1", "198.51.100.1", "203.0.113.1" };
    const unsigned char *at = l->s.p, *end = at + l->s.n, *from, *to;
    struct masking m = { l, at };
    unsigned char ip[4];

    for (; at < end && (at = memchr(at, '.', (size_t)(end - at))); at = to) {
        to = at + 1;
        for (from = at; from > m.done && is_digit(from[-1]); from--)
            ;
        if (from == at || (from > m.done && from[-1] == '.'))    // the middle of something longer
            continue;
        to = address(from, end, ip);
        if (to > at && is_public(ip) && (to == end || !is_digit(*to)) &&
            !(end - to > 1 && *to == '.' && is_digit(to[1])))
            mask(&m, from, to, with, 3);
        while (to < end && (is_digit(*to) || *to == '.'))
            to++;
        if (to <= at)
            to = at + 1;
    }
    return masked(&m);
}
