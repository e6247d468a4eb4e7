/* preset.c - see preset.h. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/share.h"
#include "shape/config.h"
#include "shape/preset.h"

int config_find(struct config *c, const char *word, struct err *err)
{
    char *name, *path;
    int rc;

    if (strchr(word, '/') || access(word, F_OK) == 0)
        return config_read(c, word, err);
    name = xasprintf("presets/%s.json", word);
    path = share_find(name);
    rc = path ? config_read(c, path, err) : err_set(err, "%s: neither a file nor a preset", word);
    free(path);
    free(name);
    return rc;
}
