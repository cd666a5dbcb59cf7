/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of replay/hindsight: answers known by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "replay/hindsight_solve.h"
#include "tests/replay/hindsight_fixture.h"
#include "tests/site_fixture.h"

static void assert_near(double is, double should, double tolerance)
{
    if (!(fabs(is - should) <= tolerance)) {
        fail_msg("%.9g, expected %.9g +- %.3g", is, should, tolerance);
    }
}

/* A rise of dP is taken over by the battery, which gives dP^2 / 2R, and to
 * begin with the grid rises before the load does: half of it from either
 * side of the edge, but never more than charging before puts back. */
static void an_edge_takes_its_triangle(void **state)
{
    (void)state;
    static const struct {
        double from_mw;
        double to_mw;
        double eff_pu;
    } rows[] = {{80.0, 100.0, 1.0}, {80.0, 120.0, 1.0}, {80.0, 120.0, 0.81}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        double mw[20];
        for (int k = 0; k < 20; k++) {
            mw[k] = k == 0 ? rows[i].from_mw : rows[i].to_mw;
        }
        struct site *site = fixture_site(10, 20, 0);
        for (int b = 0; b < site->n_batteries; b++) {
            site->batteries[b].efficiency_pu = rows[i].eff_pu;
        }
        site->control.period_s = 1.0;
        struct load load;
        set_load(&load, mw, 20, 60.0);
        struct replay_cfg cfg = cfg_of(site, &load);
        struct replay_result *r = look_back(&cfg);
        double edge_w = (rows[i].to_mw - rows[i].from_mw) * 1e6;
        double ramp = site->grid.ramp_max_w_per_s;
        double triangle_wh = edge_w * edge_w / 2.0 / ramp / 3600.0;
        /* In the minute before, the grid can rise by 10 MW into the battery. */
        double before_wh = 60.0 * 60.0 * ramp / 2.0 / 3600.0;
        double after_w = edge_w - 60.0 * ramp;
        double after_wh = after_w * after_w / 2.0 / ramp / 3600.0;
        double eff = sqrt(rows[i].eff_pu);
        double want_wh = fmax(before_wh * eff, after_wh / eff);
        assert_true(want_wh <= triangle_wh / eff);
        assert_near(r->bound.energy_swing_wh, want_wh, 0.1 * want_wh);
        assert_near(r->bound.shed_wh, 0.0, 1.0);
        assert_int_equal(r->grid.ramp_violations, 0);
        free(r);
        free(site);
    }
}

/* Without a battery the ramp is kept by holding back alone. */
static void what_no_battery_covers_is_held_back(void **state)
{
    (void)state;
    double mw[20];
    for (int k = 0; k < 20; k++) {
        mw[k] = k == 0 ? 80.0 : 100.0;
    }
    struct site *site = fixture_site(0, 20, 0);
    site->control.period_s = 1.0;
    struct load load;
    set_load(&load, mw, 20, 60.0);
    struct replay_cfg cfg = cfg_of(site, &load);
    struct replay_result *r = look_back(&cfg);
    double triangle_wh =
        20e6 * 20e6 / 2.0 / site->grid.ramp_max_w_per_s / 3600.0;
    assert_near(r->bound.shed_wh, triangle_wh, 0.1 * triangle_wh);
    assert_near(r->demand_wh - r->served_wh, r->bound.shed_wh, 1.0);
    assert_near(r->shed_cur, r->bound.shed_wh / 1e3 * 4.0, 1.0);
    free(r);
    free(site);
}

/* Half a day cheap, half a day dear: the battery is filled and emptied. */
static void two_prices_are_worth_a_cycle(void **state)
{
    (void)state;
    double mw[24];
    double price[24];
    for (int k = 0; k < 24; k++) {
        mw[k] = 30.0;
        price[k] = k < 12 ? 0.02 : 0.30;
    }
    struct site *site = fixture_site(1, 10, 0);
    site->n_prices = 1;
    site->batteries[0].sim_soc_start_pu = 0.1;
    site->control.period_s = 10.0;
    struct load load;
    set_load(&load, mw, 24, 3600.0);
    struct prices prices;
    set_prices(&prices, price, 24, 3600000);
    struct replay_cfg cfg = cfg_of(site, &load);
    cfg.prices = &prices;
    struct replay_result *r = look_back(&cfg);
    double eff = sqrt(0.91);
    double stored_kwh = 16e3;
    double load_cur = 30e3 * 12.0 * (0.02 + 0.30);
    double want = load_cur + stored_kwh * (0.02 / eff - 0.30 * eff);
    assert_near(r->energy_cur, want, 1e-4 * want);
    assert_near(r->batteries[0].soc_max_pu, 0.9, 1e-4);
    assert_near(r->batteries[0].soc_end_pu, 0.1, 1e-4);
    assert_true(r->bound.gap_pu <= 1e-6);
    assert_true(isnan(r->grid.pp60_max_w));
    free(r);
    free(site);
}

/* One quarter of an hour above the others, of 20 minutes seen in steps of
 * 10 s: the demand charge is on its mean, not on its highest step. */
static void the_demand_charge_is_on_means(void **state)
{
    (void)state;
    double load_mw[60];
    for (int k = 0; k < 60; k++) {
        load_mw[k] = k >= 15 && k < 30 && k % 2 == 0 ? 104.0 : 100.0;
    }
    struct site *site = fixture_site(0, 10, 0);
    site->grid.ramp_max_w_per_s = 1e6;
    site->grid.demand_charge_per_kw = 1.0;
    site->control.period_s = 1.0;
    struct load load;
    set_load(&load, load_mw, 60, 60.0);
    struct replay_cfg cfg = cfg_of(site, &load);
    struct replay_result *r = look_back(&cfg);
    double mean_kw = 100e3 + 4e3 * 7.0 / 15.0;
    /* Holding back costs 4 a kWh, the peak 1 a kW: a quarter of a kWh. */
    assert_near(total(r), mean_kw, 1e-4 * mean_kw);
    free(r);
    free(site);
}

/* Half a day of 120 MW to the month's end, half a day of 60 MW and cheap
 * energy after it: the peak of the month before is no room in the new one. */
static void a_new_month_has_a_peak_of_its_own(void **state)
{
    (void)state;
    static const int64_t june_ms = 1748736000000;
    struct load l;
    double mw[24];
    double per_kwh[24];
    for (int i = 0; i < 24; i++) {
        mw[i] = i < 12 ? 120.0 : 60.0;
        per_kwh[i] = i < 12 ? 0.10 : 0.02;
    }
    set_load(&l, mw, 24, 3600.0);
    struct prices p;
    set_prices(&p, per_kwh, 24, 3600000);
    struct site *site = fixture_site(10, 4, 0);
    site->n_prices = 1;
    site->grid.demand_charge_per_kw = 20.0;
    site->control.period_s = 10.0;
    struct replay_cfg cfg = cfg_of(site, &l);
    cfg.prices = &p;
    for (int within = 0; within < 2; within++) {
        cfg.start_utc_ms = june_ms + (within ? 5 * 86400000 : -12 * 3600000);
        p.start_at_ms = cfg.start_utc_ms;
        struct replay_result *none = steer(cfg, POLICY_NONE);
        struct replay_result *best = look_back(&cfg);
        assert_int_equal(best->n_months, within ? 1 : 2);
        assert_int_equal(none->n_months, best->n_months);
        assert_near(none->months[0].peak_w, 120e6, 1e5);
        double sum = best->months[0].demand_cur;
        if (within) {
            assert_near(none->demand_cur, 120e3 * 20.0, 2e3);
        } else {
            assert_near(none->months[1].peak_w, 60e6, 1e6);
            assert_near(none->demand_cur, 180e3 * 20.0, 2e4);
            assert_true(best->months[1].peak_w < 62e6);
            sum += best->months[1].demand_cur;
        }
        assert_near(best->demand_cur, sum, 1e-3);
        assert_true(best->bound.gap_pu <= 1e-6);
        assert_true(total(best) < total(none));
        assert_true(best->months[0].peak_w < 120e6 - 1e6);
        /* where it is one month, what was paid for is used */
        assert_true(!within || best->grid.peak_w > 100e6);
        free(none);
        free(best);
    }
    free(site);
}

static void a_price_below_nothing_burns_no_energy(void **state)
{
    (void)state;
    double mw[24];
    double price[24];
    for (int k = 0; k < 24; k++) {
        mw[k] = 30.0;
        price[k] = k % 6 < 3 ? -0.05 : 0.05;
    }
    struct site *site = fixture_site(2, 10, 0);
    site->batteries[1].sim_soc_start_pu = 0.3;
    site->n_prices = 1;
    site->control.period_s = 10.0;
    struct load load;
    set_load(&load, mw, 24, 3600.0);
    struct prices prices;
    set_prices(&prices, price, 24, 3600000);
    struct replay_cfg cfg = cfg_of(site, &load);
    cfg.prices = &prices;
    struct replay_result *r = look_back(&cfg);
    struct replay_result *none = steer(cfg, POLICY_NONE);
    for (int i = 0; i < site->n_batteries; i++) {
        assert_true(r->batteries[i].soc_min_pu >= 0.1 - 1e-4);
        assert_true(r->batteries[i].soc_max_pu <= 0.9 + 1e-4);
    }
    assert_true(total(r) < total(none));
    free(r);
    free(none);
    free(site);
}

static void what_is_too_big_is_refused_in_words(void **state)
{
    (void)state;
    double mw[1] = {30.0};
    struct site *site = fixture_site(13, 10, 0);
    struct load load;
    char why[512] = "";
    set_load(&load, mw, 1, 86400.0 * 121.0);
    struct replay_cfg cfg = cfg_of(site, &load);
    assert_null(hindsight_open(&cfg, why, sizeof(why)));
    assert_non_null(strstr(why, "2880 steps"));

    set_load(&load, mw, 1, 60.0);
    for (int i = 0; i < site->n_batteries; i++) {
        site->batteries[i].energy_wh = 20e6 + i;
    }
    struct replay_result *r = calloc(1, sizeof(*r));
    struct hindsight *h = hindsight_open(&cfg, why, sizeof(why));
    assert_non_null(h);
    assert_int_equal(hindsight_run(h, NULL, r, why, sizeof(why)), ERR_FULL);
    assert_non_null(strstr(why, "more than 12 kinds"));
    hindsight_close(h);
    free(r);
    free(site);
}

static void steps_follow_the_length(void **state)
{
    (void)state;
    static const struct {
        double duration_s;
        int64_t start_ms;
        int64_t step_ms;
    } rows[] = {
        {60.0, 0, 10000},
        {7200.0, 5000, 10000},
        {7201.0, 0, 900000},
        {30.0 * 86400.0, 900000, 900000},
        {30.0 * 86400.0, 1000, 1800000}, /* one step too many */
        {60.0 * 86400.0, 0, 1800000},
        {90.0 * 86400.0, 0, 2700000},
        {120.0 * 86400.0, 0, 3600000},
        {120.5 * 86400.0, 0, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(
            hindsight_step_ms(rows[i].duration_s, rows[i].start_ms),
            rows[i].step_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_edge_takes_its_triangle),
        cmocka_unit_test(what_no_battery_covers_is_held_back),
        cmocka_unit_test(two_prices_are_worth_a_cycle),
        cmocka_unit_test(the_demand_charge_is_on_means),
        cmocka_unit_test(a_new_month_has_a_peak_of_its_own),
        cmocka_unit_test(a_price_below_nothing_burns_no_energy),
        cmocka_unit_test(what_is_too_big_is_refused_in_words),
        cmocka_unit_test(steps_follow_the_length),
    };
    return cmocka_run_group_tests_name("hindsight", tests, NULL, NULL);
}
