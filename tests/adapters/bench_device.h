/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bench_device - the Modbus adapter wired to a hostile device; every pass is
 * 100 ms of simulated time after the one before. */
#ifndef TESTS_ADAPTERS_BENCH_DEVICE_H
#define TESTS_ADAPTERS_BENCH_DEVICE_H

#include "adapters/adapter.h"
#include "tests/adapters/hostile.h"

struct bench_cfg {
    const char *map;
    enum device_role role; /* default: battery */
    bool read_only;
    double rating_w;   /* default 2 MW */
    double response_s; /* default 0.5 */
};

struct bench {
    struct hostile h;
    struct device *device;
    struct device_values values;
    struct link_state link;
    struct device_lease lease;
    int64_t mono_ms;
};

void bench_start(struct bench *b, const struct bench_cfg *cfg);
void bench_stop(struct bench *b);

/* The same device, the adapter opened anew with nothing known. */
void bench_reopen(struct bench *b, const struct bench_cfg *cfg);

enum err bench_pass(struct bench *b);
void bench_passes(struct bench *b, int n);
void bench_command(struct bench *b, double set_w, double fallback_w);

#endif
