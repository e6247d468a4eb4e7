/* score.c - see score.h. */
#ifdef _OPENMP
#include <omp.h>
#endif
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "io/out.h"
#include "langid/langid.h"
#include "learn/score.h"

enum { CONFUSED = 3 };

const double score_bars[2] = { 0.7, 0.95 };

struct answer {
    int given;    // the model's label, or n_label of it for "und"
    float p;
};

static int given_of(const struct langid *m, const struct langid_answer *a)
{
    int i, n = langid_n_label(m);

    for (i = 0; i < n; i++)
        if (!strcmp(langid_label(m, i), a->label))
            return i;
    return n;
}

static const char *given_name(const struct score *s, int given)
{
    return given < s->n_given - 1 ? langid_label(s->m, given) : "und";
}

static void ask(const struct score *s, struct answer *a, size_t min, size_t max, int n_thread)
{
    struct langid_room **room = xcalloc((size_t)n_thread, sizeof(struct langid_room *));
    int64_t i, n = (int64_t)s->c->n;
    int t;

    for (t = 0; t < n_thread; t++)
        room[t] = langid_room_new(s->m);
#pragma omp parallel for num_threads(n_thread) schedule(dynamic, 64)
    for (i = 0; i < n; i++) {
        struct langid_answer to;
        int me = 0;

#ifdef _OPENMP
        me = omp_get_thread_num();
#endif
        to = langid_find(s->m, room[me], s->c->text[i].text, min, max);
        a[i] = (struct answer){ given_of(s->m, &to), to.p };
    }
    for (t = 0; t < n_thread; t++)
        langid_room_free(room[t]);
    free(room);
}

static void count(struct score_label *l, int right, float p)
{
    int b;

    l->n++;
    l->right += (uint64_t)right;
    for (b = 0; b < 2; b++)
        if (p >= (float)score_bars[b]) {
            l->bar[b].n++;
            l->bar[b].right += (uint64_t)right;
        }
}

void score_init(struct score *s, const struct langid *m, const struct corpus *c, size_t min,
                size_t max, int n_thread)
{
    struct answer *a = xreallocarray(NULL, c->n + 1, sizeof(*a));
    size_t i;
    int l;

    *s = (struct score){ .c = c, .m = m, .n_given = langid_n_label(m) + 1 };
    s->label = xcalloc((size_t)c->n_label + 1, sizeof(*s->label));
    s->table = xcalloc((size_t)(c->n_label + 1) * (size_t)s->n_given, sizeof(*s->table));
    s->other = xcalloc((size_t)s->n_given, sizeof(*s->other));
    ask(s, a, min, max, n_thread);
    for (i = 0; i < c->n; i++) {
        int label = c->text[i].label;
        int right = !strcmp(given_name(s, a[i].given), c->label[label]);

        count(&s->label[label], right, a[i].p);
        count(&s->all, right, a[i].p);
        s->table[(size_t)label * (size_t)s->n_given + (size_t)a[i].given]++;
        s->other[a[i].given]++;
    }
    for (l = 0; l < c->n_label; l++) {
        int g;

        for (g = 0; g < s->n_given; g++)
            if (!strcmp(given_name(s, g), c->label[l]))
                s->label[l].given = s->other[g];
    }
    s->all.given = s->all.n;
    free(a);
}

void score_release(struct score *s)
{
    free(s->label);
    free(s->table);
    free(s->other);
}

static double share(uint64_t part, uint64_t all)
{
    return all ? (double)part / (double)all : 0;
}

/* "ms:12 jv:3": what the wrong ones of a label were mostly taken for. */
static int write_confused(const struct score *s, int label, struct out *o, struct err *err)
{
    const uint64_t *row = s->table + (size_t)label * (size_t)s->n_given;
    uint64_t last = UINT64_MAX;
    int i, g, before = -1, bad = 0;

    for (i = 0; i < CONFUSED && !bad; i++) {
        int best = -1;

        for (g = 0; g < s->n_given; g++)
            if (row[g] && strcmp(given_name(s, g), s->c->label[label]) != 0 &&
                (row[g] < last || (row[g] == last && g > before)) &&
                (best < 0 || row[g] > row[best]))
                best = g;
        if (best < 0)
            break;
        bad = out_printf(o, err, "%s%s:%" PRIu64, i ? " " : "", given_name(s, best), row[best]);
        last = row[best];
        before = best;
    }
    return bad;
}

static int write_row(const struct score_label *l, const char *name, struct out *o, struct err *err)
{
    int b, bad;

    bad = out_printf(o, err, "%s\t%" PRIu64 "\t%" PRIu64 "\t%.4f\t%.4f", name, l->n, l->right,
                     share(l->right, l->n), share(l->right, l->given));
    for (b = 0; b < 2 && !bad; b++)
        bad = out_printf(o, err, "\t%.4f\t%.4f", share(l->bar[b].n, l->n),
                         share(l->bar[b].right, l->bar[b].n));
    return bad ? bad : out_printf(o, err, "\t");
}

int score_write(const struct score *s, struct out *o, struct err *err)
{
    int l;

    if (out_printf(o, err,
                   "label\tn\tright\trecall\tprecision\tanswered_70\tright_70\tanswered_95"
                   "\tright_95\tconfused\n"))
        return -1;
    for (l = 0; l < s->c->n_label; l++)
        if (write_row(&s->label[l], s->c->label[l], o, err) || write_confused(s, l, o, err) ||
            out_printf(o, err, "\n"))
            return -1;
    return write_row(&s->all, "all", o, err) ? -1 : out_printf(o, err, "\n");
}
