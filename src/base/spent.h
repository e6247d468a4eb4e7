/* spent.h - where a program's time goes: one part at a time, each without what is inside it.
 *
 *     int was = spent_on(SPENT_ROUTER);
 *     ...
 *     spent_on(was);
 *
 * One thread keeps the account, the one that called first; in others these calls do nothing.
 */
#ifndef BASE_SPENT_H
#define BASE_SPENT_H

enum spent {
    SPENT_OTHER,
    SPENT_GEMM,         // matrix products
    SPENT_ATTENTION,    // softmax, masks, tiles: attention but its products
    SPENT_LOSS,         // softmax of the logits
    SPENT_ROUTER,
    SPENT_EXCHANGE,    // tokens to other ranks and back
    SPENT_WAIT,        // sums over ranks
    SPENT_OPTIMIZER,
    SPENT_INPUT,    // examples
    SPENT_PARTS
};

int spent_on(int part);                       // from now on; returns what it was on
void spent_move(int part, double seconds);    // these of the present part were of that one
double spent_seconds(int part);               // so far
const char *spent_name(int part);

#endif
