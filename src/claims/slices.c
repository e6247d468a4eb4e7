/* slices.c - see slices.h. Numbers are big-endian, 8 bytes each:
 *
 *     magic, version, kind, task, tasks, options (16), pages, input, missing     the head
 *     records
 *     for each slice: how many, checksum                                         the index
 *     checksum of head and index, end mark
 *
 * A checksum is XXH64 of a block of records seeded with that of the block before.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/hash.h"
#include "claims/claim.h"
#include "claims/slices.h"
#include "io/out.h"
#include "lists/url.h"

enum { HEAD = 80, ENTRY = 16, TAIL = 16, VERSION = 2, BLOCK_RECORDS = 1024 };

static const char magic[] = "swclaims", end_mark[] = "swclosed";

static const struct {
    const char *name;
    size_t size;
} kinds[] = {
    [SLICES_URLS] = { "urls", URL_CLAIM },
    [SLICES_URLS_LOST] = { "urls-lost", SLICES_LOST },
    [SLICES_LINES] = { "lines", LINE_CLAIM },
    [SLICES_LINES_LOST] = { "lines-lost", SLICES_LOST },
};

static char *path_of(const char *dir, enum slices_kind kind, const struct slices_about *a)
{
    return xasprintf("%s/%s.%05u-of-%05u", dir, kinds[kind].name, a->task + 1, a->n_task);
}

unsigned slices_of_key(const unsigned char *key, unsigned n)
{
    return url_range(key, n);
}

static void head_write(unsigned char head[HEAD], enum slices_kind kind,
                       const struct slices_about *a)
{
    memcpy(head, magic, 8);
    number_write(head + 8, VERSION);
    number_write(head + 16, kind);
    number_write(head + 24, a->task);
    number_write(head + 32, a->n_task);
    memcpy(head + 40, a->options, 16);
    number_write(head + 56, a->n_page);
    number_write(head + 64, a->input);
    number_write(head + 72, a->missing);
}

/* Writing. */

struct slices_writer {
    struct out *out;
    size_t size;
    unsigned slice, n;    // the one being written
    struct buf block;     // of records of it, not yet in the checksum
    struct buf frame;     // head, then index
    uint64_t count, sum;
};

struct slices_writer *slices_create(const char *dir, enum slices_kind kind,
                                    const struct slices_about *about, struct err *err)
{
    struct slices_writer *w = xcalloc(1, sizeof(*w));
    char *path = path_of(dir, kind, about);

    w->size = kinds[kind].size;
    w->n = about->n_task;
    buf_need(&w->frame, HEAD);
    w->frame.n = HEAD;
    head_write(w->frame.p, kind, about);
    w->out = out_open(path, err);
    free(path);
    if (w->out && out_write(w->out, w->frame.p, HEAD, err) == 0)
        return w;
    slices_abandon(w);
    return NULL;
}

static int flush(struct slices_writer *w, struct err *err)
{
    int bad;

    if (!w->block.n)
        return 0;
    w->sum = hash_xx64(w->block.p, w->block.n, w->sum);
    bad = out_write(w->out, w->block.p, w->block.n, err);
    buf_reset(&w->block);
    return bad;
}

static int end_slice(struct slices_writer *w, struct err *err)
{
    unsigned char entry[ENTRY];

    if (flush(w, err) < 0)
        return -1;
    number_write(entry, w->count);
    number_write(entry + 8, w->sum);
    buf_add(&w->frame, entry, ENTRY);
    w->count = w->sum = 0;
    w->slice++;
    return 0;
}

int slices_add(struct slices_writer *w, unsigned slice, const void *record, struct err *err)
{
    while (w->slice < slice)
        if (end_slice(w, err) < 0)
            return -1;
    buf_add(&w->block, record, w->size);
    w->count++;
    return w->block.n == BLOCK_RECORDS * w->size ? flush(w, err) : 0;
}

int slices_close(struct slices_writer *w, struct err *err)
{
    unsigned char tail[TAIL];
    struct out *out;
    int bad = 0;

    while (!bad && w->slice < w->n)
        bad = end_slice(w, err);
    number_write(tail, hash_xx64(w->frame.p, w->frame.n, 0));
    memcpy(tail + 8, end_mark, 8);
    bad = bad || out_write(w->out, w->frame.p + HEAD, w->frame.n - HEAD, err) < 0 ||
          out_write(w->out, tail, TAIL, err) < 0;
    if (!bad) {
        out = w->out;
        w->out = NULL;
        bad = out_close(out, err);
    }
    slices_abandon(w);
    return bad ? -1 : 0;
}

void slices_abandon(struct slices_writer *w)
{
    if (!w)
        return;
    out_abandon(w->out);
    buf_release(&w->block);
    buf_release(&w->frame);
    free(w);
}

/* Reading. */

struct slices {
    int fd;
    char *path;
    size_t size;
    unsigned n;
    unsigned char *frame;    // head, then index
};

static int read_at(const struct slices *s, void *p, size_t n, uint64_t at, struct err *err)
{
    unsigned char *to = p;

    while (n) {
        ssize_t got = pread(s->fd, to, n, (off_t)at);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return err_set(err, "%s: %s", s->path, got ? strerror(errno) : "cut short");
        to += got;
        at += (uint64_t)got;
        n -= (size_t)got;
    }
    return 0;
}

static uint64_t slice_count(const struct slices *s, unsigned slice)
{
    return number_read(s->frame + HEAD + ENTRY * (size_t)slice);
}

/* Is the file of its kind and of this run? */
static int check_head(const struct slices *s, enum slices_kind kind, struct slices_about *about,
                      struct err *err)
{
    unsigned char want[HEAD];

    head_write(want, kind, about);
    if (memcmp(s->frame, want, 8) != 0)
        return err_set(err, "%s: not a file of c4clean's passes", s->path);
    if (memcmp(s->frame + 8, want + 8, 32) != 0)
        return err_set(err, "%s: of another pass, task or version", s->path);
    if (memcmp(s->frame + 40, want + 40, 16) != 0)
        return err_set(err, "%s: made with other options", s->path);
    about->n_page = number_read(s->frame + 56);
    about->input = number_read(s->frame + 64);
    about->missing = number_read(s->frame + 72);
    return 0;
}

static int check_frame(const struct slices *s, uint64_t size, struct err *err)
{
    size_t frame = HEAD + ENTRY * (size_t)s->n;
    unsigned char tail[TAIL];
    uint64_t records = 0;
    unsigned i;

    if (size < frame + TAIL || read_at(s, tail, TAIL, size - TAIL, err) < 0 ||
        memcmp(tail + 8, end_mark, 8) != 0)
        return err_set(err, "%s: cut short", s->path);
    if (read_at(s, s->frame + HEAD, frame - HEAD, size - TAIL - (frame - HEAD), err) < 0)
        return -1;
    for (i = 0; i < s->n; i++)
        records += slice_count(s, i);
    if (number_read(tail) != hash_xx64(s->frame, frame, 0) ||
        records != (size - frame - TAIL) / s->size)
        return err_set(err, "%s: damaged", s->path);
    return 0;
}

struct slices *slices_open(const char *dir, enum slices_kind kind, struct slices_about *about,
                           struct err *err)
{
    struct slices *s = xcalloc(1, sizeof(*s));
    struct stat st;

    s->path = path_of(dir, kind, about);
    s->size = kinds[kind].size;
    s->n = about->n_task;
    s->frame = xcalloc(1, HEAD + ENTRY * (size_t)s->n);
    s->fd = open(s->path, O_RDONLY | O_CLOEXEC);
    if (s->fd < 0 || fstat(s->fd, &st) < 0) {
        err_set(err, "%s: %s", s->path, strerror(errno));
        goto fail;
    }
    if (read_at(s, s->frame, HEAD, 0, err) < 0 || check_head(s, kind, about, err) < 0 ||
        check_frame(s, (uint64_t)st.st_size, err) < 0)
        goto fail;
    return s;

fail:
    slices_free(s);
    return NULL;
}

int slices_read(struct slices *s, unsigned slice,
                int (*each)(void *ctx, const unsigned char *record, struct err *err), void *ctx,
                struct err *err)
{
    uint64_t left = slice_count(s, slice), at = HEAD, sum = 0;
    unsigned char *block = xmalloc(BLOCK_RECORDS * s->size);
    unsigned i;
    int bad = 0;

    for (i = 0; i < slice; i++)
        at += slice_count(s, i) * s->size;
    while (!bad && left) {
        size_t n = left < BLOCK_RECORDS ? (size_t)left : BLOCK_RECORDS, k;

        bad = read_at(s, block, n * s->size, at, err);
        if (!bad)
            sum = hash_xx64(block, n * s->size, sum);
        for (k = 0; !bad && k < n; k++)
            bad = each(ctx, block + k * s->size, err);
        at += n * s->size;
        left -= n;
    }
    if (!bad && sum != number_read(s->frame + HEAD + ENTRY * (size_t)slice + 8))
        bad = err_set(err, "%s: slice %u: damaged", s->path, slice);
    free(block);
    return bad;
}

void slices_free(struct slices *s)
{
    if (!s)
        return;
    if (s->fd >= 0)
        close(s->fd);
    free(s->path);
    free(s->frame);
    free(s);
}
