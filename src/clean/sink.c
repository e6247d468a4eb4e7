/* sink.c - see sink.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "clean/sink.h"
#include "clean/url.h"
#include "io/out.h"

struct sink {
    struct out **out;    // one, or two a language: the rest, and validation
    int n_out;
    char *dir;    // NULL: one file
    unsigned validation;
};

static struct sink *sink_new(int n_out)
{
    struct sink *s = xcalloc(1, sizeof(*s));

    s->n_out = n_out;
    s->out = xcalloc((size_t)n_out, sizeof(struct out *));
    return s;
}

struct sink *sink_file(const char *path, struct err *err)
{
    struct sink *s = sink_new(1);

    s->out[0] = out_open(path, err);
    if (s->out[0])
        return s;
    sink_abandon(s);
    return NULL;
}

struct sink *sink_folder(const char *dir, unsigned validation, struct err *err)
{
    struct sink *s;

    if (mkdir(dir, 0777) < 0 && errno != EEXIST) {
        err_set(err, "%s: %s", dir, strerror(errno));
        return NULL;
    }
    s = sink_new(2 * n_lang);
    s->dir = xstrdup(dir);
    s->validation = validation;
    return s;
}

static struct out *of_language(struct sink *s, const struct lang *lang, int held, struct err *err)
{
    struct out **o = &s->out[2 * (lang - langs) + held];
    char *path;

    if (!*o) {
        path = xasprintf("%s/c4-%s%s.json.gz", s->dir, lang->label, held ? "-validation" : "");
        *o = out_open(path, err);
        free(path);
    }
    return *o;
}

int sink_put(struct sink *s, const struct lang *lang, const unsigned char url_key[16],
             struct bytes line, struct err *err)
{
    struct out *o = s->out[0];

    if (s->dir)
        o = of_language(s, lang, s->validation && !url_modulo(url_key, s->validation), err);
    return o ? out_write(o, line.p, line.n, err) : -1;
}

int sink_close(struct sink *s, struct err *err)
{
    int i, bad = 0;

    for (i = 0; i < s->n_out && !bad; i++)
        if (s->out[i]) {
            bad = out_close(s->out[i], err);
            s->out[i] = NULL;
        }
    sink_abandon(s);
    return bad;
}

void sink_abandon(struct sink *s)
{
    int i;

    if (!s)
        return;
    for (i = 0; i < s->n_out; i++)
        if (s->out[i])
            out_abandon(s->out[i]);
    free(s->out);
    free(s->dir);
    free(s);
}
