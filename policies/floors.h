/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * floors - how much the pods must draw whatever becomes of their jobs.
 *
 * Jobs end at once; the grid follows at its ramp, and what the batteries cannot
 * take meanwhile breaks it.  A pod that can be told a floor goes on drawing
 * that much and burns what its jobs do not need.  A floor below what a pod
 * draws costs nothing, so floors are set before the stop, and only where a stop
 * would leave less than the batteries can make up for:
 *
 *   W   what the load would be were nothing burnt: pods at their floor count
 *       as they were before
 *   S   the largest stop, with the cooling that goes with it
 *   K   load that must stay: the grid less what the batteries can take
 *
 * Jobs may end on whole pods or on a part of each; so where S is more than
 * W - K, no floors together are below K:
 *
 *   W (1 - phi) <= W - K     each floor is the part phi of what its pod draws
 *
 * After the stop W stays, K goes down with the grid, and the floors of the pods
 * that stopped go with it, as low as what others draw lets them.  Pods without
 * a floor are taken to be the first of a stop.  Pure.
 */
#ifndef POLICIES_FLOORS_H
#define POLICIES_FLOORS_H

#include <stdbool.h>
#include <stdint.h>

#include "models/site.h"

struct floors_cfg {
    int64_t n;
    int64_t n_able;               /* can be told a floor */
    double max_w[SITE_PODS_MAX];  /* 0: no floor */
    double step_w[SITE_PODS_MAX]; /* of floors, > 0 where there is one */
    double load_per_pod;          /* W of load per W of the pods, >= 1 */
    double rest_w;                /* power_max of those without */
    double able_w;                /* and of those with a floor */
    double least_pu;              /* of a floor's pod that it can hold */
    double ramp_max_w_per_s;
};

struct floors_state {
    double floor_w[SITE_PODS_MAX];
    double draw_w[SITE_PODS_MAX];  /* what its jobs draw, or drew before */
    double burns_s[SITE_PODS_MAX]; /* since it stopped; 0: it works */
    double wait_s[SITE_PODS_MAX];  /* that it should be higher, unbroken */
    double sum_w;                  /* of the floors */
    double burn_w;                 /* drawn for them alone */
    double unburnt_w;              /* that pods at their floor drew before */
};

/* Of one pod; NAN where not known. */
struct floors_seen {
    double power_w;
    double burn_w; /* as it says */
    double cap_w;  /* commanded */
};

struct floors_in {
    double load_w;  /* of the site, when the pods drew what they say */
    double keep_w;  /* of it must stay */
    double stop_w;  /* the largest stop, of the load, >= 0 */
    double leaks_w; /* an edge beyond passes before any battery answers */
    double dt_s;
};

void floors_init(struct floors_cfg *cfg, const struct site *site);
void floors_reset(struct floors_state *s);

/* Pod 'i' was found under a floor of 'floor_w' (NAN: none). */
void floors_found(const struct floors_cfg *cfg, struct floors_state *s,
                  int64_t i, double floor_w);

/* What the pods draw now, 'seen' of all; once a tick before floors_step(). */
void floors_see(const struct floors_cfg *cfg, struct floors_state *s,
                const struct floors_seen *seen, double dt_s);

/* One tick; the floors are left in s->floor_w, none above its pod's cap. */
void floors_step(const struct floors_cfg *cfg, struct floors_state *s,
                 const struct floors_in *in, const struct floors_seen *seen);

/* What a stop of 'stop_w' of the load, at full power, takes away at once with
 * every floor as high as it goes. */
double floors_left_w(const struct floors_cfg *cfg, double stop_w);

/* How slowly the floors go down when nobody speaks to the pods any more. */
double floors_down_s(const struct floors_cfg *cfg,
                     const struct floors_state *s);

/* Every number of a state read back is one that it can have. */
bool floors_valid(const struct floors_cfg *cfg, const struct floors_state *s);

#endif
