/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * reserve - the largest edge of the load that the batteries can take up now.
 *
 * While the grid follows at its ramp limit R, an edge of dP that comes on top
 * of what the batteries carry already (C, in the direction of the edge) needs
 *
 *   power    C + dP
 *   energy   (C + dP)^2 / 2R
 *   latency  dP L <= R T^2: what leaks before they answer, against what the
 *            mean over the utility's averaging time T forgives
 *
 * (DESIGN.md, promise 1).  Where they carry nothing, the mean alone takes
 * R T.  Pure.
 */
#ifndef POLICIES_RESERVE_H
#define POLICIES_RESERVE_H

/* In the order of which one is named where several are short. */
#define RESERVE_LIST(X) \
    X(POWER, "power")   \
    X(ENERGY, "energy") \
    X(LATENCY, "latency")
#define RESERVE_ENUM(name, text) RESERVE_##name,
enum reserve_bound { RESERVE_LIST(RESERVE_ENUM) RESERVE_BOUND_COUNT };
#undef RESERVE_ENUM

/* What is done on purpose uses no more than that of what is covered. */
#define RESERVE_SURE_PU 0.8

/* The site; all > 0. */
struct reserve_cfg {
    double ramp_max_w_per_s;
    double ramp_average_s;
    double latency_s; /* of the batteries, the tick of the edge included */
};

/* The batteries in one direction, at their terminals. */
struct reserve_side {
    double power_w;   /* they can, >= 0 */
    double energy_wh; /* they hold or have room for, >= 0 */
    double carried_w; /* they do already; < 0: they do the opposite */
};

struct reserve_cover {
    double edge_w; /* >= 0 */
    enum reserve_bound bound;
};

struct reserve_cover reserve_cover(const struct reserve_cfg *cfg,
                                   const struct reserve_side *side);

/* The most that 'energy_wh' lets them carry until the grid has followed. */
double reserve_carried_w(const struct reserve_cfg *cfg, double energy_wh);

/*
 * What pods that give up 'gives_w' in 'response_s' make up for, beside
 * batteries that take 'edge_w' at the same time: both leak until they answer,
 * edge L + pods (L + response) <= R T^2.  >= 0.
 */
double reserve_pods_w(const struct reserve_cfg *cfg, double edge_w,
                      double gives_w, double response_s);

/* Energy for an edge that comes while they carry nothing. */
double reserve_energy_wh(const struct reserve_cfg *cfg, double edge_w);

const char *reserve_bound_name(enum reserve_bound bound);

#endif
