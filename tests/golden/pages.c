/* pages.c - the pages of crawl files as the reference's reader finds them, a line each: URL, date,
 * characters, MD5 of the text; "default": as the default reader does, "text": all of their text. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "crawl/crawl.h"
#include "io/ledger.h"
#include "text/utf8.h"

static void print_text(const struct page *p)
{
    printf("%.*s\n%.*s\n\n", (int)p->url.n, (const char *)p->url.p, (int)p->text.n,
           (const char *)p->text.p);
}

static void print(const struct page *p)
{
    unsigned char md5[16];
    char hex[33];

    hash_md5(p->text.p, p->text.n, md5);
    hash_hex(md5, sizeof(md5), hex);
    printf("%.*s\t%.*s\t%zu\t%s\n", (int)p->url.n, (const char *)p->url.p, (int)p->date.n,
           (const char *)p->date.p, utf8_count(p->text), hex);
}

int main(int argc, char **argv)
{
    struct crawl_mode mode = { .reference = argc < 3 };
    struct ledger *ledger = ledger_new("pages");
    struct crawl_room *room = crawl_room_new();
    struct crawl *c;
    struct page p;
    struct err err;
    int got, text = argc > 2 && !strcmp(argv[2], "text");

    if (argc < 2 || !(c = crawl_open(argv[1], &mode, ledger, &err))) {
        fprintf(stderr, "pages: %s\n", argc < 2 ? "usage: pages FILE [default|text]" : err.msg);
        return 1;
    }
    while ((got = crawl_next(c, &p, &err)) == 1) {
        crawl_render(room, &p);
        if (!p.fault)
            (text ? print_text : print)(&p);
    }
    crawl_close(c);
    crawl_room_free(room);
    ledger_free(ledger);
    return got < 0;
}
