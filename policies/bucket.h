/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bucket - a million cars as a few: what they need together, and which of them
 * is served first.
 *
 * Of each car the fast passes read up to 16 bytes (struct bucket_car, its
 * members side by side in arrays), written when the car has its turn and the
 * guard of its pack has been asked: nothing here gives a car more than that
 * answer.
 *
 *   bucket_sum         cars by the time to their departure, for the planner
 *   bucket_order       power for the least lax first, until a set-point is
 *                      met; bucket_share is what one car gets of it
 *   bucket_work_order  and work for the cheapest first; bucket_works
 *
 * A car's laxity is how long it may wait before it must charge at its full
 * power to leave with what it needs.  Thresholds are found by counting in
 * BUCKET_BINS bins, so a pass is O(cars) without sorting; sums are of whole
 * watts and exact in any order.
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
    int32_t start_s;   /* latest to begin, by bucket_clock_s(); >= 0 */
    int32_t departs_s; /* likewise */
    int32_t charge_w;  /* most it may take, by its guard */
    int32_t need_wh;   /* at the plug, until it leaves */
};

/* One that needs nothing, or may take nothing. */
static inline struct bucket_car bucket_car_none(void)
{
    return (struct bucket_car){BUCKET_NEVER, BUCKET_NEVER, 0, 0};
}

/* And of those that take over work. */
struct bucket_work {
    float per_kwh; /* what it costs: energy and wear; finite */
    int32_t w;     /* compute it offers and its guard allows; 0: none */
};

/* Cars of one fleet that leave at about the same time. */
struct bucket {
    int64_t fleet;
    int64_t n;
    double departs_s; /* after now; each of them stays as long or longer */
    double power_w;   /* at most, of all together */
    double need_wh;   /* at the plug, of all by then */
};

/* Those that charge in any case. */
struct bucket_must {
    double power_w;
    double need_wh; /* at the plug */
};

/* The cars of one fleet. */
struct bucket_fleet {
    const int32_t *start_s; /* the members of struct bucket_car */
    const int32_t *departs_s;
    const int32_t *charge_w;
    const int32_t *need_wh;
    const struct bucket_work *works; /* for bucket_work_order() */
    int64_t n;
    int64_t fleet;  /* its number */
    int32_t now_s;  /* by bucket_clock_s() */
    int32_t soon_s; /* who has less laxity charges in any case; >= 0 */
};

/* Who is served: in full whose latest start lies before 'full_s', a share of
 * 'part' whose lies before 'part_s'. */
struct bucket_order {
    int32_t full_s;
    int32_t part_s;
    float part; /* 0..1 */
};

/* Likewise by the cost of work; nobody where both are -INFINITY. */
struct bucket_work_order {
    float full_per_kwh;
    float part_per_kwh;
    float part;
};

/* Seconds of 'utc_ms' on the cars' clock, >= 0. */
int32_t bucket_clock_s(int64_t utc_ms);

/*
 * The cars that need charge, in at most BUCKET_FLEET_MAX buckets in order of
 * departure; returns how many.  Of an aggregate only what its cars can do for
 * sure is told: those that charge in any case are left out, 'must' is what they
 * draw.
 */
int bucket_sum(const struct bucket_fleet *fleet,
               struct bucket out[BUCKET_FLEET_MAX], struct bucket_must *must);

/* Joins neighbours of one fleet until at most 'most' are left, where that can
 * be, those first that leave least apart; returns how many are left. */
int bucket_join(struct bucket *b, int n, int most);

/*
 * The order by which the cars that need charge draw 'target_w' (>= 0)
 * together, the least lax first, and those that charge in any case whatever
 * the target.  'all_w' is what they draw then.
 */
struct bucket_order bucket_order(const struct bucket_fleet *fleet,
                                 double target_w, double *all_w);

/* What of its charge_w the car with that 'start_s' draws, 0..1. */
static inline float bucket_share(const struct bucket_order *order,
                                 int32_t start_s)
{
    float late = start_s < order->part_s ? order->part : 0.0f;
    return start_s < order->full_s ? 1.0f : late;
}

/* Work of 'target_w' (>= 0) for those whom it costs least, no more than
 * 'worth_per_kwh' (> 0).  'all_w' is what they do then. */
struct bucket_work_order bucket_work_order(const struct bucket_fleet *fleet,
                                           double worth_per_kwh,
                                           double target_w, double *all_w);
struct bucket_work_order bucket_no_work(void);

/* Whether car 'i' works: where a part of those of one cost does, always the
 * same ones. */
bool bucket_works(const struct bucket_work_order *order,
                  const struct bucket_work *work, int64_t i);

#endif
