/* lists.h - lists that a run is given: sites to keep, URLs to keep, URLs to drop. Read only once
 * they are loaded: threads share them.
 *
 * Files are plain, gzip or zstd; a line an entry, white space around it, empty lines and those that
 * begin with # aside.
 */
#ifndef LISTS_LISTS_H
#define LISTS_LISTS_H

#include <stdint.h>

#include "base/mem.h"
#include "lists/keyset.h"

struct err;

/* Sites to keep: registered domains, a line each, or as TFDS has them for realnews: a JSON object
 * {"bbc.com": true, "yahoo.com": ["news", "finance"]}, true for any host of the domain. */
struct sites;

struct sites *sites_load(const char *path, struct err *err);    // NULL: failed
void sites_free(struct sites *s);                               // s may be NULL

enum sites_fate { SITES_HAS, SITES_NO_DOMAIN, SITES_NO_SUBDOMAIN };

enum sites_fate sites_find(const struct sites *s, struct bytes url, struct buf *room);
uint64_t sites_fingerprint(const struct sites *s);

/* URLs to keep, by their normal form. 0 or -1; k is to be released in either case. */
int urls_load(const char *path, struct keyset *k, struct err *err);

/* What drops pages by their URL: a folder with some of the files domains (of the registered domain,
 * or the host), hosts, urls (as they stand), words (letters and digits between other characters),
 * substrings (of the URL's letters and digits, run together) and soft-words. All but urls are
 * compared without regard to ASCII case. */
struct blocklist;

struct blocklist *blocklist_load(const char *dir, struct err *err);    // NULL: failed
void blocklist_free(struct blocklist *b);                              // b may be NULL
uint64_t blocklist_fingerprint(const struct blocklist *b);

/* *what is the entry that the URL has, in room. */
int blocklist_domain(const struct blocklist *b, struct bytes url, struct buf *room,
                     struct bytes *what);
int blocklist_host(const struct blocklist *b, struct bytes url, struct buf *room,
                   struct bytes *what);
int blocklist_url(const struct blocklist *b, struct bytes url);
int blocklist_word(const struct blocklist *b, struct bytes url, struct buf *room,
                   struct bytes *what);
int blocklist_substring(const struct blocklist *b, struct bytes url, struct buf *room,
                        struct bytes *what);

/* How many different soft words the URL has, of at most 64. */
int blocklist_soft_words(const struct blocklist *b, struct bytes url, struct buf *room);

#endif
