/* script.h - letters and marks: their script, by cld3's numbers, and their lower case.
 *
 * cld3's tables are of Unicode 6.2: a letter that came later is none here either, so that its
 * answers, and those of models trained here, do not depend on the version of ICU.
 */
#ifndef LANGID_SCRIPT_H
#define LANGID_SCRIPT_H

#include <stdint.h>

enum {
    SCRIPT_COMMON = 0,    // neither letter nor mark, or one of many scripts
    SCRIPT_LATIN = 1,
    SCRIPT_HAN = 24,    // with Hiragana, Katakana and Hangul
    SCRIPT_INHERITED = 40,
    SCRIPT_HIRAGANA = 32,    // these three where they are told from Han
    SCRIPT_KATAKANA = 33,
    SCRIPT_HANGUL = 102,
    SCRIPT_NONE = 255,    // not fit for interchange: controls, surrogates, non-characters
};

struct scripts {
    int32_t (*row)[256];             // (lower case - code point) * 256 + script
    uint16_t page[0x110000 >> 8];    // which row
    uint16_t n_row;
};

const struct scripts *scripts_get(void);    // built at the first call, shared by all threads

static inline int32_t script_entry(const struct scripts *s, uint32_t c)    // c <= 0x10FFFF
{
    return s->row[s->page[c >> 8]][c & 0xFF];
}

static inline int script_of(const struct scripts *s, uint32_t c)
{
    return script_entry(s, c) & 0xFF;
}

/* Of a code point of SCRIPT_HAN: which of the four it is. */
int script_split_han(uint32_t c);

#endif
