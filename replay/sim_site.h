/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sim_site - the simulated site: the plant of models/plant and the devices in
 * front of it, behind one lock.
 *
 * The plant and the load run in simulated time ('speed' times as fast); what
 * protocols time - leases, reversions, heartbeats - runs in real time, because
 * the controller on the other side does.
 */
#ifndef REPLAY_SIM_SITE_H
#define REPLAY_SIM_SITE_H

#include <pthread.h>

#include "models/plant.h"
#include "replay/sim_battery.h"
#include "replay/sim_load.h"
#include "replay/sim_order.h"
#include "replay/sim_pdu.h"

enum { SIM_SLAVES_MAX = SITE_BATTERIES_MAX + 1 };

/* A member of the site to which faults can be given. */
struct sim_faults {
    bool batteries_silent[SITE_BATTERIES_MAX];
    bool pods_silent[SITE_PODS_MAX];
    bool meter_silent;
    double load_w; /* instead of the load's; NAN: none */
};

struct sim_site {
    struct site site; /* a copy with the plant's step as control period */
    struct sim_load *load;
    double from_s; /* the load's time is this plus plant->t_s */
    double speed;
    double step_s;   /* of the plant, simulated */
    double period_s; /* of sim_site_advance(), real */
    int n_steps;     /* of the plant in one of those */

    pthread_mutex_t lock; /* of all below */
    struct plant *plant;
    struct snapshot *seen; /* the plant as perfect telemetry has it */
    struct step_out *set;  /* what is in force */
    struct sim_battery batteries[SITE_BATTERIES_MAX];
    struct sim_image meter;
    struct sim_pod pods[SITE_PODS_MAX];
    struct sim_car *cars;
    struct sim_faults faults;
};

struct sim_site_cfg {
    const struct site *site;
    struct sim_load *load; /* kept, not owned */
    double speed;          /* > 0 */
    double from_s;         /* where in the load to begin */
    uint64_t seed;
    double now_s; /* monotonic */
};

/* NULL where memory is short. */
struct sim_site *sim_site_open(const struct sim_site_cfg *cfg);
void sim_site_close(struct sim_site *s);

/* One period of real time, up to 'now_s' and 'utc_ms'; takes the lock. */
void sim_site_advance(struct sim_site *s, double now_s, int64_t utc_ms);

/* The devices with a Modbus address; returns how many. */
int sim_site_slaves(struct sim_site *s, struct sim_slave *out);

/* The faults there are, for people; a load_w of null is the load's own. */
#define SIM_FAULTS_TEXT                                               \
    "  {\"battery\":NAME, \"trip\"|\"local\"|\"silent\":true|false, " \
    "\"units\":N}\n"                                                  \
    "  {\"pod\":NAME, \"silent\"|\"disobeys\"|\"hot\"|\"uncooled\":"  \
    "true|false}\n"                                                   \
    "  {\"meter\":\"silent\"|\"ok\"}\n"                               \
    "  {\"load_w\":W|null}\n"                                         \
    "  {\"island\":true|false, \"fed_w\":W}\n"

/*
 * Carry out a fault, as JSON: one of SIM_FAULTS_TEXT, with no other key.
 * Takes the lock.  Returns ERR_SYNTAX, ERR_UNKNOWN or ERR_RANGE and changes
 * nothing then.
 */
CHECKED enum err sim_site_fault(struct sim_site *s, const char *json,
                                size_t size);

#endif
