/* rule_url.c - see rule_url.h. A rule without its list is not switched on. */
#include "rules/rule_url.h"
#include "lists/lists.h"
#include "lists/site.h"
#include "lists/url.h"
#include "rules/evidence.h"

static enum verdict drop_for(const struct rule_page *p, struct bytes what)
{
    evidence_text(p->why, what);
    return DROP_PAGE;
}

enum verdict page_other_domain(const struct rule_page *p)
{
    struct site site;

    if (sites_find(p->lists->sites, p->url, p->room) != SITES_NO_DOMAIN)
        return KEEP;
    site_of(p->url, p->room, &site);
    return drop_for(p, site.domain.n ? site.domain : site.host);
}

enum verdict page_other_subdomain(const struct rule_page *p)
{
    struct site site;

    if (sites_find(p->lists->sites, p->url, p->room) != SITES_NO_SUBDOMAIN)
        return KEEP;
    site_of(p->url, p->room, &site);
    return drop_for(p, site.host);
}

enum verdict page_other_url(const struct rule_page *p)
{
    if (keyset_has_key(p->lists->urls, p->url_key))
        return KEEP;
    url_normal(p->room, p->url);
    return drop_for(p, buf_bytes(p->room));
}

enum verdict page_blocked_domain(const struct rule_page *p)
{
    struct bytes what;

    return blocklist_domain(p->lists->blocklist, p->url, p->room, &what) ? drop_for(p, what) : KEEP;
}

enum verdict page_blocked_host(const struct rule_page *p)
{
    struct bytes what;

    return blocklist_host(p->lists->blocklist, p->url, p->room, &what) ? drop_for(p, what) : KEEP;
}

enum verdict page_blocked_url(const struct rule_page *p)
{
    return blocklist_url(p->lists->blocklist, p->url) ? drop_for(p, p->url) : KEEP;
}

enum verdict page_blocked_word(const struct rule_page *p)
{
    struct bytes what;

    return blocklist_word(p->lists->blocklist, p->url, p->room, &what) ? drop_for(p, what) : KEEP;
}

enum verdict page_blocked_soft_words(const struct rule_page *p)
{
    int n = blocklist_soft_words(p->lists->blocklist, p->url, p->room);

    if (n < p->limit)
        return KEEP;
    evidence_number(p->why, n, ">=", p->limit, "soft words");
    return DROP_PAGE;
}

enum verdict page_blocked_substring(const struct rule_page *p)
{
    struct bytes what;

    return blocklist_substring(p->lists->blocklist, p->url, p->room, &what) ? drop_for(p, what)
                                                                            : KEEP;
}
