/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/step/island: cut off from the grid, and back. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/random.h"
#include "tests/loop_fixture.h"

static const double FULL_W = 145e6;

static void cut_off(struct loop_fixture *f, double fed_w)
{
    f->in->utility[0] = (struct utility_in){.id = "breaker",
                                            .kind = UTILITY_ISLAND,
                                            .start_at_ms = f->in->utc_ms,
                                            .end_at_ms = INT64_MAX,
                                            .value = fed_w};
    f->plant->island = 1;
    f->plant->fed_w = fed_w;
}

static void back_on_grid(struct loop_fixture *f)
{
    f->in->utility[0].id[0] = '\0';
    f->plant->island = 0;
}

static struct loop_fixture settled(struct site *site)
{
    struct loop_fixture f = loop_open(site, POLICY_BALLAST, FULL_W);
    for (int k = 0; k < 300; k++) {
        loop_tick(&f, FULL_W);
    }
    return f;
}

static void run(struct loop_fixture *f, double for_s)
{
    for (int k = 0; k < (int)(for_s * 10.0); k++) {
        loop_tick(f, FULL_W);
    }
}

static bool says(const struct loop_fixture *f, enum reason code)
{
    bool said = false;
    for (int i = 0; i < f->out->record.n_why; i++) {
        said = said || f->out->record.why[i].code == (int64_t)code;
    }
    return said;
}

/* Within their power, their energy for the duration, and the priority load,
 * whichever is least. */
static void load_is_what_the_batteries_give(void **state)
{
    (void)state;
    static const struct {
        double load_w;
        double lasts_s;
        double fed_w;
        double least_w;
        double most_w;
    } rows[] = {
        {INFINITY, 1800.0, 0.0, 86e6, 90e6},  /* 0.9 of 100 MW */
        {INFINITY, 7200.0, 0.0, 43e6, 46e6},  /* 91.6 MWh in 2 h */
        {INFINITY, 7200.0, 20e6, 63e6, 66e6}, /* and a generator */
        {60e6, 1800.0, 0.0, 57e6, 60e6},      /* priority load */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct site *site = fixture_site(10, 100, 0);
        for (int p = 0; p < site->n_pods; p++) {
            site->pods[p].cap_min_w = 0.2e6;
        }
        site->grid.island_load_w = rows[i].load_w;
        site->grid.island_s = rows[i].lasts_s;
        struct loop_fixture f = settled(site);
        cut_off(&f, rows[i].fed_w);
        run(&f, 20.0);
        double load_w = f.out->record.load_w;
        if (!(load_w >= rows[i].least_w && load_w <= rows[i].most_w)) {
            fail_msg("row %zu: %.2f MW", i, load_w / 1e6);
        }
        assert_true(fabs(f.plant->grid_w - rows[i].fed_w) < 1e3);
        assert_true(says(&f, REASON_ISLAND));
        assert_true(says(&f, REASON_ISLAND_LOAD));
        assert_true(f.scratch->est.metered);
        loop_close(&f);
    }
}

/* To the end of the time, and of what is kept for backup. */
static void energy_lasts(void **state)
{
    (void)state;
    struct site *site = fixture_site(10, 100, 0);
    for (int p = 0; p < site->n_pods; p++) {
        site->pods[p].cap_min_w = 0.1e6;
    }
    for (int i = 0; i < 10; i++) {
        site->batteries[i].reserve_wh = 6e6;
        site->batteries[i].sim_soc_start_pu = 0.35;
    }
    struct loop_fixture f = settled(site);
    cut_off(&f, 0.0);
    double least_w = INFINITY;
    for (int m = 0; m < 60; m++) {
        run(&f, 60.0);
        least_w = fmin(least_w, f.out->record.load_w);
        assert_true(fabs(f.plant->grid_w) < 1e3);
    }
    double soc_pu = plant_soc_pu(f.plant, site);
    if (!(least_w > 15e6 && soc_pu > 0.1 && soc_pu < 0.2)) {
        fail_msg("%.2f MW at least, %.1f %% at the end", least_w / 1e6,
                 100.0 * soc_pu);
    }
    loop_close(&f);
}

/* Inside the ramp, with the pods coming back one by one. */
static void staged_return_keeps_the_ramp(void **state)
{
    (void)state;
    struct loop_fixture f = settled(fixture_site(10, 100, 0));
    cut_off(&f, 0.0);
    run(&f, 120.0);
    back_on_grid(&f);
    enum { N = 18000, MEAN = 100 };
    static double sum[N + 1];
    for (int k = 0; k < N; k++) {
        loop_tick(&f, FULL_W);
        sum[k + 1] = sum[k] + f.plant->grid_w;
    }
    double ramp_w_per_s = f.site->grid.ramp_max_w_per_s;
    for (int k = 2 * MEAN; k <= N; k++) {
        double now_w = (sum[k] - sum[k - MEAN]) / MEAN;
        double then_w = (sum[k - MEAN] - sum[k - 2 * MEAN]) / MEAN;
        if (!(fabs(now_w - then_w) <= 1.01 * ramp_w_per_s * 10.0)) {
            fail_msg("%.3f MW in 10 s, tick %d", (now_w - then_w) / 1e6, k);
        }
    }
    assert_true(f.plant->pods_w > 0.999 * FULL_W);
    assert_true(sum[600] / 600.0 < 11e6);
    loop_close(&f);
}

/* The grid has the load at once: the batteries rest. */
static void fast_return_takes_the_load_over(void **state)
{
    (void)state;
    struct site *site = fixture_site(10, 100, 0);
    site->grid.return_by = GRID_RETURN_FAST;
    struct loop_fixture f = settled(site);
    cut_off(&f, 0.0);
    run(&f, 120.0);
    double load_w = f.out->record.load_w;
    back_on_grid(&f);
    run(&f, 2.0);
    assert_true(says(&f, REASON_ISLAND_BACK));
    assert_true(f.scratch->caps.back);
    assert_true(f.plant->grid_w > 0.9 * load_w);
    run(&f, 300.0);
    assert_true(f.plant->pods_w > 0.999 * FULL_W);
    if (!(f.plant->grid_w > 0.9 * FULL_W)) {
        fail_msg("%.2f MW", f.plant->grid_w / 1e6);
    }
    loop_close(&f);
}

/* Cars behind the connection do not charge meanwhile. */
static void cars_do_not_charge(void **state)
{
    (void)state;
    struct loop_fixture f = settled(fixture_site(10, 100, 40));
    run(&f, 30.0);
    cut_off(&f, 0.0);
    run(&f, 5.0);
    for (int i = 0; i < f.site->n_nodes; i++) {
        assert_true(f.out->nodes[i].charge_w == 0.0);
    }
    loop_close(&f);
}

/* The meter may stand on the grid's side of the open breaker. */
static void no_voltage_behind_the_breaker_is_no_dip(void **state)
{
    (void)state;
    struct site *site = fixture_site(10, 10, 0);
    site->grid.island_load_w = 60e6;
    struct loop_fixture f = settled(site);
    cut_off(&f, 0.0);
    for (int k = 0; k < 100; k++) {
        loop_observe(&f);
        f.in->meter.voltage_pu.value = 0.0;
        loop_act(&f, FULL_W);
        assert_false(says(&f, REASON_FREEZE));
    }
    assert_true(f.plant->pods_w < 60e6 + 1e3);
    back_on_grid(&f);
    loop_tick(&f, FULL_W);
    loop_observe(&f);
    f.in->meter.voltage_pu.value = 0.5; /* and this one is */
    loop_act(&f, FULL_W);
    assert_true(says(&f, REASON_FREEZE));
    loop_close(&f);
}

/* Whatever comes and goes, set-points stay inside the ratings. */
static void random_islands_are_survived(void **state)
{
    (void)state;
    uint64_t seed = random_seed(5);
    struct loop_fixture f = settled(fixture_site(4, 100, 0));
    for (int k = 0; k < 40; k++) {
        if (random_draw(&seed, 0.0, 1.0) < 0.5) {
            double fed_w = random_draw(&seed, -1.0, 1.0);
            cut_off(&f, fmax(fed_w, 0.0) * 30e6);
        } else {
            back_on_grid(&f);
        }
        f.site->grid.return_by = k % 2;
        f.cfg->site.grid.return_by = k % 2;
        double load_w = random_draw(&seed, 5e6, 150e6);
        int n = (int)random_draw(&seed, 5.0, 300.0);
        for (int i = 0; i < n; i++) {
            loop_tick(&f, load_w);
            for (int b = 0; b < 4; b++) {
                double set_w = f.out->batteries[b].set_w;
                assert_true(fabs(set_w) <= f.site->batteries[b].charge_max_w);
            }
        }
    }
    loop_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(load_is_what_the_batteries_give),
        cmocka_unit_test(energy_lasts),
        cmocka_unit_test(staged_return_keeps_the_ramp),
        cmocka_unit_test(fast_return_takes_the_load_over),
        cmocka_unit_test(cars_do_not_charge),
        cmocka_unit_test(no_voltage_behind_the_breaker_is_no_dip),
        cmocka_unit_test(random_islands_are_survived),
    };
    return cmocka_run_group_tests_name("island", tests, NULL, NULL);
}
