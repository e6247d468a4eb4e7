/* rule.c - see rule.h. */
#include <unicode/uchar.h>
#include <unicode/uscript.h>

#include "vocab/rule.h"

enum { ANY = -1, SPACE = 0x2581 };

static int is_digit(uint32_t c)
{
    return (c >= '0' && c <= '9') || (c >= 0xFF10 && c <= 0xFF19);
}

int piece_script(const struct piece_rule *r, uint32_t c)
{
    UErrorCode bad = U_ZERO_ERROR;
    int script;

    if (c == SPACE || (is_digit(c) && !r->split_numbers))
        return ANY;
    script = uscript_getScript((UChar32)c, &bad);
    if (script == USCRIPT_HIRAGANA || script == USCRIPT_KATAKANA || c == 0x30FC)
        return USCRIPT_HAN;
    return U_SUCCESS(bad) ? script : USCRIPT_COMMON;
}

int piece_joins(const struct piece_rule *r, uint32_t x, uint32_t y, int *script)
{
    int before = *script, now;

    if (r->split_spaces && y == SPACE)
        return 0;
    if (r->split_digits && (is_digit(x) || is_digit(y)))
        return 0;
    now = piece_script(r, y);
    if (now == USCRIPT_INHERITED)
        now = before;
    *script = now;
    return !r->split_scripts || before == ANY || now == ANY || before == now;
}
