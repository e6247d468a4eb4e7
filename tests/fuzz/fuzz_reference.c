/* fuzz_reference.c - any file as the reference reads it: pages of lines, and an end. */
#define _GNU_SOURCE    // memfd_create
#include "fuzz.h"

#include "base/err.h"
#include "crawl/reference.h"
#include "text/utf8.h"

static uint64_t read_all(const char *path, int compat301)
{
    struct err err;
    struct reference *r = reference_open(path, compat301, &err);
    struct page p;
    uint64_t n = 0;
    int lacks;

    fuzz_check(r != NULL);
    while (reference_next(r, &p, &lacks, &err) == 1) {
        fuzz_check(!p.raw.n == !!(lacks & LACKS_TEXT) && !p.url.n == !!(lacks & LACKS_URL));
        fuzz_check(utf8_valid(p.raw) && utf8_valid(p.url) && utf8_valid(p.date));
        fuzz_check(!p.raw.n || (p.raw.p[0] != '\n' && p.raw.p[p.raw.n - 1] != '\n'));
        n++;
    }
    reference_close(r);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const char *path = fuzz_file(data, n);

    fuzz_check(read_all(path, 1) <= read_all(path, 0));
    return 0;
}
