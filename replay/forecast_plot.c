/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/forecast_plot.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "models/units.h"
#include "replay/plot_svg.h"

/* In steps.  Of longer cycles too little could be seen. */
static const double cycle_max = 200.0;
static const double cycles_shown = 4.0;
static const double cycles_max = 450.0;
static const double window_min = 100.0;
static const double window_max = 1500.0;

/* First step to show, of those that were forecast. */
static size_t window_begin(const struct forecast_report *r)
{
    const struct observed *o = r->cfg->series;
    size_t lead = (size_t)r->cfg->lead[0];
    double steps = window_min;
    for (int i = 0; i < r->periods.n; i++) {
        double period = r->periods.s[i] / o->step_s;
        if (period <= cycle_max) {
            steps = fmax(steps, fmin(cycles_shown * period, cycles_max));
        }
    }
    steps = fmin(fmax(steps, cycles_shown * (double)lead), window_max);
    size_t first = (size_t)(r->cfg->warmup_s / o->step_s) + lead;
    size_t from = o->n > (size_t)steps ? o->n - (size_t)steps : 0;
    from = from > first ? from : first;
    return from + 2 <= o->n ? from : o->n - 2;
}

static enum err write_plot(const struct forecast_report *r,
                           const struct backtest_drawn *drawn, FILE *file)
{
    const struct observed *o = r->cfg->series;
    size_t from = window_begin(r);
    char lead[32];
    char title[OBSERVED_NAME_MAX + 64];
    char subtitle[256];
    char legend[64];
    units_duration_text(r->horizon_s[0], lead, sizeof(lead));
    const char *slash = strrchr(o->name, '/');
    snprintf(title, sizeof(title), "%s, forecast %s ahead",
             slash != NULL ? slash + 1 : o->name, lead);
    snprintf(legend, sizeof(legend), "forecast %s before", lead);
    struct plot_svg plot = {
        .title = title,
        .subtitle = forecast_figures_text(r, subtitle, sizeof(subtitle)),
        .forecast_name = legend,
        .unit = o->unit,
        .start_s = (double)from * o->step_s,
        .start_utc_ms = o->start_utc_ms,
        .step_s = o->step_s,
        .n = o->n - from,
        .came = o->y + from,
        .mean = drawn->mean + from,
        .lo = drawn->q10 + from,
        .hi = drawn->q90 + from,
    };
    return plot_svg_write(&plot, file);
}

enum err forecast_plot(const struct forecast_report *r,
                       const struct backtest_drawn *drawn, const char *path,
                       char *why, size_t why_size)
{
    errno = 0;
    FILE *file = fopen(path, "w");
    enum err e = file != NULL ? write_plot(r, drawn, file) : ERR_IO;
    int reason = errno;
    if (file != NULL && fclose(file) != 0) {
        e = ERR_IO;
        reason = errno;
    }
    if (e != ERR_NONE) {
        snprintf(why, why_size, "%s: cannot be written: %s", path,
                 strerror(reason));
    }
    return e;
}
