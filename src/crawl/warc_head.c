/* warc_head.c - see warc_head.h. */
#include <string.h>
#include <strings.h>

#include "crawl/warc_head.h"

static int named(const unsigned char *p, size_t n, const char *name)
{
    return strlen(name) == n && !strncasecmp((const char *)p, name, n);
}

static struct bytes trim(const unsigned char *p, const unsigned char *end)
{
    while (p < end && strchr(" \t\r\n", *p) && *p)
        p++;
    while (p < end && strchr(" \t\r\n", end[-1]) && end[-1])
        end--;
    return (struct bytes){ p, (size_t)(end - p) };
}

static void set_field(struct warc_record *rec, const unsigned char *p, const unsigned char *end)
{
    const unsigned char *colon = memchr(p, ':', (size_t)(end - p));
    struct bytes name, value;

    if (!colon)
        return;
    name = trim(p, colon);
    value = trim(colon + 1, end);
    if (named(name.p, name.n, "WARC-Type"))
        rec->type = value;
    else if (named(name.p, name.n, "WARC-Date"))
        rec->date = value;
    else if (named(name.p, name.n, "WARC-Identified-Content-Language"))
        rec->languages = value;
    else if (named(name.p, name.n, "Content-Type"))
        rec->content_type = value;
    else if (named(name.p, name.n, "Content-Length"))
        rec->content_length = value;
    else if (named(name.p, name.n, "WARC-Truncated"))
        rec->truncated = value;
    else if (named(name.p, name.n, "WARC-Target-URI"))
        rec->url = value.n > 1 && value.p[0] == '<' && value.p[value.n - 1] == '>'
                       ? (struct bytes){ value.p + 1, value.n - 2 }
                       : value;
}

void warc_head_read(unsigned char *p, size_t head, struct warc_record *rec)
{
    unsigned char *end = p + head, *lf = memchr(p, '\n', head);

    *rec = (struct warc_record){ 0 };
    p = lf ? lf + 1 : end;
    while (p < end) {
        for (lf = p; (lf = memchr(lf, '\n', (size_t)(end - lf))); lf++) {
            if (end - lf < 2 || (lf[1] != ' ' && lf[1] != '\t'))
                break;
            *lf = ' ';    // folded
            if (lf[-1] == '\r')
                lf[-1] = ' ';
        }
        if (!lf)
            break;
        set_field(rec, p, lf);
        p = lf + 1;
    }
}

size_t warc_head_length(struct bytes field)
{
    size_t x = 0, i;

    for (i = 0; i < field.n; i++) {
        if (field.p[i] < '0' || field.p[i] > '9')
            return SIZE_MAX;
        if (x <= WARC_BLOCK_MAX)    // else it is too large already
            x = 10 * x + (size_t)(field.p[i] - '0');
    }
    return field.n ? x : SIZE_MAX;
}
