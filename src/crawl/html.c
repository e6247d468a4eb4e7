/* html.c - see html.h. libxml2's parser, by its events: no tree is built, and nothing recurses. */
#include <limits.h>

#include <libxml/HTMLparser.h>

#include "base/die.h"
#include "crawl/flow.h"
#include "crawl/html.h"

struct reading {
    struct flow flow;
    htmlParserCtxtPtr parser;
    int depth, too_deep;
};

static void on_open(void *ctx, const xmlChar *name, const xmlChar **attribute)
{
    struct reading *r = ctx;

    (void)attribute;
    flow_open(&r->flow, flow_kind((const char *)name));
    if (++r->depth <= HTML_DEPTH_MAX)
        return;
    r->too_deep = 1;    // looking for the element that an end tag ends takes time by depth
    xmlStopParser(r->parser);
}

static void on_close(void *ctx, const xmlChar *name)
{
    struct reading *r = ctx;

    r->depth--;
    flow_close(&r->flow, flow_kind((const char *)name));
}

static void on_text(void *ctx, const xmlChar *p, int n)
{
    struct reading *r = ctx;

    flow_text(&r->flow, p, (size_t)n);
}

void html_init(void)
{
    xmlInitParser();
}

int html_to_text(struct bytes html, struct buf *out)
{
    static const xmlSAXHandler handler = { .startElement = on_open,
                                           .endElement = on_close,
                                           .characters = on_text,
                                           .ignorableWhitespace = on_text };
    struct reading r = { .parser = htmlNewParserCtxt() };

    if (!r.parser)
        die("out of memory (libxml2)");
    flow_start(&r.flow, out);
    *r.parser->sax = handler;
    r.parser->userData = &r;
    if (html.n && html.n < INT_MAX)
        xmlFreeDoc(htmlCtxtReadMemory(r.parser, (const char *)html.p, (int)html.n, NULL, "UTF-8",
                                      HTML_PARSE_RECOVER | HTML_PARSE_NOERROR |
                                          HTML_PARSE_NOWARNING | HTML_PARSE_NONET |
                                          HTML_PARSE_IGNORE_ENC));
    if (r.parser->errNo == XML_ERR_NO_MEMORY)
        die("out of memory (libxml2)");
    htmlFreeParserCtxt(r.parser);
    return r.too_deep;
}
