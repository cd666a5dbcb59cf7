/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bucket - a million cars as a few: what they need together, and which of them
 * is served first.
 *
 * Of each car the fast passes know 20 bytes (struct bucket_car), written when
 * the car has its turn and the guard of its pack has been asked: nothing here
 * gives a car more than that answer.
 *
 *   bucket_sum    cars by the time to their departure, for the planner
 *   bucket_order  power for the least lax first, until a set-point is met;
 *                 then bucket_share is what one car gets of it;
 *                 and the same for work, the cheapest first
 *
 * A car's laxity is how long it may wait before it must charge at its full
 * power to leave with what it needs.  Thresholds are found by counting in
 * BUCKET_BINS bins, so a pass is O(cars) without sorting.
 * ../shared/reference/planner.md 3.5.
 */
#ifndef POLICIES_BUCKET_H
#define POLICIES_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

enum {
    BUCKET_BINS = 2048,
    BUCKET_BIN_S = 64,    /* of laxity: 36 h in all */
    BUCKET_FLEET_MAX = 8, /* buckets of a fleet */
};
/* start_s of a car that needs nothing. */
#define BUCKET_NEVER INT32_MAX

struct bucket_car {
    int32_t start_s;    /* latest to begin, by bucket_clock_s(); else NEVER */
    float charge_w;     /* most it may take, by its guard; 0: nothing */
    float need_wh;      /* at the plug, until it leaves */
    float work_w;       /* compute it offers and its guard allows; 0: none */
    float work_per_kwh; /* what that costs: energy and wear; finite */
};

/* Cars of one fleet that leave at about the same time. */
struct bucket {
    int64_t fleet;
    int64_t n;
    double departs_s; /* after now; each of them stays as long or longer */
    double power_w;   /* at most, of all together */
    double need_wh;   /* at the plug, of all by then */
};

/* The cars of one fleet. */
struct bucket_fleet {
    const struct bucket_car *cars;
    int64_t n;
    int64_t fleet; /* its number */
    int32_t now_s; /* by bucket_clock_s() */
    double soon_s; /* who has less laxity charges in any case; >= 0 */
};

/* Seconds of 'utc_ms' on the cars' clock, which a start_s is read by. */
int32_t bucket_clock_s(int64_t utc_ms);

/*
 * The cars that need charge, in at most BUCKET_FLEET_MAX buckets in order of
 * departure; returns how many.  Of an aggregate only what its cars can do for
 * sure is told: those that charge in any case are left out, 'must_w' is what
 * they draw.
 */
int bucket_sum(const struct bucket_fleet *fleet,
               struct bucket out[BUCKET_FLEET_MAX], double *must_w);

/* Joins neighbours of one fleet until at most 'most' are left, where that can
 * be, those first that leave least apart; returns how many are left. */
int bucket_join(struct bucket *b, int n, int most);

/* Who is served: bins below 'bin' in full, of 'bin' itself the share 'part'. */
struct bucket_order {
    int32_t from_s; /* when it was made; laxity counts from here */
    int32_t bin;
    float bins_per_cur; /* of the cost of work */
    float part;         /* 0..1 */
};

/* Nobody, and everybody. */
struct bucket_order bucket_nobody(void);
struct bucket_order bucket_everybody(void);

/*
 * The order by which the cars that need charge draw 'target_w' (>= 0)
 * together, the least lax first, and those that charge in any case whatever
 * the target.  'all_w' is what they draw then.
 */
struct bucket_order bucket_order(const struct bucket_fleet *fleet,
                                 double target_w, double *all_w);

/* What of its charge_w a car draws, 0..1. */
float bucket_share(const struct bucket_order *order,
                   const struct bucket_car *car);

/* The same for work, the cheapest first, up to 'worth_per_kwh' (> 0). */
struct bucket_order bucket_work_order(const struct bucket_fleet *fleet,
                                      double worth_per_kwh, double target_w,
                                      double *all_w);

/* Whether car 'i' works: of the last bin some do, always the same ones. */
bool bucket_works(const struct bucket_order *order,
                  const struct bucket_car *car, int64_t i);

#endif
