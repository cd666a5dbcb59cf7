/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * level - the level that a swinging load keeps coming back to, and its swings.
 *
 * A running mean over up to ten minutes that starts anew when the load has
 * left the band it usually swings in.  Until that is sure (30 s) the mean of
 * the last ten seconds stands in, so that a job's start or end is followed at
 * once, while an iteration or an evaluation that has been seen before is not.
 * An element as in: new, step(measurement, dt), no clock inside.
 */
#ifndef MODELS_LEVEL_H
#define MODELS_LEVEL_H

#include <stdint.h>

enum {
    LEVEL_WINDOW = 600, /* one-second means */
    LEVEL_RECENT = 10,
};

struct level {
    double level_w;     /* the answer; NAN before the first sample */
    double band_w;      /* usual deviation of the 10 s mean, fading */
    double excursion_w; /* of the swing under way */
    double bin_ws;      /* the second being filled */
    double bin_s;
    double ring_w[LEVEL_WINDOW];
    double sum_w;
    int64_t n;    /* filled */
    int64_t next; /* to be written */
    double outside_s;
    int64_t n_regimes; /* times that it started anew */
};

void level_init(struct level *l);

/*
 * One sample held for 'dt_s' > 0; a load that is not finite changes nothing.
 * Returns the level in W.
 */
double level_step(struct level *l, double load_w, double dt_s);

#endif
