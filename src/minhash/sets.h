/* sets.h - numbers below n in disjoint sets, the least of each standing for it: 8 bytes a number.
 */
#ifndef MINHASH_SETS_H
#define MINHASH_SETS_H

#include <stdint.h>

struct sets;

struct sets *sets_new(uint64_t n);    // each number alone
void sets_free(struct sets *s);       // s may be NULL

void sets_join(struct sets *s, uint64_t a, uint64_t b);
uint64_t sets_find(struct sets *s, uint64_t a);      // the least of its set
int sets_alone(const struct sets *s, uint64_t a);    // the only one of its set

#endif
