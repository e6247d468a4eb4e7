/* sink.c - see sink.h.
 *
 * Text waits in memory until a shard has MEMBER of it, or all have ALL together; then it becomes a
 * gzip member at the end of the shard's .part file, which is open for no longer than that: there
 * may be thousands. When members end depends on nothing but the documents, so the bytes do not
 * either.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "clean/sink.h"
#include "io/deflate.h"
#include "io/out.h"
#include "lists/url.h"

enum { MEMBER = 256 << 10, ALL = 32 << 20 };

struct shard {
    struct buf text;    // not written yet
    int begun;          // it has a .part
};

struct split {    // of a language: what is trained on, or what is held out
    struct shard *shard;
    unsigned n;
};

struct sink {
    struct out *out;    // one file; or NULL and:
    struct sink_folder folder;
    char *dir;
    struct split *split;    // two a language
    struct buf member;
    size_t waiting;    // bytes of text in all shards
    int made;          // the folders are there
};

struct sink *sink_file(const char *path, struct err *err)
{
    struct sink *s = xcalloc(1, sizeof(*s));

    s->out = out_open(path, err);
    if (s->out)
        return s;
    sink_abandon(s);
    return NULL;
}

struct sink *sink_folder(const struct sink_folder *plan, struct err *err)
{
    struct sink *s;
    struct stat st;

    if (stat(plan->dir, &st) == 0 && (!S_ISDIR(st.st_mode) || access(plan->dir, W_OK) < 0)) {
        err_set(err, "%s: %s", plan->dir, S_ISDIR(st.st_mode) ? strerror(errno) : "not a folder");
        return NULL;
    }
    s = xcalloc(1, sizeof(*s));
    s->folder = *plan;
    s->dir = xasprintf("%s/%s", plan->dir, plan->is_english ? "en" : "multilingual");
    s->split = xcalloc(2 * (size_t)n_lang, sizeof(*s->split));
    return s;
}

static char *path_of(const struct sink *s, size_t split, unsigned shard)
{
    const char *label = langs[split / 2].label;
    unsigned n = s->split[split].n;

    if (s->folder.is_english)
        return xasprintf("%s/c4-%s.%05u-of-%05u.json.gz", s->dir,
                         split % 2 ? "validation" : "train", shard, n);
    return xasprintf("%s/c4-%s%s.tfrecord-%05u-of-%05u.json.gz", s->dir, label,
                     split % 2 ? "-validation" : "", shard, n);
}

static int make_folders(struct sink *s, struct err *err)
{
    if (s->made)
        return 0;
    if (mkdir(s->folder.dir, 0777) < 0 && errno != EEXIST)
        return err_set(err, "%s: %s", s->folder.dir, strerror(errno));
    if (mkdir(s->dir, 0777) < 0 && errno != EEXIST)
        return err_set(err, "%s: %s", s->dir, strerror(errno));
    s->made = 1;
    return 0;
}

/* Append n bytes to a file. */
static int append(const char *path, int begin, struct bytes b, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (begin ? O_TRUNC : O_APPEND), 0666);
    int bad = fd < 0;

    while (!bad && b.n) {
        ssize_t done = write(fd, b.p, b.n);

        bad = done < 0 && errno != EINTR;
        if (done > 0)
            b = (struct bytes){ b.p + done, b.n - (size_t)done };
    }
    if (bad)
        err_set(err, "%s: %s", path, strerror(errno));
    if (fd >= 0 && close(fd) < 0 && !bad)
        bad = err_set(err, "%s: %s", path, strerror(errno));
    return bad ? -1 : 0;
}

/* What waits of a shard becomes a member of its file. */
static int flush(struct sink *s, size_t split, unsigned number, struct err *err)
{
    struct shard *shard = &s->split[split].shard[number];
    char *path, *part;
    int bad;

    if (!shard->text.n)
        return 0;
    if (make_folders(s, err) < 0)
        return -1;
    buf_reset(&s->member);
    deflate_member(&s->member, buf_bytes(&shard->text));
    path = path_of(s, split, number);
    part = xasprintf("%s.part", path);
    bad = append(part, !shard->begun, buf_bytes(&s->member), err);
    shard->begun = 1;
    s->waiting -= shard->text.n;
    buf_release(&shard->text);
    free(path);
    free(part);
    return bad;
}

static int sync_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC), bad = fd < 0 || fsync(fd) < 0;

    if (fd >= 0)
        close(fd);
    return bad ? -1 : 0;
}

/* Flush all shards, or rename, or remove their files. */
enum end { END_FLUSH, END_RENAME, END_REMOVE };

static int end_one(struct sink *s, enum end end, size_t split, unsigned number, struct err *err)
{
    struct shard *shard = &s->split[split].shard[number];
    char *path, *part;
    int bad = 0;

    if (end == END_FLUSH)
        return flush(s, split, number, err);
    if (!shard->begun)
        return 0;
    path = path_of(s, split, number);
    part = xasprintf("%s.part", path);
    if (end == END_REMOVE)
        unlink(part);
    else if (sync_file(part) < 0 || rename(part, path) < 0)
        bad = err_set(err, "%s: not brought into place: %s", path, strerror(errno));
    shard->begun = bad;
    free(path);
    free(part);
    return bad;
}

static int end_all(struct sink *s, enum end end, struct err *err)
{
    size_t i;
    unsigned k;

    for (i = 0; i < 2 * (size_t)n_lang; i++)
        for (k = 0; s->split[i].shard && k < s->split[i].n; k++)
            if (end_one(s, end, i, k, err) < 0)
                return -1;
    return 0;
}

/* How many shards a split has. */
static unsigned shards_of(const struct sink *s, const struct lang *lang, int held)
{
    if (s->folder.shards)
        return s->folder.shards;
    if (s->folder.is_english)
        return held ? LANG_C4_VALIDATION : LANG_C4_TRAIN;
    return held ? lang->validation_shards : lang->train_shards;
}

int sink_put(struct sink *s, const struct lang *lang, const unsigned char url_key[16],
             struct bytes line, struct err *err)
{
    struct split *split;
    struct shard *shard;
    unsigned number;
    size_t i;
    int held;

    if (s->out)
        return out_write(s->out, line.p, line.n, err);
    held = s->folder.validation && !url_modulo(url_key, s->folder.validation);
    i = 2 * (size_t)(lang - langs) + (size_t)held;
    split = &s->split[i];
    if (!split->shard) {
        split->n = shards_of(s, lang, held);
        split->shard = xcalloc(split->n, sizeof(*split->shard));
    }
    number = url_range(url_key, split->n);
    shard = &split->shard[number];
    buf_add(&shard->text, line.p, line.n);
    s->waiting += line.n;
    if (shard->text.n >= MEMBER)
        return flush(s, i, number, err);
    return s->waiting >= ALL ? end_all(s, END_FLUSH, err) : 0;
}

int sink_close(struct sink *s, struct err *err)
{
    struct out *out = s->out;
    int bad;

    s->out = NULL;
    if (out)
        bad = out_close(out, err);
    else
        bad = make_folders(s, err) < 0 || end_all(s, END_FLUSH, err) < 0 ||
              end_all(s, END_RENAME, err) < 0;
    sink_abandon(s);
    return bad ? -1 : 0;
}

void sink_abandon(struct sink *s)
{
    size_t i;
    unsigned k;

    if (!s)
        return;
    out_abandon(s->out);
    if (s->split)
        end_all(s, END_REMOVE, NULL);
    for (i = 0; s->split && i < 2 * (size_t)n_lang; i++) {
        for (k = 0; s->split[i].shard && k < s->split[i].n; k++)
            buf_release(&s->split[i].shard[k].text);
        free(s->split[i].shard);
    }
    free(s->split);
    buf_release(&s->member);
    free(s->dir);
    free(s);
}
