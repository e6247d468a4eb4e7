/* fuzz_html.c - any bytes as HTML, in what they are said to be encoded or look like. */
#define _GNU_SOURCE    // memfd_create
#include "fuzz.h"

#include "crawl/charset.h"
#include "crawl/html.h"
#include "text/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)    // a label, a line end, HTML
{
    const uint8_t *lf = n ? memchr(data, '\n', n) : NULL;
    struct bytes label = { data, lf ? (size_t)(lf - data) : 0 }, html = { data, n };
    struct buf plain = { 0 }, text = { 0 };
    const char *encoding;

    if (lf)
        html = (struct bytes){ lf + 1, n - label.n - 1 };
    encoding = charset_of(html, label);
    fuzz_check(encoding != NULL);
    fuzz_check(charset_decode(encoding, html, &plain) <= n);
    fuzz_check(utf8_valid(buf_bytes(&plain)) && !(plain.n && memchr(plain.p, 0, plain.n)));
    html_init();
    html_to_text(buf_bytes(&plain), &text);
    fuzz_check(utf8_valid(buf_bytes(&text)));
    buf_release(&plain);
    buf_release(&text);
    return 0;
}
