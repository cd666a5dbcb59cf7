/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "controller/step/foresee.h"
#include "controller/step/problem.h"
#include "controller/step/step_parts.h"

/* Of energy at the plug, into the pack (policies/fleet.c asks for it so). */
static const double CHARGER_EFF_PU = 0.9;
static const double LEAST_W = 1.0; /* less is nothing */
static const double LEAST_WH = 1.0;
/* Charge beyond need is taken while it is cheap: half of it that much later. */
static const double BESIDE_HALF_S = 900.0;
/* Half of those that come later are there by then. */
static const double COME_HALF_S = 3600.0;
static const double DAY_S = 86400.0;

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

static double beside_w(double power_w, double at_s)
{
    return power_w * exp2(-at_s / BESIDE_HALF_S);
}

/* What the cars of a fleet that are here draw 'at_s' from now on average. */
static double here_w(const struct problem *p, int f, int64_t first_bucket,
                     double at_s)
{
    const struct problem_must *must = &p->must[f];
    double w = at_s < must->lasts_s ? must->power_w : 0.0;
    for (int64_t i = first_bucket; i < p->n_buckets; i++) {
        const struct problem_bucket *b = &p->buckets[i];
        double hours = b->departs_s / 3600.0;
        w += at_s < b->departs_s ? b->need_wh / CHARGER_EFF_PU / hours : 0.0;
    }
    return w;
}

/* What they take beyond their need goes on for a while; in time others come,
 * until as much is drawn as usual. */
static void add_rest(double now_w, double usual_w, int f, int64_t first_bucket,
                     struct problem *p)
{
    double at_s = 0.0;
    for (int64_t t = 0; t < p->n_slots; t++) {
        double more_w = beside_w(now_w, at_s);
        double to_come_w = usual_w - here_w(p, f, first_bucket, at_s) - more_w;
        double come = 1.0 - exp2(-at_s / COME_HALF_S);
        p->load_w[t] += more_w + come * fmax(to_come_w, 0.0);
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
        bool needy = power_w >= LEAST_W || p->n_buckets > n_before;
        double now_w = needy ? 0.0 : problem_charging_w(cfg, state, f);
        const struct foresee_cars *cars = &foresee_in(cfg, state)->cars[f];
        double usual_w = cars->usual_w * cars->usual_s / DAY_S;
        add_rest(now_w, usual_w, f, n_before, p);
    }
}
