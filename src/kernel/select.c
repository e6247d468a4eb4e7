/* select.c - which kernels this process uses. */
#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "kernel/kernel.h"

struct kernels kern;

struct variant {
    const char *name;
    void (*fill)(struct kernels *k);
};

#if defined(__x86_64__)
static const struct variant variants[] = {
    // each is laid over those before it
    { "ref", kernel_fill_ref },
    { "avx2", kernel_fill_avx2 },
    { "avx512", kernel_fill_avx512 },
    { "amx", kernel_fill_amx },
};

static int n_variant(void)
{
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") ||
        !__builtin_cpu_supports("f16c"))
        return 1;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512dq") ||
        !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512vl"))
        return 2;
    return kernel_has_amx() ? 4 : 3;
}
#else
static const struct variant variants[] = {
    { "ref", kernel_fill_ref },
};

static int n_variant(void)
{
    return 1;
}
#endif

const char *kernel_name(int i)
{
    return i >= 0 && i < n_variant() ? variants[i].name : NULL;
}

int kernel_select(struct kernels *k, const char *name)
{
    int i, n = n_variant(), last = n - 1;

    if (name)
        for (last = 0; last < n && strcmp(variants[last].name, name) != 0; last++)
            ;
    if (last == n)
        return -1;
    for (i = 0; i <= last; i++)
        variants[i].fill(k);
    return 0;
}

void kernel_init(void)
{
    const char *name = getenv("SWITCHYARD_KERNEL");

    if (name && !*name)
        name = NULL;
    if (kernel_select(&kern, name) == 0)
        return;
    warn("SWITCHYARD_KERNEL=%s: no such kernels on this processor, taking the best", name);
    kernel_select(&kern, NULL);
}
