/* form.c - see form.h. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "pairs/filter.h"
#include "pairs/form.h"

enum { FILTER_MAX = 8, NAME_MAX_ALTERNATIVES = 8 };

struct blank {
    char *before;                             // text in front of it
    char *name[NAME_MAX_ALTERNATIVES + 1];    // NULL-terminated; none: text alone
    const struct filter *filter[FILTER_MAX + 1];
};

struct form {
    struct blank *blank;
    size_t n;
};

/* A word up to one of the characters of stop, or the end of s[n]. */
static size_t word(const char *s, size_t n, const char *stop)
{
    size_t i = 0;

    while (i < n && !strchr(stop, s[i]))
        i++;
    return i;
}

static int parse_names(struct blank *b, const char *s, size_t n, const char *text, struct err *err)
{
    size_t i = 0;

    if (n == 1 && *s == '.') {
        b->name[0] = xstrdup(".");
        return 0;
    }
    while (n) {
        size_t len = word(s, n, "/");

        if (!len || i == NAME_MAX_ALTERNATIVES)
            return err_set(err, "a blank without a field in '%s'", text);
        b->name[i++] = xstrndup(s, len);
        s += len + (len < n);
        n -= len + (len < n);
    }
    return i ? 0 : err_set(err, "a blank without a field in '%s'", text);
}

static int parse_filters(struct blank *b, const char *s, size_t n, struct err *err)
{
    size_t i = 0;

    while (n) {
        size_t len = word(s, n, "|");
        char *name = xstrndup(s, len);
        const struct filter *f = filter_find(name);

        if (!f || i == FILTER_MAX || (i && !f->text)) {
            err_set(err, "'%s' is no filter%s", name, f ? " that may come so late" : "");
            free(name);
            return -1;
        }
        free(name);
        b->filter[i++] = f;
        s += len + (len < n);
        n -= len + (len < n);
    }
    return 0;
}

/* Text up to the next blank, with {{ and }} as one brace; *s moves behind it. */
static char *parse_text(const char **s)
{
    struct buf b = { 0 };
    char *text;

    for (; **s && !(**s == '{' && (*s)[1] != '{'); ++*s) {
        buf_add_byte(&b, (unsigned char)**s);
        *s += (**s == '{' || **s == '}') && (*s)[1] == **s;
    }
    text = xstrndup(b.n ? (const char *)b.p : "", b.n);
    buf_release(&b);
    return text;
}

struct form *form_new(const char *text, struct err *err)
{
    struct form *f = xcalloc(1, sizeof(*f));
    const char *s = text;

    do {
        struct blank *b;
        size_t n, len;

        f->blank = xreallocarray(f->blank, f->n + 1, sizeof(*f->blank));
        b = &f->blank[f->n++];
        memset(b, 0, sizeof(*b));
        b->before = parse_text(&s);
        if (!*s)
            break;
        n = strcspn(++s, "}");
        len = word(s, n, "|");
        if (s[n] != '}') {
            err_set(err, "a blank is not closed in '%s'", text);
            goto fail;
        }
        if (parse_names(b, s, len, text, err) ||
            (len < n && parse_filters(b, s + len + 1, n - len - 1, err)))
            goto fail;
        s += n + 1;
    } while (*s);
    return f;

fail:
    form_free(f);
    return NULL;
}

static const json_t *member(const json_t *in, const char *name, size_t n, size_t nth)
{
    char key[256], *end;
    unsigned long i;

    if (!n || n >= sizeof(key))
        return NULL;
    memcpy(key, name, n);
    key[n] = 0;
    if (!json_is_array(in))
        return json_object_get(in, key);
    i = strtoul(key, &end, 10);
    return *end || end == key ? NULL : json_array_get(in, i ? i : nth);
}

static const json_t *path(const json_t *in, const char *name, size_t nth)
{
    while (in && *name) {
        size_t n = strcspn(name, ".");

        in = member(in, name, n, nth);
        name += n + (name[n] == '.');
    }
    return in;
}

const json_t *record_field(const struct record *r, const char *name)
{
    int i;

    if (!strcmp(name, "."))
        return r->n_part ? r->part[r->n_part - 1] : NULL;
    for (i = r->n_part - 1; i >= 0; i--) {
        const json_t *v = json_object_get(r->part[i], name);

        v = v ? v : path(r->part[i], name, r->nth);
        if (v && !json_is_null(v))
            return v;
    }
    return NULL;
}

int record_text(const json_t *value, struct buf *b)
{
    char *text;

    if (json_is_string(value)) {
        buf_add(b, json_string_value(value), json_string_length(value));
    } else if (json_is_boolean(value)) {
        buf_add_str(b, json_is_true(value) ? "true" : "false");
    } else if (json_is_number(value)) {
        text = json_dumps(value, JSON_ENCODE_ANY);
        buf_add_str(b, text ? text : "");
        free(text);
    } else {
        return -1;
    }
    return 0;
}

static int fill_blank(const struct blank *b, const struct record *r, struct buf *out)
{
    struct buf now = { 0 }, next = { 0 };
    const json_t *value = NULL;
    int i = 0, bad;

    for (i = 0; !value && b->name[i]; i++)
        value = record_field(r, b->name[i]);
    if (!value)
        return -1;
    i = b->filter[0] && b->filter[0]->value;
    bad = i ? b->filter[0]->value(value, &now) : record_text(value, &now);
    for (; !bad && b->filter[i]; i++) {
        struct buf was = now;

        bad = b->filter[i]->text(buf_bytes(&now), &next);
        now = next;
        next = was;
        buf_reset(&next);
    }
    if (!bad)
        buf_add(out, now.p, now.n);
    buf_release(&now);
    buf_release(&next);
    return bad;
}

int form_fill(const struct form *f, const struct record *r, struct buf *b)
{
    size_t i;

    buf_reset(b);
    for (i = 0; i < f->n; i++) {
        buf_add_str(b, f->blank[i].before);
        if (f->blank[i].name[0] && fill_blank(&f->blank[i], r, b))
            return -1;
    }
    return 0;
}

static int has_name(const char *name, const struct bytes *names, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (names[i].n == strlen(name) && !memcmp(names[i].p, name, names[i].n))
            return 1;
    return 0;
}

int form_known(const struct form *f, const struct bytes *names, size_t n, int whole)
{
    size_t i;
    int k;

    for (i = 0; i < f->n; i++) {
        char *const *name = f->blank[i].name;

        for (k = 0; name[k] && !(whole && !strcmp(name[k], ".")) && !has_name(name[k], names, n);)
            k++;
        if (name[0] && !name[k])
            return 0;
    }
    return 1;
}

void form_free(struct form *f)
{
    size_t i;
    int k;

    if (!f)
        return;
    for (i = 0; i < f->n; i++) {
        free(f->blank[i].before);
        for (k = 0; f->blank[i].name[k]; k++)
            free(f->blank[i].name[k]);
    }
    free(f->blank);
    free(f);
}
