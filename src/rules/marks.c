/* marks.c - see marks.h. */
#include <string.h>
#include <unicode/uchar.h>

#include "rules/marks.h"
#include "text/utf8.h"

int marks_terminal(uint32_t c)
{
    if (c < 0x80)
        return c == '.' || c == '?' || c == '!';
    if (c >= 0x17D4 && c <= 0x17DA)    // Khmer, of which Unicode 15 has none
        return c != 0x17D7 && c != 0x17D8;
    return c <= 0x10FFFF && u_hasBinaryProperty((UChar32)c, UCHAR_S_TERM);
}

/* Quotes and brackets that may stand after a mark. */
static int is_closing(uint32_t c)
{
    int8_t type;

    if (c < 0x80)
        return c == '"' || c == '\'' || c == ')' || c == ']' || c == '}';
    if (c > 0x10FFFF)
        return 0;
    type = u_charType((UChar32)c);
    return type == U_END_PUNCTUATION || type == U_FINAL_PUNCTUATION;
}

static int ends_in_any_script(struct bytes s)
{
    uint32_t c;
    int len;

    while (s.n) {
        c = utf8_get_last(s.p, s.n, &len);
        if (!is_closing(c))
            return marks_terminal(c) && (s.n < 3 || memcmp(s.p + s.n - 3, "...", 3) != 0);
        s.n -= (size_t)len;
    }
    return 0;
}

int marks_end(struct bytes line, enum end_marks marks)
{
    const unsigned char *end = bytes_end(line);

    if (!line.n)
        return 0;
    switch (end[-1]) {
    case '.':
        return line.n < 3 || memcmp(end - 3, "...", 3) != 0;
    case '?':
    case '!':
    case '"':
        return 1;
    case '\'':
        if (marks == MARKS_DATATROVE)
            return 1;
    }
    return marks == MARKS_ALL && ends_in_any_script(line);
}
