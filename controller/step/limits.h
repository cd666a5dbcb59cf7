/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * limits - the last gate between a wanted battery power and the device.
 *
 * Pure: no clock, no I/O, no allocation, no state of its own.  The daemon and
 * the replay call the same function, so what holds in a test holds on site.
 *
 * Signs: power is positive when it flows INTO an asset.
 *   battery  + charge   - discharge
 *   grid     + import   - export
 */
#ifndef CONTROLLER_STEP_LIMITS_H
#define CONTROLLER_STEP_LIMITS_H

#include "models/err.h"

/* What may bind.  The order is the precedence: where two limits contradict
 * each other, the one listed first wins. */
enum limit {
    LIMIT_RATING, /* of the converter, as the device allows it now */
    LIMIT_SOC,    /* state of charge */
    LIMIT_GRID,   /* the connection's breaker, and its export */
    LIMIT_RAMP,   /* of a battery that comes back blind */
    LIMIT_COUNT
};

/* All magnitudes, so never negative. */
struct limits_cfg {
    double charge_max_w;     /* converter rating while charging */
    double discharge_max_w;  /* converter rating while discharging */
    double soc_min_pu;       /* no discharge at or below; 0 <= min < max */
    double soc_max_pu;       /* no charge at or above; max <= 1 */
    double import_max_w;     /* grid connection, e.g. its fuse */
    double export_max_w;     /* grid connection, e.g. the feed-in permit */
    double ramp_max_w_per_s; /* of a battery that comes back blind; > 0 */
};

/* One control period.  A value that is not known is NAN: the gate that
 * depends on it lets the battery only come back toward 0 W, at the ramp, so
 * that losing a sensor is not itself an event for the grid.  While all is
 * known the battery may jump: that is what it is there for. */
struct limits_in {
    double want_w;   /* what the policies ask of the battery */
    double last_w;   /* the set-point of the period before */
    double soc_pu;   /* estimated state of charge, 0..1 */
    double others_w; /* grid power were the battery at 0 W */
    double dt_s;     /* length of the period; > 0 */
};

struct limits_out {
    double set_w;   /* finite, and always within the rating */
    unsigned bound; /* bit 1 << LIMIT_x for each limit the wish broke */
};

/*
 * Check a configuration once, when it is loaded.
 *
 * Returns ERR_RANGE if a member is outside the range given above or not
 * finite, else ERR_NONE.
 */
CHECKED enum err limits_check(const struct limits_cfg *cfg);

/*
 * Bring a wish inside all limits.
 *
 * 'cfg' must have passed limits_check() and in->dt_s must be positive; both
 * are asserted.  Cannot fail: a battery must be told something in every
 * period.  An unknown wish counts as 0 W.
 */
struct limits_out limits_apply(const struct limits_cfg *cfg,
                               const struct limits_in *in);

#endif
