/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bench_share - a power shared over as many batteries as there may be, each of
 * another kind, by equal marginal cost. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "models/err.h"
#include "models/random.h"
#include "policies/share.h"
#include "replay/bench.h"

enum { WARM_UP = 200, COUNTED = 4000, SEED = 1 };

static void install(struct share_battery *b, uint64_t *random)
{
    for (int i = 0; i < SHARE_MAX; i++) {
        double rating_w = random_draw(random, 1e6, 1e7);
        double first = random_draw(random, 5e-6, 3e-5);
        b[i] = (struct share_battery){
            .charge_max_w = rating_w * random_draw(random, 0.5, 1.0),
            .discharge_max_w = rating_w * random_draw(random, 0.5, 1.0),
            .charge_first_cur_per_wh = first,
            .discharge_first_cur_per_wh = first,
            .slope_cur_per_w2h = random_draw(random, 2e-5, 6e-5) / rating_w,
        };
    }
}

enum err bench_share(struct bench_run *run)
{
    struct share_battery *b = calloc(SHARE_MAX, sizeof(*b));
    double *times_us = calloc(COUNTED, sizeof(*times_us));
    if (b == NULL || times_us == NULL) {
        snprintf(run->why, sizeof(run->why), "%s", err_text(ERR_MEMORY));
        free(b);
        free(times_us);
        return ERR_MEMORY;
    }
    uint64_t random = random_seed(SEED);
    install(b, &random);
    double wrong_w = 0.0;
    for (int k = 0; k < WARM_UP + COUNTED; k++) {
        double total_w = random_draw(&random, -3e9, 3e9);
        int64_t from_ns = bench_now_ns();
        double got_w = share_step(b, SHARE_MAX, total_w);
        int64_t took_ns = bench_now_ns() - from_ns;
        wrong_w = fmax(wrong_w, fabs(got_w - total_w));
        if (k >= WARM_UP) {
            times_us[k - WARM_UP] = (double)took_ns / 1e3;
        }
    }
    bench_add(run, "p50_us", bench_quantile(times_us, COUNTED, 0.5));
    bench_add(run, "p99_us", bench_quantile(times_us, COUNTED, 0.99));
    bench_add(run, "wrong_w", wrong_w);
    free(b);
    free(times_us);
    return ERR_NONE;
}
