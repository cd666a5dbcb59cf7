/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bench_cars - a million parked vehicles at 10 Hz: all of them put into
 * buckets and given their part of a set-point within what their guards allow,
 * and the guards of those asked anew that have their turn; in processor time,
 * for it waits for nothing. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "models/random.h"
#include "policies/bucket.h"
#include "policies/fleet.h"
#include "replay/bench.h"

enum {
    CARS = 1000000,
    TURNS = 20,   /* ticks in which every car has its turn */
    WARM_UP = 3,  /* rounds of them, a minute apart */
    COUNTED = 20, /* ticks */
    SEED = 1,
};
static const int64_t MINUTE_MS = 60000;
static const int64_t UTC_MS = 1767225600000; /* 2026-01-01 */
static const double COMPUTE_W = 160.0;
static const int32_t SOON_S = 300;

/* All owned. */
struct lot {
    struct node_in *nodes;
    struct guard_state *guards;
    int32_t *cars; /* four arrays, as in struct bucket_car */
    float *share_w;
    struct node_command *commands;
    struct site_fleet fleet;
    struct guard_cfg guard;
    int64_t mono_ms;
};

static double cpu_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Each a little different; most of them need charge, in up to 14 hours. */
static void park(struct node_in *nodes)
{
    uint64_t random = random_seed(SEED);
    for (size_t i = 0; i < CARS; i++) {
        double ambient_c = random_draw(&random, 5.0, 30.0);
        double hours = random_draw(&random, 0.5, 14.0);
        nodes[i] = (struct node_in){
            .soc_pu = random_draw(&random, 0.2, 0.9),
            .soc_limit_pu = 0.8,
            .energy_wh = 40e3,
            .compute_avail_w = COMPUTE_W,
            .pack_c = ambient_c + random_draw(&random, 0.0, 8.0),
            .ambient_c = ambient_c,
            .departs_soc_pu = random_draw(&random, 0.4, 0.8),
            .departs_at_ms = UTC_MS + (int64_t)(hours * 3.6e6),
            .flags = NODE_ONLINE | NODE_PLUGGED | NODE_CONSENT | NODE_PARKED |
                     NODE_HAS_DEPARTURE,
        };
    }
}

static struct site_fleet describe(void)
{
    return (struct site_fleet){
        .nodes = CARS,
        .compute_w = COMPUTE_W,
        .feeder_max_w = INFINITY,
        .chemistry = CHEMISTRY_NCA,
        .pack_wh = 75e3,
        .behind_poi = true,
        .replacement_per_kwh = 130.0,
        .energy_per_kwh = NAN,
        .consumption_wh_per_km = 160.0,
        .wear_ppm_per_day = 5.8,
        .warranty = {.loss_pu = 0.3,
                     .life_s = 2.5e8,
                     .distance_km = 160e3,
                     .distance_share_pu = 0.05},
    };
}

static struct bucket_fleet fleet_of(const struct lot *lot)
{
    int64_t utc_ms = UTC_MS + lot->mono_ms;
    return (struct bucket_fleet){.start_s = lot->cars,
                                 .departs_s = lot->cars + CARS,
                                 .charge_w = lot->cars + 2 * CARS,
                                 .need_wh = lot->cars + 3 * CARS,
                                 .n = CARS,
                                 .now_s = bucket_clock_s(utc_ms),
                                 .soon_s = SOON_S};
}

/* The guards of cars [from, to) are asked, and the cars get their answers. */
static void turn(struct lot *lot, const struct bucket_order *order, size_t from,
                 size_t to)
{
    struct fleet_in in = {.fleet = &lot->fleet,
                          .guard = &lot->guard,
                          .mono_ms = lot->mono_ms,
                          .utc_ms = UTC_MS + lot->mono_ms,
                          .energy_per_kwh = 0.05,
                          .value_per_kwh = 0.02, /* work is not worth it */
                          .charge = order};
    struct bucket_car told = {0};
    for (size_t i = from; i < to; i++) {
        const struct node_in *n = &lot->nodes[i];
        struct fleet_car car = {.node = n,
                                .guard = &lot->guards[i],
                                .bucket = &told,
                                .index = (int64_t)i};
        lot->commands[i] = fleet_node(&in, &car, INFINITY);
        lot->cars[i] = told.start_s;
        lot->cars[CARS + i] = told.departs_s;
        lot->cars[2 * CARS + i] = told.charge_w;
        lot->cars[3 * CARS + i] = told.need_wh;
    }
}

/* Cars [from, to) say how they are. */
static void hear(struct lot *lot, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        struct node_in *n = &lot->nodes[i];
        n->agent_mono_ms = n->pack_mono_ms = lot->mono_ms;
        n->charge_w = lot->commands[i].charge_w;
        n->compute_w = lot->commands[i].compute_w;
    }
}

/* All of them: buckets, order, and what each is given. */
static double pass(struct lot *lot, double target_w)
{
    struct bucket_fleet fleet = fleet_of(lot);
    struct bucket b[BUCKET_FLEET_MAX];
    struct bucket_must must;
    double all_w = 0.0;
    bucket_sum(&fleet, b, &must);
    struct bucket_order order = bucket_order(&fleet, target_w, &all_w);
    for (size_t i = 0; i < CARS; i++) {
        float share = bucket_share(&order, fleet.start_s[i]);
        lot->share_w[i] = (float)fleet.charge_w[i] * share;
    }
    return all_w;
}

static void count(struct bench_run *run, struct lot *lot)
{
    struct guard_terms terms = guard_terms_of(&lot->fleet);
    guard_init(&lot->guard, &terms);
    park(lot->nodes);
    for (int k = 1; k <= WARM_UP; k++) {
        lot->mono_ms = k * MINUTE_MS;
        hear(lot, 0, CARS);
        turn(lot, NULL, 0, CARS);
    }
    double pass_ms[COUNTED];
    double tick_ms[COUNTED];
    double all_w = 0.0;
    for (size_t k = 0; k < COUNTED; k++) {
        lot->mono_ms += 100;
        double target_w = 5e8 + 1e7 * (double)k;
        double from_ms = cpu_ms();
        all_w = pass(lot, target_w);
        pass_ms[k] = cpu_ms() - from_ms;
        size_t from = CARS * (k % TURNS) / TURNS;
        size_t to = CARS * (k % TURNS + 1) / TURNS;
        hear(lot, from, to);
        from_ms = cpu_ms();
        struct bucket_fleet fleet = fleet_of(lot);
        double w = 0.0;
        struct bucket_order order = bucket_order(&fleet, target_w, &w);
        turn(lot, &order, from, to);
        tick_ms[k] = cpu_ms() - from_ms;
    }
    bench_add(run, "pass_cpu_ms", bench_quantile(pass_ms, COUNTED, 0.5));
    bench_add(run, "tick_cpu_ms", bench_quantile(tick_ms, COUNTED, 0.5));
    bench_add(run, "car_bytes", sizeof(struct bucket_car));
    bench_add(run, "shared_mw", all_w / 1e6);
}

enum err bench_cars(struct bench_run *run)
{
    struct lot lot = {.nodes = calloc(CARS, sizeof(*lot.nodes)),
                      .guards = calloc(CARS, sizeof(*lot.guards)),
                      .cars = calloc(CARS, sizeof(struct bucket_car)),
                      .share_w = calloc(CARS, sizeof(*lot.share_w)),
                      .commands = calloc(CARS, sizeof(*lot.commands)),
                      .fleet = describe()};
    bool ok = lot.nodes != NULL && lot.guards != NULL && lot.cars != NULL &&
              lot.share_w != NULL && lot.commands != NULL;
    if (ok) {
        count(run, &lot);
    } else {
        snprintf(run->why, sizeof(run->why), "%s", err_text(ERR_MEMORY));
    }
    free(lot.nodes);
    free(lot.guards);
    free(lot.cars);
    free(lot.share_w);
    free(lot.commands);
    return ok ? ERR_NONE : ERR_MEMORY;
}
