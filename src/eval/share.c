/* share.c - see share.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "eval/chart.h"
#include "eval/page.h"
#include "eval/report.h"
#include "eval/share.h"

enum { NAME_MAX_BYTES = 96 };

int share_set_teacher(struct report *r, const char *name, struct err *err)
{
    size_t i;

    for (i = 0; i < r->n_model; i++)
        if (!strcmp(r->model[i].name, name)) {
            if ((int)i == r->baseline)
                return err_set(err, "'%s' is the baseline, not a teacher", name);
            r->teacher = (int)i + 1;
            return 0;
        }
    return err_set(err, "no model is called '%s'", name);
}

static double loss_of(const struct report_model *m, const char *tag)
{
    const struct report_lang *l = tag ? report_lang(m, tag) : NULL;

    if (!tag)
        return m->targets > 0 ? m->loss : NAN;
    return l && l->targets > 0 ? l->loss : NAN;
}

double share_kept(const struct report *r, const struct report_model *m, const char *tag)
{
    double base, gain;

    if (!share_is_asked(r, m))
        return NAN;
    base = loss_of(&r->model[r->baseline], tag);
    gain = base - loss_of(&r->model[r->teacher - 1], tag);
    return gain > 0 ? (base - loss_of(m, tag)) / gain : NAN;
}

int share_is_asked(const struct report *r, const struct report_model *m)
{
    int i = (int)(m - r->model);

    return r->teacher && r->baseline >= 0 && i != r->baseline && i != r->teacher - 1;
}

static void put_row(struct buf *out, const struct report *r, const char *tag)
{
    char name[NAME_MAX_BYTES];
    const struct report_model *base = &r->model[r->baseline], *teacher = &r->model[r->teacher - 1];
    double gain = loss_of(base, tag) - loss_of(teacher, tag);
    size_t i;

    buf_printf(out, "<tr%s><td>", tag ? "" : " class=\"all\"");
    html_text(out, tag ? page_lang_name(tag, name, sizeof(name)) : "all");
    buf_printf(out, isnan(gain) ? "</td><td></td>" : "</td><td>%+.3f</td>", gain);
    for (i = 0; i < r->n_model; i++) {
        double kept = share_kept(r, &r->model[i], tag);

        if (!share_is_asked(r, &r->model[i]))
            continue;
        if (isnan(kept))
            buf_add_str(out, "<td></td>");
        else
            buf_printf(out, "<td class=\"%s\">%.0f %%</td>", kept >= 0 ? "good" : "bad",
                       100 * kept);
    }
    buf_add_str(out, "</tr>\n");
}

void share_html(struct buf *out, const struct report *r)
{
    size_t n, i, asked = 0;
    const char **tag;

    for (i = 0; i < r->n_model; i++)
        asked += (size_t)share_is_asked(r, &r->model[i]);
    if (!asked)
        return;
    buf_add_str(out, "<h2>Share of the gain kept</h2>\n<p>Gain: what ");
    html_text(out, r->model[r->teacher - 1].name);
    buf_add_str(out, " is better than ");
    html_text(out, r->model[r->baseline].name);
    buf_add_str(out, ", nats a target token; the share of it by which the others are.</p>\n"
                     "<div class=\"wide\"><table>\n<tr><th>language</th><th>gain</th>");
    for (i = 0; i < r->n_model; i++)
        if (share_is_asked(r, &r->model[i])) {
            buf_add_str(out, "<th>");
            html_text(out, r->model[i].name);
            buf_add_str(out, "</th>");
        }
    buf_add_str(out, "</tr>\n");
    tag = report_tags(r, &n);
    for (i = 0; i < n; i++)
        put_row(out, r, tag[i]);
    put_row(out, r, NULL);
    buf_add_str(out, "</table></div>\n");
    free(tag);
}
