/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sim_clock - the two clocks, for the parts that talk to the world. */
#ifndef REPLAY_SIM_CLOCK_H
#define REPLAY_SIM_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Seconds of the monotonic clock. */
static inline double sim_mono_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Milliseconds of UTC since 1970. */
static inline int64_t sim_utc_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

#endif
