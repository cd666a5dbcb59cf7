/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bench_replay - how fast the demo site runs in simulated time. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "controller/cli.h"
#include "controller/site_file.h"
#include "replay/bench.h"
#include "replay/replay.h"

static const char LOAD[] = "gen:training,seed=1,days=0.1";
static const int64_t START_UTC_MS = 1767225600000; /* 2026-01-01 */
static const double DEMAND_PU = 0.95;              /* of the pods' ratings */

static enum err load_trace(const struct site *site, struct trace *trace,
                           char *why)
{
    struct trace_cfg cfg = {.load = LOAD, .scale = 1.0, .repeat = 1};
    for (int i = 0; i < site->n_pods; i++) {
        cfg.peak_w += DEMAND_PU * site->pods[i].power_max_w;
    }
    return trace_load(&cfg, trace, why, BENCH_WHY_MAX);
}

static enum err replay_once(const struct site *site, struct bench_run *run)
{
    struct trace trace;
    enum err e = load_trace(site, &trace, run->why);
    if (e != ERR_NONE) {
        return e;
    }
    struct replay_result *result = calloc(1, sizeof(*result));
    if (result == NULL) {
        trace_clear(&trace);
        return ERR_MEMORY;
    }
    struct replay_cfg cfg = {
        .site = site,
        .trace = &trace,
        .policy = POLICY_BALLAST,
        .start_utc_ms = START_UTC_MS,
        .seed = 1,
    };
    clock_t from_cpu = clock();
    int64_t from_ns = bench_now_ns();
    e = replay_run(&cfg, result, run->why, sizeof(run->why));
    double took_s = (double)(bench_now_ns() - from_ns) / 1e9;
    double cpu_s = (double)(clock() - from_cpu) / CLOCKS_PER_SEC;
    if (e == ERR_NONE) {
        bench_add(run, "ticks_per_s", (double)result->n_steps / took_s);
        bench_add(run, "ticks_per_cpu_s", (double)result->n_steps / cpu_s);
        bench_add(run, "step_p50_ns", result->step_p50_s * 1e9);
        bench_add(run, "step_p99_ns", result->step_p99_s * 1e9);
    }
    free(result);
    trace_clear(&trace);
    return e;
}

enum err bench_replay(struct bench_run *run)
{
    char path[4200];
    snprintf(path, sizeof(path), "%s/demo.yaml", cli_data_dir("sites"));
    struct site *site = site_file_load(path);
    if (site == NULL) {
        snprintf(run->why, sizeof(run->why), "no usable demo site");
        return ERR_SYNTAX;
    }
    enum err e = replay_once(site, run);
    free(site);
    return e;
}
