/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * series_check - whether bytes from a disk are a forecast that can be.
 *
 * What was kept over a restart, or lies in a recording, comes back hostile.
 * What passes here holds finite numbers of a size that further sums and
 * squares of them stay finite, and counts and indices within their arrays, so
 * that feeding and asking it is safe.
 *
 * 'fresh' is one just initialised for the same use: what follows from its
 * configuration must be the same.
 */
#ifndef MODELS_SERIES_CHECK_H
#define MODELS_SERIES_CHECK_H

#include <stdbool.h>

#include "models/availability.h"
#include "models/outlook.h"

struct forecast;

bool outlook_valid(const struct outlook *o, const struct outlook *fresh);
bool availability_valid(const struct availability *a,
                        const struct availability *fresh);
bool forecast_valid(const struct forecast *f, const struct forecast *fresh);

/* For both: finite errors' quantiles. */
bool conformal_valid(const struct conformal *c);
bool conformal_past_valid(const struct conformal_past *p, int64_t delay);

/* All of them finite and not beyond what any series reaches; with 'or_none'
 * some may be NAN. */
bool series_doubles(const double *x, int64_t n);
bool series_doubles_or_none(const double *x, int64_t n);
bool series_floats_or_none(const float *x, int64_t n);

#endif
