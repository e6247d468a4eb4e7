/* weights.c - see weights.h. */
#include <stdlib.h>

#include "checkpoint/folder.h"
#include "checkpoint/weights.h"
#include "io/tensors.h"
#include "shape/inherit.h"
#include "shape/params.h"

int weights_load(struct params *p, const struct config *c, const char *path, int by_role,
                 struct err *err)
{
    char *found = folder_find(path, err);
    struct tensors *from = found ? tensors_open(found, err) : NULL;
    int rc = -1;

    if (from)
        rc = by_role ? params_inherit(p, from, found, err) : params_load(p, c, from, err);
    tensors_close(from);
    free(found);
    return rc;
}
