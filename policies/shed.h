/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * shed - what the pods must hold back when the batteries cannot hold a limit.
 *
 * The pods together get a budget.  Every pod keeps its floor; what is left
 * goes to the highest priority first (then to the class of the highest
 * value), in proportion among equals.  The budget falls at once and comes
 * back at the ramp limit.
 */
#ifndef POLICIES_SHED_H
#define POLICIES_SHED_H

#include <stdint.h>

#include "models/site.h"

struct shed_cfg {
    int64_t n;                    /* pods */
    int64_t order[SITE_PODS_MAX]; /* served first comes first */
    int64_t rank[SITE_PODS_MAX];  /* of order[k]; equals share */
    double cap_min_w[SITE_PODS_MAX];
    double power_max_w[SITE_PODS_MAX];
    double floor_sum_w;
    double power_max_sum_w;
    double return_w_per_s; /* how fast the budget grows again */
};

struct shed_state {
    double budget_w;             /* at power_max_sum_w: no caps */
    double cap_w[SITE_PODS_MAX]; /* given last; power_max: no cap */
};

struct shed_in {
    double pods_w; /* drawn now, all together */
    double over_w; /* by how much that must fall (+) or may rise (-) */
    double dt_s;
};

void shed_init(struct shed_cfg *cfg, const struct site *site);
void shed_reset(const struct shed_cfg *cfg, struct shed_state *s);

/* Pod 'i' was found under a cap of 'cap_w' (not finite: under none). */
void shed_found(const struct shed_cfg *cfg, struct shed_state *s, int64_t i,
                double cap_w);

/* All are found and draw 'power_w' (NAN: not known): go on from there, the
 * caps are given back at the ramp. */
void shed_resume(const struct shed_cfg *cfg, struct shed_state *s,
                 const double *power_w);

/* What all would draw if they were let, as far as it shows: one that draws
 * its cap wants all that it may. */
double shed_wanted_w(const struct shed_cfg *cfg, const struct shed_state *s,
                     const double *power_w);

/*
 * One tick; the caps are left in s->cap_w.  'power_w' has what each pod draws,
 * NAN for a silent one, which is assumed to want all it may.  Returns what is
 * still missing with every pod at its floor, 0 where the budget is met.
 */
double shed_step(const struct shed_cfg *cfg, struct shed_state *s,
                 const struct shed_in *in, const double *power_w);

#endif
