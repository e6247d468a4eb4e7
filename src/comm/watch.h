/* watch.h - ends a process that waits for others for too long, and says where it stood.
 *
 * A thread looks now and then; what it watches costs a store. One at most in a process.
 */
#ifndef COMM_WATCH_H
#define COMM_WATCH_H

/* From now on, a wait of over `seconds` ends the process with status 1, a second after it said
 *     TOOL: rank 3: encoder block 5: dispatch: waiting 600 s (exchange of rows)
 * so that other ranks can say the same. 0: never. */
void watch_start(int rank, double seconds);
void watch_stop(void);

/* Where the process is: texts that stay. block -1: none; stack NULL: nowhere. */
void watch_place(const char *stack, int block, const char *work);
void watch_enter(const char *what);    // a wait begins; what: a text that stays
void watch_leave(void);

#endif
