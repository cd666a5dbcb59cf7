/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * backtest_models - the forecasters that a backtest can ask, by the step of
 * the grid: models/forecast below 5 min, models/outlook from there to 1 h.
 */
#ifndef REPLAY_BACKTEST_MODELS_H
#define REPLAY_BACKTEST_MODELS_H

#include "models/err.h"
#include "replay/backtest.h"

/* Horizons up to this are a matter of seconds to minutes. */
#define BACKTEST_SHORT_MAX_S 600.0
/* Steps from this on, and what is averaged for longer horizons. */
#define BACKTEST_SLOT_S 300.0

/*
 * The forecaster for cfg->series and cfg->lead, in cfg->model, and the seasons
 * that it is compared with.  'why' says what was expected instead.  ERR_RANGE
 * for a step or horizon that there is no forecaster for, ERR_MEMORY.
 */
CHECKED enum err backtest_model_open(struct backtest_cfg *cfg, char *why,
                                     size_t why_size);
void backtest_model_close(struct backtest_model *model);

/* Its two rows; both fill cfg->model and the seasons.  ERR_MEMORY. */
CHECKED enum err backtest_short_open(struct backtest_cfg *cfg);
CHECKED enum err backtest_outlook_open(struct backtest_cfg *cfg);

#endif
