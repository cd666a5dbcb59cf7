/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/forecast_main.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/cli.h"
#include "models/units.h"
#include "replay/backtest.h"
#include "replay/backtest_models.h"
#include "replay/forecast_plot.h"
#include "replay/forecast_report.h"
#include "replay/observed.h"

enum { WHY_MAX = 512, NAME_MAX_SHOWN = 32 };

static const double warmup_default_s = 600.0;
static const double longest_pu = 0.25; /* horizon of the series */

struct options {
    struct observed_cfg series;
    double warmup_s;
    const char *horizon;
    const char *plot;
    bool json;
};

struct job {
    const struct options *o;
    double horizon_s[FORECAST_HORIZONS_MAX]; /* rising */
    int n_horizons;
    struct observed series;
    struct backtest_cfg cfg;
    struct backtest_result results[FORECAST_HORIZONS_MAX];
    struct forecast_report report;
};

static bool read_one_horizon(struct job *j, const char *text)
{
    double s = 0.0;
    if (units_parse(UNIT_DURATION, text, NULL, &s) != ERR_NONE || s <= 0.0) {
        cli_error("forecast",
                  "--horizon: \"%s\": expected a duration such as '60 s' or "
                  "'24h', or several with commas",
                  text);
        return false;
    }
    if (j->n_horizons == FORECAST_HORIZONS_MAX) {
        cli_error("forecast", "--horizon: more than %d: expected fewer",
                  FORECAST_HORIZONS_MAX);
        return false;
    }
    if (j->n_horizons > 0 && s <= j->horizon_s[j->n_horizons - 1]) {
        cli_error("forecast",
                  "--horizon: \"%s\": expected longer than the one before it",
                  text);
        return false;
    }
    j->horizon_s[j->n_horizons++] = s;
    return true;
}

static bool read_horizons(struct job *j, const char *list)
{
    while (true) {
        size_t n = strcspn(list, ",");
        char one[48];
        snprintf(one, sizeof(one), "%.*s", (int)(n < 47 ? n : 47), list);
        if (!read_one_horizon(j, one)) {
            return false;
        }
        if (list[n] == '\0') {
            return true;
        }
        list += n + 1;
    }
}

/* Whether the series is to be forecast in slots of minutes. */
static bool is_long(const struct job *j)
{
    return j->horizon_s[j->n_horizons - 1] > BACKTEST_SHORT_MAX_S;
}

/* The generator has no step of its own: it is asked for slots at once. */
static bool load(struct job *j)
{
    struct observed_cfg want = j->o->series;
    char why[WHY_MAX];
    if (is_long(j) && want.step_s <= 0.0 &&
        strncmp(want.load, "gen:", 4) == 0) {
        want.step_s = BACKTEST_SLOT_S;
    }
    if (observed_load(&want, &j->series, why, sizeof(why)) != ERR_NONE) {
        cli_error("forecast", "%s", why);
        return false;
    }
    return true;
}

/* Long horizons of a fine series are forecast in slots. */
static bool choose_grid(struct job *j)
{
    if (!is_long(j) || j->series.step_s >= BACKTEST_SLOT_S) {
        return true;
    }
    if (j->o->series.step_s > 0.0) {
        cli_error("forecast",
                  "--step: %g s: expected at least 5 min for horizons over 10 "
                  "min",
                  j->o->series.step_s);
        return false;
    }
    cli_error("forecast",
              "horizons over 10 min: means over 5 min are forecast instead of "
              "every %g s",
              j->series.step_s);
    return observed_coarsen(&j->series, BACKTEST_SLOT_S) == ERR_NONE;
}

static bool refuse_length(const struct job *j, double horizon_s)
{
    const struct observed *o = &j->series;
    double length_s = (double)o->n * o->step_s;
    if (horizon_s > longest_pu * length_s) {
        char text[2][NAME_MAX_SHOWN];
        cli_error("forecast",
                  "--horizon: %s: expected at most a quarter of the series, "
                  "%s is %s long",
                  units_duration_text(horizon_s, text[0], NAME_MAX_SHOWN),
                  o->name,
                  units_duration_text(length_s, text[1], NAME_MAX_SHOWN));
        return true;
    }
    if (j->cfg.warmup_s > length_s - horizon_s - o->step_s) {
        cli_error("forecast",
                  "--warmup: %g s: nothing is left to score of %g s; expected "
                  "less, such as --warmup %.3gs",
                  j->cfg.warmup_s, length_s, 0.2 * length_s);
        return true;
    }
    return false;
}

/* Horizons to steps of the grid, the nearest sample. */
static bool choose_leads(struct job *j)
{
    double step_s = j->series.step_s;
    j->cfg.n_leads = j->n_horizons;
    for (int i = 0; i < j->n_horizons; i++) {
        double steps = round(j->horizon_s[i] / step_s);
        if (steps < 1.0) {
            cli_error("forecast",
                      "--horizon: %g s: expected at least the step of the "
                      "series, %g s",
                      j->horizon_s[i], step_s);
            return false;
        }
        if (refuse_length(j, j->horizon_s[i])) {
            return false;
        }
        j->cfg.lead[i] = (int64_t)steps;
        if (i > 0 && j->cfg.lead[i] == j->cfg.lead[i - 1]) {
            cli_error("forecast",
                      "--horizon: %g s and %g s: the same step of a series "
                      "every %g s; expected one of them",
                      j->horizon_s[i - 1], j->horizon_s[i], step_s);
            return false;
        }
        if (fabs(steps * step_s - j->horizon_s[i]) > 0.01 * j->horizon_s[i]) {
            cli_error("forecast",
                      "horizon %g s is no multiple of the step of %g s: the "
                      "nearest sample, %g s ahead, is scored",
                      j->horizon_s[i], step_s, steps * step_s);
        }
    }
    return true;
}

static int answer(const struct job *j)
{
    if (!j->o->json) {
        forecast_report_text(&j->report, stdout);
        return EXIT_DONE;
    }
    enum err e = forecast_report_json(&j->report, stdout);
    if (e != ERR_NONE) {
        cli_error("forecast", "the answer could not be written: %s",
                  err_text(e));
    }
    return e == ERR_NONE ? EXIT_DONE : EXIT_USAGE;
}

static int run_drawn(struct job *j, struct backtest_drawn *drawn)
{
    enum err e = backtest_run(&j->cfg, j->results, &j->report.periods, drawn);
    if (e != ERR_NONE) {
        cli_error("forecast", "%s", err_text(e));
        return EXIT_USAGE;
    }
    if (j->results[0].n == 0) {
        cli_error("forecast",
                  "%s: nothing could be scored: too much of it is missing",
                  j->series.name);
        return EXIT_USAGE;
    }
    j->report.cfg = &j->cfg;
    j->report.horizon_s = j->horizon_s;
    j->report.results = j->results;
    char why[WHY_MAX];
    if (drawn != NULL && forecast_plot(&j->report, drawn, j->o->plot, why,
                                       sizeof(why)) != ERR_NONE) {
        cli_error("forecast", "--plot: %s", why);
        return EXIT_USAGE;
    }
    return answer(j);
}

static int run_plain_or_drawn(struct job *j)
{
    if (j->o->plot == NULL) {
        return run_drawn(j, NULL);
    }
    double *values = malloc(3 * j->series.n * sizeof(*values));
    if (values == NULL) {
        cli_error("forecast", "%s", err_text(ERR_MEMORY));
        return EXIT_USAGE;
    }
    struct backtest_drawn drawn = {values, values + j->series.n,
                                   values + 2 * j->series.n};
    int code = run_drawn(j, &drawn);
    free(values);
    return code;
}

static int run_series(struct job *j)
{
    j->cfg.series = &j->series;
    j->cfg.warmup_s = j->o->warmup_s;
    if (!choose_grid(j) || !choose_leads(j)) {
        return EXIT_USAGE;
    }
    char why[WHY_MAX];
    if (backtest_model_open(&j->cfg, why, sizeof(why)) != ERR_NONE) {
        cli_error("forecast", "%s: %s", j->series.name, why);
        return EXIT_USAGE;
    }
    int code = run_plain_or_drawn(j);
    backtest_model_close(&j->cfg.model);
    return code;
}

static int run(const struct options *o)
{
    if (o->series.load == NULL || o->horizon == NULL) {
        cli_error("forecast",
                  o->series.load == NULL
                      ? "--load is missing: a file, or gen:training"
                      : "--horizon is missing: a duration such as '60 s'");
        return EXIT_USAGE;
    }
    struct job *j = calloc(1, sizeof(*j));
    if (j == NULL) {
        cli_error("forecast", "%s", err_text(ERR_MEMORY));
        return EXIT_USAGE;
    }
    j->o = o;
    int code = EXIT_USAGE;
    if (read_horizons(j, o->horizon) && load(j)) {
        code = run_series(j);
        observed_clear(&j->series);
    }
    free(j);
    return code;
}

int forecast_main(int argc, char **argv)
{
    struct options o = {.series = {.scale = 1.0}, .warmup_s = warmup_default_s};
    const struct cli_option options[] = {
        {"load", CLI_TEXT, &o.series.load, "FILE",
         "load trace, price file, or gen:training|inference|mixed"},
        {"column", CLI_TEXT, &o.series.column, "C",
         "a power (_w, _kw, _mw) or a price (_per_mwh, _per_kwh)"},
        {"where", CLI_TEXTS, &o.series.where, "COL=VALUE", "only these rows"},
        {"scale", CLI_NUMBER, &o.series.scale, "X", "multiply the values"},
        {"step", CLI_DURATION, &o.series.step_s, "DURATION",
         "a coarser grid of means (default: the series' median step)"},
        {"warmup", CLI_DURATION, &o.warmup_s, "DURATION",
         "forecasts made before it are not scored (10 min)"},
        {"horizon", CLI_TEXT, &o.horizon, "DURATION",
         "how far ahead; several, rising, with commas"},
        {"plot", CLI_TEXT, &o.plot, "FILE.svg",
         "a picture of the last cycles, first horizon"},
        {"json", CLI_FLAG, &o.json, NULL, "the answer as JSON"},
    };
    const struct cli cli = {
        .command = "forecast",
        .args = "--load FILE --horizon DURATION",
        .about =
            "Rolling backtest: at every step the forecaster is told the newest "
            "value, asked,\nand compared with what came. Beside it the value "
            "as it is (persistence) and a copy\nof the season before, both "
            "with a band of their own by the same method, so that\npinball "
            "loss (mean of the 10, 50 and 90 % quantiles) compares forecasts. "
            "Horizons "
            "up to\n10 min are forecast from steps under 5 min; longer ones, "
            "up to 48 h, in slots of\n5 min to 1 h, compared with a day and a "
            "week before. For a price the keys of\n--json that end in _w are "
            "in \"unit\".",
        .example = "  ballast forecast --load gen:training --horizon "
                   "10s,60s --plot forecast.svg\n",
        .options = options,
        .n_options = sizeof(options) / sizeof(options[0]),
    };
    int n_args = 0;
    int code = cli_parse(&cli, argc, argv, &n_args);
    return code >= 0 ? code : run(&o);
}
