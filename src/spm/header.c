/* header.c - see header.h. */
#include <inttypes.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/opt.h"
#include "shard/ids.h"
#include "shard/shard.h"
#include "spm/header.h"
#include "spm/run.h"
#include "spm/vocab.h"
#include "text/lang.h"

enum { SENTINELS = 100 };    // what T5 adds to a vocabulary

const char *header_lang(const char *tag)
{
    struct bytes b = { (const unsigned char *)tag, tag ? strlen(tag) : 0 };
    const struct lang *known = tag ? lang_find(b) : NULL;

    return known ? known->label : tag ? tag : "und";
}

void header_set_lang(struct shard_header *h, const char *label)
{
    struct buf b = { 0 };
    int i;

    if (label) {
        shard_header_set(h, "lang", "%s", label);
        return;
    }
    for (i = 0; i < n_lang; i++)
        buf_printf(&b, "%s%s", i ? "," : "", langs[i].label);
    shard_header_set(h, "langs", "%.*s", (int)b.n, (char *)b.p);
    buf_release(&b);
}

int header_set_vocab(struct shard_header *h, const struct vocab *v, const char *path,
                     int64_t n_extra, struct err *err)
{
    int64_t extra = n_extra >= 0 ? n_extra : v->sentinel0 < 0 ? SENTINELS : 0;
    char hex[65];

    if (extra && v->sentinel0 >= 0)
        return err_set(err, "%s: the model has sentinels of its own: --extra-ids must be 0", path);
    vocab_sha256(v, hex);
    shard_header_set(h, "vocab.size", "%" PRId64, v->n_piece + extra);
    shard_header_set(h, "vocab.sha256", "%s", hex);
    shard_header_set(h, "vocab.name", "%s", v->name);
    shard_header_set(h, "pieces", "%" PRId32, v->n_piece);
    shard_header_set(h, "sentinels", "%" PRId64, extra ? extra : v->n_sentinel);
    if (extra || v->sentinel0 >= 0)
        shard_header_set(h, "sentinel0", "%" PRId64,
                         extra ? v->n_piece + extra - 1 : (int64_t)v->sentinel0);
    if (v->eos >= 0)
        shard_header_set(h, "eos", "%" PRId32, v->eos);
    return 0;
}

struct ids_writer *header_create(const struct run_plan *p, const struct vocab *v, struct err *err)
{
    struct shard_header *h = shard_header_new("ids");
    struct ids_writer *w = NULL;

    if (!header_set_vocab(h, v, p->model, p->n_extra, err)) {
        header_set_lang(h, p->lang || p->lines ? header_lang(p->lang) : NULL);
        shard_header_stamp(h, opt_line(), 0);
        w = ids_create(p->output, h, err);
    }
    shard_header_free(h);
    return w;
}
