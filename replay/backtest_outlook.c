/* SPDX-License-Identifier: GPL-3.0-or-later */
/* backtest_outlook_open(): models/outlook, minutes to two days. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/outlook.h"
#include "replay/backtest_models.h"

static const double day_s = 86400.0;
static const double week_s = 604800.0;

struct state {
    struct outlook outlook;
    const int64_t *lead; /* of the horizons, in slots; not owned */
    int64_t next_ms;     /* begin of the next slot */
    int64_t slot_ms;
};

static void feed(void *state, double y)
{
    struct state *s = state;
    outlook_feed(&s->outlook, s->next_ms, y);
    s->next_ms += s->slot_ms;
}

static struct forecast_at ask(void *state, int horizon)
{
    const struct state *s = state;
    struct outlook_at at = outlook_ahead(&s->outlook, s->lead[horizon]);
    return (struct forecast_at){.mean = at.mean,
                                .q01 = NAN,
                                .q10 = at.q10,
                                .q50 = at.q50,
                                .q90 = at.q90,
                                .q99 = NAN};
}

/* Known beforehand: it is made for people's days and weeks. */
static int periods(void *state, double out[FORECAST_PERIODS_MAX])
{
    (void)state;
    out[0] = day_s;
    out[1] = week_s;
    return 2;
}

enum err backtest_outlook_open(struct backtest_cfg *cfg)
{
    const struct observed *o = cfg->series;
    struct state *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        return ERR_MEMORY;
    }
    double floor_w = strcmp(o->unit, "W") == 0 ? 0.0 : -INFINITY;
    struct outlook_cfg want = {.slot_s = o->step_s,
                               .n_ahead = cfg->lead[cfg->n_leads - 1],
                               .min = floor_w,
                               .max = INFINITY};
    outlook_init(&s->outlook, &want);
    s->lead = cfg->lead;
    s->slot_ms = llround(o->step_s * 1e3);
    int64_t start_ms = o->start_utc_ms > 0 ? o->start_utc_ms : 0;
    s->next_ms = start_ms - start_ms % s->slot_ms;
    cfg->season_s = day_s;
    cfg->season_long_s = week_s;
    cfg->model = (struct backtest_model){.state = s,
                                         .feed = feed,
                                         .ask = ask,
                                         .periods = periods,
                                         .close = free,
                                         .bytes = sizeof(s->outlook)};
    return ERR_NONE;
}
