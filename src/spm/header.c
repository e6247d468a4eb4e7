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

/* The header says one language where there can be but one, else the whole table. */
static void set_lang(struct shard_header *h, const struct run_plan *p)
{
    struct buf b = { 0 };
    int i;

    if (p->lang || p->lines) {
        shard_header_set(h, "lang", "%s", header_lang(p->lang));
        return;
    }
    for (i = 0; i < n_lang; i++)
        buf_printf(&b, "%s%s", i ? "," : "", langs[i].label);
    shard_header_set(h, "langs", "%.*s", (int)b.n, (char *)b.p);
    buf_release(&b);
}

struct ids_writer *header_create(const struct run_plan *p, const struct vocab *v, struct err *err)
{
    struct shard_header *h;
    int64_t extra = p->n_extra >= 0 ? p->n_extra : v->sentinel0 < 0 ? SENTINELS : 0;
    struct ids_writer *w;
    char hex[65];

    if (extra && v->sentinel0 >= 0) {
        err_set(err, "%s: the model has sentinels of its own: --extra-ids must be 0", p->model);
        return NULL;
    }
    h = shard_header_new("ids");
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
    set_lang(h, p);
    shard_header_stamp(h, opt_line(), 0);
    w = ids_create(p->output, h, err);
    shard_header_free(h);
    return w;
}
