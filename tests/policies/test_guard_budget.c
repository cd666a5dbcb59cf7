/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of policies/guard: what a pack has to give, day by day and year by
 * year. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/policies/guard_fixture.h"

enum { LOOKS = 3000 };

/* Over every window of a run the charge stays within the grants. */
static void assert_windows(const double *at_days, const double *loss_ppm,
                           double grant_ppm)
{
    for (int i = 0; i < LOOKS; i += 7) {
        for (int k = i; k < LOOKS; k += 7) {
            double most = (at_days[k] - at_days[i] + 7.0) * grant_ppm;
            assert_true(loss_ppm[k] - loss_ppm[i] <= most + 1e-9);
        }
    }
}

static void spending_stays_within_the_grants(void **state)
{
    (void)state;
    print_message("seeds 400 to 429\n");
    double spent_ppm = 0.0;
    int n_empty = 0;
    for (uint64_t seed = 400; seed < 430; seed++) {
        static double at_days[LOOKS], loss_ppm[LOOKS];
        struct car c = car_make(seed);
        struct guard_terms terms = terms_of(draw(&c, 100.0, 1000.0));
        terms.from_pack = seed % 2 == 0;
        terms.chemistry = (enum chemistry)(seed % CHEMISTRY_COUNT);
        struct guard_cfg cfg;
        guard_init(&cfg, &terms);
        struct guard_state s = {0};
        for (int i = 0; i < LOOKS; i++) {
            car_run(&c, draw(&c, 1.0, 120.0));
            car_suffer(&c);
            car_say(&c);
            car_ask(&c, &cfg, &s, terms.compute_w);
            at_days[i] = (double)(c.mono_ms - MONO) / 86400e3;
            loss_ppm[i] = s.ledger.loss_ppm;
            if (s.mono_ms != 0 && s.budget_ppm < -1e-9) {
                fail_msg("seed %d, look %d: %.6f ppm left", (int)seed, i,
                         s.budget_ppm);
            }
            assert_true(i == 0 || loss_ppm[i] >= loss_ppm[i - 1]);
            struct guard_now now = car_now(&c);
            n_empty += guard_ask(&cfg, &s, &now, terms.compute_w) ==
                       REASON_NODE_BUDGET;
        }
        assert_windows(at_days, loss_ppm, terms.budget_ppm_per_day);
        spent_ppm += s.ledger.loss_ppm;
    }
    assert_true(spent_ppm > 30.0 && n_empty > 100);
}

/* The last grant before the budget is gone, and then the charger is lost and
 * nobody hears of it until the pack's state is too old. */
static void the_last_grant_is_paid_for(void **state)
{
    (void)state;
    print_message("seeds 700 to 1199\n");
    int n_granted = 0;
    for (uint64_t seed = 700; seed < 1200; seed++) {
        struct car c = car_make(seed);
        struct guard_cfg cfg = cfg_of(draw(&c, 100.0, 1000.0));
        struct guard_state s = {0};
        c.soc_pu = guard_floor_pu(&cfg, &c.said) + draw(&c, 0.0, 0.3);
        c.soc_pu = fmin(c.soc_pu, 1.0);
        car_say(&c);
        struct guard_now now = car_now(&c);
        guard_step(&cfg, &s, &now);
        s.budget_ppm = draw(&c, 0.0, cfg.terms.budget_ppm_per_day);
        n_granted += car_ask(&c, &cfg, &s, cfg.terms.compute_w);
        c.plugged = c.pack_says = false;
        for (int i = 0; i < 60; i++) {
            car_run(&c, 20.0);
            car_say(&c);
            car_ask(&c, &cfg, &s, cfg.terms.compute_w);
        }
        c.pack_says = true;
        for (int i = 0; i < 2880; i++) { /* until the heat is gone */
            car_say(&c);
            car_ask(&c, &cfg, &s, cfg.terms.compute_w);
            assert_true(s.budget_ppm >= -1e-9);
            car_run(&c, 60.0);
        }
    }
    assert_true(n_granted > 100);
}

static const double FULL_KM = 1000.0 / 12.0; /* by the usual terms */

/* Compute at the plug with news of the pack now and then, its gauge a little
 * below where it began, until the accounts are almost spent; then the pack
 * empties at the worst moment, and all that may have come from it is booked at
 * once. */
static void what_the_gauge_may_hide_is_paid_for(void **state)
{
    (void)state;
    print_message("seeds 1600 to 2199\n");
    int n_booked = 0;
    for (uint64_t seed = 1600; seed < 2200; seed++) {
        struct car c = car_make(seed);
        struct guard_cfg cfg = cfg_of(draw(&c, 300.0, 1000.0));
        struct guard_state s = {0};
        c.said.departs_soc_pu = 0.2;
        double full_pu = draw(&c, 0.5, 0.9);
        c.soc_pu = full_pu;
        c.pack_c = c.ambient_c = 20.0;
        car_say(&c);
        car_ask(&c, &cfg, &s, 0.0);
        s.spent_km = FULL_KM - draw(&c, 0.0, 6.0);
        s.budget_ppm = draw(&c, 0.0, 4.0);
        int empties_at = (int)draw(&c, 1.0, 60.0);
        for (int i = 0; i < 120; i++) {
            c.pack_says = i == empties_at || i % 14 == 13;
            c.soc_pu = full_pu - (i < empties_at ? draw(&c, 1e-4, 4e-3) : 0.03);
            car_say(&c);
            car_ask(&c, &cfg, &s, cfg.terms.compute_w);
            double left_km = FULL_KM - s.spent_km;
            if (left_km < -1e-9 || s.budget_ppm < -1e-9) {
                fail_msg("seed %d, look %d: %.6f km, %.6f ppm left", (int)seed,
                         i, left_km, s.budget_ppm);
            }
            car_run(&c, 60.0);
        }
        n_booked += s.ledger.pack_wh > 0.0;
    }
    assert_true(n_booked > 100);
}

/* As the reference has it: 58 ppm a day of headroom, a tenth of it to give. */
static void the_warranty_gives_the_budget(void **state)
{
    (void)state;
    static const struct {
        double loss_pu, expected_pu, days, share_pu, want_ppm;
    } rows[] = {
        {0.30, 0.13, 2922.0, 0.10, 5.82},  {0.30, 0.13, 2922.0, 0.0, 0.0},
        {0.30, 0.13, 2922.0, 0.20, 11.64}, {0.10, 0.20, 2922.0, 0.10, 0.0},
        {0.90, 0.10, 30.0, 1.0, 20.0},     {0.30, 0.18, 2922.0, 0.10, 4.11},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct site_warranty w = fleet_usual(1e3).warranty;
        w.loss_pu = rows[i].loss_pu;
        w.expected_loss_pu = rows[i].expected_pu;
        w.life_s = rows[i].days * 86400.0;
        w.wear_share_pu = rows[i].share_pu;
        double ppm = guard_budget_ppm_per_day(&w);
        assert_true(fabs(ppm - rows[i].want_ppm) < 0.005);
    }
    struct site_warranty w = fleet_usual(1e3).warranty;
    w.loss_pu = NAN;
    assert_true(guard_budget_ppm_per_day(&w) == 0.0);

    struct site_fleet f = fleet_usual(1e3);
    f.from_pack = true;
    struct guard_terms t = guard_terms_of(&f);
    /* 160,000 km in 8 years are 20,000 a year, of which 5 %. */
    assert_true(fabs(t.virtual_km_per_year - 1000.0) < 1e-9);
    assert_true(t.from_pack && t.end_loss_pu == 0.30);
    assert_true(t.budget_ppm_per_day == f.wear_ppm_per_day);
}

/* Over every window of a run the virtual km stay within what was saved up and
 * what the days brought; a year of that is the allowance and no more. */
static void virtual_km_stay_within_the_allowance(void **state)
{
    (void)state;
    print_message("seeds 1200 to 1229\n");
    double driven_km = 0.0;
    int n_refused = 0;
    for (uint64_t seed = 1200; seed < 1230; seed++) {
        static double at_days[LOOKS], km[LOOKS];
        struct car c = car_make(seed);
        struct guard_terms terms = terms_of(draw(&c, 100.0, 1000.0));
        terms.from_pack = seed % 3 != 0;
        terms.budget_ppm_per_day = 1e3; /* no bound here */
        terms.virtual_km_per_year = draw(&c, 60.0, 200.0);
        struct guard_cfg cfg;
        guard_init(&cfg, &terms);
        struct guard_state s = {0};
        for (int i = 0; i < LOOKS; i++) {
            car_run(&c, draw(&c, 1.0, 120.0));
            car_suffer(&c);
            car_say(&c);
            car_ask(&c, &cfg, &s, terms.compute_w);
            at_days[i] = (double)(c.mono_ms - MONO) / 86400e3;
            km[i] = s.ledger.virtual_km;
            double left_km = terms.virtual_km_per_year / 12.0 - s.spent_km;
            if (left_km < -1e-9) {
                fail_msg("seed %d, look %d: %.6f km left", (int)seed, i,
                         left_km);
            }
            struct guard_now now = car_now(&c);
            n_refused +=
                guard_ask(&cfg, &s, &now, terms.compute_w) == REASON_NODE_KM;
        }
        double saved_km = terms.virtual_km_per_year / 12.0;
        double day_km = (terms.virtual_km_per_year - saved_km) / 365.25;
        for (int i = 0; i < LOOKS; i += 7) {
            for (int k = i; k < LOOKS; k += 7) {
                double most = saved_km + day_km * (at_days[k] - at_days[i]);
                assert_true(km[k] - km[i] <= most + 1e-9);
            }
        }
        driven_km += s.ledger.virtual_km;
    }
    assert_true(driven_km > 50.0 && n_refused > 100);
}

/* A day of 1 kW at the plug costs what the budget gives, from the pack many
 * times that; a charged loss is never given back. */
static void plugged_in_is_the_cheap_way(void **state)
{
    (void)state;
    struct guard_cfg cfg = cfg_of(1e3);
    struct node_in n = good();
    struct guard_now now = now_of(&n);
    double plug = guard_price_per_kwh(&cfg, &now);
    assert_true(plug > 0.001 && plug < 0.02);
    n.pack_c = 35.0;
    assert_true(guard_price_per_kwh(&cfg, &now) > 1.5 * plug);
    n.pack_c = 20.0;
    n.soc_pu = 0.5;
    assert_true(guard_price_per_kwh(&cfg, &now) < plug);
    n.flags &= ~(int64_t)NODE_PLUGGED;
    assert_true(guard_price_per_kwh(&cfg, &now) > 10.0 * plug);
    n.flags = 0;
    assert_true(isinf(guard_price_per_kwh(&cfg, &now)));
}

/* An idle week fills the budget to seven days and no further; a wild clock
 * neither fills nor empties it. */
static void a_week_is_carried_over_and_no_more(void **state)
{
    (void)state;
    struct guard_cfg cfg = cfg_of(500.0);
    double b = cfg.terms.budget_ppm_per_day;
    struct guard_state s = rested(&cfg);
    assert_true(s.budget_ppm == b);
    struct node_in n = good();
    struct guard_now now = now_of(&n);
    for (int i = 0; i < 1440; i++) {
        now.mono_ms += 60000;
        guard_step(&cfg, &s, &now);
    }
    assert_true(fabs(s.budget_ppm - 2.0 * b) < 1e-9);
    for (int i = 0; i < 20 * 1440; i++) {
        now.mono_ms += 60000;
        guard_step(&cfg, &s, &now);
    }
    assert_true(s.budget_ppm == 7.0 * b);
    now.mono_ms = MONO;
    guard_step(&cfg, &s, &now);
    now.mono_ms = INT64_MAX / 2;
    guard_step(&cfg, &s, &now);
    assert_true(s.budget_ppm == 7.0 * b && s.ledger.loss_ppm == 0.0);
    n.compute_w = 500.0;
    now.mono_ms += (int64_t)1e12;
    n.agent_mono_ms = n.pack_mono_ms = now.mono_ms;
    guard_step(&cfg, &s, &now); /* no more than a lease of it is known */
    assert_true(s.ledger.compute_wh == 500.0 * guard_lease_s() / 3600.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spending_stays_within_the_grants),
        cmocka_unit_test(the_last_grant_is_paid_for),
        cmocka_unit_test(what_the_gauge_may_hide_is_paid_for),
        cmocka_unit_test(the_warranty_gives_the_budget),
        cmocka_unit_test(virtual_km_stay_within_the_allowance),
        cmocka_unit_test(plugged_in_is_the_cheap_way),
        cmocka_unit_test(a_week_is_carried_over_and_no_more),
    };
    return cmocka_run_group_tests_name("guard, budget", tests, NULL, NULL);
}
