/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * availability - how many vehicles of a fleet will be plugged in, and of those
 * that are, how many will still be.
 *
 * The cars are counted in buckets by the time to their announced departure.
 * Two ways, weighted per lead time by how they have done: what the fleet did
 * at that hour of the day and week (models/outlook.h), and the cars that are
 * here less those that leave until then plus the usual arrivals.  Quantiles by
 * models/conformal.h.  A car whose owner set no departure leaves as its fleet
 * does.
 *
 * Pointer-free; a copy is a checkpoint.  Counts are cars, 0 .. the fleet's.
 */
#ifndef MODELS_AVAILABILITY_H
#define MODELS_AVAILABILITY_H

#include <stdint.h>

#include "models/conformal.h"
#include "models/outlook.h"

/* Upper ends of the buckets, in hours to departure. */
#define AVAILABILITY_BUCKET_LIST(X) \
    X(1H, 1.0)                      \
    X(2H, 2.0)                      \
    X(4H, 4.0) X(8H, 8.0) X(16H, 16.0) X(LATER, 48.0) X(NOT_SAID, INFINITY)
#define AVAILABILITY_ENUM(name, hours) AVAILABILITY_##name,
enum availability_bucket {
    AVAILABILITY_BUCKET_LIST(AVAILABILITY_ENUM) AVAILABILITY_BUCKETS
};
#undef AVAILABILITY_ENUM

/* A fleet in one slot; counts of 0 .. all cars, else it is not heard. */
struct availability_now {
    double plugged[AVAILABILITY_BUCKETS]; /* at the slot's end */
    double arrived;                       /* plugged in during the slot */
    double left;                          /* unplugged during it */
};

struct availability_at {
    double mean;
    double q10;
    double q50;
    double q90;
};

struct availability {
    struct outlook habit; /* of all that are plugged in */
    double nodes;         /* of the fleet */
    struct availability_now now;
    int64_t heard; /* number of the slot of 'now'; valid with habit.n > 0 */
    float arrivals[OUTLOOK_WEEK_MAX]; /* a slot, by time of week */
    float leavers[OUTLOOK_WEEK_MAX];  /* share of the plugged that leaves */
    double loss[OUTLOOK_LEADS][2];
    struct conformal conformal[OUTLOOK_LEADS];
    struct conformal_past past[OUTLOOK_LEADS];
    float said[OUTLOOK_RING][3]; /* by either way, by both */
};

/* 'slot_s' as of outlook_init(), 'n_ahead' slots; a fleet of 'nodes' cars. */
void availability_init(struct availability *a, double slot_s, int64_t n_ahead,
                       double nodes);

/* The bucket of a car that leaves in 'hours'; NAN: not said. */
enum availability_bucket availability_bucket(double hours);

/* The slot that began at 'start_ms' (as for outlook_feed()) has ended. */
void availability_feed(struct availability *a, int64_t start_ms,
                       const struct availability_now *now);

/* Plugged in 'k' slots ahead, 1 .. n_ahead; NAN before the first slot. */
struct availability_at availability_ahead(const struct availability *a,
                                          int64_t k);

/* Of those plugged in now, how many still will be after 'hours' >= 0. */
double availability_staying(const struct availability *a, double hours);

#endif
