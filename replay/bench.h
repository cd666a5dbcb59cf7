/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bench - what Ballast costs: time of a step, speed of the replay, delay from
 * a measurement to the register that answers it.
 *
 * Each benchmark is a row of the table in bench.c.  It is measured several
 * times; a figure's name ends in its unit ("p99_ns").
 */
#ifndef REPLAY_BENCH_H
#define REPLAY_BENCH_H

#include <stddef.h>
#include <stdint.h>

#include "models/err.h"

enum { BENCH_FIGURES_MAX = 16, BENCH_WHY_MAX = 200 };

struct bench_figure {
    const char *name; /* with its unit; static storage */
    double value;
};

/* What one measurement found. */
struct bench_run {
    struct bench_figure figures[BENCH_FIGURES_MAX];
    int n_figures;
    char why[BENCH_WHY_MAX];  /* where it could not be measured */
    char note[BENCH_WHY_MAX]; /* what else there is to say */
};

/* Add a figure; the same ones in the same order in every measurement. */
void bench_add(struct bench_run *run, const char *name, double value);

/* Monotonic nanoseconds. */
int64_t bench_now_ns(void);

/* The q-quantile (0..1, nearest rank) of 'n' >= 1 values, which it sorts. */
double bench_quantile(double *values, size_t n, double q);

/* The benchmarks; ERR_NONE, or why in run->why. */
enum err bench_step(struct bench_run *run);
enum err bench_pods(struct bench_run *run);
enum err bench_witness(struct bench_run *run);
enum err bench_replay(struct bench_run *run);
enum err bench_e2e(struct bench_run *run);
enum err bench_guard(struct bench_run *run);
enum err bench_wear(struct bench_run *run);
enum err bench_forecast(struct bench_run *run);
enum err bench_plan(struct bench_run *run);
enum err bench_share(struct bench_run *run);
enum err bench_cars(struct bench_run *run);

/* `ballast bench [NAME...]` */
int bench_main(int argc, char **argv);

#endif
