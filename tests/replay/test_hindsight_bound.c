/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of replay/hindsight: no policy which keeps the limits comes out below
 * it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/replay/hindsight_fixture.h"
#include "tests/site_fixture.h"

enum { PRICES_MAX = 96, RUNS = 8 };

static double swing_wh(const struct site *site, const struct replay_result *r)
{
    double wh = 0.0;
    for (int i = 0; i < site->n_batteries; i++) {
        wh += (r->batteries[i].soc_max_pu - r->batteries[i].soc_min_pu) *
              site->batteries[i].energy_wh;
    }
    return wh;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_comes_out_below),
    };
    return cmocka_run_group_tests_name("hindsight_bound", tests, NULL, NULL);
}
