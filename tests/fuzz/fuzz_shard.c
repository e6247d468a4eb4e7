/* fuzz_shard.c - any bytes as a shard: read forward past damage, and by number.
 *
 * A checksum keeps random bytes out of what lies behind it, so inputs that begin with 'F' are
 * a recipe: frames of the bytes that follow, each made right, so that payloads are reached.
 */
#define _GNU_SOURCE    // memfd_create
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "base/hash.h"
#include "shard/example.h"
#include "shard/ids.h"
#include "shard/logits.h"
#include "shard/record.h"
#include "shard/shard_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void add_frame(struct buf *b, char letter, const unsigned char head[4], uint64_t first,
                      const void *payload, size_t n)
{
    unsigned char frame[FRAME_HEAD] = { 'S', 'Y', (unsigned char)letter, '1' };

    frame[4] = letter == 'B' ? head[0] & 3 : 0;
    put32(frame + 8, (uint32_t)n);
    put32(frame + 12, frame[4] ? head[1] * 64u : (uint32_t)n);
    put32(frame + 16, letter == 'B'   ? 1 + head[2] % 8u
                      : letter == 'I' ? (uint32_t)n / INDEX_ENTRY
                                      : 0);
    put64(frame + 20, first);
    put32(frame + 28, hash_crc32c(hash_crc32c(0, frame, 28), payload, n));
    buf_add(b, frame, sizeof(frame));
    buf_add(b, payload, n);
    while (b->n % 8)
        buf_add_byte(b, 0);
}

/* Each byte 'S', 'B', 'I' or 'E', four bytes of its frame, one of length, the payload. */
static void cook(struct buf *b, const uint8_t *p, size_t n)
{
    static const char ids[] = "kind=ids\nversion=1\nvocab.size=300\nlangs=fi,sw\n";
    static const char examples[] =
        "kind=examples\nversion=1\nvocab.size=70000\ninputs=9\ntargets=9\n";
    static const char logits[] = "kind=logits\nversion=1\nvocab.size=9\ntargets=3\nk=2\ntau=1\n"
                                 "group_rows=1\nfirst=0\nteacher=x\nmixture=y\n";
    const char *header = n && *p % 2 ? examples : n && *p % 4 ? logits : ids;
    uint64_t first = 0;

    add_frame(b, 'S', (const unsigned char *)header, 0, header, strlen(header));
    while (n > 6) {
        size_t size = p[5] < n - 6 ? p[5] : n - 6;
        char letter = "SBIEBBBB"[p[0] % 8];

        add_frame(b, letter, p + 1, p[0] > 250 ? p[4] : first, p + 6, size);
        first += letter == 'B' ? 1 + p[3] % 8u : 0;
        n -= 6 + size;
        p += 6 + size;
    }
}

static void read_forward(const char *path)
{
    struct err err;
    struct record_reader *r = record_open(path, &err);
    struct record_sum sum = { 0 };
    struct buf text = { 0 };
    struct record rec;
    uint64_t skipped = 0;
    int got = r ? 1 : 0;

    while (got > 0) {
        got = record_next(r, &rec, &err);
        if (got > 0) {
            record_sum_add(&sum, &rec);
            buf_reset(&text);
            record_format(&rec, &text);
        }
        if (got < 0)
            got = record_resync(r, &skipped, &err);
    }
    record_close(r);
    buf_release(&text);
}

static void read_by_number(const char *path)
{
    struct err err;
    struct shard_file *f = shard_file_open(path, &err);
    struct example_file *e = example_file_open(path, &err);
    struct logits_file *l = logits_file_open(path, &err);
    struct logits_row said;
    struct shard_block b;
    struct example_row row;
    uint64_t i;

    for (i = 0; f && i < shard_file_blocks(f) && i < 1000; i++)
        if (shard_file_block(f, i, &b, &err) == 0 && b.payload.n > SHARD_PAYLOAD_MAX)
            abort();
    for (i = 0; e && i < example_file_rows(e) && i < 1000; i++)
        example_file_at(e, i * 7 % example_file_rows(e), &row, &err);
    for (i = 0; l && i < logits_file_rows(l) && i < 1000; i++)
        logits_file_at(l, i * 7 % logits_file_rows(l), &said, &err);
    logits_file_close(l);
    shard_file_close(f);
    example_file_close(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct buf b = { 0 };
    char path[64];
    int fd = memfd_create("shard", 0);

    if (n && *data == 'F')
        cook(&b, data + 1, n - 1);
    else
        buf_add(&b, data, n);
    if (fd < 0 || write(fd, b.p, b.n) != (ssize_t)b.n)
        abort();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    read_forward(path);
    read_by_number(path);
    close(fd);
    buf_release(&b);
    return 0;
}
