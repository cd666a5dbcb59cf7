/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bench_forecast - a tick of the forecaster: one sample at 10 Hz, and ten
 * horizons asked, on the 1 s grid of the controller.
 *
 * The same hour is run several times and each tick counted at its fastest:
 * what it costs, without what the machine did meanwhile.
 */
#include <stdio.h>
#include <stdlib.h>

#include "models/forecast.h"
#include "replay/bench.h"
#include "replay/trace.h"

enum {
    TICKS = 36000,
    PASSES = 4,
    TICKS_PER_GRID = 10,
    NAIVE_WINDOW = 2048, /* grid steps compared */
    NAIVE_LAGS = 1024,
    NAIVE_RUNS = 40,
};

static const double TICK_S = 0.1;
static const char LOAD[] = "gen:training";
static const double PEAK_W = 150e6;

static const struct forecast_cfg CFG = {
    .grid_s = 1.0,
    .horizon_s = {1, 2, 5, 10, 20, 30, 60, 120, 300, 600},
    .n_horizons = 10,
};

struct rig {
    double *load_w;  /* [TICKS] */
    double *tick_ns; /* [TICKS], fastest so far */
    struct forecast *forecast;
    double heard; /* keeps the answers from being optimised away */
};

static enum err load(struct rig *r, char *why)
{
    struct trace trace;
    struct trace_cfg cfg = {
        .load = LOAD, .scale = 1.0, .repeat = 1, .peak_w = PEAK_W};
    enum err e = trace_load(&cfg, &trace, why, BENCH_WHY_MAX);
    if (e != ERR_NONE) {
        return e;
    }
    size_t cursor = 0;
    for (int k = 0; k < TICKS; k++) {
        r->load_w[k] = trace_at(&trace, k * TICK_S, &cursor);
    }
    trace_clear(&trace);
    return ERR_NONE;
}

static void tick(struct rig *r, int k)
{
    forecast_step(r->forecast, r->load_w[k], TICK_S);
    for (int64_t i = 0; i < CFG.n_horizons; i++) {
        struct forecast_at at = forecast_at(r->forecast, i);
        r->heard += k < TICKS_PER_GRID ? 0.0 : at.mean + at.q10 + at.q90;
    }
}

static void time_ticks(struct rig *r, bool first)
{
    forecast_init(r->forecast, &CFG);
    for (int k = 0; k < TICKS; k++) {
        int64_t from_ns = bench_now_ns();
        tick(r, k);
        double took_ns = (double)(bench_now_ns() - from_ns);
        if (first || took_ns < r->tick_ns[k]) {
            r->tick_ns[k] = took_ns;
        }
    }
}

/* The autocorrelation of the whole window, as each grid step would need it. */
static double naive_ns(struct rig *r)
{
    static double y[NAIVE_WINDOW];
    for (int i = 0; i < NAIVE_WINDOW; i++) {
        y[i] = r->load_w[(i * TICKS_PER_GRID) % TICKS] - 0.8 * PEAK_W;
    }
    double best_ns = 0.0;
    for (int run = 0; run < NAIVE_RUNS; run++) {
        int64_t from_ns = bench_now_ns();
        for (int lag = 1; lag <= NAIVE_LAGS; lag++) {
            double sum = 0.0;
            for (int i = lag; i < NAIVE_WINDOW; i++) {
                sum += y[i] * y[i - lag];
            }
            r->heard += sum;
        }
        double took_ns = (double)(bench_now_ns() - from_ns);
        best_ns = run == 0 || took_ns < best_ns ? took_ns : best_ns;
    }
    return best_ns;
}

static void measure(struct rig *r, struct bench_run *run)
{
    double sum_ns = 0.0;
    for (int pass = 0; pass < PASSES; pass++) {
        time_ticks(r, pass == 0);
    }
    for (int k = 0; k < TICKS; k++) {
        sum_ns += r->tick_ns[k];
    }
    double tick_us = sum_ns / TICKS / 1e3;
    bench_add(run, "tick_us", tick_us);
    bench_add(run, "p50_us", bench_quantile(r->tick_ns, TICKS, 0.5) / 1e3);
    bench_add(run, "p99_us", bench_quantile(r->tick_ns, TICKS, 0.99) / 1e3);
    bench_add(run, "worst_us", bench_quantile(r->tick_ns, TICKS, 1.0) / 1e3);
    bench_add(run, "state_bytes", (double)forecast_size());
    double naive_us = naive_ns(r) / 1e3 / TICKS_PER_GRID;
    bench_add(run, "naive_tick_us", naive_us);
    bench_add(run, "naive_ratio", naive_us / tick_us);
    if (!(r->heard < 1e300)) {
        snprintf(run->why, sizeof(run->why), "a forecast is not finite");
    }
}

enum err bench_forecast(struct bench_run *run)
{
    struct rig r = {
        .load_w = malloc(TICKS * sizeof(*r.load_w)),
        .tick_ns = malloc(TICKS * sizeof(*r.tick_ns)),
        .forecast = malloc(forecast_size()),
    };
    enum err e = ERR_MEMORY;
    if (r.load_w != NULL && r.tick_ns != NULL && r.forecast != NULL) {
        e = load(&r, run->why);
    }
    if (e == ERR_NONE) {
        measure(&r, run);
        e = run->why[0] != '\0' ? ERR_RANGE : ERR_NONE;
    } else if (run->why[0] == '\0') {
        snprintf(run->why, sizeof(run->why), "%s", err_text(e));
    }
    free(r.load_w);
    free(r.tick_ns);
    free(r.forecast);
    return e;
}
