/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of policies/plan: from the planner's problem to a plan, on every rung
 * of its ladder. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/random.h"
#include "policies/plan.h"
#include "tests/policies/plan_fixture.h"
#include "tests/site_fixture.h"

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

/* Until the first slot that nobody named a price for. */
static void it_says_how_far_prices_are_known(void **state)
{
    (void)state;
    static const int64_t from[] = {0, 1, 40, 96};
    for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
        struct bench b = open_bench(2);
        for (int64_t t = from[i]; t < 96; t += 3) {
            b.p->guessed[t] = 1;
        }
        solve(&b);
        assert_int_equal(b.plan->n_sure, from[i]);
        close_bench(&b);
    }
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
        assert_true(i < 32 || w <= 2e4); /* of 20 MW: nothing */
        assert_true(i >= 64 || w >= -2e4);
        assert_true(fabs(b.plan->grid_w[i] - 100e6 - w) < 1.0);
        in_w += fmax(w, 0.0);
        out_w += fmax(-w, 0.0);
    }
    assert_true(in_w > 0.0 && out_w > 0.0);
    /* full at the end of the night but for what is kept */
    assert_true(b.plan->soc_pu[31] > 0.86 && b.plan->soc_pu[31] < 0.871);
    assert_true(b.plan->soc_pu[95] < 0.16);
    /* a kWh that is stored is worth the evening's price after its losses */
    assert_true(fabs(b.plan->energy_per_kwh[70] - 0.3 * sqrt(0.91)) < 1e-3);
    assert_true(fabs(b.plan->grid_per_kwh[40] - 0.06) < 1e-3);
    assert_int_equal(b.plan->n_turns, 1);
    close_bench(&b);
}

/* All of what was put off may end at once: room for that. */
static void work_that_waits_leaves_the_top_free(void **state)
{
    (void)state;
    struct bench b = open_bench(2);
    three_prices(b.p);
    b.p->waits = 1;
    solve(&b);
    assert_true(b.plan->soc_pu[31] > 0.84 && b.plan->soc_pu[31] < 0.851);
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

/* Over random prices, loads, states: finite, inside the window, inside the
 * import limit, with a certificate. */
static void stays_inside_whatever_the_prices(void **state)
{
    (void)state;
    uint64_t seed = random_seed(21);
    struct bench b = open_bench(3);
    for (int round = 0; round < 60; round++) {
        b.p->start_at_ms += 300000;
        b.p->kept_charge_w = random_draw(&seed, 0.0, 60e6);
        b.p->kept_discharge_w = random_draw(&seed, 0.0, 60e6);
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

static void spoil_all(void *context, enum plan_status rung, struct schedule *s)
{
    enum plan_status last = *(const enum plan_status *)context;
    if (rung <= last) {
        s->battery_w[0][3] = 1e12;
    }
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

/* What the utility wants kept for an outage is filled up however dear that is,
 * and no evening's price takes it out. */
static void a_told_reserve_stays_in(void **state)
{
    (void)state;
    struct bench b = open_bench(2);
    three_prices(b.p);
    for (int i = 0; i < 2; i++) {
        b.p->reserve_wh[i] = 0.6 * b.site->batteries[i].energy_wh;
    }
    solve(&b);
    assert_int_equal(b.plan->status, PLAN_OPTIMAL);
    for (int i = 32; i < 96; i++) { /* eight hours for filling up */
        assert_true(b.plan->soc_pu[i] > 0.1 + 0.6 - 1e-6);
    }
    close_bench(&b);
}

/* Nor the site's own. */
static void a_reserve_of_the_site_stays_in(void **state)
{
    (void)state;
    for (int kept = 0; kept < 2; kept++) {
        struct bench b = open_bench(2);
        three_prices(b.p);
        for (int i = 0; i < 2; i++) {
            struct site_battery *s = &b.site->batteries[i];
            s->reserve_wh = kept * 0.3 * s->energy_wh;
        }
        solve(&b);
        assert_int_equal(b.plan->status, PLAN_OPTIMAL);
        double least_pu = 1.0;
        for (int i = 0; i < 96; i++) {
            least_pu = fmin(least_pu, b.plan->soc_pu[i]);
        }
        assert_true(kept ? least_pu > 0.1 + 0.3 - 1e-6 : least_pu < 0.3);
        close_bench(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flat_prices_move_nothing),
        cmocka_unit_test(it_says_how_far_prices_are_known),
        cmocka_unit_test(cheap_in_dear_out),
        cmocka_unit_test(work_that_waits_leaves_the_top_free),
        cmocka_unit_test(a_told_reserve_stays_in),
        cmocka_unit_test(a_reserve_of_the_site_stays_in),
        cmocka_unit_test(wear_counts),
        cmocka_unit_test(no_new_peak_where_peaks_cost),
        cmocka_unit_test(a_peak_is_paid_for_a_month),
        cmocka_unit_test(stays_inside_whatever_the_prices),
        cmocka_unit_test(batteries_are_planned_in_groups),
        cmocka_unit_test(a_site_without_batteries_has_a_plan),
        cmocka_unit_test(every_rung_can_be_reached),
        cmocka_unit_test(stopped_early_it_gives_what_it_has),
        cmocka_unit_test(turns_only_where_it_pays),
        cmocka_unit_test(slots_are_found_by_the_clock),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
