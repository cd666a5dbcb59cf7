/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Contradictions within grid and control. */
#include "controller/site_reader.h"

#include <math.h>
#include <stdio.h>

/* Most samples that a moving mean or a window of the controller holds, and
 * the longest window over which the ramp and the swing are judged. */
enum { SAMPLES_MAX = 4096, WINDOW_S = 60 };

static bool known(const struct site_reader *r, const void *at)
{
    return site_place_of(r, at) != NULL;
}

/* A mean needs a sample, and it and the window behind it must be held.  A
 * default gives way to a long period. */
static void check_average(struct site_reader *r, double *average_s,
                          double window_s)
{
    const double *period_s = &r->draft->site.control.period_s;
    if (!known(r, average_s) || !known(r, period_s)) {
        return;
    }
    bool preset = site_place_of(r, average_s)->spot.line == 0;
    if (preset && *average_s < *period_s) {
        *average_s = *period_s;
    }
    if (*average_s < *period_s * (1.0 - 1e-9)) {
        site_clash(r, average_s, period_s,
                   "expected at least one control period");
    } else if ((*average_s + window_s) / *period_s > SAMPLES_MAX * (1 + 1e-9)) {
        char judged[64] = "";
        if (window_s > 0.0) {
            snprintf(judged, sizeof(judged),
                     ", with the %g s over which it is judged", window_s);
        }
        site_clash(r, average_s, period_s,
                   "expected at most %d control periods%s", SAMPLES_MAX,
                   judged);
    }
}

static void check_band(struct site_reader *r, const struct site_band *b)
{
    const double *period_s = &r->draft->site.control.period_s;
    if (!known(r, &b->from_hz) || !known(r, &b->to_hz)) {
        return;
    }
    if (b->from_hz >= b->to_hz) {
        site_clash(r, &b->from_hz, &b->to_hz, "expected from below to");
    } else if (known(r, period_s) && b->to_hz * *period_s > 0.5 * (1 + 1e-9)) {
        site_clash(r, &b->to_hz, period_s,
                   "expected at most %g Hz, half the control rate",
                   0.5 / *period_s);
    }
}

static void check_limits(struct site_reader *r, struct site_grid *g)
{
    if (isnan(g->import_trip_w)) {
        g->import_trip_w = 1.1 * g->import_max_w;
    } else if (known(r, &g->import_trip_w) && known(r, &g->import_max_w) &&
               g->import_trip_w < g->import_max_w) {
        site_clash(r, &g->import_trip_w, &g->import_max_w,
                   "expected import_trip not below import_max");
    }
    if (isnan(g->demand_charge_per_kw)) {
        g->demand_charge_per_kw = 0.0;
    }
}

void site_check_grid(struct site_reader *r)
{
    struct site_grid *g = &r->draft->site.grid;
    const struct site_control *c = &r->draft->site.control;
    check_limits(r, g);
    check_average(r, &g->import_average_s, 0.0);
    check_average(r, &g->ramp_average_s, WINDOW_S);
    check_average(r, &g->swing_average_s, WINDOW_S);
    for (int i = 0; i < g->n_bands; i++) {
        check_band(r, &g->bands[i]);
    }
    if (known(r, &c->plan_every_s) && known(r, &c->horizon_s) &&
        c->horizon_s < c->plan_every_s) {
        site_clash(r, &c->horizon_s, &c->plan_every_s,
                   "expected a horizon not shorter than plan_every");
    }
}
