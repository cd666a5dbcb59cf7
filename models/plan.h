/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * plan - the problem that the planner gets and the plan that it returns.
 *
 * The problem is built in the control thread from snapshot and state (cheap,
 * bounded), solved elsewhere, and the plan comes back like a measurement: it
 * takes effect at tick 'from_tick', live and in replay alike.  Both are
 * pointer-free and are recorded.
 *
 * Powers into an asset are positive.
 */
#ifndef MODELS_PLAN_H
#define MODELS_PLAN_H

#include <stdint.h>

#include "models/site.h"
#include "models/wear.h"

enum { PLAN_SLOTS_MAX = 576 };

#define PLAN_STATUS_LIST(X)   \
    X(NONE, "NONE")           \
    X(OPTIMAL, "OPTIMAL")     \
    X(FEASIBLE, "FEASIBLE")   \
    X(HEURISTIC, "HEURISTIC") \
    X(SHIFTED, "SHIFTED")     \
    X(RULE, "RULE")
#define PLAN_STATUS_ENUM(name, text) PLAN_##name,
enum plan_status { PLAN_STATUS_LIST(PLAN_STATUS_ENUM) PLAN_STATUS_COUNT };
#undef PLAN_STATUS_ENUM

struct problem {
    uint64_t tick;       /* at which it was built */
    int64_t start_at_ms; /* UTC of slot 0 */
    int64_t n_slots;
    double step_s[PLAN_SLOTS_MAX];
    double import_per_kwh[PLAN_SLOTS_MAX]; /* finite: gaps are filled */
    int64_t guessed[PLAN_SLOTS_MAX]; /* 1: a forecast, no market said it */
    double load_w[PLAN_SLOTS_MAX];   /* forecast of pods and other */
    double import_max_w[PLAN_SLOTS_MAX];
    double peak_w; /* paid for already in this billing period; INFINITY
                    * where peaks cost nothing */
    double soc_pu[SITE_BATTERIES_MAX];       /* now */
    double soc_start_pu[SITE_BATTERIES_MAX]; /* to come back to */
    double available[SITE_BATTERIES_MAX];    /* 1 dispatchable, 0 not */
    /* What cycling costs; none (n = 0) where not dispatchable. */
    struct wear_segments wear[SITE_BATTERIES_MAX];
};

struct plan {
    int64_t status;      /* enum plan_status; NONE: no plan */
    uint64_t from_tick;  /* enters then */
    uint64_t built_tick; /* of its problem */
    int64_t start_at_ms; /* UTC of slot 0 */
    int64_t expires_at_ms;
    int64_t n_slots;
    int64_t n_batteries;
    double cheap_per_kwh; /* at or below it charging ahead pays; NAN: never */
    double step_s[PLAN_SLOTS_MAX];
    double import_per_kwh[PLAN_SLOTS_MAX];
    double battery_w[PLAN_SLOTS_MAX];  /* sum over the batteries */
    double grid_max_w[PLAN_SLOTS_MAX]; /* cap of the slot */
    double soc_pu[PLAN_SLOTS_MAX];     /* wanted at the slot's end, by energy */
};

/* Slot of 'plan' at 'utc_ms', or -1 outside it, expired or without one. */
int plan_slot(const struct plan *plan, int64_t utc_ms);

const char *plan_status_name(enum plan_status s);

#endif
