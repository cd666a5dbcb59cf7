/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * wear_run - a life model over a profile that repeats, day by day.
 *
 * Three ways to feed the same model.  By rainflow: every cycle at its own
 * depth, rate and temperature, inputs clamped to what was measured; that is
 * what the controller runs.  By the day, as NREL's BLAST-Lite does: the day's
 * envelope as depth, its mean rate, nothing clamped.  By half cycles, as TUM's
 * SimSES feeds Naumann's model, nothing clamped.  The latter two are there to
 * be compared with their sources.
 */
#ifndef REPLAY_WEAR_RUN_H
#define REPLAY_WEAR_RUN_H

#include <stddef.h>

#include "models/life.h"
#include "replay/wear_profile.h"

enum { WEAR_DAYS_MAX = 200000 };

struct wear_day {
    double day; /* since the start, at its end */
    struct life_loss loss;
    unsigned flags;   /* bits by enum life_flag: where inputs left the range */
    double source_pu; /* wear_by_day(): capacity by the source's own steps,
                         which the exact ones are fed with */
};

struct wear_cfg {
    const struct wear_profile *profile;
    enum chemistry chemistry;
    long repeat; /* >= 1 */
};

/* Days of the whole run, 1 or more, the last one possibly short; the caller
 * provides as many 'out'.  Over WEAR_DAYS_MAX is for the caller to refuse. */
double wear_days(const struct wear_cfg *cfg);

void wear_by_rainflow(const struct wear_cfg *cfg, struct wear_day *out);

/* ERR_RANGE where the period is not whole days or a day has under three
 * samples, ERR_MEMORY; 'why' says which. */
CHECKED enum err wear_by_day(const struct wear_cfg *cfg, struct wear_day *out,
                             char *why, size_t why_size);

/* The second half of wear_by_day(): Naumann's model as SimSES feeds it. */
void wear_by_half_cycle(const struct wear_cfg *cfg, struct wear_day *out);

#endif
