/* expose.c - memory that the ranks of one machine see of one another; see comm.h.
 *
 * A rank's memory becomes that of a nameless file, which the others open through /proc. That the
 * file is the right one, and not that of a process of the same number elsewhere, is known by a
 * token in it.
 */
#define _GNU_SOURCE    // NOLINT(bugprone-reserved-identifier): memfd_create()
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "comm/comm.h"

enum { PID, FD, TOKEN, SIZE = TOKEN + 2, N_WORD = SIZE + 2 };    // the last two of 8 bytes

static void put_64(int32_t *to, uint64_t x)
{
    memcpy(to, &x, sizeof(x));
}

static uint64_t get_64(const int32_t *from)
{
    uint64_t x;

    memcpy(&x, from, sizeof(x));
    return x;
}

static uint64_t make_token(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return ((uint64_t)now.tv_sec << 32) ^ ((uint64_t)now.tv_nsec << 8) ^
           ((uint64_t)getpid() << 44) ^ 1;
}

/* The file of `bytes` over p; -1: the system does not, and p is as it was. */
static int make_file(void *p, size_t bytes)
{
    int fd = memfd_create("switchyard", MFD_CLOEXEC);

    if (fd >= 0 &&
        (ftruncate(fd, (off_t)bytes) < 0 ||
         mmap(p, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)) {
        close(fd);
        return -1;
    }
#ifdef MADV_HUGEPAGE
    if (fd >= 0)
        madvise(p, bytes, MADV_HUGEPAGE);
#endif
    return fd;
}

/* Another rank's memory, or NULL. */
static void *look_at(const int32_t *word)
{
    size_t bytes = (size_t)get_64(word + SIZE);
    char path[64];
    void *p;
    int fd;

    if (word[FD] < 0 || bytes == 0)
        return NULL;
    snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)word[PID], (int)word[FD]);
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    p = lseek(fd, 0, SEEK_END) == (off_t)bytes
            ? mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
            : MAP_FAILED;
    close(fd);
    if (p == MAP_FAILED)
        return NULL;
    if (*(const uint64_t *)p != get_64(word + TOKEN)) {
        munmap(p, bytes);
        return NULL;
    }
#ifdef MADV_HUGEPAGE
    madvise(p, bytes, MADV_HUGEPAGE);
#endif
    return p;
}

static void look_away(const struct comm *c, void **of, const int32_t *word)
{
    int r;

    for (r = 0; r < comm_size(c); r++)
        if (r != comm_rank(c) && of[r])
            munmap(of[r], (size_t)get_64(word + r * N_WORD + SIZE));
}

/* Own words to all ranks, theirs to all [size, N_WORD]. */
static void tell_all(struct comm *c, const int32_t *own, int32_t *all)
{
    int n = comm_size(c), r;
    int32_t *send = xcalloc((size_t)n * N_WORD, sizeof(*send));

    for (r = 0; r < n; r++)
        memcpy(send + r * N_WORD, own, N_WORD * sizeof(*own));
    comm_exchange_i32(c, send, all, N_WORD);
    free(send);
}

int comm_expose(struct comm *c, void *p, size_t bytes, void **of)
{
    int32_t own[N_WORD] = { (int32_t)getpid(), -1 };
    int32_t *all = xcalloc((size_t)comm_size(c) * N_WORD, sizeof(*all));
    uint64_t token = make_token();
    int64_t bad = 0;
    int r;

    if (comm_size(c) > 1 && comm_one_node(c) && bytes >= sizeof(token))
        own[FD] = make_file(p, bytes);
    if (own[FD] >= 0)
        memcpy(p, &token, sizeof(token));
    put_64(own + TOKEN, token);
    put_64(own + SIZE, bytes);
    tell_all(c, own, all);
    for (r = 0; r < comm_size(c); r++) {
        of[r] = r == comm_rank(c) ? p : look_at(all + r * N_WORD);
        bad |= !of[r] || own[FD] < 0;
    }
    comm_max_i64(c, &bad, 1);    // now all have looked
    if (own[FD] >= 0) {
        memset(p, 0, sizeof(token));
        close(own[FD]);
    }
    if (bad)
        look_away(c, of, all);
    comm_barrier(c);    // nobody writes before all are clean
    free(all);
    return !bad;
}

void comm_hide(struct comm *c, void **of, const size_t *bytes)
{
    int r;

    for (r = 0; r < comm_size(c); r++)
        if (r != comm_rank(c))
            munmap(of[r], bytes[r]);
}
