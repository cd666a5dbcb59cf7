/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A battery of the SunSpec kind on a bench. */
#ifndef TESTS_ADAPTERS_MODBUS_FIXTURE_H
#define TESTS_ADAPTERS_MODBUS_FIXTURE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/adapters/bench_device.h"

static struct bench b;

static inline int start(void **state)
{
    (void)state;
    bench_start(&b, &(struct bench_cfg){.map = "sunspec"});
    return 0;
}

static inline int stop(void **state)
{
    (void)state;
    bench_stop(&b);
    return 0;
}

static inline void assert_good(const struct reading *r, double value)
{
    if (r->quality != QUALITY_GOOD || fabs(r->value - value) > 1e-6) {
        fail_msg("%g quality %d, want %g", r->value, (int)r->quality, value);
    }
}

static inline int32_t reg32(int off)
{
    uint32_t high = hostile_get(&b.h, hostile_addr(704, off));
    return (int32_t)(high << 16 |
                     hostile_get(&b.h, hostile_addr(704, off + 1)));
}

#endif
