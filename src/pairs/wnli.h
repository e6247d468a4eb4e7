/* wnli.h - WNLI as T5 has it: a pair of sentences back into the Winograd schema it was made of. */
#ifndef PAIRS_WNLI_H
#define PAIRS_WNLI_H

#include "base/mem.h"

/* The pronoun of premise that hypothesis replaces: premise with it in stars is appended to text,
 * what replaced it to referent; either may be NULL. -1 when there is none. */
int wnli_undo(struct bytes premise, struct bytes hypothesis, struct buf *text,
              struct buf *referent);

#endif
