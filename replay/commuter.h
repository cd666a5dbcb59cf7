/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * commuter - the week of a parked vehicle's pack, synthetic.
 *
 * The commuter of ../shared/reference/degradation.md section 7: out at 08:00
 * and back at 17:30 on weekdays, half an hour each; charged from midnight to
 * the target; air that swings by 6 K either way, coolest at 03:00; a pack 8 K
 * warmer while driven.  Compute runs from 09:00 to 17:00 every day: out of the
 * pack ('draw_w'), or from the charger with the pack warmer, by a fixed rise
 * ('rise_k') or by what models/thermal makes of its heat ('heat_w').
 *
 * The week closes on itself: it ends as it begins, so it may be repeated.
 */
#ifndef REPLAY_COMMUTER_H
#define REPLAY_COMMUTER_H

#include <stdbool.h>
#include <stddef.h>

#include "replay/wear_profile.h"

enum { COMMUTER_STEP_S = 300, COMMUTER_SAMPLES = 7 * 288 + 1 };

struct commuter_cfg {
    double pack_wh;
    double drive_wh;  /* per weekday, both ways */
    double charge_w;  /* at the pack */
    double target_pu; /* state of charge it is charged to */
    double ambient_c; /* mean */
    double draw_w;    /* at the pack */
    double rise_k;
    double heat_w;    /* into the coolant */
    bool no_radiator; /* the coolant gives all of that heat to the pack */
};

/*
 * Parse "commuter,draw=1.15 kW,target=60 %": what is not named is as in the
 * study (75 kWh, 12 kWh a day, 7 kW, 80 %, 20 C, no compute).  ERR_UNKNOWN,
 * ERR_SYNTAX or ERR_RANGE, and 'why' says what was expected.
 */
CHECKED enum err commuter_parse(const char *text, struct commuter_cfg *cfg,
                                char *why, size_t why_size);

/* The week, every COMMUTER_STEP_S.  ERR_RANGE where the pack runs empty or
 * leaves the temperatures of models/life.h; 'why' says so. */
CHECKED enum err commuter_week(const struct commuter_cfg *cfg,
                               struct wear_sample out[COMMUTER_SAMPLES],
                               char *why, size_t why_size);

#endif
