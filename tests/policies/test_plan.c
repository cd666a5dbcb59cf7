/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of policies/plan: cheap in, dear out, never outside the reserve. */
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

static struct problem *make(const struct site *site)
{
    struct problem *p = calloc(1, sizeof(*p));
    p->tick = 100;
    p->start_at_ms = 1763683200000;
    p->n_slots = 96;
    p->peak_w = INFINITY;
    for (int i = 0; i < 96; i++) {
        p->step_s[i] = 900.0;
        p->import_per_kwh[i] = 0.05;
        p->load_w[i] = 100e6;
        p->import_max_w[i] = 160e6;
    }
    for (int i = 0; i < site->n_batteries; i++) {
        p->available[i] = 1.0;
        p->soc_pu[i] = 0.5;
        p->soc_start_pu[i] = 0.6;
    }
    return p;
}

static void flat_prices_move_nothing(void **state)
{
    (void)state;
    struct site *site = fixture_site(2, 1, 0);
    struct problem *p = make(site);
    struct plan *plan = calloc(1, sizeof(*plan));
    plan_solve(site, p, plan);
    assert_int_equal(plan->status, PLAN_RULE);
    assert_int_equal(plan->from_tick, 100 + PLAN_DELAY_TICKS);
    for (int i = 0; i < 96; i++) {
        assert_true(plan->battery_w[i] == 0.0);
        assert_true(fabs(plan->soc_pu[i] - 0.6) < 1e-9); /* back home */
    }
    free(plan);
    free(p);
    free(site);
}

static void cheap_in_dear_out(void **state)
{
    (void)state;
    struct site *site = fixture_site(2, 1, 0);
    struct problem *p = make(site);
    for (int i = 0; i < 96; i++) {
        p->import_per_kwh[i] = i < 32 ? 0.02 : i < 64 ? 0.06 : 0.3;
    }
    struct plan *plan = calloc(1, sizeof(*plan));
    plan_solve(site, p, plan);
    double in_w = 0.0;
    double out_w = 0.0;
    for (int i = 0; i < 96; i++) {
        assert_true(i < 32 || plan->battery_w[i] <= 0.0);
        assert_true(i >= 64 || plan->battery_w[i] >= 0.0);
        in_w += fmax(plan->battery_w[i], 0.0);
        out_w += fmax(-plan->battery_w[i], 0.0);
    }
    assert_true(in_w > 0.0 && out_w > 0.0);
    free(plan);
    free(p);
    free(site);
}

/* Prices 0.05, then 0.10: a margin of 0.045 after losses. */
static bool trades_at(const double per_kwh[4])
{
    struct site *site = fixture_site(2, 1, 0);
    struct problem *p = make(site);
    struct plan *plan = calloc(1, sizeof(*plan));
    for (int i = 0; i < 96; i++) {
        p->import_per_kwh[i] = i < 48 ? 0.05 : 0.10;
    }
    for (int b = 0; b < 2; b++) {
        p->wear[b].n = 4;
        for (int k = 0; k < 4; k++) {
            p->wear[b].at[k] = (struct wear_segment){0.2, 0.1, per_kwh[k]};
        }
    }
    plan_solve(site, p, plan);
    bool trades = false;
    for (int i = 0; i < 96; i++) {
        trades |= fabs(plan->battery_w[i]) > 0.0;
    }
    free(plan);
    free(p);
    free(site);
    return trades;
}

/* The plan goes through 56 of 80 %: two segments and four fifths of one. */
static void wear_counts_as_deep_as_the_plan_goes(void **state)
{
    (void)state;
    assert_true(trades_at((double[4]){0.0, 0.0, 0.0, 0.0}));
    assert_true(trades_at((double[4]){0.04, 0.04, 0.04, 0.04}));
    assert_false(trades_at((double[4]){0.05, 0.05, 0.05, 0.05}));
    assert_true(trades_at((double[4]){0.01, 0.01, 0.01, 9.0}));
    assert_true(trades_at((double[4]){0.0, 0.0, 0.15, 0.15}));
    assert_false(trades_at((double[4]){0.0, 0.0, 0.17, 0.17}));
}

static void no_new_peak_where_peaks_cost(void **state)
{
    (void)state;
    struct site *site = fixture_site(2, 1, 0);
    struct problem *p = make(site);
    for (int i = 0; i < 96; i++) {
        p->import_per_kwh[i] = i < 32 ? 0.02 : 0.3;
        p->load_w[i] = i < 16 ? 100e6 : 90e6;
    }
    p->peak_w = 95e6;
    struct plan *plan = calloc(1, sizeof(*plan));
    plan_solve(site, p, plan);
    for (int i = 0; i < 32; i++) {
        assert_true(plan->battery_w[i] <= (i < 16 ? 0.0 : 5e6));
    }
    assert_true(plan->battery_w[20] > 4.9e6);
    free(plan);
    free(p);
    free(site);
}

/* Over random prices, loads, states: inside the window's reserve unless it
 * began outside, inside the import limit, finite. */
static void stays_inside_whatever_the_prices(void **state)
{
    (void)state;
    uint64_t seed = random_seed(21);
    struct site *site = fixture_site(3, 1, 0);
    struct problem *p = make(site);
    struct plan *plan = calloc(1, sizeof(*plan));
    for (int round = 0; round < 300; round++) {
        for (int i = 0; i < 96; i++) {
            p->import_per_kwh[i] = random_draw(&seed, -0.2, 5.0);
            p->load_w[i] = random_draw(&seed, 0.0, 170e6);
        }
        for (int i = 0; i < 3; i++) {
            p->available[i] = random_draw(&seed, 0.0, 1.0) < 0.7 ? 1.0 : 0.0;
            p->soc_pu[i] = random_draw(&seed, 0.0, 1.0);
        }
        plan_solve(site, p, plan);
        for (int i = 0; i < 96; i++) {
            double w = plan->battery_w[i];
            assert_true(isfinite(w) && isfinite(plan->soc_pu[i]));
            assert_true(w <= fmax(160e6 - p->load_w[i], 0.0) + 1.0);
            assert_true(w >= -p->load_w[i] - 1.0);
            double before = i > 0 ? plan->soc_pu[i - 1] : NAN;
            if (i > 0 && w > 0.0) {
                assert_true(plan->soc_pu[i] > before);
                assert_true(plan->soc_pu[i] <= 0.9 - 0.12 + 1e-9);
            }
            if (i > 0 && w < 0.0) {
                assert_true(plan->soc_pu[i] >= 0.1 + 0.12 - 1e-9);
            }
        }
    }
    free(plan);
    free(p);
    free(site);
}

static void slots_are_found_by_the_clock(void **state)
{
    (void)state;
    struct site *site = fixture_site(1, 1, 0);
    struct problem *p = make(site);
    struct plan *plan = calloc(1, sizeof(*plan));
    plan_solve(site, p, plan);
    int64_t t = p->start_at_ms;
    assert_int_equal(plan_slot(plan, t), 0);
    assert_int_equal(plan_slot(plan, t + 899999), 0);
    assert_int_equal(plan_slot(plan, t + 900000), 1);
    assert_int_equal(plan_slot(plan, t - 1), -1);
    assert_int_equal(plan_slot(plan, plan->expires_at_ms), -1);
    plan->status = PLAN_NONE;
    assert_int_equal(plan_slot(plan, t), -1);
    free(plan);
    free(p);
    free(site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flat_prices_move_nothing),
        cmocka_unit_test(cheap_in_dear_out),
        cmocka_unit_test(wear_counts_as_deep_as_the_plan_goes),
        cmocka_unit_test(no_new_peak_where_peaks_cost),
        cmocka_unit_test(stays_inside_whatever_the_prices),
        cmocka_unit_test(slots_are_found_by_the_clock),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
