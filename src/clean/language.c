/* language.c - see language.h. cld3 stands for langdetect, which the reference asks about English:
 * "en" with a probability of 0.7 is what agrees best with langdetect's 0.99. */
#include <stdio.h>

#include "clean/language.h"
#include "langid/langid.h"

enum { MC4_MIN = 100, TEXT_MAX = 10000 };    // bytes of text: fewer are und; more are not looked at

static const float c4_p = 0.7f, mc4_p = 0.95f, mc4_p301 = 0.7f;

static const char *label(const struct lang *l)
{
    return l ? l->label : "other";
}

static const struct lang *und(void)
{
    return lang_find((struct bytes){ (const unsigned char *)"und", 3 });
}

static const char *ignore(const char *what, const char *l, struct verdict_page *v, struct tally *t)
{
    t->n[LANGUAGE_IGNORED]++;
    snprintf(v->room, sizeof(v->room), "%s:filtered:ignored_language%s%s", what, *l ? "-" : "", l);
    return v->room;
}

static const char *judge_english(const struct langid_answer *a, struct verdict_page *v,
                                 struct tally *t)
{
    if (lang_is(a->lang, "und")) {
        t->n[LANGUAGE_NONE]++;
        return "english-filter:filtered:no_predictions";
    }
    if (a->p < c4_p) {
        t->n[LANGUAGE_LOW]++;
        v->p_least = c4_p;
        return "english-filter:filtered:low_confidence";
    }
    return lang_is(a->lang, "en") ? NULL : ignore("english-filter", a->label, v, t);
}

static const char *judge_any(const struct langid_answer *a, float enough, struct verdict_page *v,
                             struct tally *t)
{
    if (!a->reliable || a->p < enough) {
        t->n[a->reliable ? LANGUAGE_LOW : LANGUAGE_NONE]++;
        v->p_least = a->reliable ? enough : 0;
        v->lang = und();
        return NULL;
    }
    return lang_in_mc4(a->lang) ? NULL : ignore("language-filter", "", v, t);
}

/* What the page says, or the plan for it. */
static const char *judge_said(const struct clean_plan *plan, struct verdict_page *v,
                              struct tally *t)
{
    if (plan->profile == CLEAN_MC4)
        return lang_in_mc4(v->lang) || lang_is(v->lang, "und")
                   ? NULL
                   : ignore("language-filter", "", v, t);
    if (lang_is(v->lang, "en"))
        return NULL;
    if (lang_is(v->lang, "und")) {
        t->no_language++;
        return "language:unknown";
    }
    return ignore("english-filter", label(v->lang), v, t);
}

const char *language_judge(const struct clean_plan *plan, struct langid_room *room,
                           struct bytes text, struct verdict_page *v, struct tally *t)
{
    struct langid_answer a;
    const char *why;

    if (plan->langid) {
        a = langid_find(plan->langid, room, text, plan->profile == CLEAN_MC4 ? MC4_MIN : 0,
                        TEXT_MAX);
        v->lang = a.lang;
        v->p = a.p;
        v->has_p = 1;
        why = plan->profile == CLEAN_C4 ? judge_english(&a, v, t)
                                        : judge_any(&a, plan->compat301 ? mc4_p301 : mc4_p, v, t);
    } else {
        why = judge_said(plan, v, t);
    }
    if (why)
        return why;
    t->n[LANGUAGE]++;
    t->language[v->lang - langs]++;
    return NULL;
}
