/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of replay/hindsight: answers known by hand, and that no policy which
 * keeps the limits comes out below. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "replay/hindsight.h"
#include "replay/hindsight_solve.h"
#include "tests/site_fixture.h"

enum { POINTS_MAX = 64, PRICES_MAX = 96, RUNS = 8 };

static const int64_t START_MS = 1767225600000;

/* A load by hand: 'n' powers, each for 'step_s'. */
struct load {
    struct trace trace;
    double t_s[POINTS_MAX];
    double power_w[POINTS_MAX];
};

static void set_load(struct load *l, const double *mw, size_t n, double step_s)
{
    *l = (struct load){.trace = {.n = n,
                                 .t_s = l->t_s,
                                 .power_w = l->power_w,
                                 .scale = 1.0,
                                 .start_utc_ms = -1,
                                 .step_s = step_s,
                                 .pass_s = step_s * (double)n,
                                 .duration_s = step_s * (double)n}};
    snprintf(l->trace.name, sizeof(l->trace.name), "by hand");
    for (size_t i = 0; i < n; i++) {
        l->t_s[i] = step_s * (double)i;
        l->power_w[i] = mw[i] * 1e6;
    }
}

static void set_prices(struct prices *p, double *per_kwh, size_t n,
                       int64_t step_ms)
{
    *p = (struct prices){.known = PRICES_ALL,
                         .start_at_ms = START_MS,
                         .step_ms = step_ms,
                         .n = n,
                         .per_kwh = per_kwh,
                         .settle_per_kwh = per_kwh};
}

/* Without prices, events or vehicles unless set. */
static struct replay_cfg cfg_of(const struct site *site, const struct load *l)
{
    return (struct replay_cfg){
        .site = site,
        .trace = &l->trace,
        .start_utc_ms = START_MS,
        .seed = 1,
    };
}

static struct replay_result *look_back(const struct replay_cfg *cfg)
{
    char why[512] = "";
    struct replay_result *r = calloc(1, sizeof(*r));
    struct hindsight *h = hindsight_open(cfg, why, sizeof(why));
    if (h == NULL || hindsight_run(h, NULL, r, why, sizeof(why)) != ERR_NONE) {
        fail_msg("%s", why);
    }
    hindsight_close(h);
    return r;
}

static struct replay_result *steer(struct replay_cfg cfg, enum policy policy)
{
    char why[512] = "";
    struct replay_result *r = calloc(1, sizeof(*r));
    cfg.policy = policy;
    if (replay_run(&cfg, r, why, sizeof(why)) != ERR_NONE) {
        fail_msg("%s", why);
    }
    return r;
}

static double total(const struct replay_result *r)
{
    return r->energy_cur + r->demand_cur + r->wear_cur + r->shed_cur;
}

static double swing_wh(const struct site *site, const struct replay_result *r)
{
    double wh = 0.0;
    for (int i = 0; i < site->n_batteries; i++) {
        wh += (r->batteries[i].soc_max_pu - r->batteries[i].soc_min_pu) *
              site->batteries[i].energy_wh;
    }
    return wh;
}

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

static double uniform(uint64_t *seed, double lo, double hi)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return lo + (hi - lo) * (double)(*seed >> 11) / 9007199254740992.0;
}

static struct site *random_site(uint64_t *seed, bool fine)
{
    int n = (int)uniform(seed, 1.0, 3.99);
    struct site *site = fixture_site(n, 5, 0);
    for (int i = 0; i < n; i++) {
        struct site_battery *b = &site->batteries[i];
        b->energy_wh = uniform(seed, 5e6, 40e6);
        b->charge_max_w = uniform(seed, 2e6, 20e6);
        b->discharge_max_w = uniform(seed, 2e6, 20e6);
        b->efficiency_pu = uniform(seed, 0.8, 1.0);
        b->sim_soc_start_pu = uniform(seed, 0.2, 0.8);
    }
    site->n_prices = 1;
    site->grid.ramp_max_w_per_s = uniform(seed, 5e6, 30e6) / 60.0;
    site->grid.demand_charge_per_kw = fmax(uniform(seed, -5.0, 10.0), 0.0);
    site->grid.billing_peak_w = uniform(seed, 60e6, 140e6);
    site->other.present = uniform(seed, 0.0, 1.0) < 0.5;
    site->other.pue_pu = 1.1;
    site->other.lag_s = 300.0;
    site->control.period_s = fine ? 1.0 : 10.0;
    return site;
}

/*
 * What a policy that keeps the limits may come out below: the meter lets 1 %
 * more ramp pass than the programme, and the model of wear that the programme
 * plans with is not quite the one that is booked.
 */
static void nobody_comes_out_below(void **state)
{
    (void)state;
    uint64_t seed = 20261121;
    print_message("seed %llu\n", (unsigned long long)seed);
    int n_compared = 0;
    for (int k = 0; k < RUNS; k++) {
        bool fine = k % 2 == 0;
        struct site *site = random_site(&seed, fine);
        double mw[40];
        double price[PRICES_MAX];
        double span_mw = k % 3 == 0 ? 60.0 : 6.0;
        for (int i = 0; i < 40; i++) {
            mw[i] = uniform(&seed, 80.0, 80.0 + span_mw);
        }
        for (int i = 0; i < PRICES_MAX; i++) {
            price[i] = uniform(&seed, -0.02, 0.12);
        }
        struct load load;
        set_load(&load, mw, 40, fine ? 45.0 : 1700.0);
        struct prices prices;
        set_prices(&prices, price, PRICES_MAX, 900000);
        struct replay_cfg cfg = cfg_of(site, &load);
        cfg.prices = &prices;
        struct replay_result *best = look_back(&cfg);
        for (int p = 0; p < POLICY_COUNT; p++) {
            struct replay_result *r = steer(cfg, (enum policy)p);
            bool keeps = r->grid.ramp_violations == 0 &&
                         r->grid.import_limit_violations == 0 &&
                         r->grid.export_limit_violations == 0;
            double slack = 2e-4 * fabs(total(r)) + 0.5 * r->wear_cur + 1.0;
            if ((keeps || !fine) && total(best) > total(r) + slack) {
                fail_msg("run %d, policy %d: %.2f, hindsight %.2f", k, p,
                         total(r), total(best));
            }
            double shed_wh = r->demand_wh - r->served_wh;
            if (keeps && best->bound.shed_wh > shed_wh * 1.03 + 1e3) {
                fail_msg("run %d, policy %d: held back %.1f, hindsight %.1f", k,
                         p, shed_wh, best->bound.shed_wh);
            }
            if (keeps && shed_wh <= best->bound.shed_wh + 1.0 &&
                best->bound.energy_swing_wh > swing_wh(site, r) * 1.03 + 1e3) {
                fail_msg("run %d, policy %d: swing %.1f, hindsight %.1f", k, p,
                         swing_wh(site, r), best->bound.energy_swing_wh);
            }
            n_compared += keeps;
            free(r);
        }
        assert_true(best->bound.shed_wh <=
                    best->demand_wh - best->served_wh + 100.0);
        assert_true(best->bound.gap_pu <= 1e-3);
        free(best);
        free(site);
    }
    print_message("%d runs that kept the limits\n", n_compared);
    assert_true(n_compared >= 3);
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
        cmocka_unit_test(nobody_comes_out_below),
        cmocka_unit_test(what_is_too_big_is_refused_in_words),
        cmocka_unit_test(steps_follow_the_length),
    };
    return cmocka_run_group_tests_name("hindsight", tests, NULL, NULL);
}
