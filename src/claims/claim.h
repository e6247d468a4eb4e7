/* claim.h - who owns a URL and who owns a line, decided by sorting.
 *
 * Each page makes a claim on its URL, and on each of its lines; a claim is a record of fixed size
 * that io/sort.h puts in order: claims on one thing together, its owner's first. Walking them in
 * this order tells every loser. So nothing that is decided here depends on the order of files, on
 * memory or on threads.
 *
 * A line is known by its place: its page's number in the run above its own number in the page.
 */
#ifndef CLAIMS_CLAIM_H
#define CLAIMS_CLAIM_H

#include <stdint.h>

#include "base/mem.h"

enum { URL_CLAIM = 80, LINE_CLAIM = 32, CLAIM_KEY = 16 };

/* Of the pages of one URL the greatest date wins, as a string (its first 32 bytes); then the
 * smallest MD5 of its text, then the smallest MD5 of its URL as it stands. As 3.0.1 has it the
 * greatest MD5 of the text comes first. */
struct url_claim {
    const unsigned char *key;    // MD5 of the URL's normal form
    struct bytes date;
    const unsigned char *text_md5, *url_md5;
    uint64_t page;
};

void url_claim_write(unsigned char rec[URL_CLAIM], const struct url_claim *c, int compat301);
/* Set the MD5 of the text of a claim that was written without it. */
void url_claim_text(unsigned char rec[URL_CLAIM], const unsigned char text_md5[16], int compat301);

uint64_t url_claim_page(const unsigned char rec[URL_CLAIM]);

/* Of the pages that have a line the smallest owner wins, of equal ones the smallest place. */
void line_claim_write(unsigned char rec[LINE_CLAIM], const unsigned char key[CLAIM_KEY],
                      const unsigned char owner[8], uint64_t place);
uint64_t line_claim_place(const unsigned char rec[LINE_CLAIM]);

/* What tells lines apart: a hash of the line in lower case, without white space around it. low is
 * room. */
void line_key(struct bytes line, struct buf *low, unsigned char key[CLAIM_KEY]);

/* Places have room for a page of LINES_MAX lines. The lowest bit is left for the fate of a line
 * that is lost. */
enum { LINE_BITS = 28 };

uint64_t line_place(uint64_t page, uint64_t line);
uint64_t place_page(uint64_t place);

enum line_fate { LINE_OTHERS, LINE_AGAIN, LINE_MINE };

uint64_t place_lost(uint64_t place, enum line_fate why);    // LINE_OTHERS or LINE_AGAIN
uint64_t place_line(uint64_t place);
enum line_fate place_fate(uint64_t place);

/* A walk over sorted claims; { 0 } begins one. task parts pages of equal numbers in different
 * runs; those of a single run are all of task 0. */
struct walk {
    unsigned char key[CLAIM_KEY];
    uint64_t page;
    unsigned task;
    int begun;
};

/* Whether the next URL claim is its owner's. */
int walk_url(struct walk *w, const unsigned char rec[URL_CLAIM]);

/* The fate of the line of the next claim. */
enum line_fate walk_line(struct walk *w, const unsigned char rec[LINE_CLAIM], unsigned task);

void number_write(unsigned char p[8], uint64_t x);    // so that memcmp() orders numbers
uint64_t number_read(const unsigned char p[8]);

#endif
