/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * settlement_out - the settlements of a replay's events: DIR/POLICY/
 * settlement.json, or settlement-1.json, settlement-2.json ... of several, in
 * the order in which they start.
 *
 * The means of all seconds are kept while it runs.
 */
#ifndef REPLAY_SETTLEMENT_OUT_H
#define REPLAY_SETTLEMENT_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/settlement.h"
#include "replay/events.h"

/* Zero at first. */
struct settlement_out {
    int64_t start_ms;
    int64_t n_max; /* seconds */
    int64_t n;
    float *grid_w; /* owned, n_max each: exact to 1e-7 */
    float *ramp_w_per_s;
    double sum_ws; /* of the second that is running */
    double sum_s;
    double ramp_max_w_per_s;
};

struct settlement_out_cfg {
    const struct site *site;
    const struct events *events;
    const char *dir; /* DIR/POLICY */
};

/* Room for 'duration_s'; false without memory. */
bool settlement_out_open(struct settlement_out *o, int64_t start_ms,
                         double duration_s);
void settlement_out_tick(struct settlement_out *o, double period_s,
                         double grid_w, double ramp_w_per_s);

/* After the run, when the evidence log of 'dir' is closed.  False after a
 * message. */
bool settlement_out_write(const struct settlement_out *o,
                          const struct settlement_out_cfg *cfg);
void settlement_out_clear(struct settlement_out *o);

#endif
