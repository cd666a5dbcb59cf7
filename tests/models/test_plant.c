/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/plant: response, limits, energy books, pods, vehicles. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/random.h"
#include "tests/loop_fixture.h"

static struct plant *make(const struct site *site, double demand_w)
{
    struct plant *p = calloc(1, plant_size(site));
    plant_init(p, site, demand_w, 1);
    return p;
}

static void battery_follows_first_order(void **state)
{
    (void)state;
    struct site *site = fixture_site(1, 1, 0);
    struct plant *p = make(site, 1e6);
    p->batteries[0].set_w = -5e6;
    double x = 0.0;
    for (int k = 1; k <= 30; k++) {
        plant_step(p, site, 0.1);
        x += (-5e6 - x) * (1.0 - exp(-1.0));
        assert_true(fabs(p->battery_w - x) < 1e-3);
    }
    free(p);
    free(site);
}

static void delay_adds_whole_ticks(void **state)
{
    (void)state;
    for (int d = 0; d <= 4; d++) {
        struct site *site = fixture_site(1, 1, 0);
        site->batteries[0].sim_delay_s = 0.1 * d;
        struct plant *p = make(site, 1e6);
        p->batteries[0].set_w = 1e6;
        for (int k = 0; k <= d; k++) {
            assert_true(p->battery_w == 0.0);
            plant_step(p, site, 0.1);
        }
        assert_true(p->battery_w > 0.6e6);
        free(p);
        free(site);
    }
}

static void limits_and_loss_of_units_hold(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        int64_t units;
        double transformer_va;
        int64_t tripped;
        double set_w;
        double settled_w;
    } cases[] = {
        {"rating", 4, INFINITY, 0, 50e6, 10e6},
        {"rating, discharge", 4, INFINITY, 0, -50e6, -10e6},
        {"one unit lost", 3, INFINITY, 0, 50e6, 7.5e6},
        {"transformer", 4, 6e6, 0, 50e6, 6e6},
        {"tripped", 4, INFINITY, 1, 50e6, 0.0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct site *site = fixture_site(1, 1, 0);
        site->batteries[0].transformer_va = cases[i].transformer_va;
        struct plant *p = make(site, 1e6);
        p->batteries[0].units = cases[i].units;
        p->batteries[0].tripped = cases[i].tripped;
        p->batteries[0].set_w = cases[i].set_w;
        for (int k = 0; k < 100; k++) {
            plant_step(p, site, 0.1);
        }
        if (fabs(p->battery_w - cases[i].settled_w) > 1.0) {
            fail_msg("%s: %g W, expected %g W", cases[i].what, p->battery_w,
                     cases[i].settled_w);
        }
        free(p);
        free(site);
    }
}

/* Whatever is commanded: the grid is the sum of the assets, a store gains what
 * went in less the losses, and never leaves 0..1. */
static void books_balance(void **state)
{
    (void)state;
    uint64_t seed = random_seed(7);
    struct site *site = fixture_site(3, 4, 20);
    site->other.present = true;
    site->other.pue_pu = 1.2;
    site->other.lag_s = 60.0;
    struct plant *p = make(site, 80e6);
    double in_wh = 0.0;
    double start_wh = plant_soc_pu(p, site) * 60e6;
    for (int k = 0; k < 20000; k++) {
        for (int i = 0; i < 3; i++) {
            if (k % 50 == 0) {
                p->batteries[i].set_w = random_draw(&seed, -12e6, 12e6);
            }
        }
        plant_demand(p, site, random_draw(&seed, 10e6, 150e6));
        plant_step(p, site, 1.0);
        double sum_w = p->pods_w + p->battery_w + p->other_w + p->fleet_w;
        assert_true(fabs(sum_w - p->grid_w) < 1e-3);
        for (int i = 0; i < 3; i++) {
            double w = p->batteries[i].power_w;
            double eff = sqrt(0.91);
            in_wh += (w > 0.0 ? w * eff : w / eff) / 3600.0;
            double soc_pu = p->batteries[i].energy_wh / 20e6;
            assert_true(soc_pu >= -1e-9 && soc_pu <= 1.0 + 1e-9);
        }
    }
    double end_wh = plant_soc_pu(p, site) * 60e6;
    assert_true(fabs(end_wh - start_wh - in_wh) < 1.0);
    free(p);
    free(site);
}

static void capped_pod_settles_in_50_ms(void **state)
{
    (void)state;
    struct site *site = fixture_site(1, 1, 0);
    struct plant *p = make(site, 140e6);
    struct step_out *out = calloc(1, step_out_size(0));
    out->pods[0] = (struct pod_command){.cap_w = 100e6, .valid = 1};
    plant_command(p, site, out);
    plant_step(p, site, 0.05);
    assert_true(p->pods_w < 140e6 - 0.94 * 40e6);
    for (int k = 0; k < 10; k++) {
        plant_step(p, site, 0.05);
    }
    assert_true(fabs(p->pods_w - 100e6) < 1.0);
    /* The load itself is never settled: less is drawn at once. */
    plant_demand(p, site, 60e6);
    plant_step(p, site, 0.05);
    assert_true(p->pods_w == 60e6);
    /* A cap at power_max is none. */
    out->pods[0].cap_w = 150e6;
    plant_command(p, site, out);
    plant_demand(p, site, 151e6);
    plant_step(p, site, 0.05);
    assert_true(p->pods_w == 151e6);
    free(out);
    free(p);
    free(site);
}

static void vehicles_never_discharge(void **state)
{
    (void)state;
    struct site *site = fixture_site(1, 1, 50);
    struct plant *p = make(site, 1e6);
    uint64_t seed = random_seed(3);
    for (int k = 0; k < 50000; k++) {
        for (int i = 0; i < 50 && k % 100 == 0; i++) {
            p->nodes[i].set_charge_w = random_draw(&seed, -5e3, 12e3);
            p->nodes[i].set_compute_w = random_draw(&seed, -1e3, 1e3);
        }
        plant_step(p, site, 1.0);
        assert_true(p->fleet_w >= -1e-6);
    }
    for (int i = 0; i < 50; i++) {
        assert_true(p->nodes[i].soc_pu <= 0.86);
        assert_true(p->nodes[i].compute_w <= 160.0);
    }
    free(p);
    free(site);
}

/* Unplugged, a car computes on its pack where its owner lets it; the grid
 * sees nothing of it. */
static void lent_packs_feed_the_computer(void **state)
{
    (void)state;
    struct site *site = fixture_site(1, 1, 2);
    struct plant *p = make(site, 1e6);
    for (int i = 0; i < 2; i++) {
        p->nodes[i].plugged = 0;
        p->nodes[i].from_pack = i;
        p->nodes[i].departs_in_s = 1e6;
        p->nodes[i].soc_pu = 0.5;
        p->nodes[i].set_compute_w = 160.0;
        p->nodes[i].set_charge_w = 5e3;
    }
    struct snapshot *in = calloc(1, snapshot_size(2));
    plant_observe(p, site, 1000, 1000, in);
    assert_true(in->nodes[0].compute_avail_w == 0.0);
    assert_true(in->nodes[1].compute_avail_w == 160.0);
    for (int k = 0; k < 36000; k++) {
        plant_step(p, site, 1.0);
        assert_true(p->fleet_w == 0.0 || k == 0);
    }
    assert_true(p->nodes[0].soc_pu == 0.5 && p->nodes[0].compute_w == 0.0);
    double drained_wh = (0.5 - p->nodes[1].soc_pu) * 75e3;
    assert_true(fabs(drained_wh - 1.15 * 1600.0) < 1.0);
    p->nodes[1].soc_pu = 1e-7;
    for (int k = 0; k < 10; k++) {
        plant_step(p, site, 1.0);
        assert_true(p->nodes[1].soc_pu >= 0.0);
    }
    assert_true(p->nodes[1].compute_w == 0.0);
    free(in);
    free(p);
    free(site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(battery_follows_first_order),
        cmocka_unit_test(delay_adds_whole_ticks),
        cmocka_unit_test(limits_and_loss_of_units_hold),
        cmocka_unit_test(books_balance),
        cmocka_unit_test(capped_pod_settles_in_50_ms),
        cmocka_unit_test(vehicles_never_discharge),
        cmocka_unit_test(lent_packs_feed_the_computer),
    };
    return cmocka_run_group_tests_name("plant", tests, NULL, NULL);
}
