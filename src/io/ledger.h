/* ledger.h - what a text tool read, wrote and dropped, and why: --stats FILE.
 *
 * One JSON object: {"tool": , "version": , "options": , "facts": {KEY: text},
 * "in": {"records": , "bytes": }, "out": {...}, "dropped": {REASON: {"records": , "bytes": }},
 * "counted": {WHAT: n}, "lang": {LANG: {"in": n, "out": n, "dropped": {REASON: n}}},
 * "files": [{"path": , "bytes": , "trouble": }]}. Names within an object are sorted, files
 * stay in the order in which they were added: the same work gives the same bytes. A tool that
 * loses a record fails: ledger_write() checks that in = out + dropped.
 */
#ifndef IO_LEDGER_H
#define IO_LEDGER_H

#include <stdint.h>

struct err;
struct ledger;

struct ledger *ledger_new(const char *tool);    // options are those of opt_line()
void ledger_in(struct ledger *l, const char *lang, uint64_t bytes);    // lang may be NULL
void ledger_out(struct ledger *l, const char *lang, uint64_t bytes);
void ledger_drop(struct ledger *l, const char *lang, const char *reason, uint64_t bytes);
void ledger_count(struct ledger *l, const char *what, uint64_t n);        // edits, lines, damage
void ledger_set(struct ledger *l, const char *key, const char *value);    // facts: profile, model

/* An input file that is done: its plain bytes, and what was wrong with it (NULL: nothing). */
void ledger_file(struct ledger *l, const char *path, uint64_t bytes, const char *trouble);

/* Add all that from counted to l, as when threads keep a ledger each. Facts of l stay. */
void ledger_merge(struct ledger *l, const struct ledger *from);

uint64_t ledger_records_in(const struct ledger *l);
uint64_t ledger_records_out(const struct ledger *l);
uint64_t ledger_records_dropped(const struct ledger *l);
uint64_t ledger_counted(const struct ledger *l, const char *what);

/* Write it to path (NULL: nowhere, but the sum is still checked). 0 or -1. */
int ledger_write(const struct ledger *l, const char *path, struct err *err);
void ledger_free(struct ledger *l);    // l may be NULL

#endif
