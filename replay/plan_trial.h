/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * plan_trial - the planner on many random problems: every answer is checked,
 * and a table says what came out.
 */
#ifndef REPLAY_PLAN_TRIAL_H
#define REPLAY_PLAN_TRIAL_H

struct plan_trial {
    long n; /* problems, from this seed on */
    long first_seed;
    int iterations; /* of the solver; 0: its own number */
};

/* To stdout.  The exit code: EXIT_NO where an answer fails the check, holds a
 * number that is none or took more iterations. */
int plan_trial(const struct plan_trial *trial);

#endif
