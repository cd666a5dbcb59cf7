/* SPDX-License-Identifier: GPL-3.0-or-later */
/* forecast_report - the answer of `ballast forecast`, for people and as JSON
 * (CONTRACT.md). */
#ifndef REPLAY_FORECAST_REPORT_H
#define REPLAY_FORECAST_REPORT_H

#include <stdio.h>

#include "models/err.h"
#include "replay/backtest.h"

struct forecast_report {
    const struct backtest_cfg *cfg;
    const double *horizon_s; /* as asked for, cfg->n_leads */
    const struct backtest_result *results;
    struct backtest_periods periods;
};

void forecast_report_text(const struct forecast_report *r, FILE *out);

/* The first horizon's keys on top, all under "horizons".  ERR_MEMORY or
 * ERR_IO. */
CHECKED enum err forecast_report_json(const struct forecast_report *r,
                                      FILE *out);

/* "12.3 kW" or "4.56 per_mwh"; returns 'out'. */
const char *forecast_amount_text(const struct observed *o, double x, char *out,
                                 size_t size);

/* In one line, how the first horizon did, for a title. */
const char *forecast_figures_text(const struct forecast_report *r, char *out,
                                  size_t size);

#endif
