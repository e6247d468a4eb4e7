/* fuzz_warc.c - any file is records and damage; strict, it ends at the first damage. */
#define _GNU_SOURCE    // memfd_create
#include "fuzz.h"

#include "base/err.h"
#include "crawl/warc.h"
#include "io/stream.h"

static void check_view(struct bytes b, const struct warc_record *rec, const char *stop)
{
    volatile unsigned char sum = 0;
    size_t i;

    for (i = 0; i < b.n; i++)
        sum = (unsigned char)(sum + b.p[i]);
    fuzz_check(!b.n || !rec->block.p || b.p + b.n <= rec->block.p || b.p == rec->block.p);
    fuzz_check(!stop || !b.n || !memchr(b.p, *stop, b.n));
}

static uint64_t read_all(const char *path, int strict, uint64_t *damage)
{
    struct err err;
    struct stream *s = stream_open(path, &err);
    struct warc_reader *r;
    struct warc_record rec;
    uint64_t n = 0, last = 0, bytes = 0, lost = 0;
    int got;

    fuzz_check(s != NULL);
    r = warc_open(s, strict);
    warc_tell_lost(r);
    while ((got = warc_next(r, &rec, &err)) > 0) {
        lost += got == 2;
        fuzz_check(got == 2 || n == 0 || rec.offset > last);
        last = got == 1 ? rec.offset : last;
        bytes += got == 1 ? rec.block.n : 0;
        check_view(rec.type, &rec, "\n");
        check_view(rec.url, &rec, "\n");
        check_view(rec.date, &rec, "\n");
        check_view(rec.languages, &rec, "\n");
        check_view(rec.content_length, &rec, "\n");
        check_view(rec.content_type, &rec, "\n");
        check_view(rec.block, &rec, NULL);
        n += got == 1;
    }
    fuzz_check(strict || lost == warc_damage(r)->records);
    *damage = warc_damage(r)->records + warc_damage(r)->mended;
    fuzz_check(strict ? (got < 0) == (*damage > 0) : got == 0);
    fuzz_check(bytes + warc_damage(r)->bytes <= stream_offset(warc_stream(r)));
    warc_close(r);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const char *path = fuzz_file(data, n);
    uint64_t damage, strict_damage, whole = read_all(path, 0, &damage);
    uint64_t strict = read_all(path, 1, &strict_damage);

    fuzz_check(damage ? strict <= whole : strict == whole);
    fuzz_check((damage > 0) == (strict_damage > 0));
    return 0;
}
