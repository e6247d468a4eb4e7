/* ledger.h - what a text tool read, wrote and dropped, and why: --stats FILE.
 *
 * One JSON object: {"tool": , "version": , "options": , "in": {"records": , "bytes": },
 * "out": {...}, "dropped": {REASON: {"records": , "bytes": }}, "edited": {REASON: n},
 * "lang": {LANG: {"in": , "out": , "dropped": {REASON: n}}}, "files": [...]}.
 * in = out + dropped in records is asserted by ledger_write(): a tool that loses one dies.
 */
#ifndef IO_LEDGER_H
#define IO_LEDGER_H

#include <stdint.h>

struct err;
struct ledger;

struct ledger *ledger_new(const char *tool);
void ledger_in(struct ledger *l, const char *lang, uint64_t bytes);    // lang may be NULL
void ledger_out(struct ledger *l, const char *lang, uint64_t bytes);
void ledger_drop(struct ledger *l, const char *lang, const char *reason, uint64_t bytes);
void ledger_count(struct ledger *l, const char *what, uint64_t n);        // edits, lines, damage
void ledger_set(struct ledger *l, const char *key, const char *value);    // facts: profile, model

uint64_t ledger_records_in(const struct ledger *l);
uint64_t ledger_records_out(const struct ledger *l);
uint64_t ledger_counted(const struct ledger *l, const char *what);

/* Write it to path (NULL: nowhere, but the sum is still checked). 0 or -1. */
int ledger_write(const struct ledger *l, const char *path, struct err *err);
void ledger_free(struct ledger *l);

#endif
