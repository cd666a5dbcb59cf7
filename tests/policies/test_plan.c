/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of policies/plan: from the planner's problem to a plan, on every rung
 * of its ladder. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/random.h"
#include "policies/plan.h"
#include "tests/site_fixture.h"

static const int64_t START_MS = 1763683200000;

struct bench {
    struct site *site;
    struct problem *p;
    struct plan_solver *solver;
    struct plan *plan;
    struct plan_request request;
};

static void describe(struct bench *b)
{
    struct problem *p = b->p;
    p->tick = 100;
    p->start_at_ms = START_MS;
    p->n_slots = 96;
    p->peak_w = INFINITY;
    p->billed_s = 86400.0;
    p->ramp_max_w_per_s = b->site->grid.ramp_max_w_per_s;
    p->grid_start_w = 100e6;
    for (int i = 0; i < 96; i++) {
        p->step_s[i] = 900.0;
        p->import_per_kwh[i] = 0.05;
        p->load_w[i] = 100e6;
        p->import_max_w[i] = 160e6;
    }
    for (int i = 0; i < b->site->n_batteries; i++) {
        p->available[i] = 1.0;
        p->soc_pu[i] = 0.5;
        p->soc_start_pu[i] = 0.6;
    }
}

static struct bench open_bench(int n_batteries)
{
    struct bench b = {.site = fixture_site(n_batteries, 1, 0)};
    b.p = calloc(1, sizeof(*b.p));
    b.plan = calloc(1, sizeof(*b.plan));
    b.solver = malloc(plan_solver_size(b.site));
    assert_true(b.p != NULL && b.plan != NULL && b.solver != NULL);
    plan_solver_init(b.solver, b.site);
    describe(&b);
    b.request.problem = b.p;
    return b;
}

static void close_bench(struct bench *b)
{
    free(b->plan);
    free(b->solver);
    free(b->p);
    free(b->site);
}

static void solve(struct bench *b)
{
    plan_solve(b->solver, &b->request, b->plan);
}

/* A night, a day and an evening. */
static void three_prices(struct problem *p)
{
    for (int i = 0; i < 96; i++) {
        p->import_per_kwh[i] = i < 32 ? 0.02 : i < 64 ? 0.06 : 0.3;
    }
}

static void flat_prices_move_nothing(void **state)
{
    (void)state;
    struct bench b = open_bench(2);
    solve(&b);
    assert_int_equal(b.plan->status, PLAN_OPTIMAL);
    assert_int_equal(b.plan->from_tick, 100 + PLAN_DELAY_TICKS);
    assert_true(b.plan->gap_pu >= 0.0 && b.plan->gap_pu <= 1e-6);
    for (int i = 0; i < 96; i++) {
        assert_true(b.plan->battery_w[i] == 0.0);
        assert_true(fabs(b.plan->soc_pu[i] - 0.6) < 1e-9); /* back home */
        assert_true(b.plan->class_w[0][i] == INFINITY);
    }
    assert_true(b.plan->peak_w == INFINITY);
    assert_int_equal(b.plan->n_violations, 0);
    close_bench(&b);
}

static void cheap_in_dear_out(void **state)
{
    (void)state;
    struct bench b = open_bench(2);
    three_prices(b.p);
    solve(&b);
    assert_int_equal(b.plan->status, PLAN_OPTIMAL);
    double in_w = 0.0;
    double out_w = 0.0;
    for (int i = 0; i < 96; i++) {
        double w = b.plan->battery_w[i];
        assert_true(i < 32 || w <= 1e3);
        assert_true(i >= 64 || w >= -1e3);
        assert_true(fabs(b.plan->grid_w[i] - 100e6 - w) < 1.0);
        in_w += fmax(w, 0.0);
        out_w += fmax(-w, 0.0);
    }
    assert_true(in_w > 0.0 && out_w > 0.0);
    /* full at the end of the night but for what is kept */
    assert_true(b.plan->soc_pu[31] > 0.84 && b.plan->soc_pu[31] < 0.851);
    assert_true(b.plan->soc_pu[95] < 0.16);
    /* a kWh that is stored is worth the evening's price after its losses */
    assert_true(fabs(b.plan->energy_per_kwh[70] - 0.3 * sqrt(0.91)) < 1e-3);
    assert_true(fabs(b.plan->grid_per_kwh[40] - 0.06) < 1e-3);
    assert_int_equal(b.plan->n_turns, 1);
    close_bench(&b);
}

/* Prices 0.05, then 0.10: a margin of 0.045 after losses. */
static bool trades_at(double per_kwh)
{
    struct bench b = open_bench(2);
    for (int i = 0; i < 96; i++) {
        b.p->import_per_kwh[i] = i < 48 ? 0.05 : 0.10;
    }
    for (int k = 0; k < 2; k++) {
        b.p->wear[k].n = 4;
        for (int s = 0; s < 4; s++) {
            b.p->wear[k].at[s] = (struct wear_segment){0.2, 0.1, per_kwh};
        }
    }
    solve(&b);
    bool trades = false;
    for (int i = 0; i < 48; i++) {
        trades |= b.plan->battery_w[i] > 1e4;
    }
    close_bench(&b);
    return trades;
}

static void wear_counts(void **state)
{
    (void)state;
    assert_true(trades_at(0.0));
    assert_true(trades_at(0.04));
    assert_false(trades_at(0.05));
}

static void no_new_peak_where_peaks_cost(void **state)
{
    (void)state;
    struct bench b = open_bench(2);
    for (int i = 0; i < 96; i++) {
        b.p->import_per_kwh[i] = i < 32 ? 0.02 : 0.1;
        b.p->load_w[i] = i < 16 ? 94e6 : 90e6;
    }
    b.p->peak_w = 95e6;
    b.p->peak_per_kw = 12.0;
    solve(&b);
    for (int i = 0; i < 32; i++) {
        assert_true(b.plan->battery_w[i] <= (i < 16 ? 1e6 : 5e6) + 100.0);
    }
    assert_true(b.plan->soc_pu[31] > 0.8);
    assert_true(fabs(b.plan->peak_w - 95e6) < 100.0);
    assert_true(b.plan->peak_per_kw > 0.0);
    close_bench(&b);
}

/* What two days' plan counts of a month's charge: near the month's end all of
 * it; at its begin, cheap energy buys a higher peak sooner. */
static void a_peak_is_paid_for_a_month(void **state)
{
    (void)state;
    double peak_w[2];
    for (int k = 0; k < 2; k++) {
        struct bench b = open_bench(10);
        three_prices(b.p);
        b.p->peak_w = 100e6;
        b.p->peak_per_kw = 6.0;
        b.p->billed_s = k == 0 ? 86400.0 : 30.0 * 86400.0;
        solve(&b);
        peak_w[k] = b.plan->peak_w;
        close_bench(&b);
    }
    assert_true(peak_w[1] > peak_w[0] + 1e6);
}

/* 1 MWh into the packs at 1 MW. */
static void add_cars(struct problem *p, double departs_s)
{
    p->buckets[p->n_buckets++] = (struct problem_bucket){
        .fleet = 0, .power_w = 1e6, .need_wh = 1e6, .departs_s = departs_s};
}

static double charged_wh(const struct bench *b, int from, int to)
{
    double wh = 0.0;
    for (int i = from; i < to; i++) {
        wh += 0.9 * b->plan->fleet_charge_w[0][i] * 0.25;
    }
    return wh;
}

static void open_lot(struct bench *b)
{
    *b = open_bench(2);
    b->site->n_fleets = 1;
    b->site->fleets[0] = fleet_usual(160.0);
    three_prices(b->p);
}

/* Slots of a quarter of an hour: cheap up to 32, dear from 64 on. */
static void cars_charge_at_the_cheapest_slots_before_they_leave(void **state)
{
    (void)state;
    static const struct {
        double departs_s;
        int from, to; /* in which all of it is charged */
        int says;     /* slots with a set-point */
    } rows[] = {
        {24 * 900.0, 0, 24, 24},
        {60 * 900.0, 0, 32, 60},
        {24.5 * 900.0, 0, 25, 25},
        {90 * 900.0, 0, 32, 90},
        {5.0 * 900.0, 0, 5, 5},
        {INFINITY, 0, 32, 48},
        {72 * 3600.0 /* 3 d */, 0, 0, 96},
    };
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        struct bench b;
        open_lot(&b);
        add_cars(b.p, rows[r].departs_s);
        solve(&b);
        assert_int_equal(b.plan->status, PLAN_OPTIMAL);
        assert_int_equal(b.plan->n_violations, 0);
        double want_wh = rows[r].to > 0 ? 1e6 : 0.0;
        assert_true(fabs(charged_wh(&b, rows[r].from, rows[r].to) - want_wh) <
                    2e3);
        for (int i = 0; i < 96; i++) {
            double w = b.plan->fleet_charge_w[0][i];
            bool says = i < rows[r].says;
            assert_true(says ? w >= 0.0 && w <= 1e6 + 10.0 : w == INFINITY);
            double want_w = 100e6 + b.plan->battery_w[i] + (says ? w : 0.0);
            assert_true(fabs(b.plan->grid_w[i] - want_w) < 10.0);
        }
        close_bench(&b);
    }
}

/* What cannot be charged any more is no violation: all that can is. */
static void cars_that_leave_too_soon_get_all_that_can_be(void **state)
{
    (void)state;
    struct bench b;
    open_lot(&b);
    for (int i = 0; i < 4; i++) {
        b.p->import_per_kwh[i] = 5.0;
    }
    add_cars(b.p, 2.5 * 900.0);
    solve(&b);
    assert_int_equal(b.plan->n_violations, 0);
    assert_true(charged_wh(&b, 0, 3) > 0.97 * 0.9 * 1e6 * 0.625);
    close_bench(&b);
}

/* Cars that charge in any case are in the load, and in the set-point. */
static void what_must_charge_is_asked_for_as_well(void **state)
{
    (void)state;
    struct bench b;
    open_lot(&b);
    b.p->must[0] = (struct problem_must){2e5, 1350.0};
    for (int i = 0; i < 96; i++) {
        b.p->import_per_kwh[i] = i < 20 ? 0.5 : 0.02;
    }
    add_cars(b.p, 80 * 900.0);
    solve(&b);
    assert_true(fabs(b.plan->fleet_charge_w[0][0] - 2e5) < 10.0);
    assert_true(fabs(b.plan->fleet_charge_w[0][1] - 1e5) < 10.0);
    assert_true(fabs(b.plan->fleet_charge_w[0][2]) < 10.0);
    assert_true(fabs(charged_wh(&b, 20, 80) - 1e6) < 2e3);
    close_bench(&b);
}

/* As many as there may be, of any need, power and time, in any prices. */
static void any_buckets_are_planned(void **state)
{
    (void)state;
    uint64_t seed = random_seed(31);
    struct bench b;
    open_lot(&b);
    for (int round = 0; round < 40; round++) {
        b.p->start_at_ms += 300000;
        b.p->n_buckets = 0;
        for (int i = 0; i < PLAN_BUCKETS_MAX; i++) {
            add_cars(b.p, random_draw(&seed, -3600.0, 2e5));
            b.p->buckets[i].power_w = pow(10.0, random_draw(&seed, 2.0, 7.0));
            b.p->buckets[i].need_wh = pow(10.0, random_draw(&seed, 1.0, 7.0));
        }
        for (int i = 0; i < 96; i++) {
            b.p->import_per_kwh[i] = random_draw(&seed, -0.2, 1.0);
            b.p->export_per_kwh[i] = fmin(b.p->import_per_kwh[i], 0.0);
        }
        solve(&b);
        assert_true(b.plan->status >= PLAN_OPTIMAL &&
                    b.plan->status <= PLAN_HEURISTIC);
        for (int i = 0; i < 96; i++) {
            assert_true(b.plan->fleet_charge_w[0][i] >= 0.0);
            assert_true(isfinite(b.plan->grid_w[i]));
        }
    }
    close_bench(&b);
}

/* Over random prices, loads, states: finite, inside the window, inside the
 * import limit, with a certificate. */
static void stays_inside_whatever_the_prices(void **state)
{
    (void)state;
    uint64_t seed = random_seed(21);
    struct bench b = open_bench(3);
    for (int round = 0; round < 60; round++) {
        b.p->start_at_ms += 300000;
        b.p->smooth_w = random_draw(&seed, 0.0, 60e6);
        b.p->smooth_wh = random_draw(&seed, 0.0, 40e6);
        for (int i = 0; i < 96; i++) {
            b.p->import_per_kwh[i] = random_draw(&seed, -0.2, 5.0);
            b.p->export_per_kwh[i] = fmin(b.p->import_per_kwh[i], 0.0);
            b.p->load_w[i] = random_draw(&seed, 0.0, 150e6);
        }
        for (int i = 0; i < 3; i++) {
            b.p->available[i] = random_draw(&seed, 0.0, 1.0) < 0.7 ? 1.0 : 0.0;
            b.p->soc_pu[i] = random_draw(&seed, 0.0, 1.0);
        }
        solve(&b);
        assert_true(b.plan->status >= PLAN_OPTIMAL &&
                    b.plan->status <= PLAN_HEURISTIC);
        for (int i = 0; i < 96; i++) {
            double w = b.plan->battery_w[i];
            assert_true(isfinite(w) && isfinite(b.plan->grid_w[i]));
            assert_true(b.plan->soc_pu[i] >= -1e-6 &&
                        b.plan->soc_pu[i] <= 1.0 + 1e-6);
            assert_true(w <= fmax(160e6 - b.p->load_w[i], 0.0) + 100.0);
        }
    }
    close_bench(&b);
}

static void batteries_are_planned_in_groups(void **state)
{
    (void)state;
    struct bench b = open_bench(128);
    three_prices(b.p);
    solve(&b);
    assert_int_equal(b.plan->n_groups, 1);
    for (int i = 0; i < 128; i++) {
        b.p->soc_pu[i] = i < 64 ? 0.2 : 0.8;
        b.p->available[i] = i == 5 ? 0.0 : 1.0;
    }
    solve(&b);
    assert_int_equal(b.plan->n_groups, 2);
    assert_int_equal(b.plan->group[5], -1);
    assert_true(b.plan->group[0] != b.plan->group[64]);
    for (int i = 0; i < 128; i++) {
        b.site->batteries[i].chemistry = (enum chemistry)(i % CHEMISTRY_COUNT);
        b.p->soc_pu[i] = (double)i / 128.0;
    }
    solve(&b);
    assert_int_equal(b.plan->n_groups, PLAN_GROUPS_MAX);
    for (int t = 0; t < 96; t++) {
        double sum_w = 0.0;
        for (int g = 0; g < PLAN_GROUPS_MAX; g++) {
            sum_w += b.plan->group_w[g][t];
        }
        assert_true(fabs(sum_w - b.plan->battery_w[t]) < 1e-3);
    }
    close_bench(&b);
}

static void a_site_without_batteries_has_a_plan(void **state)
{
    (void)state;
    struct bench b = open_bench(2);
    b.p->available[0] = 0.0;
    b.p->available[1] = 0.0;
    solve(&b);
    assert_true(b.plan->status != PLAN_NONE);
    assert_true(b.plan->battery_w[0] == 0.0 && b.plan->soc_pu[0] == 0.0);
    close_bench(&b);
}

/* Which stop of the solver lets time run out. */
struct clock {
    int64_t asked;
    int64_t until;
};

static bool runs_out(void *context)
{
    struct clock *c = context;
    return c->asked++ >= c->until;
}

static void spoil_all(void *context, enum plan_status rung, struct schedule *s)
{
    enum plan_status last = *(const enum plan_status *)context;
    if (rung <= last) {
        s->battery_w[0][3] = 1e12;
    }
}

/* The last good plan was solved a quarter of an hour before. */
static void solve_before(struct bench *b)
{
    three_prices(b->p);
    solve(b);
    assert_int_equal(b->plan->status, PLAN_OPTIMAL);
    b->p->start_at_ms += 900000;
}

static void every_rung_can_be_reached(void **state)
{
    (void)state;
    static const struct {
        bool before;
        int64_t stop_at; /* -1: never */
        double price;
        enum plan_status spoil_to;
        enum plan_status status;
        enum ladder_verdict first;
    } rows[] = {
        {false, -1, 0.05, PLAN_NONE, PLAN_OPTIMAL, LADDER_TAKEN},
        {true, 0, 0.05, PLAN_NONE, PLAN_SHIFTED, LADDER_TOO_LATE},
        {false, 0, 0.05, PLAN_NONE, PLAN_RULE, LADDER_TOO_LATE},
        {true, -1, NAN, PLAN_NONE, PLAN_SHIFTED, LADDER_NUMBER},
        {false, -1, NAN, PLAN_NONE, PLAN_RULE, LADDER_NUMBER},
        {true, -1, 0.05, PLAN_FEASIBLE, PLAN_HEURISTIC, LADDER_REFUSED},
        {true, -1, 0.05, PLAN_HEURISTIC, PLAN_SHIFTED, LADDER_REFUSED},
        {true, -1, 0.05, PLAN_SHIFTED, PLAN_RULE, LADDER_REFUSED},
        {true, -1, 0.05, PLAN_RULE, PLAN_RULE, LADDER_REFUSED},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bench b = open_bench(2);
        if (rows[i].before) {
            solve_before(&b);
        }
        three_prices(b.p);
        struct clock clock = {.until = rows[i].stop_at};
        enum plan_status spoil_to = rows[i].spoil_to;
        b.p->import_per_kwh[7] = rows[i].price;
        b.request.stop = rows[i].stop_at >= 0 ? runs_out : NULL;
        b.request.context = &clock;
        b.request.spoil = spoil_all;
        b.request.spoil_context = &spoil_to;
        solve(&b);
        assert_int_equal(b.plan->status, rows[i].status);
        assert_int_equal(b.plan->tries[0].verdict, rows[i].first);
        assert_int_equal(b.plan->cut, rows[i].stop_at >= 0);
        for (int t = 0; t < 96; t++) {
            assert_true(isfinite(b.plan->battery_w[t]));
        }
        close_bench(&b);
    }
}

/* A quarter of an hour on, with other cars, and no time to plan. */
static void cars_that_came_do_not_cost_the_last_plan(void **state)
{
    (void)state;
    struct bench b;
    open_lot(&b);
    add_cars(b.p, 24.0 * 900.0);
    add_cars(b.p, 80.0 * 900.0);
    solve_before(&b);
    b.p->buckets[0].departs_s -= 900.0;
    b.p->buckets[1].departs_s -= 901.0; /* a clock of whole seconds */
    add_cars(b.p, 60.0 * 900.0);
    three_prices(b.p);
    double planned_w = b.plan->battery_w[9];
    struct clock clock = {.until = 0};
    b.request.stop = runs_out;
    b.request.context = &clock;
    solve(&b);
    assert_int_equal(b.plan->status, PLAN_SHIFTED);
    assert_true(planned_w > 1e5);
    assert_true(fabs(b.plan->battery_w[8] - planned_w) < 1.0);
    assert_true(charged_wh(&b, 0, 60) > 1.9e6); /* of 3 MWh until 80 */
    assert_true(charged_wh(&b, 0, 80) > 2.9e6);
    close_bench(&b);
}

/* Stopped after a few iterations it still gives what it has. */
static void stopped_early_it_gives_what_it_has(void **state)
{
    (void)state;
    struct bench b = open_bench(2);
    three_prices(b.p);
    int seen = 0;
    for (int64_t n = 1; n < 40; n++) {
        struct clock clock = {.until = n};
        b.request.stop = runs_out;
        b.request.context = &clock;
        solve(&b);
        assert_true(b.plan->status != PLAN_NONE);
        seen |= 1 << b.plan->status;
        assert_true(b.plan->cut || b.plan->status == PLAN_OPTIMAL);
    }
    assert_true(seen & 1 << PLAN_OPTIMAL);
    assert_true(seen & (1 << PLAN_FEASIBLE | 1 << PLAN_HEURISTIC));
    close_bench(&b);
}

/* A price that moves by a hair turns nothing around; one that moves by more
 * does. */
static void turns_only_where_it_pays(void **state)
{
    (void)state;
    static const struct {
        double first, then;
        bool kept;
    } rows[] = {{0.0500, 0.05455, true}, {0.0500, 0.3, false}};
    for (size_t i = 0; i < 2; i++) {
        struct bench b = open_bench(2);
        for (int t = 0; t < 96; t++) {
            /* charges in the first slot to give in the second */
            b.p->import_per_kwh[t] = t == 0 ? 0.0500 : t == 1 ? 0.0552 : 0.0525;
        }
        solve(&b);
        double before_w = b.plan->battery_w[0];
        assert_true(before_w > 1e6);
        b.p->start_at_ms += 60000;
        b.p->import_per_kwh[0] = 0.0552 + (i == 0 ? 0.0 : 1.0);
        b.p->import_per_kwh[1] = rows[i].first;
        solve(&b);
        if (rows[i].kept) {
            assert_true(b.plan->kept || b.plan->battery_w[0] < 0.0);
        } else {
            assert_int_equal(b.plan->kept, 0);
            assert_true(b.plan->battery_w[0] < -1e6);
            assert_true(b.plan->n_turned > 0);
        }
        close_bench(&b);
    }
}

static void slots_are_found_by_the_clock(void **state)
{
    (void)state;
    struct bench b = open_bench(1);
    solve(&b);
    int64_t t = START_MS;
    assert_int_equal(plan_slot(b.plan, t), 0);
    assert_int_equal(plan_slot(b.plan, t + 899999), 0);
    assert_int_equal(plan_slot(b.plan, t + 900000), 1);
    assert_int_equal(plan_slot(b.plan, t - 1), -1);
    assert_int_equal(plan_slot(b.plan, b.plan->expires_at_ms), -1);
    assert_true(plan_slot_ms(b.plan, 0) == t);
    assert_true(plan_slot_ms(b.plan, 96) == t + 86400000);
    b.plan->status = PLAN_NONE;
    assert_int_equal(plan_slot(b.plan, t), -1);
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flat_prices_move_nothing),
        cmocka_unit_test(cheap_in_dear_out),
        cmocka_unit_test(wear_counts),
        cmocka_unit_test(no_new_peak_where_peaks_cost),
        cmocka_unit_test(a_peak_is_paid_for_a_month),
        cmocka_unit_test(cars_charge_at_the_cheapest_slots_before_they_leave),
        cmocka_unit_test(cars_that_leave_too_soon_get_all_that_can_be),
        cmocka_unit_test(what_must_charge_is_asked_for_as_well),
        cmocka_unit_test(any_buckets_are_planned),
        cmocka_unit_test(stays_inside_whatever_the_prices),
        cmocka_unit_test(batteries_are_planned_in_groups),
        cmocka_unit_test(a_site_without_batteries_has_a_plan),
        cmocka_unit_test(every_rung_can_be_reached),
        cmocka_unit_test(cars_that_came_do_not_cost_the_last_plan),
        cmocka_unit_test(stopped_early_it_gives_what_it_has),
        cmocka_unit_test(turns_only_where_it_pays),
        cmocka_unit_test(slots_are_found_by_the_clock),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
