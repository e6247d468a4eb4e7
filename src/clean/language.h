/* language.h - which language a page is in, and whether its profile keeps that. */
#ifndef CLEAN_LANGUAGE_H
#define CLEAN_LANGUAGE_H

#include "base/mem.h"
#include "clean/judge.h"

struct langid_room;

/* Judge the language of text: by the plan's model, with room; without a model by v->lang, which is
 * what the page says, or the plan. Fills v->lang, v->p and v->has_p. Returns what drops the page
 * (in v->room maybe), or NULL; counts either. */
const char *language_judge(const struct clean_plan *plan, struct langid_room *room,
                           struct bytes text, struct verdict_page *v, struct tally *t);

#endif
