/* read.c - see read.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/crew.h"
#include "base/die.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/progress.h"
#include "io/doc.h"
#include "io/ledger.h"
#include "io/lines.h"
#include "minhash/read.h"
#include "minhash/run.h"
#include "minhash/sign.h"
#include "minhash/simplify.h"
#include "spill/sort.h"
#include "spill/stash.h"
#include "text/lang.h"

enum { BATCH = 1 << 20 };    // bytes of lines

struct batch {
    struct stash_block block;
    const char *path;    // of the file the lines are from
    uint64_t line;       // number of the first
    uint64_t *len, n, cap;
    struct buf bucket;           // of signed documents: n_bucket hashes of 16 bytes
    unsigned char *is_signed;    // [n]
    uint64_t n_short;            // documents with less than a shingle
};

struct hand {    // what a thread has of its own
    struct doc_parser *parser;
    struct simplify *simplify;
    uint64_t *shingle, *value, *bucket;
    size_t cap;
};

struct reading {
    const struct dedup_plan *plan;
    struct sign *sign;
    struct stash *stash;
    struct sorter *buckets;
    struct hand *hand;
    /* of take() */
    struct lines *lines;
    struct ledger *files;
    /* of put() */
    uint64_t n_document, n_byte;
};

size_t dedup_sketch(const struct dedup_plan *p)
{
    return p->clusters ? sizeof(uint32_t) * (size_t)p->n_bucket * (size_t)p->n_hash : 0;
}

const char *dedup_lang(const struct dedup_head *h)
{
    return h->lang < 0 ? NULL : langs[h->lang].label;
}

void dedup_store(unsigned char *to, uint64_t x)
{
    int i;

    for (i = 7; i >= 0; i--, x >>= 8)
        to[i] = (unsigned char)x;
}

uint64_t dedup_load(const unsigned char *from)
{
    uint64_t x = 0;
    int i;

    for (i = 0; i < 8; i++)
        x = x << 8 | from[i];
    return x;
}

static void *batch_new(void *ctx)
{
    (void)ctx;
    return xcalloc(1, sizeof(struct batch));
}

static void batch_free(void *ctx, void *batch)
{
    struct batch *b = batch;

    (void)ctx;
    stash_block_release(&b->block);
    buf_release(&b->bucket);
    free(b->len);
    free(b->is_signed);
    free(b);
}

/* ---- take: lines ---- */

static void add_line(struct batch *b, struct bytes line)
{
    if (b->n == b->cap) {
        b->cap = 2 * b->cap + 64;
        b->len = xreallocarray(b->len, b->cap, sizeof(*b->len));
        b->is_signed = xrealloc(b->is_signed, b->cap);
    }
    b->len[b->n++] = line.n;
    buf_add(&b->block.body, line.p, line.n);
}

/* Lines of one file: a batch full, or what there is up to its end or to damage. */
static int take(void *ctx, void *batch, struct err *err)
{
    struct reading *r = ctx;
    struct batch *b = batch;
    struct bytes line;
    int got = LINES_GAP;

    buf_reset(&b->block.body);
    for (b->n = 0; b->block.body.n < BATCH && (got == LINES_LINE || !b->n);) {
        got = lines_next(r->lines, &line, err);
        if (got <= 0)
            break;
        if (got == LINES_GAP)
            continue;
        if (!b->n) {
            b->path = lines_path(r->lines);
            b->line = lines_number(r->lines);
        }
        add_line(b, line);
    }
    return got < 0 ? -1 : b->n > 0;
}

/* ---- work: signatures ---- */

/* The document's signature into h->value: whether it has one. */
static int sign_text(const struct reading *r, struct hand *h, struct bytes text)
{
    size_t n_gram = (size_t)r->plan->n_gram, i, n;
    struct simple s;

    simplify_run(h->simplify, text, &s);
    if (s.n < n_gram)
        return 0;
    n = s.n - n_gram + 1;
    if (n > h->cap) {
        h->cap = n + n / 2;
        h->shingle = xreallocarray(h->shingle, h->cap, sizeof(*h->shingle));
    }
    for (i = 0; i < n; i++)
        h->shingle[i] = sign_shingle(r->sign, simple_shingle(&s, i, n_gram));
    sign_run(r->sign, h->shingle, n, h->value);
    return 1;
}

static void add_buckets(const struct reading *r, const struct hand *h, const struct doc *d,
                        const struct lang *lang, struct batch *b)
{
    size_t size = (size_t)r->plan->n_hash;
    uint64_t seed = 0, *of = h->bucket;
    unsigned char hash[16];
    int i;

    if (r->plan->by_lang)
        seed = lang ? hash_xx64(lang->label, strlen(lang->label), 1)
                    : hash_xx64(d->lang.p, d->lang.n, 2);
    for (i = 0; i < r->plan->n_bucket; i++) {
        of[0] = seed + (uint64_t)i;
        memcpy(of + 1, h->value + (size_t)i * size, size * sizeof(*of));
        hash_xx128(of, (size + 1) * sizeof(*of), hash);
        buf_add(&b->bucket, hash, sizeof(hash));
    }
}

static void add_sketch(const struct reading *r, const uint64_t *value, int is_signed,
                       struct buf *to)
{
    size_t i, n = dedup_sketch(r->plan) / sizeof(uint32_t);

    for (i = 0; i < n; i++) {
        uint32_t low = is_signed ? (uint32_t)value[i] : 0;

        buf_add(to, &low, sizeof(low));
    }
}

/* The same URL and text have the same key. */
static void document_key(const struct doc *d, unsigned char key[16])
{
    unsigned char both[32];

    hash_xx128(d->url.p, d->url.n, both);
    hash_xx128(d->text.p, d->text.n, both + 16);
    hash_xx128(both, sizeof(both), key);
}

static void work_document(const struct reading *r, struct hand *h, struct batch *b, uint64_t i,
                          const struct doc *d, struct dedup_head *head)
{
    const struct lang *lang = d->lang.p ? lang_find(d->lang) : NULL;

    head->is_document = 1;
    head->lang = lang ? (int32_t)(lang - langs) : -1;
    head->text = d->text.n;
    document_key(d, head->key);
    b->is_signed[i] = (unsigned char)sign_text(r, h, d->text);
    if (b->is_signed[i])
        add_buckets(r, h, d, lang, b);
    else
        b->n_short++;
}

static int work(void *ctx, int thread, void *batch, struct err *err)
{
    struct reading *r = ctx;
    struct hand *h = &r->hand[thread];
    struct batch *b = batch;
    struct bytes line = { b->block.body.p, 0 };
    struct doc d;
    struct err why;
    uint64_t i;

    buf_reset(&b->block.head);
    buf_reset(&b->bucket);
    b->n_short = 0;
    for (i = 0; i < b->n; i++, line.p += line.n) {
        struct dedup_head head = { .lang = -1 };

        line.n = b->len[i];
        head.line = line.n;
        head.line_key = hash_xx64(line.p, line.n, 0);
        b->is_signed[i] = 0;
        if (!doc_parse(h->parser, line, &d, &why))
            work_document(r, h, b, i, &d, &head);
        else if (r->plan->strict)
            return err_set(err, "%s:%" PRIu64 ": %s", b->path, b->line + i, why.msg);
        buf_add(&b->block.head, &head, sizeof(head));
        add_sketch(r, h->value, b->is_signed[i], &b->block.head);
    }
    return stash_pack(&b->block, err);
}

/* ---- put: numbers ---- */

static int put(void *ctx, void *batch, struct err *err)
{
    struct reading *r = ctx;
    struct batch *b = batch;
    struct ledger *l = r->plan->ledger;
    const unsigned char *at = b->block.head.p, *hash = b->bucket.p;
    unsigned char record[DEDUP_BUCKET];
    struct dedup_head head;
    uint64_t i, before = r->n_document;
    int j;

    for (i = 0; i < b->n; i++, at += sizeof(head) + dedup_sketch(r->plan)) {
        memcpy(&head, at, sizeof(head));
        if (!head.is_document) {
            ledger_in(l, NULL, head.line);
            ledger_drop(l, NULL, "no_document", head.line);
            continue;
        }
        ledger_in(l, dedup_lang(&head), head.text);
        for (j = 0; b->is_signed[i] && j < r->plan->n_bucket; j++, hash += 16) {
            memcpy(record, hash, 16);
            dedup_store(record + 16, r->n_document);
            if (sorter_add(r->buckets, record, err) < 0)
                return -1;
        }
        r->n_document++;
        r->n_byte += head.text;
    }
    ledger_count(l, "documents", r->n_document - before);
    ledger_count(l, "short", b->n_short);
    progress_show(r->plan->progress, r->n_document, r->n_byte);
    return stash_put(r->stash, &b->block, err);
}

/* ---- all ---- */

static struct hand *hands_new(const struct dedup_plan *p)
{
    struct hand *hand = xcalloc((size_t)p->n_thread, sizeof(*hand));
    int i;

    for (i = 0; i < p->n_thread; i++) {
        hand[i].parser = doc_parser_new();
        hand[i].simplify = simplify_new(p->dates);
        hand[i].value = xcalloc((size_t)p->n_bucket * (size_t)p->n_hash, sizeof(*hand[i].value));
        hand[i].bucket = xcalloc((size_t)p->n_hash + 1, sizeof(*hand[i].bucket));
    }
    return hand;
}

static void hands_free(struct hand *hand, int n)
{
    int i;

    for (i = 0; i < n; i++) {
        doc_parser_free(hand[i].parser);
        simplify_free(hand[i].simplify);
        free(hand[i].shingle);
        free(hand[i].value);
        free(hand[i].bucket);
    }
    free(hand);
}

int dedup_read_files(const struct dedup_plan *p, char **file, struct stash *stash,
                     struct sorter *buckets, uint64_t *n_document, struct err *err)
{
    static const struct crew crew = { batch_new, batch_free, take, work, put };
    struct reading r = { .plan = p, .stash = stash, .buckets = buckets };
    int bad;

    r.sign = sign_new((size_t)p->n_bucket * (size_t)p->n_hash, p->seed, p->hash);
    r.hand = hands_new(p);
    r.files = ledger_new("");
    r.lines = lines_new(file, p->strict, r.files);
    bad = crew_run(&crew, &r, p->n_thread, err);
    lines_free(r.lines);
    ledger_merge(p->ledger, r.files);
    ledger_free(r.files);
    hands_free(r.hand, p->n_thread);
    sign_free(r.sign);
    *n_document = r.n_document;
    return bad;
}
