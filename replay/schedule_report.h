/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schedule_report - a planner's answer for machines and for people. */
#ifndef REPLAY_SCHEDULE_REPORT_H
#define REPLAY_SCHEDULE_REPORT_H

#include <stdio.h>

#include "models/schedule.h"

struct schedule_report {
    const struct schedule_problem *problem;
    const struct schedule *answer;
    double solve_s;
};

/* The answer of ../shared/CONTRACT.md, "plan problem and answer"; a number that
 * does not exist is null. */
void schedule_report_json(FILE *out, const struct schedule_report *r);

/* A screenful: status, cost, what each asset does, what is violated. */
void schedule_report_text(FILE *out, const struct schedule_report *r);

#endif
