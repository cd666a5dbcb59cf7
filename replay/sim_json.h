/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sim_json - what the simulated agents publish, as JSON text.
 *
 * Payloads as in CONTRACT.md.  Every function returns a text to free(), or
 * NULL where memory is short.  Pure but for that allocation.
 */
#ifndef REPLAY_SIM_JSON_H
#define REPLAY_SIM_JSON_H

#include "models/plant.h"
#include "replay/sim_order.h"

struct sim_pod_report {
    const struct site_pod *site;
    const struct pod_in *seen;
    double demand_w; /* uncapped */
    int64_t utc_ms;
    uint64_t seq;
    const char *boot;
    double checkpoint_s; /* age of the last checkpoint; NAN: none yet */
    const char *job;     /* running; "" for none */
};
char *sim_json_pod(const struct sim_pod_report *r);

/* The relay's word that the site is cut off since 'from_ms', with 'fed_w' from
 * others; or, with 'over', that it was until now. */
char *sim_json_island(double fed_w, int64_t from_ms, bool over, int64_t utc_ms);

struct sim_car_report {
    const char *name;
    const char *class_name;
    const struct node_in *seen;
    int64_t utc_ms;
    uint64_t seq;
    double speed; /* the departure comes so much faster */
};
char *sim_json_car(const struct sim_car_report *r);

/* Answer to an order; 'car': the charge power, else the cap. */
char *sim_json_ack(const struct sim_order *order, enum ack_status status,
                   const char *detail, bool car, double in_force_w,
                   int64_t utc_ms);

/* A marker of the scheduler for one pod, its powers times 'share'. */
char *sim_json_job(const struct job_in *job, const char *id,
                   const char *class_name, double share, int64_t utc_ms);

/*
 * A synthetic day-ahead series, hourly, for the UTC day of 'utc_ms' and the
 * next: two peaks and a dip at noon around the market's fallback price.  The
 * same for a day whenever it is asked for.
 */
char *sim_json_price(const struct site_price *market, const char *currency,
                     uint64_t seed, int64_t utc_ms);

#endif
