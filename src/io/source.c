/* source.c - see source.h. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "io/source.h"

enum { RAW_SIZE = SOURCE_HOLD + 4 * SOURCE_CHUNK };    // so that few reads move what is held

int source_open(struct source *s, const char *path, struct err *err)
{
    int standard = strcmp(path, "-") == 0;
    struct stat st;

    *s = (struct source){ .path = xstrdup(standard ? "standard input" : path) };
    s->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (s->fd < 0 || fstat(s->fd, &st) < 0)
        return err_set(err, "%s: %s", s->path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return err_set(err, "%s: is a directory", s->path);
    s->raw = xmalloc(RAW_SIZE);
    return 0;
}

void source_close(struct source *s)
{
    if (s->fd > STDIN_FILENO)
        close(s->fd);
    free(s->raw);
    free(s->path);
}

uint64_t source_offset(const struct source *s)
{
    return s->raw_offset + s->at;
}

static ssize_t read_some(struct source *s, void *p, size_t n, struct err *err)
{
    ssize_t got;

    do {
        got = read(s->fd, p, n);
    } while (got < 0 && errno == EINTR);
    if (got >= 0)
        return got;
    s->failed = 1;
    return err_set(err, "%s: byte %" PRIu64 ": read failed: %s", s->path, s->raw_offset + s->end,
                   strerror(errno));
}

int source_more(struct source *s, struct err *err)
{
    ssize_t got;

    if (RAW_SIZE - s->end < SOURCE_CHUNK) {
        size_t keep = s->at - s->member > SOURCE_HOLD ? s->at - SOURCE_HOLD : s->member;

        memmove(s->raw, s->raw + keep, s->end - keep);
        s->raw_offset += keep;
        s->at -= keep;
        s->end -= keep;
        s->member = 0;
    }
    assert(RAW_SIZE - s->end >= SOURCE_CHUNK);
    got = read_some(s, s->raw + s->end, SOURCE_CHUNK, err);
    if (got <= 0)
        return (int)got;
    s->end += (size_t)got;
    return 1;
}

ssize_t source_need(struct source *s, size_t want, struct err *err)
{
    int got = 1;

    while (s->end - s->at < want && got > 0)
        got = source_more(s, err);
    return got < 0 ? -1 : (ssize_t)(s->end - s->at);
}

ssize_t source_read(struct source *s, void *p, size_t n, struct err *err)
{
    ssize_t got = read_some(s, p, n, err);

    s->raw_offset += got > 0 ? (uint64_t)got : 0;
    return got;
}
