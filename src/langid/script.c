/* script.c - see script.h. ICU knows the characters; the numbers of the scripts are those that
 * cld3 was trained with (its generated_ulscript.h). */
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>

#include "base/mem.h"
#include "langid/script.h"

static const struct {
    unsigned char number;
    UScriptCode code;
} numbers[] = {
    // clang-format off
    { 1, USCRIPT_LATIN }, { 2, USCRIPT_GREEK }, { 3, USCRIPT_CYRILLIC }, { 4, USCRIPT_ARMENIAN },
    { 5, USCRIPT_HEBREW }, { 6, USCRIPT_ARABIC }, { 7, USCRIPT_SYRIAC }, { 8, USCRIPT_THAANA },
    { 9, USCRIPT_DEVANAGARI }, { 10, USCRIPT_BENGALI }, { 11, USCRIPT_GURMUKHI },
    { 12, USCRIPT_GUJARATI }, { 13, USCRIPT_ORIYA }, { 14, USCRIPT_TAMIL }, { 15, USCRIPT_TELUGU },
    { 16, USCRIPT_KANNADA }, { 17, USCRIPT_MALAYALAM }, { 18, USCRIPT_SINHALA }, { 19, USCRIPT_THAI },
    { 20, USCRIPT_LAO }, { 21, USCRIPT_TIBETAN }, { 22, USCRIPT_MYANMAR }, { 23, USCRIPT_GEORGIAN },
    { 24, USCRIPT_HAN }, { 24, USCRIPT_HANGUL }, { 24, USCRIPT_HIRAGANA }, { 24, USCRIPT_KATAKANA },
    { 25, USCRIPT_ETHIOPIC }, { 26, USCRIPT_CHEROKEE }, { 27, USCRIPT_CANADIAN_ABORIGINAL },
    { 28, USCRIPT_OGHAM }, { 29, USCRIPT_RUNIC }, { 30, USCRIPT_KHMER }, { 31, USCRIPT_MONGOLIAN },
    { 34, USCRIPT_BOPOMOFO }, { 36, USCRIPT_YI }, { 37, USCRIPT_OLD_ITALIC }, { 38, USCRIPT_GOTHIC },
    { 39, USCRIPT_DESERET }, { 40, USCRIPT_INHERITED }, { 41, USCRIPT_TAGALOG },
    { 42, USCRIPT_HANUNOO }, { 43, USCRIPT_BUHID }, { 44, USCRIPT_TAGBANWA }, { 45, USCRIPT_LIMBU },
    { 46, USCRIPT_TAI_LE }, { 47, USCRIPT_LINEAR_B }, { 48, USCRIPT_UGARITIC },
    { 49, USCRIPT_SHAVIAN }, { 50, USCRIPT_OSMANYA }, { 51, USCRIPT_CYPRIOT },
    { 52, USCRIPT_BRAILLE }, { 53, USCRIPT_BUGINESE }, { 54, USCRIPT_COPTIC },
    { 55, USCRIPT_NEW_TAI_LUE }, { 56, USCRIPT_GLAGOLITIC }, { 57, USCRIPT_TIFINAGH },
    { 58, USCRIPT_SYLOTI_NAGRI }, { 59, USCRIPT_OLD_PERSIAN }, { 60, USCRIPT_KHAROSHTHI },
    { 61, USCRIPT_BALINESE }, { 62, USCRIPT_CUNEIFORM }, { 63, USCRIPT_PHOENICIAN },
    { 64, USCRIPT_PHAGS_PA }, { 65, USCRIPT_NKO }, { 66, USCRIPT_SUNDANESE }, { 67, USCRIPT_LEPCHA },
    { 68, USCRIPT_OL_CHIKI }, { 69, USCRIPT_VAI }, { 70, USCRIPT_SAURASHTRA },
    { 71, USCRIPT_KAYAH_LI }, { 72, USCRIPT_REJANG }, { 73, USCRIPT_LYCIAN }, { 74, USCRIPT_CARIAN },
    { 75, USCRIPT_LYDIAN }, { 76, USCRIPT_CHAM }, { 77, USCRIPT_LANNA }, { 78, USCRIPT_TAI_VIET },
    { 79, USCRIPT_AVESTAN }, { 80, USCRIPT_EGYPTIAN_HIEROGLYPHS }, { 81, USCRIPT_SAMARITAN },
    { 82, USCRIPT_LISU }, { 83, USCRIPT_BAMUM }, { 84, USCRIPT_JAVANESE },
    { 85, USCRIPT_MEITEI_MAYEK }, { 86, USCRIPT_IMPERIAL_ARAMAIC }, { 87, USCRIPT_OLD_SOUTH_ARABIAN },
    { 88, USCRIPT_INSCRIPTIONAL_PARTHIAN }, { 89, USCRIPT_INSCRIPTIONAL_PAHLAVI },
    { 90, USCRIPT_ORKHON }, { 91, USCRIPT_KAITHI }, { 92, USCRIPT_BATAK }, { 93, USCRIPT_BRAHMI },
    { 94, USCRIPT_MANDAEAN }, { 95, USCRIPT_CHAKMA }, { 96, USCRIPT_MEROITIC_CURSIVE },
    { 97, USCRIPT_MEROITIC_HIEROGLYPHS }, { 98, USCRIPT_MIAO }, { 99, USCRIPT_SHARADA },
    { 100, USCRIPT_SORA_SOMPENG }, { 101, USCRIPT_TAKRI },
    // clang-format on
};

/* What cld3 has otherwise than the Unicode of today: found by comparing all code points. */
static const struct {
    uint32_t first, last;
    unsigned char number;
} exceptions[] = {
    { 0x0953, 0x0954, 9 },     // accents, Devanagari until Unicode 9
    { 0x309B, 0x309C, 24 },    // sound marks of Hiragana: symbols
    { 0x30A0, 0x30A0, 24 },    // a hyphen of Katakana
    { 0xA9CF, 0xA9CF, 84 },    // Javanese until Unicode 7
};

static struct scripts table;
static once_flag once = ONCE_FLAG_INIT;

static int is_of_6_2(UChar32 c)
{
    UVersionInfo v;

    u_charAge(c, v);
    return v[0] && (v[0] < 6 || (v[0] == 6 && v[1] <= 2));
}

static int32_t *row_at(uint32_t c)
{
    uint16_t *page = &table.page[c >> 8];

    if (!*page) {
        table.row = xreallocarray(table.row, table.n_row + 1u, sizeof(*table.row));
        memset(table.row[table.n_row], 0, sizeof(*table.row));
        *page = table.n_row++;
    }
    return table.row[*page];
}

static void set(uint32_t first, uint32_t last, int32_t entry)
{
    uint32_t c;

    for (c = first; c <= last; c++)
        row_at(c)[c & 0xFF] = entry;
}

static UBool add_range(const void *to_number, UChar32 c, UChar32 limit, UCharCategory type)
{
    const unsigned char *number = to_number;
    UErrorCode status = U_ZERO_ERROR;

    if (!(U_MASK(type) & (U_GC_L_MASK | U_GC_M_MASK)))
        return 1;
    for (; c < limit; c++) {
        UChar32 low = u_tolower(c);
        int script = uscript_getScript(c, &status);

        if (U_FAILURE(status) || script < 0 || script >= USCRIPT_CODE_LIMIT || !number[script] ||
            !is_of_6_2(c))
            continue;
        set((uint32_t)c, (uint32_t)c, (is_of_6_2(low) ? low - c : 0) * 256 + number[script]);
    }
    return 1;
}

/* Pages in a row that are alike (Han, Hangul) share one: what is used fits the nearest cache. */
static void share_rows(void)
{
    int32_t(*row)[256] = xmalloc(table.n_row * sizeof(*row));
    uint16_t n = 0;
    size_t i;

    for (i = 0; i < sizeof(table.page) / sizeof(*table.page); i++) {
        const int32_t *old = table.row[table.page[i]];

        if (n && !memcmp(old, row[n - 1], sizeof(*row)))
            table.page[i] = (uint16_t)(n - 1);
        else if (n && !memcmp(old, row[0], sizeof(*row)))
            table.page[i] = 0;
        else {
            memcpy(row[n], old, sizeof(*row));
            table.page[i] = n++;
        }
    }
    free(table.row);
    table.row = row;
    table.n_row = n;
}

static void build(void)
{
    unsigned char number[USCRIPT_CODE_LIMIT] = { 0 };
    uint32_t i;

    table.row = xcalloc(1, sizeof(*table.row));    // row 0: nothing
    table.n_row = 1;
    for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        number[numbers[i].code] = numbers[i].number;
    u_enumCharTypes(add_range, number);
    for (i = 0; i < sizeof(exceptions) / sizeof(*exceptions); i++)
        set(exceptions[i].first, exceptions[i].last, exceptions[i].number);
    for (i = 0; i <= 16; i++)
        set(i << 16 | 0xFFFE, i << 16 | 0xFFFF, SCRIPT_NONE);
    set(0xFDD0, 0xFDEF, SCRIPT_NONE);
    set(0xD800, 0xDFFF, SCRIPT_NONE);
    set(0, 0x1F, SCRIPT_NONE);
    set('\t', '\n', SCRIPT_COMMON);
    set('\f', '\r', SCRIPT_COMMON);
    set(0x7F, 0x9F, SCRIPT_NONE);
    share_rows();
}

const struct scripts *scripts_get(void)
{
    call_once(&once, build);
    return &table;
}

int script_split_han(uint32_t c)
{
    if ((c >= 0xAC00 && c <= 0xD7FF) || (c >= 0x1100 && c <= 0x11FF) ||
        (c >= 0x3130 && c <= 0x318F) || (c >= 0xA960 && c <= 0xA97F) ||
        (c >= 0xFFA0 && c <= 0xFFDC))
        return SCRIPT_HANGUL;
    if (c >= 0x3041 && c <= 0x309F)
        return SCRIPT_HIRAGANA;
    if ((c >= 0x30A0 && c <= 0x30FF) || (c >= 0x31F0 && c <= 0x31FF) ||
        (c >= 0xFF66 && c <= 0xFF9F))
        return SCRIPT_KATAKANA;
    return SCRIPT_HAN;
}
