/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * outlook - a series of slots (5 min to 1 h) as much as 48 h ahead.
 *
 * Load per class and of the site, prices beyond the market's own series,
 * vehicles plugged in.  Several simple ways, each an online element:
 *
 *   seasonal       the value a day and a week before, the median of the weeks,
 *                  and the mean of that time of day over the last days
 *   double season  Holt-Winters with a day and a week
 *   harmonic       regression on day and week harmonics, AR of its residual
 *   regression     on the values of now, a day and a week before
 *   level          a slow mean; the last value
 *
 * combined per lead time by their recent pinball loss; the measured value is
 * blended into the first slots; quantiles by models/conformal.h.  Gaps (NAN)
 * are allowed and stay gaps in the memory.
 *
 * Pointer-free; a copy is a checkpoint.  At most 256 kB.
 */
#ifndef MODELS_OUTLOOK_H
#define MODELS_OUTLOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/conformal.h"

enum {
    OUTLOOK_SLOTS_MAX = 576,
    OUTLOOK_DAY_MAX = 288,   /* slots of a day */
    OUTLOOK_WEEK_MAX = 2016, /* and of a week */
    OUTLOOK_MEMORY = 8192,   /* slots remembered */
    OUTLOOK_LEADS = 18,      /* lead times that learn */
    OUTLOOK_RING = 1827,     /* sum of them */
    OUTLOOK_INPUTS = 9,      /* of the regression */
    OUTLOOK_HARMONICS = 19,  /* inputs of the harmonic one */
    OUTLOOK_PURE = 4,        /* seasons that are copies of what was */
    OUTLOOK_RESIDUALS = 2,
    OUTLOOK_STEPS_MAX = 32, /* announced changes */
};

enum outlook_expert {
    OUTLOOK_LAST,       /* value */
    OUTLOOK_LEVEL,      /* slow mean */
    OUTLOOK_DAY,        /* a day before */
    OUTLOOK_WEEK,       /* a week before */
    OUTLOOK_MEDIAN,     /* of the weeks before */
    OUTLOOK_SEASONS,    /* Holt-Winters, day and week */
    OUTLOOK_HARMONIC,   /* of day and week */
    OUTLOOK_REGRESSION, /* on the ones above */
    OUTLOOK_EXPERTS
};

struct outlook_cfg {
    double slot_s;   /* 300, 600, 900, 1800 or 3600 */
    int64_t n_ahead; /* slots ahead, 1 .. OUTLOOK_SLOTS_MAX, <= 48 h */
    double min;      /* what it can be; -INFINITY, INFINITY for anything */
    double max;
};

struct outlook_at {
    double mean;
    double q10;
    double q50;
    double q90;
};

/* A change that the scheduler has announced. */
struct outlook_step {
    int64_t at_ms;
    double change;
};

/* What is kept for one lead time. */
struct outlook_lead {
    int64_t ahead; /* slots */
    int64_t ring;  /* first of its 'ahead' places */
    struct conformal conformal;
    struct conformal_past past;
    double loss[OUTLOOK_EXPERTS];      /* discounted mean of |error| */
    int64_t n_scored[OUTLOOK_EXPERTS]; /* times that it had said something */
    double weight[OUTLOOK_PURE][OUTLOOK_RESIDUALS];
    double inverse[OUTLOOK_PURE][OUTLOOK_RESIDUALS * OUTLOOK_RESIDUALS];
    double law[OUTLOOK_INPUTS];
    double law_inverse[OUTLOOK_INPUTS * OUTLOOK_INPUTS];
};

/* What was forecast, to be scored when its slot has come. */
struct outlook_said {
    float by[OUTLOOK_EXPERTS];
    float all;
};

struct outlook {
    struct outlook_cfg cfg;
    int64_t day;    /* slots of a day */
    int64_t week;   /* and of a week */
    int64_t newest; /* number of the newest slot since 1970; valid with n > 0 */
    int64_t n;      /* slots fed, gaps included */
    int64_t n_finite;
    int64_t n_leads;
    int64_t odd;      /* slots in a row that were no part of the series */
    double last;      /* finite value */
    double mean;      /* slow */
    double scale;     /* of the changes from slot to slot */
    double spread;    /* of the values about the mean */
    double day_mean;  /* of the last day */
    double level;     /* Holt-Winters */
    double error;     /* its last */
    double rest;      /* of the harmonics, last */
    double rest_gain; /* AR(1) of it */
    double rest_now;  /* cross and own products of it */
    double rest_own;
    double harmonics[OUTLOOK_HARMONICS];
    double harmonics_inverse[OUTLOOK_HARMONICS * OUTLOOK_HARMONICS];
    struct outlook_lead leads[OUTLOOK_LEADS];
    struct outlook_step steps[OUTLOOK_STEPS_MAX];
    int64_t n_steps;
    float memory[OUTLOOK_MEMORY]; /* NAN for a gap */
    float day_season[OUTLOOK_DAY_MAX];
    float week_season[OUTLOOK_WEEK_MAX];
    float profile[OUTLOOK_DAY_MAX];    /* mean by time of day */
    int32_t n_days[OUTLOOK_DAY_MAX];   /* that are in it */
    int64_t n_profiled;                /* times of day in the profile */
    double profile_mean;               /* over them */
    float day_spread[OUTLOOK_DAY_MAX]; /* of the errors, by time of day */
    float sine[OUTLOOK_WEEK_MAX];
    struct outlook_said said[OUTLOOK_RING];
};

_Static_assert(sizeof(struct outlook) <= 256 * 1024, "one of a site's series");

/* Nothing known. */
void outlook_init(struct outlook *o, const struct outlook_cfg *cfg);

/*
 * The mean over the slot that starts at 'start_ms' (UTC; local where the day
 * shall be local: the caller's choice, but always the same) has become known.
 * What is not finite was not measured.  Slots left out are gaps; one that is
 * not newer than the newest changes nothing.
 */
void outlook_feed(struct outlook *o, int64_t start_ms, double value);

/* The scheduler announces that the series changes by 'change' at 'at_ms'; it
 * fades as what lies off the usual does. */
void outlook_announce(struct outlook *o, int64_t at_ms, double change);

/* Slot 'k' ahead, 1 .. n_ahead: 1 is the one after the newest.  NAN while
 * nothing was ever measured. */
struct outlook_at outlook_ahead(const struct outlook *o, int64_t k);

/* Index of the lead time that 'k' is nearest to. */
int64_t outlook_lead_of(const struct outlook *o, int64_t k);

/* What one expert says; NAN where it cannot yet. */
double outlook_expert(const struct outlook *o, enum outlook_expert e,
                      int64_t k);

#endif
