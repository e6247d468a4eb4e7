/* record.c - see record.h. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "shard/ids.h"
#include "shard/logits.h"
#include "shard/record.h"
#include "shard/shard_frame.h"

struct record_reader {    // one of the three
    struct ids_reader *ids;
    struct example_reader *example;
    struct logits_reader *logits;
    uint32_t *words, *none;    // of logits, [n_segment]: k, and 0
    size_t n_segment;
};

struct record_reader *record_open(const char *path, struct err *err)
{
    struct record_reader *r;
    struct shard_reader *in = shard_open(path, err);
    const char *kind;

    if (!in)
        return NULL;
    r = xcalloc(1, sizeof(*r));
    kind = shard_header_get(shard_reader_header(in), "kind");
    if (!strcmp(kind, "ids")) {
        r->ids = ids_adopt(in, err);
    } else if (!strcmp(kind, "examples")) {
        r->example = example_adopt(in, err);
    } else if (!strcmp(kind, "logits")) {
        r->logits = logits_adopt(in, err);
    } else {
        err_set(err, "%s: a shard of an unknown kind (%.100s)", shard_reader_path(in), kind);
        shard_close(in);
    }
    if (r->ids || r->example || r->logits)
        return r;
    record_close(r);
    return NULL;
}

const struct shard_reader *record_shard(const struct record_reader *r)
{
    if (r->logits)
        return logits_shard(r->logits);
    return r->ids ? ids_shard(r->ids) : example_shard(r->example);
}

int record_step(struct record_reader *r, struct shard_block *b, uint64_t *n_token, struct err *err)
{
    if (r->logits)
        return logits_step(r->logits, b, n_token, err);
    return r->ids ? ids_step(r->ids, b, n_token, err) : example_step(r->example, b, n_token, err);
}

static int next_ids(struct record_reader *r, struct record *rec, struct err *err)
{
    struct ids_record ids;
    int got = ids_next(r->ids, &ids, err);

    if (got <= 0)
        return got;
    rec->n_id = (uint32_t)ids.n;
    rec->n_none = 0;
    rec->row = (struct example_row){ .input = ids.id, .n_input = ids.n, .n_segment = 1 };
    rec->row.segment_input = &rec->n_id;
    rec->row.segment_target = &rec->n_none;
    rec->row.doc = ids.doc;
    rec->row.lang = ids.lang;
    rec->lang = ids_lang(r->ids, ids.lang);
    rec->n_token = ids.n;
    return 1;
}

static int next_example(struct record_reader *r, struct record *rec, struct err *err)
{
    int got = example_next(r->example, &rec->row, err);

    if (got <= 0)
        return got;
    rec->lang = example_lang(r->example, rec->row.lang);
    rec->n_token = rec->row.n_input + rec->row.n_target;
    return 1;
}

/* A segment a target: its words. */
static int next_logits(struct record_reader *r, struct record *rec, struct err *err)
{
    uint32_t k, i;
    struct logits_row row;
    int got = logits_next(r->logits, &row, err);

    if (got <= 0)
        return got;
    k = (uint32_t)logits_reader_facts(r->logits)->k;
    if (r->n_segment < row.n) {
        r->n_segment = row.n;
        r->words = xreallocarray(r->words, row.n, sizeof(*r->words));
        r->none = xreallocarray(r->none, row.n, sizeof(*r->none));
    }
    for (i = 0; i < row.n; i++) {
        r->words[i] = k;
        r->none[i] = 0;
    }
    rec->row = (struct example_row){ .input = row.id, .n_input = (size_t)row.n * k };
    rec->row.segment_input = r->words;
    rec->row.segment_target = r->none;
    rec->row.n_segment = row.n;
    rec->lang = "und";
    rec->n_token = row.n;
    return 1;
}

int record_next(struct record_reader *r, struct record *rec, struct err *err)
{
    rec->has_target = r->example != NULL;
    if (r->logits)
        return next_logits(r, rec, err);
    return r->ids ? next_ids(r, rec, err) : next_example(r, rec, err);
}

int record_resync(struct record_reader *r, uint64_t *skipped, struct err *err)
{
    if (r->logits)
        return logits_resync(r->logits, skipped, err);
    return r->ids ? ids_resync(r->ids, skipped, err) : example_resync(r->example, skipped, err);
}

void record_close(struct record_reader *r)
{
    if (!r)
        return;
    ids_close(r->ids);
    example_close(r->example);
    logits_close(r->logits);
    free(r->words);
    free(r->none);
    free(r);
}

static void format_ids(struct buf *b, const int32_t *id, const uint32_t *n, size_t n_segment)
{
    char digits[16], *d;
    uint32_t i, x;
    size_t s;

    for (s = 0; s < n_segment; s++) {
        if (s)
            buf_add_str(b, " | ");
        for (i = 0; i < n[s]; i++) {
            d = digits + sizeof(digits);
            x = (uint32_t)*id++;
            do {
                *--d = (char)('0' + x % 10);
                x /= 10;
            } while (x);
            if (i)
                *--d = ' ';
            buf_add(b, d, (size_t)(digits + sizeof(digits) - d));
        }
    }
}

void record_format(const struct record *rec, struct buf *b)
{
    const struct example_row *row = &rec->row;

    format_ids(b, row->input, row->segment_input, row->n_segment);
    if (!rec->has_target)
        return;
    buf_add_byte(b, '\t');
    format_ids(b, row->target, row->segment_target, row->n_segment);
}

/* XXH64 of the words, little-endian on every machine, going on from seed. */
static uint64_t hash_words(const void *word, size_t n, uint64_t seed)
{
    unsigned char le[4096];
    const unsigned char *p = word;
    size_t i, k;

    for (i = 0; i < n; i += k) {
        for (k = 0; k < sizeof(le) / 4 && i + k < n; k++) {
            uint32_t x;

            memcpy(&x, p + 4 * (i + k), 4);
            put32(le + 4 * k, x);
        }
        seed = hash_xx64(le, 4 * k, seed);
    }
    return seed;
}

static uint64_t hash_ids(const struct record *rec)
{
    const struct example_row *row = &rec->row;
    uint64_t hash = hash_words(row->segment_input, row->n_segment, row->n_segment);

    hash = hash_words(row->segment_target, row->n_segment, hash);
    hash = hash_words(row->input, row->n_input, hash);
    return hash_words(row->target, row->n_target, hash);
}

static uint64_t hash_origin(const struct record *rec, uint64_t hash)
{
    unsigned char doc[8];

    put64(doc, rec->row.doc);
    return hash_xx64(rec->lang, strlen(rec->lang), hash_xx64(doc, sizeof(doc), hash));
}

uint64_t record_hash(const struct record *rec)
{
    return hash_origin(rec, hash_ids(rec));
}

void record_sum_add(struct record_sum *s, const struct record *rec)
{
    uint64_t hash = hash_ids(rec);

    s->records++;
    s->tokens += rec->n_token;
    s->ids += hash;
    s->docs += hash_origin(rec, hash);
    s->order += s->records * hash;
}

void record_sum_join(struct record_sum *a, const struct record_sum *b)
{
    a->order += b->order + a->records * b->ids;
    a->records += b->records;
    a->tokens += b->tokens;
    a->ids += b->ids;
    a->docs += b->docs;
}
