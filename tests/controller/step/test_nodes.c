/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/step/nodes: a planned charge shared by the cars, work
 * moved from throttled pods to cars and back. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/loop_fixture.h"

enum { NODES = 200, TURN = 25 /* ticks in which every car has its turn */ };
static const double DEMAND_W = 100e6;

static void charge_by_plan(struct loop_fixture *f, double w)
{
    struct plan *p = f->plan;
    p->status = PLAN_RULE;
    p->from_tick = 0;
    p->start_at_ms = LOOP_UTC_MS;
    p->expires_at_ms = LOOP_UTC_MS + 7200000;
    p->n_slots = 1;
    p->step_s[0] = 7200.0;
    p->cheap_per_kwh = NAN;
    p->peak_w = INFINITY;
    p->soc_pu[0] = 0.6;
    p->grid_max_w[0] = INFINITY;
    p->fleet_charge_w[0][0] = w;
}

static void run(struct loop_fixture *f, int ticks, double demand_w)
{
    for (int k = 0; k < ticks; k++) {
        loop_tick(f, demand_w);
    }
}

static double charged_w(const struct loop_fixture *f)
{
    double w = 0.0;
    for (int i = 0; i < NODES; i++) {
        w += f->out->nodes[i].charge_w;
    }
    return w;
}

static double computed_w(const struct loop_fixture *f)
{
    double w = 0.0;
    for (int i = 0; i < NODES; i++) {
        w += f->out->nodes[i].compute_w;
    }
    return w;
}

static void a_planned_charge_is_met_within_a_turn(void **state)
{
    (void)state;
    struct site *site = fixture_site(2, 4, NODES);
    site->classes[0].value_per_kwh = 0.0; /* no work that waits */
    struct loop_fixture f = loop_open(site, POLICY_BALLAST, DEMAND_W);
    charge_by_plan(&f, 0.0);
    run(&f, 3 * TURN, DEMAND_W);
    double must_w = charged_w(&f);
    assert_true(must_w > 100e3 && must_w < 400e3);
    static const double want_w[] = {500e3, 450e3, 600e3, 500e3};
    for (size_t r = 0; r < sizeof(want_w) / sizeof(want_w[0]); r++) {
        charge_by_plan(&f, want_w[r]);
        run(&f, 2 * TURN, DEMAND_W);
        if (fabs(charged_w(&f) - want_w[r]) > 0.02 * want_w[r]) {
            fail_msg("%g W instead of %g W", charged_w(&f), want_w[r]);
        }
    }
    charge_by_plan(&f, 0.0);
    run(&f, 2 * TURN, DEMAND_W);
    assert_true(charged_w(&f) <= must_w + 20e3);
    charge_by_plan(&f, 1e12); /* never more than the feeder */
    run(&f, 2 * TURN, DEMAND_W);
    assert_true(charged_w(&f) > 700e3);
    assert_true(charged_w(&f) <= site->fleets[0].feeder_max_w);
    loop_close(&f);
}

static void buckets_hold_what_the_cars_need(void **state)
{
    (void)state;
    struct site *site = fixture_site(2, 4, NODES);
    site->classes[0].value_per_kwh = 0.0;
    struct loop_fixture f = loop_open(site, POLICY_BALLAST, DEMAND_W);
    charge_by_plan(&f, 0.0);
    struct bucket b[PLAN_BUCKETS_MAX];
    struct bucket_must must[SITE_FLEETS_MAX];
    assert_int_equal(cars_buckets(f.cfg, f.state, LOOP_UTC_MS, b, must), 0);
    run(&f, 3 * TURN, DEMAND_W);
    loop_observe(&f);
    int n = cars_buckets(f.cfg, f.state, f.in->utc_ms, b, must);
    double need_wh = 0.0;
    int64_t n_cars = 0;
    for (int k = 0; k < n; k++) {
        need_wh += b[k].need_wh;
        n_cars += b[k].n;
        assert_true(b[k].power_w * b[k].departs_s / 3600.0 > 0.0);
    }
    assert_true(n > 2 && n_cars > 30 && n_cars < NODES);
    assert_true(need_wh / (double)n_cars > 2e3);
    assert_true(need_wh / (double)n_cars < 60e3);
    assert_true(fabs(must[0].power_w - charged_w(&f)) < 20e3);
    site->fleets[0].behind_poi = false; /* no load of the site's */
    struct loop_fixture g =
        loop_open(fixture_site(2, 4, NODES), POLICY_BALLAST, DEMAND_W);
    g.cfg->site.fleets[0].behind_poi = false;
    run(&g, 3 * TURN, DEMAND_W);
    assert_int_equal(cars_buckets(g.cfg, g.state, f.in->utc_ms, b, must), 0);
    loop_close(&g);
    loop_close(&f);
}

/* 100 MW under a limit of 80: what the pods are held back from is done by
 * cars elsewhere, as far as they can, until it is over. */
static void work_moves_to_cars_and_back(void **state)
{
    (void)state;
    struct site *site = fixture_site(0, 4, NODES);
    site->fleets[0].behind_poi = false;
    site->fleets[0].takes_over = true;
    site->grid.contingencies_given = true; /* none: no growth is held back */
    struct loop_fixture f = loop_open(site, POLICY_BALLAST, DEMAND_W);
    f.plan->status = PLAN_NONE;
    run(&f, 4 * TURN, DEMAND_W);
    assert_true(computed_w(&f) == 0.0);
    assert_true(f.out->record.moved_w == 0.0);
    f.in->utility[0] = (struct utility_in){.id = "low",
                                           .kind = UTILITY_EMERGENCY,
                                           .start_at_ms = f.in->utc_ms,
                                           .end_at_ms = INT64_MAX,
                                           .value = 80e6};
    run(&f, 4 * TURN, DEMAND_W);
    assert_true(f.out->record.shed_w > 10e6);
    double moved_w = f.out->record.moved_w;
    assert_true(moved_w > 20 * 160.0 && moved_w <= NODES * 160.0);
    assert_true(fabs(moved_w - computed_w(&f)) < 1.0);
    f.in->utility[0].end_at_ms = f.in->utc_ms;
    run(&f, 3000, 60e6); /* and the jobs end */
    if (f.out->record.shed_w > 1.0) {
        fail_msg("%g W still held back", f.out->record.shed_w);
    }
    assert_true(f.out->record.moved_w == 0.0 && computed_w(&f) == 0.0);
    loop_close(&f);
}

/* Cars behind the grid connection would bring the load back. */
static void no_work_moves_behind_the_grid_connection(void **state)
{
    (void)state;
    struct site *site = fixture_site(0, 4, NODES);
    site->fleets[0].takes_over = true;
    site->grid.import_max_w = 80e6;
    struct loop_fixture f = loop_open(site, POLICY_BALLAST, DEMAND_W);
    run(&f, 8 * TURN, DEMAND_W);
    assert_true(f.out->record.shed_w > 1e6);
    assert_true(f.out->record.moved_w == 0.0 && computed_w(&f) == 0.0);
    loop_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_planned_charge_is_met_within_a_turn),
        cmocka_unit_test(buckets_hold_what_the_cars_need),
        cmocka_unit_test(work_moves_to_cars_and_back),
        cmocka_unit_test(no_work_moves_behind_the_grid_connection),
    };
    return cmocka_run_group_tests_name("nodes", tests, NULL, NULL);
}
