/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * schedule_curve - continuous functions made of straight pieces, convex or not,
 * on an interval; private to schedule_apart.
 *
 * A curve without points is void, and so is what is made of one.  What does not
 * fit into SCHEDULE_CURVE_MAX points is void and 'full'.  Points are left out
 * where that lowers the curve by at most 'dust', or changes it by rounding.
 */
#ifndef POLICIES_SCHEDULE_CURVE_H
#define POLICIES_SCHEDULE_CURVE_H

#include <stdbool.h>

enum { SCHEDULE_CURVE_MAX = 1024 };

struct schedule_curve {
    int n;
    bool full;
    double dust;
    double low; /* what was left out before the last point lies so far above */
    double x[SCHEDULE_CURVE_MAX]; /* ascending */
    double y[SCHEDULE_CURVE_MAX];
};

/* A curve without points. */
void schedule_curve_clear(struct schedule_curve *c, double dust);

/* One more to the right. */
void schedule_curve_push(struct schedule_curve *c, double x, double y);

/* A straight way to go, of either sign, and what it costs per unit. */
struct schedule_curve_way {
    double most;
    double slope;
};

/* out(x) = min of from(x - d) + slope |d|, d from 0 to most. */
void schedule_curve_go(const struct schedule_curve *from,
                       const struct schedule_curve_way *way,
                       struct schedule_curve *out);

/* The lower of two whose intervals overlap; each counts where the other one is
 * not. */
void schedule_curve_lower(const struct schedule_curve *a,
                          const struct schedule_curve *b,
                          struct schedule_curve *out);

/* Their sum, where both are. */
void schedule_curve_add(const struct schedule_curve *a,
                        const struct schedule_curve *b,
                        struct schedule_curve *out);

/* INFINITY where it is void. */
double schedule_curve_least(const struct schedule_curve *c);

#endif
