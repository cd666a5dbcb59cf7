/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Loads and prices by hand, and what hindsight or a policy makes of them. */
#ifndef TESTS_REPLAY_HINDSIGHT_FIXTURE_H
#define TESTS_REPLAY_HINDSIGHT_FIXTURE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replay/hindsight.h"

enum { POINTS_MAX = 64 };

static const int64_t START_MS = 1767225600000;

/* A load by hand: 'n' powers, each for 'step_s'. */
struct load {
    struct trace trace;
    double t_s[POINTS_MAX];
    double power_w[POINTS_MAX];
};

static inline void set_load(struct load *l, const double *mw, size_t n,
                            double step_s)
{
    *l = (struct load){.trace = {.n = n,
                                 .t_s = l->t_s,
                                 .power_w = l->power_w,
                                 .scale = 1.0,
                                 .start_utc_ms = -1,
                                 .step_s = step_s,
                                 .pass_s = step_s * (double)n,
                                 .duration_s = step_s * (double)n}};
    snprintf(l->trace.name, sizeof(l->trace.name), "by hand");
    for (size_t i = 0; i < n; i++) {
        l->t_s[i] = step_s * (double)i;
        l->power_w[i] = mw[i] * 1e6;
    }
}

static inline void set_prices(struct prices *p, double *per_kwh, size_t n,
                              int64_t step_ms)
{
    *p = (struct prices){.known = PRICES_ALL,
                         .start_at_ms = START_MS,
                         .step_ms = step_ms,
                         .n = n,
                         .per_kwh = per_kwh,
                         .settle_per_kwh = per_kwh};
}

/* Without prices, events or vehicles unless set. */
static inline struct replay_cfg cfg_of(const struct site *site,
                                       const struct load *l)
{
    return (struct replay_cfg){
        .site = site,
        .trace = &l->trace,
        .start_utc_ms = START_MS,
        .seed = 1,
    };
}

static inline struct replay_result *look_back(const struct replay_cfg *cfg)
{
    char why[512] = "";
    struct replay_result *r = calloc(1, sizeof(*r));
    struct hindsight *h = hindsight_open(cfg, why, sizeof(why));
    if (h == NULL || hindsight_run(h, NULL, r, why, sizeof(why)) != ERR_NONE) {
        fail_msg("%s", why);
    }
    hindsight_close(h);
    return r;
}

static inline struct replay_result *steer(struct replay_cfg cfg,
                                          enum policy policy)
{
    char why[512] = "";
    struct replay_result *r = calloc(1, sizeof(*r));
    cfg.policy = policy;
    if (replay_run(&cfg, r, why, sizeof(why)) != ERR_NONE) {
        fail_msg("%s", why);
    }
    return r;
}

static inline double total(const struct replay_result *r)
{
    return r->energy_cur + r->demand_cur + r->wear_cur + r->shed_cur;
}

#endif
