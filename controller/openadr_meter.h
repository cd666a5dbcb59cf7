/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * openadr_meter - a day of what reports are made from: grid and state by the
 * second, batteries by the minute.  Instants are UTC.
 */
#ifndef CONTROLLER_OPENADR_METER_H
#define CONTROLLER_OPENADR_METER_H

#include <stdint.h>

#include "controller/ports.h"

enum { OPENADR_METER_SECONDS = 86400, OPENADR_METER_MINUTES = 1440 };

enum openadr_state {
    OPENADR_STATE_UNKNOWN,
    OPENADR_STATE_NORMAL,
    OPENADR_STATE_CURTAILED,
    OPENADR_STATE_OPTED_OUT,
    OPENADR_STATE_FAULT,
    OPENADR_STATES
};

struct openadr_minute {
    int64_t number; /* since 1970 */
    struct openadr_figures figures;
};

/* Zero at first; about 2 MB. */
struct openadr_meter {
    int64_t numbers[OPENADR_METER_SECONDS];      /* since 1970 */
    float grid_w[OPENADR_METER_SECONDS];         /* NAN: not known */
    unsigned char states[OPENADR_METER_SECONDS]; /* enum openadr_state */
    struct openadr_minute minutes[OPENADR_METER_MINUTES];
};

void openadr_meter_add(struct openadr_meter *m, int64_t utc_ms, double grid_w,
                       const struct openadr_figures *figures);

struct openadr_metered {
    double mean_w; /* NAN: nothing is known */
    double peak_w;
    double known_pu;
    int64_t state;   /* enum openadr_state, the one that held longest */
    double state_pu; /* of the time that any is known */
};

/* The grid in [from, to). */
struct openadr_metered openadr_meter_grid(const struct openadr_meter *m,
                                          int64_t from_ms, int64_t to_ms);

/* The last figures in [from - 1 min, to], NULL for none. */
const struct openadr_figures *
openadr_meter_figures(const struct openadr_meter *m, int64_t from_ms,
                      int64_t to_ms);

#endif
