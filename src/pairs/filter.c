/* filter.c - see filter.h: T5's own ways with the text of its tasks. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>

#include "pairs/filter.h"
#include "pairs/form.h"
#include "pairs/wnli.h"
#include "text/utf8.h"

/* What RE2's \s is. */
static int is_space(uint32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r' && c != '\v');
}

static int is_word_ascii(uint32_t c)
{
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static int is_word(uint32_t c)
{
    return c == '_' || is_space(c) ||
           (c != UTF8_BAD && U_GET_GC_MASK((UChar32)c) & (U_GC_L_MASK | U_GC_N_MASK | U_GC_M_MASK));
}

/* Spaces around what is no word, runs of white space to one, none at the ends. */
static int pad(struct bytes s, struct buf *out, int (*word)(uint32_t c))
{
    size_t i = 0, from = out->n;
    int space = 0, len;

    for (; i < s.n; i += (size_t)len) {
        uint32_t c = utf8_get(s.p + i, s.n - i, &len);
        int apart = !word(c);

        if (is_space(c)) {
            space = 1;
            continue;
        }
        if ((space || apart) && out->n > from)
            buf_add_byte(out, ' ');
        buf_add(out, s.p + i, (size_t)len);
        space = apart;
    }
    return 0;
}

static int pad_ascii(struct bytes s, struct buf *out)    // T5: (\W) -> " \1 "
{
    return pad(s, out, is_word_ascii);
}

static int pad_unicode(struct bytes s, struct buf *out)    // mT5: [^_\s\p{N}\p{L}\p{M}]
{
    return pad(s, out, is_word);
}

static int starts(struct bytes s, const char *with)
{
    size_t n = strlen(with);

    return s.n >= n && !memcmp(s.p, with, n);
}

static int html(struct bytes s, struct buf *out)    // MultiRC: <br> to a space, <b> goes
{
    while (s.n) {
        size_t skip = starts(s, "<br>") || starts(s, "</b>") ? 4 : starts(s, "<b>") ? 3 : 0;

        if (starts(s, "<br>"))
            buf_add_byte(out, ' ');
        else if (!skip)
            buf_add_byte(out, *s.p);
        skip += !skip;
        s.p += skip;
        s.n -= skip;
    }
    return 0;
}

static int highlight(struct bytes s, struct buf *out)    // ReCoRD
{
    static const char mark[] = "\n@highlight\n";
    size_t from = out->n;

    while (s.n) {
        size_t skip = starts(s, mark) ? sizeof(mark) - 1 : 1;

        if (skip == 1)
            buf_add_byte(out, *s.p);
        else
            buf_add_str(out, out->n > from && strchr(".?!\"'", out->p[out->n - 1]) ? " " : ". ");
        s.p += skip;
        s.n -= skip;
    }
    return 0;
}

static int fifths(struct bytes s, struct buf *out)    // STS-B: to the nearest 0.2
{
    char *text = xstrndup(s.p, s.n), *end;
    float x = strtof(text, &end);
    int bad = end == text || *end || !isfinite(x) || fabsf(x) > 1e6F;

    if (!bad)
        buf_printf(out, "%.1f", (double)(rintf(x * 5) / 5));
    free(text);
    return -bad;
}

/* WebQuestions' targetValue: (list (description "A B") (description C)): the first. */
static int description(struct bytes s, struct buf *out)
{
    static const char mark[] = "(description ";
    int quoted;

    while (s.n && !starts(s, mark)) {
        s.p++;
        s.n--;
    }
    if (!s.n)
        return -1;
    s.p += sizeof(mark) - 1;
    s.n -= sizeof(mark) - 1;
    quoted = s.n && *s.p == '"';
    for (s.p += quoted, s.n -= (size_t)quoted; s.n; s.p++, s.n--) {
        if (*s.p == (quoted ? '"' : ')'))
            return 0;
        if (quoted && *s.p == '\\' && s.n > 1) {
            s.p++;
            s.n--;
        }
        buf_add_byte(out, *s.p);
    }
    return -1;
}

static struct bytes string(const json_t *in, const char *name)
{
    const json_t *s = json_object_get(in, name);

    return (struct bytes){ (const unsigned char *)json_string_value(s), json_string_length(s) };
}

static int join(const json_t *value, struct buf *out)    // a list of texts: "a, b"
{
    size_t i, n = json_array_size(value);

    for (i = 0; i < n; i++) {
        if (i)
            buf_add_str(out, ", ");
        if (record_text(json_array_get(value, i), out))
            return -1;
    }
    return json_is_array(value) ? 0 : -1;
}

static int choices(const json_t *value, struct buf *out)    // ARC: "(A) x (B) y"
{
    size_t i, n = json_array_size(value);

    for (i = 0; i < n; i++) {
        const json_t *c = json_array_get(value, i);

        buf_add_str(out, i ? " (" : "(");
        if (record_text(json_object_get(c, "label"), out))
            return -1;
        buf_add_str(out, ") ");
        if (record_text(json_object_get(c, "text"), out))
            return -1;
    }
    return n ? 0 : -1;
}

/* The bytes from character first to last, both in. -1 when the text is not that long. */
static int characters(struct bytes s, json_int_t first, json_int_t last, struct bytes *part)
{
    json_int_t i = 0;
    size_t at = 0, begin = 0;
    int len;

    if (first < 0 || last < first)
        return -1;
    for (; at < s.n && i <= last; i++, at += (size_t)len) {
        if (i == first)
            begin = at;
        utf8_get(s.p + at, s.n - at, &len);
    }
    *part = (struct bytes){ s.p + begin, at - begin };
    return i > last ? 0 : -1;
}

static int bytes_order(const void *a, const void *b)
{
    const struct bytes *x = a, *y = b;
    size_t n = x->n < y->n ? x->n : y->n;
    int order = n ? memcmp(x->p, y->p, n) : 0;

    return order ? order : (x->n > y->n) - (x->n < y->n);
}

static int entities(const json_t *value, struct buf *out)    // ReCoRD's passage: "a, b", sorted
{
    const json_t *list = json_object_get(value, "entities");
    size_t i, n = json_array_size(list);
    struct bytes s = string(value, "text"), *part;
    int bad = 0;

    if (!s.p || !json_is_array(list))
        return -1;
    part = xcalloc(n + 1, sizeof(*part));
    for (i = 0; !bad && i < n; i++) {
        const json_t *e = json_array_get(list, i);
        const json_t *start = json_object_get(e, "start"), *end = json_object_get(e, "end");

        bad = !json_is_integer(start) || !json_is_integer(end) ||
              characters(s, json_integer_value(start), json_integer_value(end), &part[i]);
    }
    qsort(part, n, sizeof(*part), bytes_order);
    for (i = 0; !bad && i < n; i++) {
        if (i && !bytes_order(&part[i], &part[i - 1]))
            continue;
        buf_add_str(out, i ? ", " : "");
        buf_add(out, part[i].p, part[i].n);
    }
    free(part);
    return -bad;
}

/* Does word hold the pronoun, with nothing but punctuation around it? *at is where. */
static int holds(struct bytes word, struct bytes pronoun, size_t *at)
{
    size_t i, k;

    for (i = 0; i + pronoun.n <= word.n; i++) {
        if (memcmp(word.p + i, pronoun.p, pronoun.n) != 0)
            continue;
        for (k = 0; k < word.n; k++)
            if ((k < i || k >= i + pronoun.n) && (is_word_ascii(word.p[k]) || word.p[k] >= 0x80))
                break;
        *at = i;
        if (k == word.n)
            return 1;
    }
    return 0;
}

/* The word of text that is the pronoun: the one with the index, else (the set has such slips) the
 * nearest behind or before it. -1: there is none. */
static int find_pronoun(struct bytes text, struct bytes pronoun, json_int_t index, size_t *at)
{
    json_int_t word = 0, best = -1;
    size_t i = 0;

    while (i <= text.n) {
        const unsigned char *end = i < text.n ? memchr(text.p + i, ' ', text.n - i) : NULL;
        size_t n = end ? (size_t)(end - text.p) - i : text.n - i, in;
        json_int_t far = word > index ? word - index : index - word;

        if (holds((struct bytes){ text.p + i, n }, pronoun, &in) && (best < 0 || far <= best)) {
            best = far;
            *at = i + in;
        }
        i += n + 1;
        word++;
    }
    return best < 0 ? -1 : 0;
}

static int pronoun(const json_t *value, struct buf *out)    // WSC: "if *he* can"
{
    const json_t *text = json_object_get(value, "text"), *target = json_object_get(value, "target");
    const json_t *name = json_object_get(target, "span2_text");
    const json_t *index = json_object_get(target, "span2_index");
    struct bytes s, p;
    size_t at;

    if (!json_is_string(text) || !json_is_string(name) || !json_is_integer(index))
        return -1;
    s = (struct bytes){ (const unsigned char *)json_string_value(text), json_string_length(text) };
    p = (struct bytes){ (const unsigned char *)json_string_value(name), json_string_length(name) };
    if (!p.n || json_integer_value(index) < 0 || find_pronoun(s, p, json_integer_value(index), &at))
        return -1;
    buf_add(out, s.p, at);
    buf_printf(out, "*%.*s*", (int)p.n, (const char *)p.p);
    buf_add(out, s.p + at + p.n, s.n - at - p.n);
    return 0;
}

static int wnli_text(const json_t *value, struct buf *out)    // "*It* was tasty."
{
    return wnli_undo(string(value, "sentence1"), string(value, "sentence2"), out, NULL);
}

static int wnli_referent(const json_t *value, struct buf *out)
{
    return wnli_undo(string(value, "sentence1"), string(value, "sentence2"), NULL, out);
}

static const struct filter filters[] = {
    { "pad", NULL, pad_unicode },     { "pad-ascii", NULL, pad_ascii },
    { "html", NULL, html },           { "highlight", NULL, highlight },
    { "fifths", NULL, fifths },       { "description", NULL, description },
    { "join", join, NULL },           { "choices", choices, NULL },
    { "entities", entities, NULL },   { "pronoun", pronoun, NULL },
    { "wnli-text", wnli_text, NULL }, { "wnli-referent", wnli_referent, NULL },
};

const struct filter *filter_find(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof(filters) / sizeof(filters[0]); i++)
        if (!strcmp(filters[i].name, name))
            return &filters[i];
    return NULL;
}
