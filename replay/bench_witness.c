/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bench_witness - the compliance meter with all that surrounds it, a tick. */
#include <math.h>
#include <stdlib.h>

#include "models/random.h"
#include "models/witness.h"
#include "replay/bench.h"

enum { WARM_UP = 1000, COUNTED = 20000, SEED = 1, TICKS_PER_TIME = 10 };

static const struct site_grid grid = {
    .import_max_w = 160e6,
    .import_average_s = 60.0,
    .import_trip_w = 176e6,
    .ramp_max_w_per_s = 10e6 / 60.0,
    .ramp_average_s = 10.0,
    .swing_max_w = 12e6,
    .swing_average_s = 2.0,
    .demand_interval_s = 900.0,
};

/* A load that breaks the ramp now and then, behind batteries that hold the
 * grid near its mean. */
static struct witness_in tick(int64_t i, uint64_t *random)
{
    double phase = (double)(i % 300) < 150.0 ? 20e6 : -20e6;
    double load_w = 100e6 + phase + random_draw(random, -2e6, 2e6);
    return (struct witness_in){
        .at_ms = INT64_C(1735689600000) + i * 100,
        .grid_w = 100e6 + 0.02 * (load_w - 100e6),
        .load_w = load_w,
        .import_max_w = NAN,
        .metered = 1,
    };
}

/* The clock takes as long as a tick: ten of them between two looks at it. */
static void measure(struct witness *w, double *times_ns)
{
    struct witness_in in[TICKS_PER_TIME];
    struct witness_event event;
    uint64_t random = random_seed(SEED);
    int64_t at = 0;
    for (int i = -WARM_UP; i < COUNTED; i++) {
        for (int k = 0; k < TICKS_PER_TIME; k++) {
            in[k] = tick(at++, &random);
        }
        int64_t from_ns = bench_now_ns();
        for (int k = 0; k < TICKS_PER_TIME; k++) {
            witness_push(w, &in[k]);
            while (witness_take(w, &event)) {
            }
        }
        if (i >= 0) {
            times_ns[i] = (double)(bench_now_ns() - from_ns) / TICKS_PER_TIME;
        }
    }
}

enum err bench_witness(struct bench_run *run)
{
    struct witness *w = malloc(sizeof(*w));
    double *times_ns = calloc(COUNTED, sizeof(*times_ns));
    enum err e = w != NULL && times_ns != NULL ? ERR_NONE : ERR_MEMORY;
    if (e == ERR_NONE) {
        witness_init(w, &grid, 0.1);
        measure(w, times_ns);
        bench_add(run, "p50_ns", bench_quantile(times_ns, COUNTED, 0.5));
        bench_add(run, "p99_ns", bench_quantile(times_ns, COUNTED, 0.99));
    }
    free(times_ns);
    free(w);
    return e;
}
