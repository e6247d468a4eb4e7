/* lang.h - the languages: mC4's 107 labels, "und" (undetermined) and "zxx" (no language). A
 * label is what documents carry in "lang" ("iw", "no", "fil", "jv", "hi-Latn"). */
#ifndef TEXT_LANG_H
#define TEXT_LANG_H

#include <stddef.h>

#include "base/mem.h"

struct lang {
    const char *label;     // mC4's
    const char *iso3;      // ISO 639-3 and 639-2 codes, space-separated, the usual one first
    const char *also;      // other names of the label, space-separated: "he", "nb nn", or ""
    const char *name;      // English
    const char *script;    // ISO 15924, of most text in it; "" for und and zxx
    unsigned short train_shards, validation_shards;    // files of mC4 as allenai/c4 has it
};

enum { LANG_C4_TRAIN = 1024, LANG_C4_VALIDATION = 8 };    // files of its "en", which is C4

extern const struct lang langs[];
extern const int n_lang;

/* The language a tag means: a label or an alias, ISO 639-3, with or without script and region
 * in BCP-47 or locale form, in any case ("he-IL", "zh_Hant", "rus-Latn", "NB"). NULL when it is
 * none of ours. */
const struct lang *lang_find(struct bytes tag);

/* The language of an ISO 639-3 (or 639-2/B) code: "eng" is en, "nob" no. NULL when none. */
const struct lang *lang_from_iso3(struct bytes code);

int lang_is(const struct lang *l, const char *label);    // l may be NULL: no
int lang_in_mc4(const struct lang *l);                   // one of the 107: not und, not zxx

#endif
