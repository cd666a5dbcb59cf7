/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/clock.h"

#include <assert.h>
#include <errno.h>
#include <time.h>

static int64_t read_ns(clockid_t id)
{
    struct timespec t = {0};
    int failed = clock_gettime(id, &t);
    assert(failed == 0);
    (void)failed;
    return (int64_t)t.tv_sec * CLOCK_NS_PER_S + t.tv_nsec;
}

int64_t clock_mono_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

int64_t clock_mono_ms(void)
{
    return read_ns(CLOCK_MONOTONIC) / CLOCK_NS_PER_MS;
}

int64_t clock_utc_ms(void)
{
    return read_ns(CLOCK_REALTIME) / CLOCK_NS_PER_MS;
}

void clock_sleep_until(int64_t mono_ns)
{
    struct timespec t = {
        .tv_sec = (time_t)(mono_ns / CLOCK_NS_PER_S),
        .tv_nsec = (long)(mono_ns % CLOCK_NS_PER_S),
    };
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) {
    }
}
