/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * backlog - work that waits for power, the oldest is done first.
 *
 * Counted in the energy that it takes, by age in BACKLOG_BINS parts of the time
 * that it may wait.  What has waited for all of it is not done any more, up to
 * one part early, never late.
 *
 * An element as in: new, step(measurement, dt), no clock inside.  Pure and
 * pointer-free; {0} is an empty one.
 */
#ifndef MODELS_BACKLOG_H
#define MODELS_BACKLOG_H

#include <stdbool.h>
#include <stdint.h>

enum { BACKLOG_BINS = 32 };

struct backlog {
    double wh;                    /* all that waits */
    double bins_wh[BACKLOG_BINS]; /* a ring by age */
    int64_t newest;
    double bin_s; /* into the newest bin */
};

/* In one step. */
struct backlog_flow {
    double deadline_s; /* how long work may wait, > 0; INFINITY: for ever */
    double asked_w;    /* work that comes, >= 0 */
    double done_w;     /* >= 0; beyond what there is it does nothing */
    double dt_s;       /* > 0 */
};

/* Returns the energy of what has waited for too long and is gone. */
double backlog_step(struct backlog *b, const struct backlog_flow *flow);

/* How old its oldest work is at most, 0 where nothing waits. */
double backlog_age_s(const struct backlog *b, double deadline_s);

/* How much later than now all of it, done with 'power_w' from then on, would
 * still be in time; negative: too late for some.  INFINITY: nothing waits. */
double backlog_spare_s(const struct backlog *b, double deadline_s,
                       double power_w);

/* What of it, left alone, still waits in 'in_s'; the rest is gone by then. */
double backlog_then_wh(const struct backlog *b, double deadline_s, double in_s);

/* Every number of one read back is one that it can have. */
bool backlog_valid(const struct backlog *b);

#endif
