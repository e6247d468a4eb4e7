/* test_mem.c - arenas, buffers, and what happens when there is no memory. */
#include "../test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

static void test_arena(void **state)
{
    static const size_t size[] = { 1, 64, 65, 1000, 4000, 100000, 0, 5000, 4096 };
    struct arena *a = arena_new(4096);
    unsigned char *p[200];
    size_t n[200], i, k, round;

    (void)state;
    for (round = 0; round < 3; round++) {
        for (i = 0; i < 200; i++) {
            n[i] = size[i * (round + 1) % (sizeof(size) / sizeof(size[0]))];
            p[i] = arena_get(a, n[i]);
            assert_int_equal((uintptr_t)p[i] % 64, 0);
            memset(p[i], (int)i, n[i]);
        }
        for (i = 0; i < 200; i++)    // nothing lies in another thing
            for (k = 0; k < n[i]; k++)
                if (p[i][k] != (unsigned char)i)
                    fail_msg("round %zu: byte %zu of thing %zu overwritten", round, k, i);
        arena_reset(a);
    }
    arena_free(a);
    arena_free(NULL);
}

/* After a reset the same work takes no more memory: the blocks are used again. */
static void test_arena_reuse(void **state)
{
    struct arena *a = arena_new(4096);
    void *first[50];
    size_t round, i;

    (void)state;
    for (round = 0; round < 3; round++) {
        for (i = 0; i < 50; i++) {
            void *p = arena_get(a, i % 7 == 3 ? 9000 : 500);

            if (round == 0)
                first[i] = p;
            else
                assert_ptr_equal(p, first[i]);
        }
        arena_reset(a);
    }
    arena_free(a);
}

static void test_buf(void **state)
{
    struct buf b = { 0 };
    char want[] = "x=42;0123456789";
    int i;

    (void)state;
    assert_int_equal(buf_bytes(&b).n, 0);
    buf_add(&b, NULL, 0);
    buf_printf(&b, "x=%d", 42);
    assert_int_equal(b.n, 4);
    buf_add_byte(&b, ';');
    for (i = 0; i < 10; i++)
        buf_printf(&b, "%d", i);
    buf_add_str(&b, "");
    assert_int_equal(b.n, strlen(want));
    assert_memory_equal(b.p, want, b.n);
    buf_reset(&b);
    assert_int_equal(b.n, 0);
    for (i = 0; i < 100000; i++)
        buf_add(&b, "abc", 3);
    assert_int_equal(b.n, 300000);
    assert_memory_equal(b.p + 299997, "abc", 3);
    assert_true(b.cap < 1000000);
    buf_need(&b, 1 << 20);
    assert_true(b.cap >= 1 << 20);
    buf_release(&b);
    assert_null(b.p);
    assert_int_equal(b.cap, 0);
}

static void test_strings(void **state)
{
    char *s = xasprintf("%s-%05d", "shard", 7), *t = xstrndup("ab\0cd", 5), *u = xstrdup("");

    (void)state;
    assert_string_equal(s, "shard-00007");
    assert_memory_equal(t, "ab\0cd", 6);
    assert_string_equal(u, "");
    free(s);
    free(t);
    free(u);
    free(xmalloc(0));
    free(xcalloc(0, 8));
}

static void test_map(void **state)
{
    size_t i, size = 3000000, bad = 0;
    unsigned char *p = mem_map(size);

    (void)state;
    assert_int_equal((uintptr_t)p % 64, 0);
    for (i = 0; i < size; i++)
        bad += p[i] != 0;
    assert_int_equal(bad, 0);
    memset(p, 1, size);
    mem_unmap(p, size);
    mem_unmap(mem_map(0), 0);
    mem_unmap(NULL, 5);
}

static void too_many(void)
{
    xreallocarray(NULL, SIZE_MAX / 4, 8);
}

static void too_much(void)
{
    struct buf b = { 0 };

    buf_add(&b, "", SIZE_MAX / 2);
}

static void grown_too_far(void)
{
    struct buf b = { 0 };

    buf_need(&b, SIZE_MAX / 2);
}

static void check_dies(void (*f)(void), const char *want)
{
    char said[400] = "";
    int status;
    pid_t child = fork();
    FILE *file;

    if (child == 0) {
        if (!freopen("said", "w", stderr))
            _exit(9);
        f();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    file = fopen("said", "r");
    assert_true(fread(said, 1, sizeof(said) - 1, file) > 0);
    fclose(file);
    if (!strstr(said, want))    // a sanitizer may say something before it
        fail_msg("'%s', not '%s'", said, want);
}

static void test_no_memory(void **state)
{
    (void)state;
    check_dies(too_many, "switchyard: out of memory (4611686018427387903 x 8 bytes)\n");
    check_dies(too_much, "switchyard: out of memory (9223372036854775807 bytes)\n");
    check_dies(grown_too_far, "switchyard: out of memory (9223372036854775807 bytes)\n");
}

TESTS("base/mem", cmocka_unit_test(test_arena), cmocka_unit_test(test_arena_reuse),
      cmocka_unit_test(test_buf), cmocka_unit_test(test_strings), cmocka_unit_test(test_map),
      cmocka_unit_test(test_no_memory))
