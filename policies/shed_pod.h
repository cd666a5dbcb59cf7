/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * shed_pod - what one pod can take and give: does it obey, is it cooled, does
 * its power distribution carry what it draws.
 *
 * obedience  a pod has 'response' to come under a cap; one that draws more
 *            than the highest cap of that time for half a second is set
 *            apart (at most twice the response and half a second after the
 *            cap), and trusted again when it has obeyed for a minute, twice
 *            as long after every relapse.
 * heat       air inlet or coolant above their limit lower the pod's own limit
 *            in proportion, to its floor at 5 K above; it comes back slowly.
 *            Cooling that stops drawing what it drew of late, by the servers'
 *            power, lowers it to its floor.
 * feeder     servers, network and distribution together stay under what the
 *            pod's own distribution carries; cooling has a feed of its own.
 */
#ifndef POLICIES_SHED_POD_H
#define POLICIES_SHED_POD_H

#include <stdbool.h>
#include <stdint.h>

#include "models/reason.h"
#include "models/site.h"

struct shed_pod_cfg {
    double floor_w;
    double power_max_w;
    double response_s;    /* > 0 */
    double inlet_max_c;   /* INFINITY: none */
    double coolant_max_c; /* likewise */
    double feeder_max_w;  /* likewise */
};

/* Measured; NAN where not known. */
struct shed_pod_seen {
    double power_w;
    double age_s; /* of power_w */
    double inlet_c;
    double coolant_c;
    double servers_w;
    double network_w;
    double distribution_w;
    double cooling_w;
};

struct shed_pod {
    double own_w;     /* what heat leaves it, floor .. power_max */
    double limit_w;   /* and its feeder */
    double high_w[2]; /* highest cap of the response under way, and before */
    double turn_s;    /* into it */
    double over_s;    /* above what is allowed, unbroken */
    double trust_s;   /* obeying, since it was set apart */
    double cool_pu;   /* cooling by servers' power, learnt */
    double cool_s;    /* learnt from so long */
    double warm_s;    /* without cooling, unbroken; as long with it again */
    double worst_c;   /* what is too hot, and its limit */
    double worst_max_c;
    int64_t apart;    /* 1: does not obey */
    int64_t relapses; /* how often it was set apart */
    int64_t uncooled; /* 1: cooling is lost */
    int64_t why;      /* enum reason of limit_w or of being apart, or NONE */
};

struct shed_pod_cfg shed_pod_of(const struct site_pod *pod);
void shed_pod_init(const struct shed_pod_cfg *cfg, struct shed_pod *p);

/* Lives on for 'dt_s' > 0 under 'cap_w', which was commanded before. */
void shed_pod_step(const struct shed_pod_cfg *cfg, struct shed_pod *p,
                   const struct shed_pod_seen *seen, double cap_w, double dt_s);

/* Every number of a state read back is one that it can have. */
bool shed_pod_valid(const struct shed_pod_cfg *cfg, const struct shed_pod *p);

#endif
