/* SPDX-License-Identifier: GPL-3.0-or-later */
/* backtest_short_open(): models/forecast, seconds to minutes. */
#include <stdlib.h>

#include "replay/backtest_models.h"

struct state {
    struct forecast *f; /* owned */
    double step_s;
};

static void feed(void *state, double y)
{
    struct state *s = state;
    forecast_step(s->f, y, s->step_s);
}

static struct forecast_at ask(void *state, int horizon)
{
    const struct state *s = state;
    return forecast_at(s->f, horizon);
}

static int periods(void *state, double out[FORECAST_PERIODS_MAX])
{
    const struct state *s = state;
    return forecast_periods(s->f, out);
}

static void close_state(void *state)
{
    struct state *s = state;
    free(s->f);
    free(s);
}

enum err backtest_short_open(struct backtest_cfg *cfg)
{
    struct state *s = calloc(1, sizeof(*s));
    struct forecast *f = malloc(forecast_size());
    if (s == NULL || f == NULL) {
        free(s);
        free(f);
        return ERR_MEMORY;
    }
    *s = (struct state){f, cfg->series->step_s};
    struct forecast_cfg want = {.grid_s = s->step_s,
                                .n_horizons = cfg->n_leads};
    for (int i = 0; i < cfg->n_leads; i++) {
        want.horizon_s[i] = (double)cfg->lead[i] * s->step_s;
    }
    forecast_init(f, &want);
    cfg->season_s = 0.0;
    cfg->season_long_s = 0.0;
    cfg->model = (struct backtest_model){.state = s,
                                         .feed = feed,
                                         .ask = ask,
                                         .periods = periods,
                                         .close = close_state,
                                         .bytes = forecast_size()};
    return ERR_NONE;
}
