/* plan.c - what a mixture is and in which order its rows come; see plan.h. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/rng.h"
#include "seq/plan.h"
#include "shard/example.h"
#include "shard/shard.h"

static int fingerprint(const char *path, char hex[65], struct err *err)
{
    struct shard_file *f = shard_file_open(path, err);
    struct hash_sha256 *sum;
    unsigned char digest[32];
    uint64_t i;

    if (!f)
        return -1;
    sum = hash_sha256_new();
    for (i = 0; i < shard_file_segments(f); i++) {
        struct shard_segment s;

        shard_file_segment(f, i, &s);
        hash_sha256_add(sum, s.fingerprint, sizeof(s.fingerprint));
    }
    hash_sha256_end(sum, digest);
    hash_hex(digest, sizeof(digest), hex);
    shard_file_close(f);
    return 0;
}

int plan_facts_of(const struct example_file *f, const char *path, struct plan_facts *facts,
                  struct err *err)
{
    const struct shard_header *h = example_file_header(f);
    const char *sha = shard_header_get(h, "vocab.sha256"), *lang = example_file_lang(f, 0);

    *facts = (struct plan_facts){ 0 };
    if (strlen(lang) >= sizeof(facts->lang))
        return err_set(err, "%s: language tag of %zu bytes", path, strlen(lang));
    memcpy(facts->lang, lang, strlen(lang) + 1);
    if (sha && strlen(sha) != 64)
        return err_set(err, "%s: vocab.sha256 in the header is not a SHA-256", path);
    if (sha)
        memcpy(facts->vocab_sha256, sha, sizeof(facts->vocab_sha256));
    facts->rows = example_file_rows(f);
    facts->tokens = example_file_tokens(f);
    facts->inputs = shard_header_int(h, "inputs", 0);
    facts->targets = shard_header_int(h, "targets", 0);
    facts->vocab = shard_header_int(h, "vocab.size", 0);
    if (facts->inputs < 1 || facts->inputs > INT32_MAX || facts->targets < 1 ||
        facts->targets > INT32_MAX)
        return err_set(err, "%s: inputs= and targets= of the header are no lengths", path);
    return fingerprint(path, facts->sha256, err);
}

int plan_facts_read(const char *path, struct plan_facts *facts, struct err *err)
{
    struct example_file *f = example_file_open(path, err);
    int bad;

    if (!f)
        return -1;
    bad = plan_facts_of(f, path, facts, err);
    if (!bad && example_file_n_lang(f) > 1)
        bad = err_set(err, "%s: holds %d languages: make one shard a language", path,
                      example_file_n_lang(f));
    example_file_close(f);
    return bad;
}

struct plan *plan_new(uint64_t seed)
{
    struct plan *p = xcalloc(1, sizeof(*p));

    p->seed = seed;
    return p;
}

static int agree(const struct plan_lang *a, const char *file, const struct plan_facts *is,
                 struct err *err)
{
    if (a->is.inputs != is->inputs || a->is.targets != is->targets)
        return err_set(err,
                       "%s: rows of %" PRId64 " inputs and %" PRId64 " targets, but %s has %" PRId64
                       " and %" PRId64,
                       file, is->inputs, is->targets, a->file, a->is.inputs, a->is.targets);
    if (a->is.vocab != is->vocab || strcmp(a->is.vocab_sha256, is->vocab_sha256) != 0)
        return err_set(err, "%s: another vocabulary than that of %s", file, a->file);
    return 0;
}

int plan_add(struct plan *p, const char *file, const struct plan_facts *facts, struct err *err)
{
    int at = 0;
    char purpose[sizeof(facts->lang) + 8];

    if (strpbrk(file, "\t\r\n") || strpbrk(facts->lang, "\t\r\n"))
        return err_set(err, "%s: a tab or line feed in a name or language tag", file);
    if (p->n_lang == PLAN_LANG_MAX)
        return err_set(err, "%s: more than %d languages", file, PLAN_LANG_MAX);
    if (p->n_lang && agree(&p->lang[0], file, facts, err))
        return -1;
    while (at < p->n_lang && strcmp(p->lang[at].is.lang, facts->lang) < 0)
        at++;
    if (at < p->n_lang && strcmp(p->lang[at].is.lang, facts->lang) == 0)
        return err_set(err, "%s: %s is also the language of %s: join them (cat a b >c)", file,
                       facts->lang, p->lang[at].file);
    p->lang = xreallocarray(p->lang, (size_t)p->n_lang + 1, sizeof(*p->lang));
    memmove(p->lang + at + 1, p->lang + at, (size_t)(p->n_lang - at) * sizeof(*p->lang));
    snprintf(purpose, sizeof(purpose), "rows %s", facts->lang);
    p->lang[at] =
        (struct plan_lang){ .file = xstrdup(file), .is = *facts, .key = rng_key(p->seed, purpose) };
    p->n_lang++;
    return 0;
}

/* The place in the period's sorted list of languages that row r of period q has. */
static uint64_t slot_of(const struct plan *p, const struct plan_stage *s, uint64_t q, uint64_t r)
{
    return rng_permute(rng_u64(s->key, q, 0), p->period, r);
}

static int lang_of(const struct plan *p, const struct plan_stage *s, uint64_t slot)
{
    int low = 0, high = p->n_lang;

    while (high - low > 1) {    // the last one that begins at or before slot: it has weight
        int mid = low + (high - low) / 2;

        if (s->draw[mid].before <= slot)
            low = mid;
        else
            high = mid;
    }
    return low;
}

static const struct plan_stage *stage_of(const struct plan *p, uint64_t n)
{
    int i = p->n_stage - 1;

    while (p->stage[i].first > n)
        i--;
    return &p->stage[i];
}

struct plan_place plan_at(const struct plan *p, uint64_t n)
{
    const struct plan_stage *s = stage_of(p, n);
    uint64_t at = n - s->first, q = at / p->period, slot = slot_of(p, s, q, at % p->period);
    int lang = lang_of(p, s, slot);
    const struct plan_lang *l = &p->lang[lang];
    const struct plan_draw *d = &s->draw[lang];
    uint64_t k = d->drawn + q * d->weight + (slot - d->before), epoch = k / l->is.rows;

    return (struct plan_place){
        lang, epoch, rng_permute(rng_u64(l->key, epoch, 0), l->is.rows, k % l->is.rows)
    };
}

void plan_count(const struct plan *p, uint64_t n, uint64_t *count)
{
    const struct plan_stage *s = stage_of(p, n ? n - 1 : 0);
    uint64_t at = n - s->first, q = at / p->period, r;
    int i;

    for (i = 0; i < p->n_lang; i++)
        count[i] = s->draw[i].drawn + q * s->draw[i].weight;
    for (r = 0; r < at % p->period; r++)
        count[lang_of(p, s, slot_of(p, s, q, r))]++;
}

int plan_find(const struct plan *p, const char *lang)
{
    int i;

    for (i = 0; i < p->n_lang; i++)
        if (strcmp(p->lang[i].is.lang, lang) == 0)
            return i;
    return -1;
}

int plan_draws(const struct plan *p, int lang)
{
    int i;

    for (i = 0; i < p->n_stage; i++)
        if (p->stage[i].draw[lang].weight)
            return 1;
    return 0;
}

void plan_fingerprint(const struct plan *p, char out[65])
{
    struct buf text = { 0 };
    unsigned char digest[32];
    int i, s;

    buf_printf(&text, "seed %" PRIu64 " period %" PRIu64 "\n", p->seed, p->period);
    for (s = 0; s < p->n_stage; s++) {
        if (s)
            buf_printf(&text, "from %" PRIu64 "\n", p->stage[s].first);
        for (i = 0; i < p->n_lang; i++)
            buf_printf(&text, "%s %" PRIu64 " %s\n", p->lang[i].is.lang, p->stage[s].draw[i].weight,
                       p->lang[i].is.sha256);
    }
    hash_sha256(text.p, text.n, digest);
    hash_hex(digest, sizeof(digest), out);
    buf_release(&text);
}

void plan_free(struct plan *p)
{
    int i;

    if (!p)
        return;
    for (i = 0; i < p->n_lang; i++)
        free(p->lang[i].file);
    for (i = 0; i < p->n_stage; i++)
        free(p->stage[i].draw);
    free(p->stage);
    free(p->lang);
    free(p);
}
