/* search.h - from encoded texts to the ids that answer them: the likeliest at each step, the best
 * of a beam, or drawn.
 *
 * What a request gets depends on itself and the rule alone.
 */
#ifndef GENERATE_SEARCH_H
#define GENERATE_SEARCH_H

#include <stddef.h>
#include <stdint.h>

#include "generate/pick.h"

struct net;

enum { BEAMS_MAX = 256 };

enum search { SEARCH_GREEDY, SEARCH_BEAM, SEARCH_DRAW };

struct search_rule {
    enum search kind;
    int n_beam;      // hypotheses a beam keeps
    int n_best;      // results of each request; greedy: 1, beam: at most n_beam
    double alpha;    // of the length penalty ((5 + length) / 6) ^ alpha
    struct draw draw;
    uint64_t seed;    // of what is drawn
    int32_t end;      // the id that ends a hypothesis; -1: none does
    int32_t n_id;     // ids from here on are never said, whatever their share
    int capacity;     // of experts in the encoder; 0: they take all
};

struct search_result {
    int32_t *id;      // n of them: the forced ones too, without the end; owned
    int n, length;    // length: what was said after the forced ones, with the end
    int ended;        // or it was cut
    double log_p;     // of what was said after the forced ids; natural
    double score;     // log_p / ((5 + length) / 6) ^ alpha
};

struct search_request {
    const int32_t *input;    // n_input > 0 ids
    const int32_t *force;    // the first n_force ids of every answer; may be NULL if 0
    int n_input, n_force;
    int limit;                       // ids after the forced ones at most, with the end
    int32_t stop;                    // another id that ends it, -1: none
    uint64_t number;                 // what is drawn depends on it and the seed
    int n_result;                    // out: of a beam n_beam, or what there is; else n_best
    struct search_result *result;    // [search_rows()], the caller's; the best first, or as drawn
};

/* Rows of net that a request needs. */
int search_rows(const struct search_rule *rule);

/* n requests, as many as net has texts and rows for. */
void search_run(struct net *net, const struct search_rule *rule, struct search_request *r, int n);

void search_result_release(struct search_result *r);

#endif
