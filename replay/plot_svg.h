/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * plot_svg - a picture of a forecast: what came, what was forecast, and the
 * band it was given; one self-contained SVG file.
 *
 * Texts may be anything: what XML does not allow is replaced.
 */
#ifndef REPLAY_PLOT_SVG_H
#define REPLAY_PLOT_SVG_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "models/err.h"

struct plot_svg {
    const char *title;
    const char *subtitle;
    const char *forecast_name; /* in the legend */
    const char *unit;          /* "W" is scaled to kW, MW; others stand */
    double start_s;            /* of the first value, since the begin */
    int64_t start_utc_ms;      /* of the begin; -1 where not known */
    double step_s;             /* > 0 */
    size_t n;                  /* >= 2 */
    const double *came;        /* NAN leaves a hole, in all of them */
    const double *mean;
    const double *lo, *hi; /* the band */
};

/* ERR_IO where it cannot be written. */
CHECKED enum err plot_svg_write(const struct plot_svg *p, FILE *out);

#endif
