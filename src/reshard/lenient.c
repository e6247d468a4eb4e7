/* lenient.c - see lenient.h. */
#include <inttypes.h>

#include "base/err.h"
#include "reshard/lenient.h"
#include "shard/shard.h"

int lenient_open(struct lenient *in, const char *path, int skip, void (*tell)(const char *, ...))
{
    struct err err;

    *in = (struct lenient){ .r = record_open(path, &err), .skip = skip, .tell = tell };
    if (!in->r) {
        tell("%s", err.msg);
        return -1;
    }
    in->shard = record_shard(in->r);
    return 0;
}

void lenient_close(struct lenient *in)
{
    if (in->n_damage && in->skip)
        in->tell("%s: %" PRIu64 " places of damage, %" PRIu64 " bytes passed over",
                 shard_reader_path(in->shard), in->n_damage, in->skipped);
    record_close(in->r);
}

/* After damage: a warning; 1 when reading can go on, 0 at the end, -1 when it shall not. */
static int pass_damage(struct lenient *in, struct err *err)
{
    int got;

    in->tell("%s", err->msg);
    in->n_damage++;
    if (!in->skip)
        return -1;
    got = record_resync(in->r, &in->skipped, err);
    if (got < 0)
        in->tell("%s", err->msg);
    return got;
}

int lenient_step(struct lenient *in, struct shard_block *b, uint64_t *n_token)
{
    struct err err;
    int got;

    do {
        got = record_step(in->r, b, n_token, &err);
    } while (got < 0 && (got = pass_damage(in, &err)) > 0);
    return got;
}

int lenient_next(struct lenient *in, struct record *rec)
{
    struct err err;
    int got;

    do {
        got = record_next(in->r, rec, &err);
    } while (got < 0 && (got = pass_damage(in, &err)) > 0);
    return got;
}
