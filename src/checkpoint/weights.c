/* weights.c - see weights.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "checkpoint/folder.h"
#include "checkpoint/sums.h"
#include "checkpoint/weights.h"
#include "shape/inherit.h"
#include "shape/params.h"
#include "tensors/tensors.h"

/* The expert that a tensor is of; -1: shared. */
static long expert_of(const struct tensor *x)
{
    static const char mark[] = ".experts.expert_";
    const char *at = strstr(x->name, mark);

    return at ? strtol(at + sizeof(mark) - 1, NULL, 10) : -1;
}

static int is_among(const char *const *seen, size_t n, const char *path)
{
    size_t i;

    for (i = 0; i < n && seen[i] != path; i++)    // a file's path is one string
        ;
    return i < n;
}

static int check_files(const struct sums *sums, const struct tensors *from, int first, int end,
                       struct err *err)
{
    size_t n = tensors_n(from), n_seen = 0, i;
    const char **seen = xcalloc(n + 1, sizeof(*seen));
    int rc = 0;

    for (i = 0; rc == 0 && i < n; i++) {
        const struct tensor *x = tensors_at(from, i);
        const char *path = tensors_path(from, x);
        long expert = expert_of(x);

        if ((expert >= 0 && (expert < first || expert >= end)) || is_among(seen, n_seen, path))
            continue;
        seen[n_seen++] = path;
        rc = sums_check(sums, path, err);
    }
    free(seen);
    return rc;
}

int weights_check(const struct tensors *from, const char *dir, int first, int end, struct err *err)
{
    char *path = xasprintf("%s/%s", dir, sums_name), *config = xasprintf("%s/config.json", dir);
    int none = access(path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR), rc = -1;
    struct sums *sums = none ? NULL : sums_open(dir, err);

    if (none)
        rc = 0;
    else if (sums && sums_check(sums, config, err) == 0 &&
             check_files(sums, from, first, end, err) == 0)
        rc = 1;
    sums_close(sums);
    free(config);
    free(path);
    return rc;
}

int weights_read(struct params *p, const struct config *c, const char *dir, struct err *err)
{
    struct tensors *from = tensors_open(dir, err);
    int rc = -1;

    if (from && weights_check(from, dir, p->first_expert, p->first_expert + p->n_expert, err) >= 0)
        rc = params_load(p, c, from, err);
    tensors_close(from);
    return rc;
}

static int inherit(struct params *p, const char *dir, struct err *err)
{
    struct tensors *from = tensors_open(dir, err);
    int rc = -1;

    if (from && weights_check(from, dir, 0, 0, err) >= 0)
        rc = params_inherit(p, from, dir, err);
    tensors_close(from);
    return rc;
}

int weights_load(struct params *p, const struct config *c, const char *path, int by_role,
                 struct err *err)
{
    char *found = folder_find(path, err);
    int rc = -1;

    if (found)
        rc = by_role ? inherit(p, found, err) : weights_read(p, c, found, err);
    free(found);
    return rc;
}
