/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "controller/step/problem.h"
#include "controller/step/step_parts.h"

/* Of energy at the plug, into the pack (policies/fleet.c asks for it so). */
static const double CHARGER_EFF_PU = 0.9;
static const double LEAST_W = 1.0; /* less is nothing */
static const double LEAST_WH = 1.0;
/* Charge beyond need is taken while it is cheap: half of it that much later. */
static const double BESIDE_HALF_S = 900.0;

double problem_charging_w(const struct step_cfg *cfg,
                          const struct step_state *state, int f)
{
    double w = state->drawn_w[f] - state->compute_w[f];
    return cfg->site.fleets[f].behind_poi ? fmax(w, 0.0) : 0.0;
}

/* The feeder has room for so much of what a fleet's cars could take. */
static double feeder_part(const struct site_fleet *fleet,
                          const struct bucket_must *must,
                          const struct bucket *b, int n, int f)
{
    double power_w = 0.0;
    for (int i = 0; i < n; i++) {
        power_w += b[i].fleet == f ? b[i].power_w : 0.0;
    }
    double room_w = fmax(fleet->feeder_max_w - must->power_w, 0.0);
    return power_w > room_w ? room_w / power_w : 1.0;
}

static void put_bucket(const struct bucket *b, double part, struct problem *p)
{
    double power_w = part * b->power_w;
    if (power_w >= LEAST_W && b->need_wh >= LEAST_WH) {
        p->buckets[p->n_buckets++] = (struct problem_bucket){
            .fleet = b->fleet,
            .power_w = power_w,
            .need_wh = CHARGER_EFF_PU * b->need_wh,
            .departs_s = b->departs_s,
        };
    }
}

static void add_must(const struct problem_must *must, struct problem *p)
{
    double left_s = must->lasts_s;
    for (int64_t t = 0; t < p->n_slots && left_s > 0.0; t++) {
        double part = fmin(left_s / p->step_s[t], 1.0);
        p->load_w[t] += part * must->power_w;
        left_s -= p->step_s[t];
    }
}

static void add_beside(double power_w, struct problem *p)
{
    double at_s = 0.0;
    for (int64_t t = 0; t < p->n_slots; t++) {
        p->load_w[t] += power_w * exp2(-at_s / BESIDE_HALF_S);
        at_s += p->step_s[t];
    }
}

void problem_cars(const struct step_cfg *cfg, const struct step_state *state,
                  int64_t utc_ms, struct problem *p)
{
    struct bucket b[PLAN_BUCKETS_MAX];
    struct bucket_must must[SITE_FLEETS_MAX];
    int n = cars_buckets(cfg, state, utc_ms, b, must);
    for (int f = 0; f < cfg->site.n_fleets; f++) {
        const struct site_fleet *fleet = &cfg->site.fleets[f];
        double part = feeder_part(fleet, &must[f], b, n, f);
        double power_w = fmin(must[f].power_w, fleet->feeder_max_w);
        int64_t n_before = p->n_buckets;
        for (int i = 0; i < n; i++) {
            if (b[i].fleet == f) {
                put_bucket(&b[i], part, p);
            }
        }
        if (power_w >= LEAST_W) {
            double lasts_s = must[f].need_wh / power_w * 3600.0;
            p->must[f] = (struct problem_must){power_w, lasts_s};
            add_must(&p->must[f], p);
        }
        if (power_w < LEAST_W && p->n_buckets == n_before) {
            add_beside(problem_charging_w(cfg, state, f), p);
        }
    }
}
