/* rule_url.c - see rule_url.h. A rule without its list is not switched on. */
#include "rules/rule_url.h"
#include "lists/lists.h"

static enum verdict drop_if(int is)
{
    return is ? DROP_PAGE : KEEP;
}

enum verdict page_other_domain(const struct rule_page *p)
{
    return drop_if(sites_find(p->lists->sites, p->url, p->room) == SITES_NO_DOMAIN);
}

enum verdict page_other_subdomain(const struct rule_page *p)
{
    return drop_if(sites_find(p->lists->sites, p->url, p->room) == SITES_NO_SUBDOMAIN);
}

enum verdict page_other_url(const struct rule_page *p)
{
    return drop_if(!keyset_has_key(p->lists->urls, p->url_key));
}

enum verdict page_blocked_domain(const struct rule_page *p)
{
    return drop_if(blocklist_domain(p->lists->blocklist, p->url, p->room));
}

enum verdict page_blocked_host(const struct rule_page *p)
{
    return drop_if(blocklist_host(p->lists->blocklist, p->url, p->room));
}

enum verdict page_blocked_url(const struct rule_page *p)
{
    return drop_if(blocklist_url(p->lists->blocklist, p->url));
}

enum verdict page_blocked_word(const struct rule_page *p)
{
    return drop_if(blocklist_word(p->lists->blocklist, p->url, p->room));
}

enum verdict page_blocked_soft_words(const struct rule_page *p)
{
    return drop_if(blocklist_soft_words(p->lists->blocklist, p->url, p->room) >= p->limit);
}

enum verdict page_blocked_substring(const struct rule_page *p)
{
    return drop_if(blocklist_substring(p->lists->blocklist, p->url, p->room));
}
