/* compare - hold what switch-probe wrote against reference tensors.
 * usage: compare INPUTS WANT GOT
 *
 * Every tensor of WANT must be in GOT, but for the losses of other implementations ("hf.").
 * Tolerances are those of the reference files: whole numbers exact, losses 1e-5 + 1e-6,
 * hidden states and logits 5e-5 + 1e-5, gradients 2e-5 + 5e-5 of the tensor's largest. Rows at
 * padding (INPUTS has segment ids, 0 there) are compared only where they mean something:
 * outputs, slots and kept. Prints the largest difference of each kind.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "base/err.h"
#include "base/mem.h"
#include "tensors/tensors.h"

enum kind { EXACT, LOSS, VALUE, GRADIENT, N_KIND };

static const char *const kind_name[] = { "exact", "losses", "values", "gradients" };
static const double absolute[] = { 0, 1e-5, 5e-5, 2e-5 }, relative[] = { 0, 1e-6, 1e-5, 5e-5 };

struct seen {
    size_t n_tensor, n_bad;
    double worst;
    char where[160];
};

static struct tensors *open_or_die(const char *path)
{
    struct err err;
    struct tensors *t = tensors_open(path, &err);

    if (!t)
        die("%s", err.msg);
    return t;
}

static enum kind kind_of(const struct tensor *t)
{
    if (t->type == TENSOR_I32)
        return EXACT;
    if (!strncmp(t->name, "grad.", 5))
        return GRADIENT;
    return t->n == 1 ? LOSS : VALUE;
}

static int ends(const char *s, const char *end)
{
    size_t n = strlen(s), k = strlen(end);

    return n >= k && !strcmp(s + n - k, end);
}

/* Does this tensor of WANT say nothing at padding? The last hidden state is the output. */
static int only_real(const struct tensor *t, const struct tensors *want)
{
    char *next;
    int k, last;

    if (strstr(t->name, ".block."))
        return !ends(t->name, ".slot") && !ends(t->name, ".kept");
    if (sscanf(t->name, "%*7s_hidden_states.%d", &k) != 1)
        return 0;
    next = xasprintf("%.7s_hidden_states.%d", t->name, k + 1);
    last = !tensors_find(want, next);
    free(next);
    return !last;
}

/* Segment ids of the tensor's tokens, or NULL where all count. */
static int32_t *segments(const struct tensor *t, const struct tensors *want,
                         const struct tensors *inputs)
{
    char *name = xasprintf("%.7s_segment_ids", t->name);
    const struct tensor *s = tensors_find(inputs, name);
    int32_t *segment = NULL;
    struct err err;

    free(name);
    if (!s || t->n_dim < 2 || !strncmp(t->name, "grad.", 5) || !only_real(t, want))
        return NULL;
    segment = xcalloc(s->n, sizeof(*segment));
    if (tensor_copy_i32(s, segment, s->n, &err) < 0 || t->n % s->n)
        die("%s: %s", t->name, err.msg);
    return segment;
}

static double *values(const struct tensor *t)
{
    double *x = xcalloc(t->n, sizeof(*x));
    float *f = xcalloc(t->n, sizeof(*f));
    int32_t *w = xcalloc(t->n, sizeof(*w));
    struct err err;
    size_t i;
    int whole = t->type == TENSOR_I32;

    if ((whole ? tensor_copy_i32(t, w, t->n, &err) : tensor_copy_f32(t, f, t->n, &err)) < 0)
        die("%s", err.msg);
    for (i = 0; i < t->n; i++)
        x[i] = whole ? w[i] : (double)f[i];
    free(f);
    free(w);
    return x;
}

static void compare(const struct tensor *want, const struct tensor *got, const int32_t *segment,
                    size_t n_segment, struct seen *seen)
{
    enum kind kind = kind_of(want);
    double *a = values(want), *b = values(got), largest = 0;
    size_t i, width = segment ? want->n / n_segment : 1, bad = 0;

    for (i = 0; i < want->n; i++)
        largest = fmax(largest, fabs(a[i]));
    for (i = 0; i < want->n; i++) {
        double d = fabs(a[i] - b[i]), scale = kind == GRADIENT ? largest : fabs(a[i]);

        if (segment && segment[i / width] == 0)
            continue;
        if (!(d <= absolute[kind] + relative[kind] * scale)) {
            if (bad++ == 0)
                warn("%s: element %zu: %.9g, not %.9g", want->name, i, b[i], a[i]);
        }
        if (!(d <= seen->worst)) {
            seen->worst = d;
            snprintf(seen->where, sizeof(seen->where), "%s", want->name);
        }
    }
    seen->n_tensor++;
    seen->n_bad += bad > 0;
    free(a);
    free(b);
}

int main(int argc, char **argv)
{
    struct seen seen[N_KIND] = { 0 };
    struct tensors *inputs, *want, *got;
    size_t i, n_bad = 0, n_tensor = 0;
    int k;

    die_name = "compare";
    if (argc != 4)
        die("usage: compare INPUTS WANT GOT");
    inputs = open_or_die(argv[1]);
    want = open_or_die(argv[2]);
    got = open_or_die(argv[3]);
    for (i = 0; i < tensors_n(want); i++) {
        const struct tensor *w = tensors_at(want, i), *g = tensors_find(got, w->name);
        int32_t *segment = segments(w, want, inputs);
        char *ids = xasprintf("%.7s_segment_ids", w->name);

        if (!strncmp(w->name, "hf.", 3))
            continue;
        if (!g || g->n != w->n || g->n_dim != w->n_dim || g->type != w->type)
            die("%s: %s is missing or of another shape", argv[3], w->name);
        compare(w, g, segment, segment ? tensors_find(inputs, ids)->n : 0, &seen[kind_of(w)]);
        free(segment);
        free(ids);
    }
    for (k = 0; k < N_KIND; k++) {
        if (seen[k].n_tensor)
            printf("%-9s %4zu tensors, worst %.2e %s\n", kind_name[k], seen[k].n_tensor,
                   seen[k].worst, seen[k].where);
        n_bad += seen[k].n_bad;
        n_tensor += seen[k].n_tensor;
    }
    tensors_close(inputs);
    tensors_close(want);
    tensors_close(got);
    return n_bad > 0 || n_tensor == 0;
}
