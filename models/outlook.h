/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * outlook - a series of slots (5 min to 1 h) as much as 48 h ahead.
 *
 * Load per class and of the site, prices beyond the market's own series,
 * vehicles plugged in.  Several simple ways, each an online element:
 *
 *   seasonal       the value a day and a week before, and their median
 *   double season  Holt-Winters with a day and a week
 *   harmonic       regression on day and week harmonics, AR of its residual
 *   jobs           sums of job profiles that the scheduler has announced
 *   level          a slow mean
 *
 * combined per lead time by their recent pinball loss; the measured value is
 * blended into the first slots; quantiles by models/conformal.h.  Gaps (NAN)
 * are allowed and stay gaps in the memory.
 *
 * Pointer-free; a copy is a checkpoint.  At most 256 kB.
 */
#ifndef MODELS_OUTLOOK_H
#define MODELS_OUTLOOK_H

#include <stddef.h>
#include <stdint.h>

enum { OUTLOOK_SLOTS_MAX = 576 };

struct outlook_cfg {
    double slot_s;   /* divides a day: 300 .. 3600 */
    int64_t n_ahead; /* slots ahead, 1 .. OUTLOOK_SLOTS_MAX, <= 48 h */
    double min, max; /* what it can be; -INFINITY, INFINITY for anything */
};

struct outlook_at {
    double mean;
    double q10, q50, q90;
};

struct outlook; /* size by outlook_size(), pointer-free */
size_t outlook_size(void);
void outlook_init(struct outlook *o, const struct outlook_cfg *cfg);

/*
 * The mean over the slot that starts at 'start_ms' (UTC; local where the day
 * shall be local: the caller's choice, but always the same) has become known.
 * NAN: it was not measured.  Slots left out are gaps; one that is older than
 * the newest changes nothing.
 */
void outlook_feed(struct outlook *o, int64_t start_ms, double value);

/* Slot 'k' ahead, 1 is the one after the newest; bounded, O(experts). */
struct outlook_at outlook_ahead(const struct outlook *o, int64_t k);

#endif
