/* sums.c - see sums.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "checkpoint/sums.h"
#include "io/out.h"

enum { HASH = 16, HEX = 2 * HASH };

const char sums_name[] = "files.xxh128";

struct sums {
    char *path, **line;    // "<hex>  <name>"
    size_t n;
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

int sum_file(const char *path, struct sum *sum, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
    unsigned char hash[HASH];
    void *map = NULL;
    struct stat st;
    size_t n = 0;

    if (fd < 0 || fstat(fd, &st) < 0)
        rc = err_set(err, "%s: %s", path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        rc = err_set(err, "%s: not a regular file", path);
    else if ((n = (size_t)st.st_size) > 0)
        map = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED) {
        rc = err_set(err, "%s: cannot map: %s", path, strerror(errno));
        map = NULL;
    }
    if (fd >= 0)
        close(fd);
    if (rc == 0) {
        hash_xx128(map ? map : "", n, hash);
        memcpy(sum->half, hash, sizeof(hash));
    }
    if (map)
        munmap(map, n);
    return rc;
}

static void put_hex(const struct sum *sum, char *hex)
{
    unsigned char hash[HASH];

    memcpy(hash, sum->half, sizeof(hash));
    hash_hex(hash, sizeof(hash), hex);
}

int sums_put(struct out *o, const char *path, const struct sum *sum, struct err *err)
{
    char hex[HEX + 1];

    put_hex(sum, hex);
    return out_printf(o, err, "%s  %s\n", hex, base_name(path));
}

struct sums *sums_open(const char *dir, struct err *err)
{
    struct sums *s = xcalloc(1, sizeof(*s));
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    FILE *f;

    s->path = xasprintf("%s/%s", dir, sums_name);
    f = fopen(s->path, "r");
    if (!f) {
        err_set(err, "%s: %s", s->path, strerror(errno));
        sums_close(s);
        return NULL;
    }
    while ((len = getline(&line, &size, f)) > 0) {
        line[strcspn(line, "\n")] = 0;
        s->line = xreallocarray(s->line, s->n + 1, sizeof(*s->line));
        s->line[s->n++] = xstrdup(line);
    }
    free(line);
    fclose(f);
    return s;
}

static const char *find(const struct sums *s, const char *name)
{
    size_t i;

    for (i = 0; i < s->n; i++)
        if (strlen(s->line[i]) > HEX + 2 && strcmp(s->line[i] + HEX + 2, name) == 0)
            return s->line[i];
    return NULL;
}

int sums_check(const struct sums *s, const char *path, struct err *err)
{
    const char *line = find(s, base_name(path));
    char hex[HEX + 1];
    struct sum sum;

    if (sum_file(path, &sum, err) < 0)
        return -1;
    if (!line)
        return err_set(err, "%s: not in %s", path, s->path);
    put_hex(&sum, hex);
    return memcmp(hex, line, HEX) == 0
               ? 0
               : err_set(err, "%s: not as it was written (%s)", path, sums_name);
}

void sums_close(struct sums *s)
{
    size_t i;

    if (!s)
        return;
    for (i = 0; i < s->n; i++)
        free(s->line[i]);
    free(s->line);
    free(s->path);
    free(s);
}
