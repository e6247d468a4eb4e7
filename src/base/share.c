/* share.c - see share.h. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/share.h"

enum { PATH_SIZE = 4096 };

/* path if it exists, else NULL; path is freed then. */
static char *if_there(char *path)
{
    if (access(path, F_OK) == 0)
        return path;
    free(path);
    return NULL;
}

char *share_find(const char *name)
{
    const char *set = getenv("SWITCHYARD_SHARE");
    char exe[PATH_SIZE], *slash, *path = NULL;
    ssize_t n;

    if (set && *set)
        return if_there(xasprintf("%s/%s", set, name));
    n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    if (n < 0)
        return NULL;
    exe[n] = 0;
    slash = strrchr(exe, '/');
    if (!slash)
        return NULL;
    *slash = 0;
    path = if_there(xasprintf("%s/../share/%s", exe, name));
    return path ? path : if_there(xasprintf("%s/../share/switchyard/share/%s", exe, name));
}
