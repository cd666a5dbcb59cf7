/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * clock - the two clocks, never mixed: monotonic for ages, leases and
 * deadlines, UTC for what people and tariffs see.
 */
#ifndef CONTROLLER_CLOCK_H
#define CONTROLLER_CLOCK_H

#include <stdint.h>

#define CLOCK_NS_PER_MS INT64_C(1000000)
#define CLOCK_NS_PER_S INT64_C(1000000000)

/* Since some instant in the past; never jumps, never 0. */
int64_t clock_mono_ns(void);
int64_t clock_mono_ms(void);

/* Since 1970; may jump when somebody sets the clock. */
int64_t clock_utc_ms(void);

/* Sleep until the monotonic clock shows 'mono_ns'; at once where it is past.
 * Goes on sleeping after a signal. */
void clock_sleep_until(int64_t mono_ns);

#endif
