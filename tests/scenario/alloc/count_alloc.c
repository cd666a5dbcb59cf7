/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * count_alloc - preloaded into `ballast run`: counts what a thread allocates
 * once it sleeps to absolute deadlines, as only the control thread does.
 * On exit it writes "threads N ticks N allocations N" to $COUNT_ALLOC.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

typedef int sleep_fn(clockid_t, int, const struct timespec *,
                     struct timespec *);

static _Thread_local int is_control;
static atomic_int n_threads;
static atomic_int n_ticks;
static atomic_int n_allocations;

static void count(void)
{
    atomic_fetch_add(&n_allocations, is_control);
}

void *malloc(size_t size)
{
    count();
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    count();
    return __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
    count();
    return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size)
{
    count();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    *out = memalign(alignment, size);
    return *out != NULL ? 0 : 12; /* ENOMEM */
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *until,
                    struct timespec *left)
{
    static _Atomic(sleep_fn *) next;
    sleep_fn *f = atomic_load(&next);
    if (f == NULL) {
        f = (sleep_fn *)dlsym(RTLD_NEXT, "clock_nanosleep");
        atomic_store(&next, f);
    }
    if (flags == TIMER_ABSTIME) {
        if (!is_control) {
            is_control = 1;
            atomic_fetch_add(&n_threads, 1);
        }
        atomic_fetch_add(&n_ticks, 1);
    }
    return f(clock, flags, until, left);
}

__attribute__((destructor)) static void tell(void)
{
    const char *path = getenv("COUNT_ALLOC");
    FILE *f = path != NULL ? fopen(path, "w") : NULL;
    if (f != NULL) {
        fprintf(f, "threads %d ticks %d allocations %d\n", n_threads, n_ticks,
                n_allocations);
        fclose(f);
    }
}
