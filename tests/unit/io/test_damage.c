/* Damaged gzip: what is whole comes out, the rest is told. */
#include "stored.h"

#include "base/rng.h"

static void test_gzip_damage(void **state)
{
    struct buf b = { 0 }, one = { 0 };
    size_t two;

    (void)state;
    add_member(&b, "one ", 4, 9, 0);
    two = b.n;
    add_member(&b, "two ", 4, 9, 0);
    add_member(&one, "two ", 4, 9, 0);
    add_member(&b, "three", 5, 9, 0);
    b.p[two + one.n - 8] ^= 1;
    expect_trouble(&b, 1, "gzip member at byte 24: checksum does not match", "one two three");
    b.p[two + one.n - 8] ^= 1;
    b.p[two + one.n - 1] ^= 0x80;
    expect_trouble(&b, 1, "x: gzip member at byte 24: size does not match", "one two three");
    b.p[two + one.n - 1] ^= 0x80;
    b.p[two + 3] = 0xff;
    expect_trouble(&b, 1, "gzip member at byte 24: header is damaged", "one three");
    b.p[two + 1] = 0;
    expect_trouble(&b, 1, "gzip member at byte 24: is none", "one three");
    b.n = two + 9;
    b.p[two + 1] = 0x8b;
    b.p[two + 3] = 0;
    expect_trouble(&b, 1, "gzip member at byte 24: cut short in its header", "one ");
    buf_release(&b);
    buf_release(&one);
}

/* However a file is cut, what comes out is a beginning, and a cut inside a member is told. */
static void test_gzip_cut_anywhere(void **state)
{
    static const char plain[] = "first member. second member, first member. third one. ";
    struct buf b = { 0 }, out = { 0 };
    size_t end[4] = { 0 }, cut, full;

    (void)state;
    add_member(&b, plain, 14, 9, 0);
    end[1] = b.n;
    add_member(&b, plain + 14, 29, 9, 1);
    end[2] = b.n;
    add_member(&b, plain + 43, 11, 0, 0);
    end[3] = full = b.n;
    for (cut = 2; cut <= full; cut++) {
        int whole = cut == end[1] || cut == end[2] || cut == end[3];
        int magic = cut == end[1] + 1 || cut == end[2] + 1;    // one byte behind: junk

        b.n = cut;
        save("x", &b);
        assert_int_equal(drain("x", &out, NULL, NULL), !whole && !magic);
        assert_true(out.n <= sizeof(plain) - 1);
        assert_memory_equal(out.n ? out.p : (void *)"", plain, out.n);
    }
    assert_int_equal(out.n, sizeof(plain) - 1);
    buf_release(&b);
    buf_release(&out);
}

/* Whatever byte of a member is changed, all other members come out. */
static void test_gzip_flip_anywhere(void **state)
{
    enum { N = 6, SIZE = 3000 };
    static char plain[N][SIZE];
    struct buf b = { 0 }, out = { 0 };
    size_t start[N + 1], i, j;
    struct rng r = rng_at(rng_key(1, "flip"), 0);

    (void)state;
    for (i = 0; i < N; i++) {
        for (j = 0; j + 8 < SIZE; j += 8)
            snprintf(plain[i] + j, 9, "%zu.%05u,", i, (unsigned)rng_below(&r, 2000));
        start[i] = b.n;
        add_member(&b, plain[i], SIZE, 6, i == 2);
    }
    start[N] = b.n;
    for (i = 0; i < 300; i++) {
        size_t member = rng_below(&r, N - 1) + 1;    // the first one tells what the file is
        size_t at = start[member] + rng_below(&r, start[member + 1] - start[member]);
        unsigned char was = b.p[at];

        b.p[at] ^= (unsigned char)(1 << rng_below(&r, 8));
        save("x", &b);
        drain("x", &out, NULL, NULL);
        for (j = 0; j < N; j++) {
            size_t k = 0;

            while (j != member && k + SIZE <= out.n && memcmp(out.p + k, plain[j], SIZE) != 0)
                k++;
            if (k + SIZE > out.n)
                fail_msg("byte %zu of member %zu changed: member %zu is lost", at, member, j);
        }
        b.p[at] = was;
    }
    buf_release(&b);
    buf_release(&out);
}

/* A broken member larger than all that is held. */
static void test_gzip_large_damage(void **state)
{
    enum { SIZE = 5 << 20 };
    unsigned char *noise = malloc(SIZE);
    struct buf b = { 0 }, out = { 0 };
    struct rng r = rng_at(rng_key(1, "noise"), 0);
    struct err err;
    size_t i;

    (void)state;
    for (i = 0; i < SIZE; i += 8) {
        uint64_t x = rng_next(&r);

        memcpy(noise + i, &x, 8);
    }
    add_member(&b, noise, SIZE, 1, 0);
    save("x", &b);
    assert_int_equal(drain("x", &out, NULL, &err), 0);
    assert_int_equal(out.n, SIZE);
    assert_memory_equal(out.p, noise, SIZE);
    b.p[b.n - 100] ^= 4;
    add_member(&b, "behind", 6, 1, 0);
    save("x", &b);
    assert_int_equal(drain("x", &out, NULL, &err), 1);
    assert_memory_equal(out.p + out.n - 6, "behind", 6);
    free(noise);
    buf_release(&b);
    buf_release(&out);
}

TESTS("io/damage", cmocka_unit_test(test_gzip_damage), cmocka_unit_test(test_gzip_cut_anywhere),
      cmocka_unit_test(test_gzip_flip_anywhere), cmocka_unit_test(test_gzip_large_damage))
