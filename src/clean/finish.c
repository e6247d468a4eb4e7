/* finish.c - see finish.h. */
#include <stdlib.h>
#include <string.h>

#include "clean/explain.h"
#include "clean/finish.h"
#include "clean/sink.h"
#include "io/doc.h"
#include "io/ledger.h"
#include "io/out.h"

enum { KEEP_MAX = 8 << 20 };

struct entry {    // a document in json
    const struct lang *lang;
    unsigned char url_key[16];
    size_t n;
};

struct finished {
    const struct clean_plan *plan;
    struct buf json, rejects, extra;
    struct entry *entry;
    size_t n, cap;
    struct ledger *ledger;
    struct tally tally;
};

struct finished *finished_new(const struct clean_plan *plan)
{
    struct finished *f = xcalloc(1, sizeof(*f));

    f->plan = plan;
    f->ledger = ledger_new("");
    return f;
}

static struct bytes words(const char *s)
{
    return (struct bytes){ (const unsigned char *)s, strlen(s) };
}

/* What a page does not have is empty in a document, not absent. */
static struct bytes there(struct bytes s)
{
    return s.p ? s : words("");
}

static void reject(struct finished *f, const struct verdict_page *v, struct doc d)
{
    buf_reset(&f->extra);
    buf_add(&f->extra, d.extra.p, d.extra.n);
    buf_printf(&f->extra, "%s\"reason\":\"%s\"", d.extra.n ? "," : "", v->why);
    d.extra = buf_bytes(&f->extra);
    if (v->lang)
        d.lang = words(v->lang->label);
    doc_format(&f->rejects, &d);
}

/* Behind lang_p what a document came with, without its own. */
static void before_extra(struct buf *b, struct bytes extra)
{
    size_t n = b->n;

    if (!extra.n)
        return;
    buf_add_byte(b, ',');
    doc_extra_without(b, extra, "lang_p");
    if (b->n == n + 1)
        b->n = n;
}

/* What json has from its byte `from` on is to be written. */
static void add_entry(struct finished *f, const struct lang *lang, const unsigned char url_key[16],
                      size_t from)
{
    struct entry *e;

    if (f->n == f->cap) {
        f->cap = f->cap ? 2 * f->cap : 256;
        f->entry = xreallocarray(f->entry, f->cap, sizeof(*f->entry));
    }
    e = &f->entry[f->n++];
    e->lang = lang;
    e->n = f->json.n - from;
    memcpy(e->url_key, url_key, sizeof(e->url_key));
}

static void explain(struct finished *f, const struct spool_page *s, const struct fate *fate,
                    const struct verdict_page *v)
{
    size_t before = f->json.n;

    explain_page(&f->json, s, fate, v);
    add_entry(f, langs, s->head.url_key, before);
}

static void keep(struct finished *f, const struct verdict_page *v, struct doc d,
                 const unsigned char url_key[16])
{
    size_t before = f->json.n;

    if (v->has_p) {
        buf_reset(&f->extra);
        buf_printf(&f->extra, "\"lang_p\":%.4f", (double)v->p);
        before_extra(&f->extra, d.extra);
        d.extra = buf_bytes(&f->extra);
    }
    d.text = v->text;
    d.lang = words(v->lang->label);
    doc_format(&f->json, &d);
    add_entry(f, v->lang, url_key, before);
}

void finished_add(struct finished *f, struct judge *j, const struct spool_page *s,
                  const struct fate *fate)
{
    struct verdict_page v = { 0 };
    struct doc d = { .text = there(s->s[SPOOL_RAW]),
                     .timestamp = there(s->s[SPOOL_DATE]),
                     .url = there(s->s[SPOOL_URL]),
                     .extra = s->s[SPOOL_EXTRA] };
    const char *label;

    judge_again(j, s, fate, &f->tally, &v);
    label = v.lang ? v.lang->label : "other";
    ledger_in(f->ledger, label, s->head.bytes);
    if (f->plan->explain)
        explain(f, s, fate, &v);
    if (!v.why) {
        ledger_out(f->ledger, label, v.text.n);
        if (!f->plan->explain)
            keep(f, &v, d, s->head.url_key);
        return;
    }
    ledger_drop(f->ledger, label, v.why, s->head.bytes);
    if (f->plan->rejects)
        reject(f, &v, d);
}

int finished_put(struct finished *f, struct sink *to, struct tally *t, struct err *err)
{
    const unsigned char *at = f->json.p;
    size_t i;

    for (i = 0; i < f->n; at += f->entry[i++].n)
        if (sink_put(to, f->entry[i].lang, f->entry[i].url_key, (struct bytes){ at, f->entry[i].n },
                     err) < 0)
            return -1;
    if (f->rejects.n && out_write(f->plan->rejects, f->rejects.p, f->rejects.n, err) < 0)
        return -1;
    ledger_merge(f->plan->ledger, f->ledger);
    ledger_free(f->ledger);
    f->ledger = ledger_new("");
    tally_add(t, &f->tally);
    memset(&f->tally, 0, sizeof(f->tally));
    buf_trim(&f->json, KEEP_MAX);
    buf_trim(&f->rejects, KEEP_MAX);
    f->n = 0;
    return 0;
}

void finished_free(struct finished *f)
{
    if (!f)
        return;
    ledger_free(f->ledger);
    buf_release(&f->json);
    buf_release(&f->rejects);
    buf_release(&f->extra);
    free(f->entry);
    free(f);
}
