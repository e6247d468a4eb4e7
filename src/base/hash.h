/* hash.h - checksums and digests. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

/* CRC-32C (Castagnoli) of n bytes, continued from crc (0 at the start). */
uint32_t hash_crc32c(uint32_t crc, const void *p, size_t n);
uint32_t hash_crc32c_plain(uint32_t crc, const void *p, size_t n);    // the definition, for tests

uint64_t hash_xx64(const void *p, size_t n, uint64_t seed);
void hash_xx128(const void *p, size_t n, unsigned char out[16]);    // XXH3, its canonical bytes

void hash_md5(const void *p, size_t n, unsigned char out[16]);

/* MD5 of n strings at once: several times faster than one after another. */
void hash_md5_many(const struct bytes *s, size_t n, unsigned char (*out)[16]);

void hash_sha1(const void *p, size_t n, unsigned char out[20]);

void hash_sha256(const void *p, size_t n, unsigned char out[32]);

struct hash_sha256;    // in pieces

struct hash_sha256 *hash_sha256_new(void);
void hash_sha256_add(struct hash_sha256 *h, const void *p, size_t n);
void hash_sha256_end(struct hash_sha256 *h, unsigned char out[32]);    // and frees h

/* n bytes as 2 n lower-case hex digits and a NUL. */
void hash_hex(const unsigned char *p, size_t n, char *out);

#endif
