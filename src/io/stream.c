/* stream.c - see stream.h. Plain bytes pass from a decoder through `out`. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "io/decoder.h"
#include "io/stream.h"

enum {
    PEEK_MAX = 1 << 16,
    GIANT = 8 << 20,    // a buffer that is not kept
};

struct stream {
    struct decoder in;
    unsigned char *out;
    size_t pos, fill, cap;    // out[pos, fill) is not handed out yet
    uint64_t out_offset;      // of out[0] in the plain stream
};

struct stream *stream_open(const char *path, struct err *err)
{
    struct stream *s = xcalloc(1, sizeof(*s));

    if (decoder_open(&s->in, path, err) < 0) {
        stream_close(s);
        return NULL;
    }
    s->cap = SOURCE_CHUNK + PEEK_MAX;
    s->out = xmalloc(s->cap);
    return s;
}

void stream_close(struct stream *s)
{
    if (!s)
        return;
    decoder_close(&s->in);
    free(s->out);
    free(s);
}

const char *stream_path(const struct stream *s)
{
    return s->in.in.path;
}

uint64_t stream_offset(const struct stream *s)
{
    return s->out_offset + s->pos;
}

uint64_t stream_file_offset(const struct stream *s)
{
    return source_offset(&s->in.in);
}

uint64_t stream_junk(const struct stream *s)
{
    return s->in.junk;
}

uint64_t stream_damaged_from(const struct stream *s)
{
    return s->in.member_plain;
}

/* Room behind `fill`: by moving what is left to the front, or by growing; behind a giant line by
 * shrinking. */
static void make_room(struct stream *s)
{
    size_t left = s->fill - s->pos;
    int giant = s->cap > GIANT && left <= PEEK_MAX;

    if (!giant && s->cap - s->fill >= SOURCE_CHUNK / 2)
        return;
    memmove(s->out, s->out + s->pos, left);
    s->out_offset += s->pos;
    s->pos = 0;
    s->fill = left;
    if (!giant && s->cap - s->fill >= SOURCE_CHUNK / 2)
        return;
    s->cap = giant ? SOURCE_CHUNK + PEEK_MAX : 2 * s->cap;
    s->out = xrealloc(s->out, s->cap);
}

/* More plain bytes: 1, 0 at the end, -1 on damage. */
static int more(struct stream *s, struct err *err)
{
    ssize_t got;

    make_room(s);
    got = decoder_read(&s->in, s->out + s->fill, s->cap - s->fill, s->out_offset + s->fill);
    if (got < 0)
        return err_set(err, "%s", s->in.trouble.msg);
    s->fill += (size_t)got;
    return got > 0;
}

ssize_t stream_read(struct stream *s, void *p, size_t n, struct err *err)
{
    size_t have;
    int got = 1;

    if (s->pos == s->fill)
        got = more(s, err);
    if (got <= 0)
        return got;
    have = s->fill - s->pos;
    n = n < have ? n : have;
    if (n)
        memcpy(p, s->out + s->pos, n);
    s->pos += n;
    return (ssize_t)n;
}

int stream_read_all(struct stream *s, void *p, size_t n, struct err *err)
{
    size_t done = 0;
    ssize_t got;

    while (done < n) {
        got = stream_read(s, (char *)p + done, n - done, err);
        if (got < 0)
            return -1;
        if (got == 0 && done)
            return err_set(err, "%s: byte %" PRIu64 ": cut short", s->in.in.path, stream_offset(s));
        if (got == 0)
            return 0;
        done += (size_t)got;
    }
    return 1;
}

ssize_t stream_peek(struct stream *s, size_t want, const unsigned char **p, struct err *err)
{
    int got = 1;

    want = want < PEEK_MAX ? want : PEEK_MAX;
    while (s->fill - s->pos < want && got > 0)
        got = more(s, err);
    *p = s->out + s->pos;
    return s->fill == s->pos ? got < 0 ? -1 : 0 : (ssize_t)(s->fill - s->pos);
}

/* The line that begins here is too long: pass it over. */
static int skip_line(struct stream *s, size_t max, struct err *err)
{
    uint64_t from = stream_offset(s);
    unsigned char *lf = NULL;
    struct err later;    // damage will be told by the next call again

    do {
        if (s->fill > s->pos)
            lf = memchr(s->out + s->pos, '\n', s->fill - s->pos);
        s->pos = lf ? (size_t)(lf - s->out) + 1 : s->fill;
    } while (!lf && more(s, &later) > 0);
    return err_set(err, "%s: line at byte %" PRIu64 " of the text: longer than %zu bytes",
                   s->in.in.path, from, max);
}

int stream_line(struct stream *s, struct bytes *line, size_t max, struct err *err)
{
    size_t seen = 0, n;
    unsigned char *lf = NULL;
    int got = 1;

    for (;;) {
        if (s->fill - s->pos > seen)
            lf = memchr(s->out + s->pos + seen, '\n', s->fill - s->pos - seen);
        n = lf ? (size_t)(lf - s->out) - s->pos : s->fill - s->pos;
        if (n > max)
            return skip_line(s, max, err);
        if (lf || got == 0)
            break;
        seen = n;
        got = more(s, err);
        if (got < 0) {
            s->pos = s->fill;
            return -1;
        }
    }
    if (!lf && n == 0)
        return 0;
    *line = (struct bytes){ s->out + s->pos, n };
    s->pos += n + (lf != NULL);
    return 1;
}

int stream_broken(const struct stream *s)
{
    return s->in.broken;
}

int stream_resume(struct stream *s, struct err *err)
{
    if (s->in.broken && !s->in.in.failed)
        s->pos = s->fill;
    return decoder_resume(&s->in, err);
}
