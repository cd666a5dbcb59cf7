/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * month - which billing month the peak is of.  The wall clock says which month
 * it is, and may be wrong for a while: a month that was lived in for too short
 * a time does not make the peak of the one before it be forgotten, which counts
 * again where the clock comes back to it.
 */
#ifndef CONTROLLER_STEP_MONTH_H
#define CONTROLLER_STEP_MONTH_H

#include <stdbool.h>
#include <stdint.h>

/* After so long, by ticks, a month is believed. */
#define MONTH_SURE_S 600.0

struct month {
    double peak_w;   /* highest mean of a finished interval in it */
    int64_t from_ms; /* UTC when it began; 0: not known */
    double lived_s;  /* in it, up to MONTH_SURE_S */
    double left_w;   /* peak of the one that was left, */
    int64_t left_ms; /* which began then; 0: none */
};

/* A tick of 'dt_s' in the month that began at 'from_ms'; the next peak is that
 * month's. */
void month_step(struct month *m, int64_t from_ms, double dt_s);

/*
 * Before the first tick: 'saved' is as another run left it at 'saved_ms' (UTC),
 * 'from_ms' the month that it is now.  True where that one goes on: also where
 * it was not dated and may be, or begins elsewhere in another time zone.
 */
bool month_resume(struct month *m, const struct month *saved, int64_t saved_ms,
                  int64_t from_ms);

#endif
