/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * availability - how many vehicles of a fleet will be plugged in, and until
 * when.
 *
 * A fleet is cut in buckets by hours to departure.  Cars present leave at
 * their announced departures, else by what their fleet has done at that hour
 * of the day and week; arrivals come from the same memory.  Quantiles by
 * models/conformal.h per lead time.
 */
#ifndef MODELS_AVAILABILITY_H
#define MODELS_AVAILABILITY_H

#include <stdint.h>

#include "models/conformal.h"
#include "models/outlook.h"

/* Hours to departure: under 1, 1-2, 2-4, 4-8, 8-16, over 16, not said. */
enum { AVAILABILITY_BUCKETS = 7 };

/* A fleet as it is now. */
struct availability_now {
    double plugged[AVAILABILITY_BUCKETS]; /* cars */
    double nodes;                         /* of the fleet */
};

struct availability_at {
    double plugged; /* expected cars */
    double q10, q50, q90;
};

struct availability; /* pointer-free */
size_t availability_size(void);
void availability_init(struct availability *a, double slot_s);
/* Once a slot. */
void availability_feed(struct availability *a, int64_t start_ms,
                       const struct availability_now *now);
/* 'k' slots ahead. */
struct availability_at availability_ahead(const struct availability *a,
                                          int64_t k);
#endif
