/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sim_battery - a battery as a SunSpec device: what its registers say, what a
 * write to them does, what it does by itself when nobody writes any more.
 *
 * Models 1, 701, 702, 713, 715, 704, 802.  Pure: the time is an argument, in
 * seconds of a monotonic clock.  On the wire discharge is positive; in here,
 * as everywhere, charge.
 *
 * Commanding (model 704): WSetEna 1 puts WSet in force (WSetMod WATTS) or
 * WSetPct of the rating (W_MAX_PCT).  Every write that touches registers 22
 * to 32 and leaves it enabled starts the reversion timer of WSetRvrtTms; at
 * its end WSetEna, WSet and WSetPct become their Rvrt twins.  Disabled, LOCAL
 * and stopped mean 0 W.  WRmp, where set, bounds each change toward more
 * generation (its text in the model) and, both ways, what the device does by
 * itself: reversion, LOCAL, stop.
 */
#ifndef REPLAY_SIM_BATTERY_H
#define REPLAY_SIM_BATTERY_H

#include "models/site.h"
#include "models/snapshot.h"
#include "replay/sim_image.h"

/* Modbus exception codes. */
enum {
    SIM_OK = 0,
    SIM_ILLEGAL_FUNCTION = 1,
    SIM_ILLEGAL_ADDRESS = 2,
    SIM_ILLEGAL_VALUE = 3,
    SIM_NO_TARGET = 11,
};

struct sim_battery {
    struct sim_image image;
    double charge_max_w; /* ratings */
    double discharge_max_w;
    double energy_wh;
    double set_w;       /* in force now, + charge */
    double deadline_s;  /* when the timer ends; INFINITY: not running */
    double started_s;   /* heartbeats count from here */
    double ticked_s;    /* last sim_battery_tick() */
    double injected_wh; /* discharged and charged so far */
    double absorbed_wh;
    bool by_itself; /* the present target is not a client's */
    bool local;
    bool tripped;
    uint64_t n_reversions;
};

void sim_battery_init(struct sim_battery *b, const struct site_battery *site,
                      double now_s);

/*
 * A client writes 'n' registers from address 'addr'.  All or nothing.
 *
 * Returns SIM_OK, SIM_ILLEGAL_ADDRESS where any of them is not a whole
 * writable point, SIM_ILLEGAL_VALUE where a value is out of its range.
 */
int sim_battery_write(struct sim_battery *b, int addr, int n,
                      const uint16_t *values, double now_s);

/* Let time pass; returns the set-point in force, + charge, within the
 * ratings. */
double sim_battery_tick(struct sim_battery *b, double now_s);

/* Put what the plant shows into the registers. */
void sim_battery_show(struct sim_battery *b, const struct battery_in *seen,
                      double dt_s);

#endif
