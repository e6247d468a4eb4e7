/* hash.c - see hash.h. */
#define _DEFAULT_SOURCE    // NOLINT(bugprone-reserved-identifier): libc's own switch, for libmd's
                           // types
#include <md5.h>
#include <sha1.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/hash.h"
#include "base/mem.h"

uint32_t hash_crc32c_plain(uint32_t crc, const void *p, size_t n)
{
    const unsigned char *b = p;
    int bit;

    crc = ~crc;
    while (n--) {
        crc ^= *b++;
        for (bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0x82F63B78u & (0 - (crc & 1)));
    }
    return ~crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t crc, const void *p,
                                                               size_t n)
{
    const unsigned char *b = p;
    uint64_t acc = (uint32_t)~crc, word;

    for (; n >= 8; n -= 8, b += 8) {
        memcpy(&word, b, 8);
        acc = __builtin_ia32_crc32di(acc, word);
    }
    while (n--)
        acc = __builtin_ia32_crc32qi((uint32_t)acc, *b++);
    return ~(uint32_t)acc;
}
#endif

uint32_t hash_crc32c(uint32_t crc, const void *p, size_t n)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("sse4.2"))
        return crc32c_sse42(crc, p, n);
#endif
    return hash_crc32c_plain(crc, p, n);
}

uint64_t hash_xx64(const void *p, size_t n, uint64_t seed)
{
    return XXH64(p, n, seed);
}

void hash_xx128(const void *p, size_t n, unsigned char out[16])
{
    XXH128_canonical_t c;

    XXH128_canonicalFromHash(&c, XXH3_128bits(p, n));
    memcpy(out, c.digest, 16);
}

void hash_md5(const void *p, size_t n, unsigned char out[16])
{
    MD5_CTX c;

    MD5Init(&c);
    MD5Update(&c, p, n);
    MD5Final(out, &c);
}

void hash_sha1(const void *p, size_t n, unsigned char out[20])
{
    SHA1_CTX c;

    SHA1Init(&c);
    SHA1Update(&c, p, n);
    SHA1Final(out, &c);
}

void hash_sha256(const void *p, size_t n, unsigned char out[32])
{
    SHA2_CTX c;

    SHA256Init(&c);
    SHA256Update(&c, p, n);
    SHA256Final(out, &c);
}

struct hash_sha256 {
    SHA2_CTX c;
};

struct hash_sha256 *hash_sha256_new(void)
{
    struct hash_sha256 *h = xmalloc(sizeof(*h));

    SHA256Init(&h->c);
    return h;
}

void hash_sha256_add(struct hash_sha256 *h, const void *p, size_t n)
{
    SHA256Update(&h->c, p, n);
}

void hash_sha256_end(struct hash_sha256 *h, unsigned char out[32])
{
    SHA256Final(out, &h->c);
    free(h);
}

void hash_hex(const unsigned char *p, size_t n, char *out)
{
    static const char digit[] = "0123456789abcdef";
    size_t i;

    for (i = 0; i < n; i++) {
        out[2 * i] = digit[p[i] >> 4];
        out[2 * i + 1] = digit[p[i] & 15];
    }
    out[2 * n] = 0;
}
