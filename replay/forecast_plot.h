/* SPDX-License-Identifier: GPL-3.0-or-later */
/* forecast_plot - the picture of `ballast forecast --plot`. */
#ifndef REPLAY_FORECAST_PLOT_H
#define REPLAY_FORECAST_PLOT_H

#include <stddef.h>

#include "models/err.h"
#include "replay/backtest.h"
#include "replay/forecast_report.h"

/*
 * The last few cycles of the series and what had been forecast for them at the
 * first horizon, as SVG in 'path'.  ERR_IO, and 'why' says PATH: what.
 */
CHECKED enum err forecast_plot(const struct forecast_report *r,
                               const struct backtest_drawn *drawn,
                               const char *path, char *why, size_t why_size);

#endif
