/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * carrier - brings what the step knows of its assets over a restart.
 *
 * While the program runs, the control thread hands a few states to the
 * historian in every tick, all of them once in CARRIER_ROUND_S: what is
 * killed has lost a minute.  A site of more than some 75,000 cars takes
 * longer for a round, so that the disk is not written without end.  Forecasts
 * are large and are saved every quarter of an hour, one after the other.  When
 * it ends in good order all are saved once more; when it starts they come back.
 */
#ifndef CONTROLLER_CARRIER_H
#define CONTROLLER_CARRIER_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/historian.h"
#include "controller/step/carry.h"

#define CARRIER_ROUND_S 60.0

struct carrier {
    const struct step_cfg *cfg;
    struct step_state *state;
    struct historian *historian; /* NULL: nothing is saved */
    struct carry_now now;        /* at the start, of what came back */
    int64_t n_units;
    int64_t n_per_tick;
    int64_t next; /* unit; n_units: the round is over */
    int64_t n_rounds;
    int64_t begun_mono_ms; /* the round, or the program */
    double wait_s;         /* from then to the next round */
    /* what came back */
    int n_taken;
    int n_refused;
    int64_t saved_at_ms; /* the newest; 0 for none */
    double lost_s;       /* at most, by a kill */
};

/* Does not own 'cfg' and 'state'; 'period_s' of the ticks. */
void carrier_init(struct carrier *c, const struct step_cfg *cfg,
                  struct step_state *state, const struct site *site);

/* For historian_open(): 'carrier' is told what was saved.  c->now is the time
 * at which that happens, c->now.month_at_ms included. */
bool carrier_take(void *carrier, const struct history_carried *carried);

/* Control thread, after the step: copies some states, never waits. */
void carrier_tick(struct carrier *c, const struct snapshot *in);

/* After the last tick: saves all, waits for the disk at most a few seconds.
 * False where it did not take them. */
bool carrier_finish(struct carrier *c, const struct snapshot *in);

#endif
