/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plan_parts - what is inside the planner: stores, the problem for the solver,
 * the plan read from its answer. */
#ifndef POLICIES_PLAN_PARTS_H
#define POLICIES_PLAN_PARTS_H

#include "policies/plan.h"

enum {
    PLAN_SEGMENTS_MAX = 3, /* of a store, merged from those of its wear */
    PLAN_ITERATIONS = 80,
    PLAN_PEAKS = 4,
    PLAN_DAY = 96, /* quarter hours */
};

/* Which battery and which class is what in the solver's problem. */
struct plan_stores {
    int64_t n_groups;
    int64_t group[SITE_BATTERIES_MAX];
    int64_t n_buckets;
    int64_t bucket[PLAN_BUCKETS_MAX]; /* of a store behind the groups */
    int64_t n_classes;
    int64_t class_id[SITE_CLASSES_MAX];
    double energy_wh; /* of the groups together */
};

/* The lowest peak that was planned in each of the last few times 5 min. */
struct plan_peaks {
    int64_t first; /* number of the first such time, 0: none yet */
    int64_t number[PLAN_PEAKS];
    double peak_w[PLAN_PEAKS];
};

/* The load of the last day by quarter hours. */
struct plan_past {
    int64_t first; /* number of the first quarter hour seen */
    int64_t now;   /* of the last; 0: none yet */
    double load_w[PLAN_DAY];
    double heaviest_w; /* highest mean of a day in this billing month, in the
                        * first day of what was seen of it; 0: not known */
    double before_w;   /* its peak, paid for before the first quarter hour; 0
                        * where there was none */
    double billed_s;   /* left of that month */
};

struct plan_solver {
    const struct site *site;
    struct ladder ladder;
    struct plan_stores stores;
    struct schedule_problem problem;
    struct schedule schedule;
    struct schedule trial; /* the last plan, continued */
    struct plan last;
    struct plan_peaks peaks;
    struct plan_past past;
    double memory[];
};

/* plan_groups.c: batteries that are alike are planned as one. */
void plan_group(const struct site *site, const struct problem *p,
                struct plan_stores *out);
/* One store of the batteries of 'group'. */
void plan_store(const struct site *site, const struct problem *p,
                const struct plan_stores *stores, int64_t group,
                struct schedule_battery *out);

/* plan_pose.c: the solver's problem and its stores. */
void plan_pose(struct plan_solver *s, const struct problem *p);

/* plan_cars.c: buckets as stores behind those of the batteries, which only
 * charge, and the fleets' set-points from their powers. */
void plan_pose_cars(const struct site *site, const struct problem *p,
                    struct plan_stores *stores, struct schedule_problem *out);
void plan_read_cars(const struct plan_solver *s, const struct problem *p,
                    struct plan *out);

/* plan_classes.c: work that can wait, and its budgets. */
void plan_pose_classes(const struct site *site, const struct problem *p,
                       struct plan_stores *stores,
                       struct schedule_problem *out);
void plan_read_classes(const struct plan_solver *s, const struct problem *p,
                       struct plan *out);

/* plan_keep.c: true where the last plan, continued, is put into 's->schedule'
 * since the new one turns around for next to nothing. */
bool plan_keep(struct plan_solver *s, const struct problem *p);

/* plan_peaks.c: a peak that was planned for 20 min; one that is lower holds at
 * once. */
double plan_peak_w(struct plan_peaks *s, int64_t utc_ms, double peak_w);

/* plan_past.c: the load of now. */
void plan_past_see(struct plan_past *s, const struct problem *p);

/* plan_read.c: the plan from the solver's answer. */
void plan_read(struct plan_solver *s, const struct problem *p,
               struct plan *out);

#endif
