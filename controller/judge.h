/* SPDX-License-Identifier: GPL-3.0-or-later */
/* judge - what a tick is to the compliance meter, live and in replay. */
#ifndef CONTROLLER_JUDGE_H
#define CONTROLLER_JUDGE_H

#include "controller/step/step.h"
#include "models/witness.h"

struct judged {
    const struct site *site;
    enum policy policy;
    const struct step_scratch *scratch; /* as the step left it */
    const struct snapshot *in;
    const struct tick_record *record;
};

/*
 * The tick of 'j': powers as the step took them, the limit in force with the
 * instruction that set it, and the higher rule that forces it.  An emergency
 * forces only the ticks in which it holds the grid down, and nobody who does
 * not listen to it.
 */
struct witness_in judge_tick(const struct judged *j);

#endif
