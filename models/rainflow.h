/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rainflow - cycles of a signal, counted while it comes (ASTM E1049-85 5.4.4).
 *
 * Feed samples one by one, then take the cycles that this sample closed until
 * none is left.  How the series is cut over calls does not change what comes
 * out, and a copy of the struct goes on where the original stood.
 *
 * Memory is bounded: where the stack of turning points is full, its innermost
 * range closes as one full cycle.  That keeps sum(count x range), which is
 * half the total variation, and never gives up an outer extreme.
 *
 * Each turning point carries the integrals over the leg that led to it, so a
 * cycle knows its mean temperature, rate and duration in O(1).  They are
 * those from its start to its end, with whatever smaller cycles lay between.
 */
#ifndef MODELS_RAINFLOW_H
#define MODELS_RAINFLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "models/err.h"

enum { RAINFLOW_DEPTH = 32, RAINFLOW_DEPTH_MIN = 4 };

/* Below it the battery rests: its time does not dilute the mean rate. */
#define RAINFLOW_REST_PER_H 0.01

struct rainflow_sample {
    double value;
    double dt_s; /* since the sample before, >= 0; ignored in the first */
    double temp_c;
    double rate_per_h; /* mean over dt_s, >= 0 */
};

struct rainflow_cycle {
    double range; /* >= 0 */
    double mean;
    double count; /* 1, or 0.5 for a half cycle */
    int64_t i_start;
    int64_t i_end;     /* of samples, from 0 */
    double temp_c;     /* mean from start to end */
    double rate_per_h; /* mean while not at rest; 0 where always at rest */
    double duration_s; /* from start to end: half of a full cycle */
};

/* Integrals over a part of the series. */
struct rainflow_sums {
    double duration_s;
    double temp_cs; /* temperature x time */
    double travel;  /* rate x time, in h/h */
    double moving_s;
};

/* The same of a finished leg, where single precision is enough. */
struct rainflow_leg {
    float duration_s;
    float temp_cs;
    float travel;
    float moving_s;
};

struct rainflow {
    double value[RAINFLOW_DEPTH];            /* turning points, oldest first */
    struct rainflow_leg leg[RAINFLOW_DEPTH]; /* that ended there */
    uint32_t index[RAINFLOW_DEPTH];
    struct rainflow_sums to_tip;   /* last turning point to the tip */
    struct rainflow_sums past_tip; /* tip to the last sample */
    double tip;                    /* farthest since the last turning point */
    double last;
    double last_temp_c;
    double deadband; /* a reversal up to this is noise */
    uint32_t tip_index;
    uint32_t n_fed;
    uint8_t n;     /* turning points */
    uint8_t depth; /* at which the innermost range closes */
    int8_t way;    /* +1 rising, -1 falling, 0 not known yet */
    bool due;      /* the newest turning point may close cycles */
};

/* 'deadband' >= 0; RAINFLOW_DEPTH_MIN <= depth <= RAINFLOW_DEPTH. */
void rainflow_init(struct rainflow *r, double deadband, int depth);

/* ERR_RANGE, and nothing changed, where a number is not finite, or the time or
 * the rate negative.  All cycles of the sample before must have been taken. */
CHECKED enum err rainflow_feed(struct rainflow *r,
                               const struct rainflow_sample *s);

/* The next cycle that the last sample closed; false where there is none. */
bool rainflow_take(struct rainflow *r, struct rainflow_cycle *out);

/*
 * What would be counted if the series ended here, without booking it: the
 * cycles that the open tip would close, then the residue as half cycles.  At
 * most RAINFLOW_DEPTH; returns how many.
 */
int rainflow_open(const struct rainflow *r,
                  struct rainflow_cycle out[RAINFLOW_DEPTH]);

#endif
