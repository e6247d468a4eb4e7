/* rules.h - what is worth keeping: every cleaning rule is a row of one table.
 *
 * A rule is a pure function from a line or a page to keep, edit or drop. The rules of a level
 * run in the order of the table and the first that drops wins. --list-rules, --with,
 * --without and the columns of --stats are read off the table.
 */
#ifndef CLEAN_RULES_H
#define CLEAN_RULES_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "clean/words.h"

enum clean_profile { CLEAN_C4 = 1, CLEAN_MC4 = 2 };

enum verdict { KEEP, EDIT, DROP_LINE, DROP_PAGE };

enum rule_level {
    RULE_READ,    // a page as read, before URLs are compared
    RULE_PAGE,    // a page that won its URL
    RULE_LINE,    // a line of it
    RULE_REST,    // what its lines leave
};

struct rule_line {       // what a line rule sees
    struct bytes s;      // valid UTF-8; an edit points it into buf
    struct buf *buf;     // room for an edited line
    const char *lang;    // the page's label where it is known, else "und"
};

struct rule_page {
    struct bytes text;    // lines parted by LF
    const char *lang;
    size_t n_line;        // lines kept: where line rules ran
    size_t n_sentence;    // sentences in them, counted up to 3
};

struct rule {
    const char *name;
    enum rule_level level;
    unsigned profiles;    // where it is on by default: CLEAN_C4 | CLEAN_MC4
    const char *count;    // what --stats calls what it drops or edits
    enum verdict (*line)(struct rule_line *l);
    enum verdict (*page)(const struct rule_page *p);
    const char *help;    // one line, with its source
};

enum { RULE_MAX = 32 };

extern const struct rule rules[];
extern const int n_rule;

int rule_find(const char *name);    // its row, -1 when none

/* The set (bit i for row i) of rules that a profile switches on. */
uint32_t rule_set(enum clean_profile profile);

/* The rules of set and of a level other than RULE_LINE on p: the row that drops it, or -1. */
int rules_judge(uint32_t set, enum rule_level level, const struct rule_page *p);

int rule_set_has(uint32_t set, enum rule_level level);

struct line_counts {
    uint32_t passed, hit[RULE_MAX];    // dropped or edited, by row; not what drops a page
};

/* The line rules of set over a page: its text is split as str.splitlines does, each line
 * stripped and judged; kept lines go to out, parted by LF, stripped at both ends as a whole.
 * Fills counts, and p->text (into out), n_line, n_sentence. Returns the row that drops the
 * page, or -1; lines after that one are not looked at. */
int rules_clean_lines(uint32_t set, struct rule_page *p, struct buf *out, struct sentences *sent,
                      struct line_counts *counts);

#endif
