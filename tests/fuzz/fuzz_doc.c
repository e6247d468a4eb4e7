/* fuzz_doc.c - what can be parsed can be written, and then stays as it is. */
#define _GNU_SOURCE    // memfd_create
#include "fuzz.h"

#include "base/err.h"
#include "io/doc.h"

static int same(struct bytes a, struct bytes b)
{
    return a.n == b.n && !a.p == !b.p && (!a.n || !memcmp(a.p, b.p, a.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct doc_parser *p = doc_parser_new(), *q = doc_parser_new();
    struct buf once = { 0 }, twice = { 0 };
    struct doc d, e;
    struct err err;

    if (doc_parse(p, (struct bytes){ data, n }, &d, &err) == 0) {
        doc_format(&once, &d);
        fuzz_check(once.p[once.n - 1] == '\n' && !memchr(once.p, '\n', once.n - 1));
        fuzz_check(doc_parse(q, buf_bytes(&once), &e, &err) == 0);
        fuzz_check(same(d.extra, e.extra));
        doc_format(&twice, &e);
        fuzz_check(same(buf_bytes(&once), buf_bytes(&twice)));
    }
    buf_release(&once);
    buf_release(&twice);
    doc_parser_free(p);
    doc_parser_free(q);
    return 0;
}
