/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * schedule_check - is a schedule what it says?  Shares no code with what made
 * it, one pass over problem and schedule.
 *
 * Recomputed from battery_w and served_w alone: the balance, every state of
 * charge, the wear (discharge from the cheapest segment first) and the cost.
 * A fault is what no schedule may do: a number that is none, a power beyond an
 * asset's rating, a state of charge outside the battery's window (or further
 * outside than it began), more served than asked for, a wrong sum or cost.
 * What may give way (SCHEDULE_TIER_LIST; a floor or ceiling of charge counts
 * as soc_end) is a fault only where the schedule does not declare it.
 *
 * Tolerances: powers 1e-5 of the largest that the problem can come to, charge
 * 1e-5 of the battery, cost 1e-6 of max(1, |cost|).
 */
#ifndef POLICIES_SCHEDULE_CHECK_H
#define POLICIES_SCHEDULE_CHECK_H

#include <stdbool.h>

#include "models/schedule.h"

#define SCHEDULE_FAULT_LIST(X)                            \
    X(NONE, "none")                                       \
    X(FINITE, "a number is none")                         \
    X(POWER, "battery beyond its power limit")            \
    X(SOC, "state of charge is not what the powers make") \
    X(WINDOW, "state of charge outside the window")       \
    X(SERVED, "class served beyond its demand or limit")  \
    X(QUEUE, "class served before its demand is queued")  \
    X(BALANCE, "grid power is not the sum of the rest")   \
    X(COST, "cost is not what the powers cost")           \
    X(UNDECLARED, "a limit is violated and not declared")
#define SCHEDULE_FAULT_ENUM(name, text) SCHEDULE_FAULT_##name,
enum schedule_fault {
    SCHEDULE_FAULT_LIST(SCHEDULE_FAULT_ENUM) SCHEDULE_FAULTS
};
#undef SCHEDULE_FAULT_ENUM

struct schedule_verdict {
    enum schedule_fault fault; /* the first found */
    int64_t asset;             /* battery or class, -1: the grid */
    int64_t step;              /* -1: all of them */
    double by;                 /* W, fraction of charge or currency */
    int64_t n_faults;
    double cost_cur;              /* recomputed */
    double worst[SCHEDULE_TIERS]; /* W, W/s, W, fraction */
};

/* True where nothing is wrong. */
bool schedule_check(const struct schedule_problem *p, const struct schedule *s,
                    struct schedule_verdict *out);

const char *schedule_fault_text(enum schedule_fault fault);

#endif
