/* rules.h - what is worth keeping: every cleaning rule is a row of one table.
 *
 * A rule is a pure function from a line or a page to keep, edit or drop. The rules of a level
 * run in the order of the table and the first that drops wins. --list-rules, --with,
 * --without, --rule and the columns of --stats are read off the table.
 */
#ifndef RULES_RULES_H
#define RULES_RULES_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "rules/marks.h"
#include "rules/words.h"

struct blocklist;
struct keyset;
struct measure;
struct sites;

enum clean_profile { CLEAN_C4 = 1, CLEAN_MC4 = 2 };

enum verdict { KEEP, EDIT, DROP_LINE, DROP_PAGE };

enum rule_level {
    RULE_READ,       // a page as read, before URLs are compared
    RULE_SITE,       // the same, by the site
    RULE_PAGE,       // a page that won its URL
    RULE_LINE,       // a line of it
    RULE_REST,       // what its lines leave: twice, as they are cleaned and as they are owned
    RULE_CLEANED,    // what they leave as they are cleaned
    RULE_MASK,       // the text that is written, as a line
};

struct rule_line {       // what a line rule sees
    struct bytes s;      // valid UTF-8; an edit points it into buf
    struct buf *buf;     // room for an edited line
    const char *lang;    // the page's label where it is known, else "und"
    double limit;        // of the row
    enum end_marks marks;
    struct buf *why;    // evidence.h: room for what decided, which a hit appends; NULL: not asked
    size_t n;           // of RULE_MASK: edits
};

struct rule_lists {    // of which rules of the groups domains, urls and blocklist are made; NULL:
                       // those are off
    const struct sites *sites;
    const struct keyset *urls;
    const struct blocklist *blocklist;
};

struct rule_page {
    struct bytes text;    // lines parted by LF
    struct bytes url;
    const unsigned char *url_key;    // MD5 of its normal form
    struct buf *room;                // of the thread, for rules on URLs
    const struct rule_lists *lists;
    const char *lang;
    size_t n_line;        // lines kept: where line rules ran
    size_t n_sentence;    // sentences in them, as far as rules_sentences()
    struct measure *m;    // of text; NULL where no rule of these levels asks
    double limit;         // of the row
    int n;                // of the row
    struct buf *why;      // as of a line
};

struct rule {
    const char *name;
    enum rule_level level;
    unsigned profiles;    // where it is on by default: CLEAN_C4 | CLEAN_MC4
    const char *group;    // of rows that are switched on together
    double limit;         // the number it goes by, 0 for none
    int n;                // which of the rows that share a function
    const char *count;    // what --stats calls what it drops or edits
    enum verdict (*line)(struct rule_line *l);
    enum verdict (*page)(const struct rule_page *p);
    const char *help;    // one line, with its source
};

enum { RULE_MAX = 64 };

extern const struct rule rules[];
extern const int n_rule;

int rule_find(const char *name);    // its row, -1 when none

/* The set (bit i for row i) of rules that name means: the row, or the rows of the group, or of all
 * groups that begin with name and '_'. 0 when it means none. */
uint64_t rule_find_set(const char *name);

struct rule_choice {    // the rules of a run
    uint64_t set;
    double limit[RULE_MAX];
    enum end_marks marks;
    struct rule_lists lists;
};

/* What a profile switches on, with the numbers of the table. */
struct rule_choice rule_choose(enum clean_profile profile);

/* datatrove's numbers for C4's rules. */
void rule_choose_datatrove(struct rule_choice *c);

int rule_set_has(const struct rule_choice *c, enum rule_level level);
int rule_set_is(const struct rule_choice *c, const char *name);    // whether this row is on

uint64_t rules_fingerprint(const struct rule_choice *c);

/* How far rules want sentences counted: 0, not at all. */
size_t rules_sentences(const struct rule_choice *c);

/* The rules of a level other than RULE_LINE and RULE_MASK on p: the row that drops it, or -1. */
int rules_judge(const struct rule_choice *c, enum rule_level level, const struct rule_page *p);

struct line_counts {
    uint32_t passed, hit[RULE_MAX];    // dropped or edited, by row; not what drops a page
};

/* The line rules over a page: its text is split as str.splitlines does, each line stripped and
 * judged; kept lines go to out, parted by LF, stripped at both ends as a whole. Fills counts, and
 * p->text (into out), n_line, n_sentence. Returns the row that drops the page, or -1; lines after
 * that one are not looked at. */
int rules_clean_lines(const struct rule_choice *c, struct rule_page *p, struct buf *out,
                      struct sentences *sent, struct line_counts *counts);

/* What is to be written for text, maybe in room or spare. Counts the edits by row. */
struct bytes rules_mask(const struct rule_choice *c, struct bytes text, struct buf *room,
                        struct buf *spare, uint64_t hit[RULE_MAX]);

#endif
