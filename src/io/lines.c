/* lines.c - see lines.h. */
#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "base/err.h"
#include "base/mem.h"
#include "io/ledger.h"
#include "io/lines.h"
#include "io/stream.h"

enum { LONGEST = 1 << 28 };    // bytes of a line

struct lines {
    char **file;    // the one that is read, or the next
    int strict;
    struct ledger *ledger;
    struct stream *in;
    const char *path;
    uint64_t number;
    struct err damage;    // the last of this file
};

struct lines *lines_new(char **file, int strict, struct ledger *ledger)
{
    struct lines *l = xcalloc(1, sizeof(*l));

    l->file = file;
    l->strict = strict;
    l->ledger = ledger;
    return l;
}

static int begin_file(struct lines *l, struct err *err)
{
    l->in = stream_open(*l->file, err);
    l->path = strcmp(*l->file, "-") == 0 ? "standard input" : *l->file;
    l->number = 0;
    *l->damage.msg = 0;
    return l->in ? 0 : -1;
}

static void end_file(struct lines *l)
{
    ledger_file(l->ledger, l->path, stream_offset(l->in), *l->damage.msg ? l->damage.msg : NULL);
    stream_close(l->in);
    l->in = NULL;
    l->file++;
}

/* 1 when there is more of the file, 0 when not, -1. */
static int pass_damage(struct lines *l, struct err *err)
{
    l->number++;
    if (l->strict)
        return -1;
    warn("%s", err->msg);
    l->damage = *err;
    ledger_count(l->ledger, "damage", 1);
    return stream_resume(l->in, err);
}

int lines_next(struct lines *l, struct bytes *line, struct err *err)
{
    int got;

    if (!l->in && !*l->file)
        return LINES_END;
    if (!l->in && begin_file(l, err) < 0)
        return -1;
    got = stream_line(l->in, line, LONGEST, err);
    if (got > 0) {
        l->number++;
        return LINES_LINE;
    }
    if (got < 0)
        got = pass_damage(l, err);
    if (got < 0)
        return -1;
    if (!got)
        end_file(l);
    return LINES_GAP;
}

const char *lines_path(const struct lines *l)
{
    return l->path;
}

uint64_t lines_number(const struct lines *l)
{
    return l->number;
}

void lines_free(struct lines *l)
{
    if (!l)
        return;
    stream_close(l->in);
    free(l);
}
