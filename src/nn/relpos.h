/* relpos.h - T5's relative position bias: a table [buckets, H], one a stack. */
#ifndef NN_RELPOS_H
#define NN_RELPOS_H

#include <stddef.h>

struct relpos {
    int n_bucket;        // 32 in every public model
    int max_distance;    // 128
    int both;            // 1: encoder, keys on both sides; 0: decoder
};

/* Bucket of rel = key index - query index. Integer thresholds, equal to the float formula. */
int relpos_bucket(const struct relpos *r, int rel);

/* bias [H, S + T - 1] from table [buckets, H]: that of key - query = d stands at d + S - 1. The
 * table's gradient += from dbias [rows, H, S + T - 1]. */
void relpos_forward(const struct relpos *r, const float *table, int n_head, int n_query, int n_key,
                    float *bias);
void relpos_backward(const struct relpos *r, const float *dbias, int n_row, int n_head, int n_query,
                     int n_key, float *dtable);

#endif
