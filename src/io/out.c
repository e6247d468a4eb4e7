/* out.c - see out.h.
 *
 * Plain bytes collect in `buf`; when it is full they go through the compressor, if there is
 * one, to the file. All outs that are open are on one list, for the end of the process.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/die.h"
#include "base/err.h"
#include "base/mem.h"
#include "io/out.h"

enum {
    BUF_SIZE = 1 << 18,
    GZIP_LEVEL = 6,
    ZSTD_LEVEL = 3,
};

enum end { GO_ON, FLUSH, FINISH };

struct out {
    struct out *next;
    char *path, *real, *part;    // as given; with links followed; NULL: nothing to rename
    int fd, failed;
    pid_t owner;
    unsigned char *buf, *packed;    // packed: NULL when plain
    size_t n;
    struct buf text;    // of out_printf
    uint64_t offset;
    z_stream *gz;
    ZSTD_CCtx *zstd;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct out *open_outs;

/* At exit: what was not closed was not whole. A forked child leaves its parent's alone. */
static void unlink_parts(void)
{
    struct out *o;

    pthread_mutex_lock(&lock);
    for (o = open_outs; o; o = o->next)
        if (o->part && o->owner == getpid())
            unlink(o->part);
    pthread_mutex_unlock(&lock);
}

static void list_add(struct out *o)
{
    static int registered;

    pthread_mutex_lock(&lock);
    if (!registered)
        registered = !atexit(unlink_parts);
    o->next = open_outs;
    open_outs = o;
    pthread_mutex_unlock(&lock);
}

static void list_drop(struct out *o)
{
    struct out **at;

    pthread_mutex_lock(&lock);
    for (at = &open_outs; *at && *at != o; at = &(*at)->next)
        ;
    if (*at)
        *at = o->next;
    pthread_mutex_unlock(&lock);
}

static void release(struct out *o)
{
    list_drop(o);
    if (o->fd >= 0)
        close(o->fd);
    if (o->gz)
        deflateEnd(o->gz);
    free(o->gz);
    ZSTD_freeCCtx(o->zstd);
    free(o->buf);
    free(o->packed);
    buf_release(&o->text);
    free(o->path);
    free(o->real);
    free(o->part);
    free(o);
}

static int fail(struct out *o, const char *what, struct err *err)
{
    o->failed = errno;
    return err_set(err, "%s: %s: %s", o->path, what, strerror(errno));
}

static int ends_in(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);

    return n > m && !memcmp(s + n - m, end, m);
}

static void packer_new(struct out *o)
{
    int gz = ends_in(o->path, ".gz");

    if (!gz && !ends_in(o->path, ".zst"))
        return;
    o->packed = xmalloc(BUF_SIZE);
    if (gz) {
        o->gz = xcalloc(1, sizeof(*o->gz));
        if (deflateInit2(o->gz, GZIP_LEVEL, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK)
            die("out of memory (zlib)");
        return;
    }
    o->zstd = ZSTD_createCCtx();
    if (!o->zstd)
        die("out of memory (zstd)");
    ZSTD_CCtx_setParameter(o->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
    ZSTD_CCtx_setParameter(o->zstd, ZSTD_c_checksumFlag, 1);
}

static int open_file(struct out *o, struct err *err)
{
    struct stat st;
    int there = stat(o->path, &st) == 0;

    if (!o->path[0] || (there && S_ISDIR(st.st_mode))) {
        errno = there ? EISDIR : ENOENT;
        return fail(o, "cannot write", err);
    }
    if (there && !S_ISREG(st.st_mode)) {
        o->fd = open(o->path, O_WRONLY | O_CLOEXEC);
    } else {
        o->real = there ? realpath(o->path, NULL) : NULL;
        if (!o->real)
            o->real = xstrdup(o->path);
        o->part = xasprintf("%s.part", o->real);
        o->fd = open(o->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    }
    if (o->fd < 0) {
        free(o->part);
        o->part = NULL;
        return fail(o, "cannot write", err);
    }
    if (there && o->part)
        (void)!fchmod(o->fd, st.st_mode & 07777);    // keep it where we may; no harm where not
    return 0;
}

struct out *out_open(const char *path, struct err *err)
{
    struct out *o = xcalloc(1, sizeof(*o));
    int standard = strcmp(path, "-") == 0;

    o->fd = -1;
    o->owner = getpid();
    o->path = xstrdup(standard ? "standard output" : path);
    o->buf = xmalloc(BUF_SIZE);
    if (standard) {
        fflush(stdout);    // what was printed before comes before
        o->fd = dup(STDOUT_FILENO);
        if (o->fd < 0)
            fail(o, "cannot write", err);
    } else {
        open_file(o, err);
        packer_new(o);
    }
    list_add(o);
    if (o->failed) {
        out_abandon(o);
        return NULL;
    }
    return o;
}

static int put(struct out *o, const unsigned char *p, size_t n, struct err *err)
{
    while (n) {
        ssize_t done = write(o->fd, p, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return fail(o, "write failed", err);
        p += done;
        n -= (size_t)done;
    }
    return 0;
}

static int put_gz(struct out *o, const unsigned char *p, size_t n, enum end end, struct err *err)
{
    static const int how[] = { Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH };
    int r;

    o->gz->next_in = (unsigned char *)p;
    o->gz->avail_in = (uInt)n;
    do {
        o->gz->next_out = o->packed;
        o->gz->avail_out = BUF_SIZE;
        r = deflate(o->gz, how[end]);
        if (put(o, o->packed, BUF_SIZE - o->gz->avail_out, err) < 0)
            return -1;
    } while (o->gz->avail_out == 0 || (end == FINISH && r != Z_STREAM_END));
    return 0;
}

static int put_zstd(struct out *o, const unsigned char *p, size_t n, enum end end, struct err *err)
{
    static const ZSTD_EndDirective how[] = { ZSTD_e_continue, ZSTD_e_flush, ZSTD_e_end };
    ZSTD_inBuffer in = { p, n, 0 };
    size_t r;

    do {
        ZSTD_outBuffer out = { o->packed, BUF_SIZE, 0 };

        r = ZSTD_compressStream2(o->zstd, &out, &in, how[end]);
        if (ZSTD_isError(r)) {
            o->failed = EIO;
            return err_set(err, "%s: zstd: %s", o->path, ZSTD_getErrorName(r));
        }
        if (put(o, o->packed, out.pos, err) < 0)
            return -1;
    } while (end == GO_ON ? in.pos < in.size : r != 0);
    return 0;
}

/* Push p to the file, as far as the compressor lets go of it. */
static int push(struct out *o, const void *p, size_t n, enum end end, struct err *err)
{
    if (o->failed) {
        errno = o->failed;
        return fail(o, "write failed", err);
    }
    if (o->gz)
        return put_gz(o, p, n, end, err);
    if (o->zstd)
        return put_zstd(o, p, n, end, err);
    return put(o, p, n, err);
}

static int drain(struct out *o, enum end end, struct err *err)
{
    size_t n = o->n;

    o->n = 0;
    return push(o, o->buf, n, end, err);
}

int out_write(struct out *o, const void *p, size_t n, struct err *err)
{
    const unsigned char *b = p;

    o->offset += n;
    if (n > BUF_SIZE - o->n && drain(o, GO_ON, err) < 0)
        return -1;
    for (; n >= BUF_SIZE; n -= BUF_SIZE, b += BUF_SIZE)
        if (push(o, b, BUF_SIZE, GO_ON, err) < 0)
            return -1;
    if (n)
        memcpy(o->buf + o->n, b, n);
    o->n += n;
    return o->failed ? push(o, NULL, 0, GO_ON, err) : 0;
}

int out_printf(struct out *o, struct err *err, const char *fmt, ...)
{
    va_list ap;

    buf_reset(&o->text);
    va_start(ap, fmt);
    buf_vprintf(&o->text, fmt, ap);
    va_end(ap);
    return out_write(o, o->text.p, o->text.n, err);
}

int out_flush(struct out *o, struct err *err)
{
    return drain(o, FLUSH, err);
}

uint64_t out_offset(const struct out *o)
{
    return o->offset;
}

int out_is_terminal(const struct out *o)
{
    return isatty(o->fd);
}

int out_close(struct out *o, struct err *err)
{
    int bad = drain(o, FINISH, err), fd = o->fd;

    if (!bad && o->part && fsync(fd) < 0)
        bad = fail(o, "write failed", err);
    o->fd = -1;
    if (close(fd) < 0 && !bad)
        bad = fail(o, "write failed", err);
    if (!bad && o->part && rename(o->part, o->real) < 0)
        bad = fail(o, "cannot rename its .part", err);
    if (bad && o->part)
        unlink(o->part);
    release(o);
    return bad;
}

void out_abandon(struct out *o)
{
    if (!o)
        return;
    if (o->part)
        unlink(o->part);
    release(o);
}

void out_close_stdout(void)
{
    int bad = ferror(stdout);

    errno = bad ? EIO : 0;
    if (fflush(stdout) == 0 && !bad && (fclose(stdout) == 0 || errno == EBADF))
        return;    // one that was closed from the start lost nothing if nothing was printed
    die("standard output: write failed: %s", strerror(errno));
}
