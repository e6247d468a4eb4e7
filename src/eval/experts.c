/* experts.c - see experts.h.
 *
 * A cell's strength is its share over the even share, 1 / experts, in steps that double: a map of
 * many cells stays small, as all cells of one step are one path.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "eval/chart.h"
#include "eval/experts.h"
#include "eval/table.h"
#include "score/lexicon.h"

enum { EXPERTS_MAX = 1 << 16, CELLS_MAX = 1 << 22, CELL = 14, GAP = 70, LEVELS = 7 };

struct experts {
    char *model;                     // "" when no one says
    struct lexicon *lang, *block;    // a block is "encoder 1"
    size_t n_expert;
    float *share;    // [block][lang][expert]
};

/* What each row names; at is column numbers: lang, stack, block, expert, share. */
static int scan(struct experts *e, const struct table *t, const int at[5], const char *path,
                struct err *err)
{
    size_t i;
    double x;

    for (i = 0; i < table_rows(t); i++) {
        const char *lang = table_text(t, i, at[0]);
        char *block = xasprintf("%s %s", table_text(t, i, at[1]), table_text(t, i, at[2]));

        lexicon_add(e->lang, (struct bytes){ (const unsigned char *)lang, strlen(lang) });
        lexicon_add(e->block, (struct bytes){ (const unsigned char *)block, strlen(block) });
        free(block);
        if (table_num(t, i, at[3], &x, err) < 0)
            return -1;
        if (!(x >= 0 && x < EXPERTS_MAX) || x != floor(x))
            return err_set(err, "%s: row %zu: expert %g is none", path, i + 1, x);
        if (e->n_expert <= (size_t)x)
            e->n_expert = (size_t)x + 1;
    }
    if (!table_rows(t))
        return err_set(err, "%s: a header, but no row", path);
    if (lexicon_size(e->lang) * lexicon_size(e->block) > CELLS_MAX / e->n_expert)
        return err_set(err, "%s: too many blocks, languages and experts for a picture", path);
    return 0;
}

static float *cell(const struct experts *e, size_t block, size_t lang)
{
    return e->share + (block * lexicon_size(e->lang) + lang) * e->n_expert;
}

static int fill(struct experts *e, const struct table *t, const int at[5], const char *path,
                struct err *err)
{
    double expert, share;
    size_t i;

    e->share =
        xcalloc(lexicon_size(e->lang) * lexicon_size(e->block) * e->n_expert, sizeof(*e->share));
    for (i = 0; i < table_rows(t); i++) {
        const char *lang = table_text(t, i, at[0]);
        char *block = xasprintf("%s %s", table_text(t, i, at[1]), table_text(t, i, at[2]));
        int64_t b =
            lexicon_find(e->block, (struct bytes){ (const unsigned char *)block, strlen(block) });
        int64_t l =
            lexicon_find(e->lang, (struct bytes){ (const unsigned char *)lang, strlen(lang) });

        free(block);
        if (table_num(t, i, at[3], &expert, err) < 0 || table_num(t, i, at[4], &share, err) < 0)
            return -1;
        if (!(share >= 0 && share <= 1))
            return err_set(err, "%s: row %zu: share %g is none", path, i + 1, share);
        cell(e, (size_t)b, (size_t)l)[(size_t)expert] = (float)share;
    }
    return 0;
}

struct experts *experts_read(const char *model, const char *path, struct err *err)
{
    static const char *const name[5] = { "lang", "stack", "block", "expert", "share" };
    struct experts *e = xcalloc(1, sizeof(*e));
    struct table *t = table_read(path, err);
    int at[5], i, bad = !t;

    e->model = xstrdup(model ? model : "");
    e->lang = lexicon_new();
    e->block = lexicon_new();
    for (i = 0; !bad && i < 5; i++)
        bad = (at[i] = table_need(t, name[i], err)) < 0;
    bad = bad || scan(e, t, at, path, err) < 0 || fill(e, t, at, path, err) < 0;
    table_free(t);
    if (!bad)
        return e;
    experts_free(e);
    return NULL;
}

static void put_name(struct buf *out, const struct lexicon *l, size_t i)
{
    struct bytes s = lexicon_text(l, i);
    char *name = xstrndup(s.n ? (const char *)s.p : "", s.n);

    html_text(out, name);
    free(name);
}

/* 0: less than an eighth of the even share; each next level doubles, to 8 times. */
static int level(const struct experts *e, float share)
{
    double over = (double)share * (double)e->n_expert;
    int i = over > 0 ? (int)floor(log2(over * 8)) + 1 : 0;

    return i < 0 ? 0 : i > LEVELS ? LEVELS : i;
}

static void put_level(struct buf *out, const struct experts *e, size_t block, int at)
{
    size_t lang, x;

    buf_printf(out, "<path fill=\"var(--c0)\" opacity=\"%.2f\" d=\"", (double)at / LEVELS);
    for (lang = 0; lang < lexicon_size(e->lang); lang++)
        for (x = 0; x < e->n_expert; x++)
            if (level(e, cell(e, block, lang)[x]) == at)
                buf_printf(out, "M%zu %zuh%dv%dh-%dz", GAP + x * CELL, lang * CELL, CELL - 1,
                           CELL - 1, CELL - 1);
    buf_add_str(out, "\"/>\n");
}

static void put_block(struct buf *out, const struct experts *e, size_t block)
{
    size_t n = lexicon_size(e->lang), width = GAP + e->n_expert * CELL, lang;
    int i;

    buf_add_str(out, "<h3>");
    put_name(out, e->block, block);
    buf_printf(out,
               "</h3>\n<div class=\"wide\"><svg style=\"width:%zupx\" viewBox=\"0 0 %zu %zu\" "
               "role=\"img\" aria-label=\"experts of ",
               width, width, n * CELL);
    put_name(out, e->block, block);
    buf_add_str(out, "\">\n");
    for (lang = 0; lang < n; lang++) {
        buf_printf(out, "<text x=\"%d\" y=\"%zu\" text-anchor=\"end\">", GAP - 8,
                   lang * CELL + CELL - 3);
        put_name(out, e->lang, lang);
        buf_add_str(out, "</text>\n");
    }
    for (i = 1; i <= LEVELS; i++)
        put_level(out, e, block, i);
    buf_add_str(out, "</svg></div>\n");
}

void experts_html(struct buf *out, const struct experts *e)
{
    size_t i;

    buf_add_str(out, *e->model ? "<h2>Experts of " : "<h2>Experts");
    html_text(out, e->model);
    buf_printf(out,
               " by language</h2>\n<p>Which of %zu experts each language's tokens chose. "
               "Each step of colour is twice the share; white is less than an eighth of the even "
               "share, the fullest at least 8 times.</p>\n",
               e->n_expert);
    for (i = 0; i < lexicon_size(e->block); i++)
        put_block(out, e, i);
}

static void put_bytes(struct buf *out, const struct lexicon *l, size_t i)
{
    struct bytes s = lexicon_text(l, i);

    buf_add(out, s.p, s.n);
}

void experts_tsv(struct buf *out, const struct experts *e)
{
    size_t block, lang, x;

    for (block = 0; block < lexicon_size(e->block); block++)
        for (lang = 0; lang < lexicon_size(e->lang); lang++)
            for (x = 0; x < e->n_expert; x++) {
                buf_printf(out, "experts\t%s\t", e->model);
                put_bytes(out, e->lang, lang);
                buf_add_byte(out, '\t');
                put_bytes(out, e->block, block);
                buf_printf(out, "\t%zu\t%.6g\n", x, (double)cell(e, block, lang)[x]);
            }
}

void experts_free(struct experts *e)
{
    if (!e)
        return;
    lexicon_free(e->lang);
    lexicon_free(e->block);
    free(e->share);
    free(e->model);
    free(e);
}
