/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * replay - the controller in closed loop with the simulated plant, in
 * simulated time, as fast as it goes.
 *
 * Causal: in tick k the step sees the plant as it was at the end of tick k-1,
 * and what it decides moves the plant in tick k.  The step is the same object
 * code that runs live.
 */
#ifndef REPLAY_REPLAY_H
#define REPLAY_REPLAY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "controller/evidence_file.h"
#include "controller/recording.h"
#include "controller/replan.h"
#include "controller/step/step.h"
#include "models/life_model.h"
#include "models/plant.h"
#include "models/witness.h"
#include "replay/account_bill.h"
#include "replay/account_events.h"
#include "replay/events.h"
#include "replay/prices.h"
#include "replay/settlement_out.h"
#include "replay/trace.h"

/* A tick as it was left, for whoever watches. */
struct replay_told {
    int64_t tick;
    const struct plant *plant;
    double price_per_kwh; /* of the bill */
    double import_max_w;  /* in force */
};

typedef void replay_watch_fn(void *context, const struct replay_told *told);

struct replay_cfg {
    const struct site *site;
    const struct trace *trace;
    const struct prices *prices; /* NULL: the site's fallback price */
    const struct events *events; /* NULL: none */
    enum policy policy;
    int64_t start_utc_ms;
    const struct zone *zone;        /* of the billing months; NULL: UTC */
    uint64_t seed;                  /* of the vehicles */
    FILE *series;                   /* NULL: none; the header is written too */
    double series_every_s;          /* 0: every tick */
    struct recorder *recorder;      /* NULL: none */
    struct evidence_file *evidence; /* NULL: none; its head is written */
    struct settlement_out *settle;  /* NULL: none; told every tick */
    bool progress;                  /* a line on stderr while it runs */
    replay_watch_fn *watch;         /* NULL: nobody */
    void *watch_context;
};

struct replay_battery {
    double throughput_wh;
    double soc_min_pu;
    double soc_max_pu;
    double soc_end_pu;
    double efc;
    double loss_calendar_pu; /* by the worse of two models */
    double loss_cycle_pu;
    enum life_model_id wear_model; /* the one that says so */
    /* Cycling by the pricing model and by the other, which guards; it is what
     * operation costs and part of the total.  Time ages a battery that rests
     * too: held_cur is told beside it and is in no total. */
    double wear_cur;
    double wear_guard_cur;
    double held_cur;
    double held_guard_cur;
};

/* What the cars of a fleet gave, all together but for the loss. */
struct replay_fleet {
    double compute_wh;
    double pack_wh; /* of it drawn from packs, with losses */
    double awake_h;
    double virtual_km;
    double loss_ppm_max; /* of one car */
    double loss_ppm_mean;
    double owed_cur;
    double node_s[REASON_COUNT]; /* car seconds under each REASON_NODE_* */
};

/* What `hindsight` knows beside its own run. */
struct replay_bound {
    double step_s; /* 0: it is another policy's result */
    double gap_pu; /* of the cost, certified */
    /* What any policy has to hold back under the ramp and import limits, and
     * the battery energy it needs for not more than that. */
    double shed_wh;
    double energy_swing_wh;
};

struct replay_result {
    double duration_s;
    struct replay_bound bound;
    struct compliance_result grid;
    struct witness_report proof; /* grid is its part 'with' */
    double demand_wh;
    double served_wh;
    double moved_wh; /* of what was not, done by cars */
    double burn_wh;  /* drawn by the pods for their floors alone */
    /* Of work that can wait: what was put off, what of that still waits at the
     * end, what waited beyond its deadline and was not done, and the age of the
     * oldest that waited. */
    double deferred_wh;
    double waiting_wh;
    double lost_wh;
    double waits_max_s;
    struct replay_battery batteries[SITE_BATTERIES_MAX];
    struct replay_fleet fleets[SITE_FLEETS_MAX];
    double energy_cur;
    double demand_cur;
    int64_t
        n_months; /* of the bill; more than BILL_MONTHS_MAX are not listed */
    struct bill_month months[BILL_MONTHS_MAX];
    double wear_cur;
    double wear_guard_cur;
    double shed_cur;
    double burn_cur; /* of burn_wh, a part of energy_cur */
    struct account_events events;
    /* 60 s ahead, after a warm-up; NAN where the trace is too short */
    double forecast_mape_pu;
    double persistence_mape_pu;
    double forecast_coverage_pu; /* of the band from 10 to 90 % */
    uint64_t n_steps;
    double wall_s;
    double step_p50_s;
    double step_p99_s;
    uint64_t n_plans;
    double plan_p50_s;
    double plan_p99_s;
    struct plan_tally plans;
    uint64_t n_degraded; /* ticks with an input replaced */
};

/*
 * Run it.  ERR_MEMORY, ERR_RANGE (the site and its period contradict each
 * other) or ERR_IO (series or recording could not be written); 'why' says
 * which.
 */
CHECKED enum err replay_run(const struct replay_cfg *cfg,
                            struct replay_result *out, char *why,
                            size_t why_size);

/* `ballast replay ...` */
int replay_main(int argc, char **argv);

#endif
