/* test_hash.c - known answers, and CRC-32C against its definition at all alignments. */
#include "../test.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/rng.h"

static void test_crc32c(void **state)
{
    unsigned char data[300];
    struct rng r = rng_at(1, 1);
    size_t off, n, i, bad = 0;

    (void)state;
    assert_int_equal(hash_crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(hash_crc32c_plain(0, "123456789", 9), 0xe3069283);
    assert_int_equal(hash_crc32c(0, NULL, 0), 0);
    memset(data, 0, 32);
    assert_int_equal(hash_crc32c(0, data, 32), 0x8a9136aa);    // RFC 3720, B.4
    memset(data, 0xff, 32);
    assert_int_equal(hash_crc32c(0, data, 32), 0x62a8ab43);
    for (i = 0; i < sizeof(data); i++)
        data[i] = (unsigned char)rng_next(&r);
    for (off = 0; off < 16; off++)
        for (n = 0; n < sizeof(data) - off; n++) {
            uint32_t whole = hash_crc32c_plain(7, data + off, n);
            uint32_t half = hash_crc32c(7, data + off, n / 3);

            bad += hash_crc32c(7, data + off, n) != whole;
            bad += hash_crc32c(half, data + off + n / 3, n - n / 3) != whole;
        }
    assert_int_equal(bad, 0);
}

static void check_hex(const unsigned char *p, size_t n, const char *want)
{
    char hex[65];

    hash_hex(p, n, hex);
    assert_string_equal(hex, want);
}

static void test_digests(void **state)
{
    struct hash_sha256 *h = hash_sha256_new();
    unsigned char d[32];

    (void)state;
    hash_md5("", 0, d);
    check_hex(d, 16, "d41d8cd98f00b204e9800998ecf8427e");    // RFC 1321, A.5
    hash_md5("message digest", 14, d);
    check_hex(d, 16, "f96b697d7cb7938d525a2f31aaf161d0");
    hash_sha1("abc", 3, d);    // FIPS 180-2, A.1
    check_hex(d, 20, "a9993e364706816aba3e25717850c26c9cd0d89d");
    hash_xx128("", 0, d);    // as xxhsum -H2 prints it
    check_hex(d, 16, "99aa06d3014798d86001c324468d497f");
    hash_xx128("abc", 3, d);
    check_hex(d, 16, "06b05ab6733a618578af5f94892f3950");
    hash_sha256("abc", 3, d);    // FIPS 180-2, B.1 and B.2
    check_hex(d, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    hash_sha256_add(h, "abcdbcdecdefdefgefghfghigh", 26);
    hash_sha256_add(h, "ijhijkijkljklmklmnlmnomnopnopq", 30);
    hash_sha256_end(h, d);
    check_hex(d, 32, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void test_xx64(void **state)
{
    (void)state;
    assert_true(hash_xx64("", 0, 0) == 0xef46db3751d8e999);
    assert_true(hash_xx64("abc", 3, 0) == 0x44bc2cf5ad770999);
    assert_true(hash_xx64("abc", 3, 1) != hash_xx64("abc", 3, 0));
}

static void test_xx128(void **state)
{
    unsigned char d[16];

    (void)state;
    hash_xx128("", 0, d);
    check_hex(d, 16, "99aa06d3014798d86001c324468d497f");
}

/* Against one at a time, for every length about the borders of blocks. */
static void test_md5_many(void **state)
{
    enum { N = 300 };
    static unsigned char data[5000], got[N][16];
    struct bytes s[N];
    struct rng r = rng_at(4, 4);
    unsigned char want[16];
    size_t i, n;

    (void)state;
    for (i = 0; i < sizeof(data); i++)
        data[i] = (unsigned char)rng_next(&r);
    for (i = 0; i < N; i++)
        s[i] = (struct bytes){ data + i, i < 200 ? i : rng_below(&r, sizeof(data) - N) };
    s[7] = (struct bytes){ NULL, 0 };
    for (n = 0; n <= N; n = n < 20 ? n + 1 : n + 140) {
        memset(got, 0, sizeof(got));
        hash_md5_many(s, n, got);
        for (i = 0; i < n; i++) {
            hash_md5(s[i].p, s[i].n, want);
            assert_memory_equal(got[i], want, 16);
        }
    }
}

TESTS("base/hash", cmocka_unit_test(test_crc32c), cmocka_unit_test(test_digests),
      cmocka_unit_test(test_md5_many), cmocka_unit_test(test_xx64), cmocka_unit_test(test_xx128))
