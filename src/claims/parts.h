/* parts.h - many sorted records, spread over several sorters by their first bits, so that threads
 * can add to them, and sort and walk them, at once. All of a part comes before all of the next. */
#ifndef CLAIMS_PARTS_H
#define CLAIMS_PARTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct err;
struct parts;
struct sorter;

enum { PARTS = 16 };

/* Records of size bytes, the first 8 their most significant bits; mem and dir as of sorter_new(),
 * mem for all parts together. */
struct parts *parts_new(size_t size, size_t mem, const char *dir);

struct parts_room {    // what one thread gathers; { 0 } is empty
    struct buf part[PARTS];
};

int parts_of(unsigned char first);    // the part of records that begin so

/* Room for one more record of size bytes that begins with the byte first. */
unsigned char *parts_room_get(struct parts_room *r, unsigned char first, size_t size);

/* Move what r holds into p. Any thread may, at any time before the first part is taken. 0, or -1: a
 * full disk. */
int parts_add(struct parts *p, struct parts_room *r, struct err *err);

/* The sorter of a part, to be started, read and freed by the caller. */
struct sorter *parts_take(struct parts *p, int part);

void parts_room_release(struct parts_room *r);
void parts_free(struct parts *p);    // p may be NULL

#endif
