/* test_lattice.c - the n best ways against SentencePiece's, and what is drawn against probabilities
 * that are counted out here, way by way. */
#include <math.h>

#include "base/rng.h"
#include "golden.h"
#include "model.h"
#include "spm/encode.h"

enum { N = 10, DRAWS = 20000, WAYS_MAX = 64 };

static struct encoder *encoder_of(const struct vocab *v, const struct encode_option *o)
{
    struct err err;
    struct encoder *e = encoder_new(v, o, &err);

    if (!e)
        fail_msg("%s", err.msg);
    return e;
}

static void ids_text(struct buf *b, const struct encoding *enc)
{
    size_t i;

    buf_reset(b);
    for (i = 0; i < enc->n; i++)
        buf_printf(b, "%s%d", i ? " " : "", enc->id[i]);
    buf_add_byte(b, 0);
}

/* A line of a golden file: score|ids TAB score|ids ... */
static size_t golden_ways(struct bytes line, double *score, char **ids)
{
    char *copy = xstrndup(line.p, line.n), *at = copy, *tab;
    size_t n;

    for (n = 0; at && n < N; n++, at = tab) {
        char *bar = strchr(at, '|');

        tab = strchr(at, '\t');
        if (tab)
            *tab++ = 0;
        score[n] = strtod(at, NULL);
        ids[n] = xstrdup(bar + 1);
    }
    free(copy);
    return n;
}

/* Equal scores may come in any order, and of those equal to the last not all are there. */
static void compare_ways(const struct encoder *e, struct bytes text, struct bytes want)
{
    struct encoding enc = { 0 };
    struct buf got = { 0 };
    double score[N];
    char *ids[N];
    size_t n_want = golden_ways(want, score, ids), n, i, k;
    struct err err;

    assert_int_equal(encoder_best(e, &enc, text, N, &n, &err), 0);
    assert_int_equal(n, n_want);
    for (i = 0; i < n; i++) {
        float s = encoding_best(e, &enc, i);

        assert_true(fabs((double)s - score[i]) <= 1e-4 * (1 + fabs(score[i]) / 100));
        ids_text(&got, &enc);
        for (k = 0; k < n && strcmp((char *)got.p, ids[k]) != 0; k++)
            ;
        assert_true(k < n ? fabs(score[k] - (double)s) < 2e-4 : (double)s < score[n - 1] + 2e-4);
    }
    for (i = 0; i < n_want; i++)
        free(ids[i]);
    encoding_release(&enc);
    buf_release(&got);
}

static void the_best_are_those_of_sentencepiece(void **state)
{
    static const char *const models[] = { "ja_8k", "mt5_trim30k", "t5_32100" };
    static const struct encode_option o = { .many = 1 };
    struct buf want = { 0 };
    struct golden_set in;
    size_t i, n_line;

    (void)state;
    for (i = 0; i < 3; i++) {
        struct vocab *v = golden_vocab(models[i]);
        char *path = xasprintf("golden-spm/nbest/%s.short150.nbest10.tsv", models[i]);
        struct bytes left, line, text;
        struct encoder *e;

        if (!v || !golden_read(path, &want) || !golden_open(&in, "short150"))
            skip();
        e = encoder_of(v, &o);
        left = buf_bytes(&want);
        for (n_line = 0; golden_next(&in, &text) && golden_line(&left, &line); n_line++)
            compare_ways(e, text, line);
        assert_int_equal(n_line, 150);
        encoder_free(e);
        vocab_free(v);
        buf_release(&in.all);
        free(path);
    }
    buf_release(&want);
}

struct ways {
    struct {
        char ids[80];
        double weight, seen;
    } row[WAYS_MAX];
    size_t n;
};

static void way_add(struct ways *w, const char *ids, double weight, double seen)
{
    size_t i;

    for (i = 0; i < w->n && strcmp(w->row[i].ids, ids) != 0; i++)
        ;
    if (i == w->n) {
        assert_true(w->n++ < WAYS_MAX);
        memset(&w->row[i], 0, sizeof(w->row[i]));
        snprintf(w->row[i].ids, sizeof(w->row[i].ids), "%s", ids);
    }
    w->row[i].weight += weight;
    w->row[i].seen += seen;
}

/* All ways to cut the rest of a text of put_small()'s letters (s is the space), and their weights.
 */
static void cut_all(const struct vocab *v, const char *rest, const char *ids, double weight,
                    double alpha, struct ways *w)
{
    char next[80];
    int32_t id;

    if (!*rest)
        way_add(w, ids + 1, weight, 0);
    for (id = 3; *rest && id < v->n_piece; id++) {
        struct bytes p = vocab_piece(v, id);

        if (strlen(rest) < p.n || memcmp(rest, p.p, p.n) != 0)
            continue;
        snprintf(next, sizeof(next), "%s %d", ids, id);
        cut_all(v, rest + p.n, next, weight * exp(alpha * (double)v->piece[id].score), alpha, w);
    }
}

static int by_weight(const void *a, const void *b)
{
    double x = *(const double *)(const void *)((const char *)a + 80);
    double y = *(const double *)(const void *)((const char *)b + 80);

    return (x < y) - (x > y);
}

/* Draw with many seeds and hold what is seen against the weights. Each count is binomial: with
 * 6 deviations for each of at most some hundred counts in all, chance fails this once in 10^7. */
static void compare_draws(const struct vocab *v, struct encode_option o, const char *text,
                          struct ways *w)
{
    struct encoding enc = { 0 };
    struct buf got = { 0 };
    struct encoder *e;
    double sum = 0;
    struct err err;
    size_t i, n = w->n;

    for (i = 0; i < n; i++)
        sum += w->row[i].weight;
    o.draw = 1;
    e = encoder_of(v, &o);
    for (enc.seed = 0; enc.seed < DRAWS; enc.seed++) {
        assert_int_equal(
            encoder_run(e, &enc, (struct bytes){ (const unsigned char *)text, strlen(text) }, &err),
            0);
        ids_text(&got, &enc);
        way_add(w, (char *)got.p, 0, 1);
    }
    assert_int_equal(w->n, n);    // none that cannot be
    for (i = 0; i < n; i++) {
        double p = w->row[i].weight / sum, sd = sqrt(DRAWS * p * (1 - p));

        if (!(fabs(w->row[i].seen - DRAWS * p) <= 6 * sd + 1e-9))
            fail_msg("%s of %s: %g times, not %g", w->row[i].ids, text, w->row[i].seen, DRAWS * p);
    }
    encoder_free(e);
    encoding_release(&enc);
    buf_release(&got);
}

static void put_letters(struct buf *b)
{
    put_small(b);
    put_piece(b, "ba", -4.5, PIECE_NORMAL);
    put_piece(b, "aba", -5, PIECE_NORMAL);
    put_piece(b,
              "\xE2\x96\x81"
              "a",
              -4.25, PIECE_NORMAL);
}

static void ways_are_drawn_by_their_weight(void **state)
{
    static const double alphas[] = { 0, 0.5, 1, 3 };
    struct buf b = { 0 };
    struct vocab *v;
    size_t i;

    (void)state;
    put_letters(&b);
    v = parse(&b);
    for (i = 0; i < sizeof(alphas) / sizeof(alphas[0]); i++) {
        struct encode_option o = { .alpha = alphas[i] };
        struct ways w = { .n = 0 };

        cut_all(v,
                "\xE2\x96\x81"
                "abab",
                "", 1, o.alpha, &w);
        assert_true(w.n >= 8);
        compare_draws(v, o, "abab", &w);
    }
    vocab_free(v);
    buf_release(&b);
}

static void the_best_are_drawn_by_their_weight(void **state)
{
    struct encode_option o = { .alpha = 0.7, .n_best = 3 };
    struct ways w = { .n = 0 };
    struct buf b = { 0 };
    struct vocab *v;

    (void)state;
    put_letters(&b);
    v = parse(&b);
    cut_all(v,
            "\xE2\x96\x81"
            "abab",
            "", 1, o.alpha, &w);
    qsort(w.row, w.n, sizeof(w.row[0]), by_weight);
    assert_true(w.row[2].weight > w.row[3].weight * 1.01);
    w.n = 3;
    compare_draws(v, o, "abab", &w);
    vocab_free(v);
    buf_release(&b);
}

struct merging {    // BPE by the book: a string a symbol, and the pairs that were offered
    char symbol[8][16];
    int n;
    struct {
        int left, right;
        size_t size;
        double score;
    } pair[32];
    int n_pair;
};

static void offer(const struct vocab *v, struct merging *m, int left, int right)
{
    char both[32];
    int32_t id;

    if (left < 0 || right >= m->n)
        return;
    snprintf(both, sizeof(both), "%s%s", m->symbol[left], m->symbol[right]);
    id = vocab_find(v, (struct bytes){ (unsigned char *)both, strlen(both) });
    if (id < 0)
        return;
    m->pair[m->n_pair].left = left;
    m->pair[m->n_pair].right = right;
    m->pair[m->n_pair].size = strlen(both);
    m->pair[m->n_pair++].score = (double)v->piece[id].score;
}

static int beside(const struct merging *m, int i, int step)
{
    for (i += step; i >= 0 && i < m->n && !*m->symbol[i]; i += step)
        ;
    return i;
}

static void merge_all(const struct vocab *v, struct merging m, double p, double drop,
                      struct ways *w)
{
    char ids[80] = "";
    int i, best = 0, l, r;

    for (i = 1; i < m.n_pair; i++)
        if (m.pair[i].score > m.pair[best].score ||
            (m.pair[i].score == m.pair[best].score && m.pair[i].left < m.pair[best].left))
            best = i;
    if (!m.n_pair) {
        for (i = 0; i < m.n; i++)
            if (*m.symbol[i])
                snprintf(ids + strlen(ids), sizeof(ids) - strlen(ids), " %d",
                         vocab_find(v, (struct bytes){ (unsigned char *)m.symbol[i],
                                                       strlen(m.symbol[i]) }));
        way_add(w, ids + 1, p, 0);
        return;
    }
    l = m.pair[best].left;
    r = m.pair[best].right;
    i = *m.symbol[l] && *m.symbol[r] &&
        strlen(m.symbol[l]) + strlen(m.symbol[r]) == m.pair[best].size;
    m.pair[best] = m.pair[--m.n_pair];
    if (!i) {
        merge_all(v, m, p, drop, w);
        return;
    }
    merge_all(v, m, p * drop, drop, w);
    for (i = 0, best = (int)strlen(m.symbol[l]); m.symbol[r][i]; i++)
        m.symbol[l][best++] = m.symbol[r][i];
    *m.symbol[r] = 0;
    offer(v, &m, beside(&m, l, -1), l);
    offer(v, &m, l, beside(&m, l, 1));
    merge_all(v, m, p * (1 - drop), drop, w);
}

static void merges_are_dropped_by_chance(void **state)
{
    static const double drops[] = { 0, 0.1, 0.5, 1 };
    struct merging m = { { "\xE2\x96\x81", "a", "b", "a", "b" }, 5, { { 0, 0, 0, 0 } }, 0 };
    struct buf b = { 0 }, type = { 0 };
    struct vocab *v;
    size_t i, k;

    (void)state;
    put_letters(&b);
    put_number(&type, 3, VOCAB_BPE);
    put_message(&b, 2, &type);
    v = parse(&b);
    for (k = 1; k < 5; k++)
        offer(v, &m, (int)k - 1, (int)k);
    for (i = 0; i < sizeof(drops) / sizeof(drops[0]); i++) {
        struct encode_option o = { .alpha = drops[i] };
        struct ways w = { .n = 0 };

        merge_all(v, m, 1, drops[i], &w);
        compare_draws(v, o, "abab", &w);
    }
    vocab_free(v);
    buf_release(&b);
}

/* The parts of a text are drawn by themselves where no piece spans a place; where pieces span all,
 * it is divided by force. */
static void long_texts_are_drawn_in_parts(void **state)
{
    struct encode_option o = { .draw = 1, .alpha = 0.5 };
    struct encoding enc = { 0 };
    struct buf b = { 0 }, text = { 0 };
    struct encoder *e;
    struct vocab *v;
    struct err err;
    size_t i;

    (void)state;
    put_letters(&b);
    v = parse(&b);
    e = encoder_of(v, &o);
    for (i = 0; i < 1 << 20; i++)
        buf_add_byte(&text, "ab"[i & 1]);
    assert_int_equal(encoder_run(e, &enc, buf_bytes(&text), &err), 0);
    assert_int_equal(enc.n_cut, 1);
    assert_int_equal(enc.end[enc.n - 1], text.n + 3);
    for (i = 7; i < text.n; i += 8)
        text.p[i] = ' ';
    assert_int_equal(encoder_run(e, &enc, buf_bytes(&text), &err), 0);
    assert_int_equal(enc.n_cut, 0);
    encoder_free(e);
    vocab_free(v);
    encoding_release(&enc);
    buf_release(&b);
    buf_release(&text);
}

/* More than a lattice is made for: the one best way, with its score. */
static void the_best_of_a_long_text_is_one(void **state)
{
    static const struct encode_option o = { .many = 1 };
    struct encoding enc = { 0 };
    struct buf b = { 0 }, text = { 0 };
    struct encoder *e;
    struct vocab *v;
    struct err err;
    size_t i, n;

    (void)state;
    put_letters(&b);
    v = parse(&b);
    e = encoder_of(v, &o);
    for (i = 0; i <= LATTICE_MAX; i++)
        buf_add_byte(&text, 'x');
    assert_int_equal(encoder_best(e, &enc, buf_bytes(&text), 5, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_int_equal(enc.n, 2);
    assert_true(encoding_best(e, &enc, 0) < -10.0f * LATTICE_MAX);
    assert_int_equal(encoder_best(e, &enc, (struct bytes){ NULL, 0 }, 5, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_true(encoding_best(e, &enc, 0) == 0);
    assert_int_equal(enc.n, 0);
    encoder_free(e);
    vocab_free(v);
    encoding_release(&enc);
    buf_release(&b);
    buf_release(&text);
}

TESTS("spm/lattice", cmocka_unit_test(the_best_are_those_of_sentencepiece),
      cmocka_unit_test(ways_are_drawn_by_their_weight),
      cmocka_unit_test(the_best_are_drawn_by_their_weight),
      cmocka_unit_test(merges_are_dropped_by_chance),
      cmocka_unit_test(long_texts_are_drawn_in_parts),
      cmocka_unit_test(the_best_of_a_long_text_is_one))
