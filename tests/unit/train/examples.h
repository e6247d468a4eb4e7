/* examples.h - small example shards for tests: rows of one or two segments, in which the target
 * goes on as the input went (ids rise by a step of the language's own), so there is something
 * to learn. tests/data/train holds two of them. */
#ifndef EXAMPLES_H
#define EXAMPLES_H

#include <stdint.h>

#include "../test.h"
#include "base/err.h"
#include "base/rng.h"
#include "shard/example.h"
#include "shard/shard.h"

enum { EX_VOCAB = 96, EX_INPUTS = 24, EX_TARGETS = 12 };

static void example_fill(struct example_row *row, int32_t *input, int32_t *target,
                         uint32_t (*segment)[2], uint64_t n, int step)
{
    uint64_t key = rng_key((uint64_t)step, "test examples"), k;
    uint32_t s, i;

    *row = (struct example_row){ .input = input, .target = target, .doc = n };
    row->segment_input = segment[0];
    row->segment_target = segment[1];
    row->n_segment = 1 + n % 2;
    for (s = 0; s < row->n_segment; s++) {
        uint32_t first = (uint32_t)(rng_u64(key, n, s) % 60);

        segment[0][s] = (uint32_t)(6 + rng_u64(key, n, 10 + s) % 6);
        segment[1][s] = 5;
        for (i = 0; i < segment[0][s]; i++)
            input[row->n_input++] = (int32_t)(3 + (first + i * (uint32_t)step) % 60);
        for (k = 0; k < 4; k++)
            target[row->n_target++] =
                (int32_t)(3 + (first + (i + (uint32_t)k) * (uint32_t)step) % 60);
        target[row->n_target++] = 1;
    }
}

static void examples_write(const char *path, const char *lang, uint64_t n_row, int step)
{
    struct shard_header *h = shard_header_new("examples");
    struct example_writer *w;
    struct err err;
    int32_t input[EX_INPUTS], target[EX_TARGETS];
    uint32_t segment[2][2];
    struct example_row row;
    uint64_t n;

    shard_header_set(h, "vocab.size", "%d", EX_VOCAB);
    shard_header_set(h, "vocab.sha256", "%064d", 7);
    shard_header_set(h, "inputs", "%d", EX_INPUTS);
    shard_header_set(h, "targets", "%d", EX_TARGETS);
    shard_header_set(h, "lang", "%s", lang);
    w = example_create(path, h, &err);
    if (!w)
        fail_msg("%s", err.msg);
    for (n = 0; n < n_row; n++) {
        example_fill(&row, input, target, segment, n, step);
        assert_int_equal(example_write(w, &row, &err), 0);
    }
    assert_int_equal(example_finish(w, &err), 0);
    shard_header_free(h);
}

#endif
