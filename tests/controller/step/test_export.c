/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of the step: a listed drop of the load does not make the site export,
 * nor does a load that swings, whatever the plan discharges; and what is said
 * of the limit. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/random.h"
#include "tests/loop_fixture.h"

static struct site *site_with(double drop_w, double export_w)
{
    struct site *site = fixture_site(10, 100, 0);
    site->grid.contingencies_given = true;
    site->grid.n_contingencies = 1;
    site->grid.contingencies[0].drop_w = drop_w;
    site->grid.export_max_w = export_w;
    return site;
}

/* A plan that wants all that the batteries can give. */
static void plan_discharge(struct loop_fixture *f)
{
    *f->plan = (struct plan){
        .status = PLAN_OPTIMAL,
        .start_at_ms = LOOP_UTC_MS,
        .expires_at_ms = LOOP_UTC_MS + 7200000,
        .n_slots = 2,
        .step_s = {3600.0, 3600.0},
        .soc_pu = {0.2, 0.2},
        .battery_w = {-100e6, -100e6},
        .peak_w = INFINITY,
    };
    for (int c = 0; c < SITE_CLASSES_MAX; c++) {
        f->plan->class_w[c][0] = f->plan->class_w[c][1] = INFINITY;
    }
}

/* Runs 'for_s' of a load that wanders, then trips it; the lowest grid power
 * from then on, once the trip has been answered. */
static double lowest_after_trip_w(struct loop_fixture *f, uint64_t *seed,
                                  double load_w, double drop_w)
{
    for (int k = 0; k < 9000; k++) {
        double swing_w = random_draw(seed, -0.5e6, 0.5e6);
        loop_tick(f, load_w + swing_w);
    }
    /* what the grid would carry in the tick of the trip */
    double at_once_w = f->plant->grid_w - drop_w;
    double lowest_w = at_once_w;
    for (int k = 0; k < 600; k++) {
        loop_tick(f, load_w - drop_w);
        lowest_w = fmin(lowest_w, f->plant->grid_w);
    }
    return lowest_w;
}

static void cluster_trip_does_not_export(void **state)
{
    (void)state;
    uint64_t seed = random_seed(21);
    for (int i = 0; i < 6; i++) {
        double load_w = 149e6; /* all that the pods can draw, nearly */
        double drop_w = random_draw(&seed, 0.4, 0.65) * load_w;
        double export_w = i % 2 == 0 ? 0.0 : 10e6;
        struct loop_fixture f =
            loop_open(site_with(drop_w, export_w), POLICY_BALLAST, load_w);
        plan_discharge(&f);
        double lowest_w = lowest_after_trip_w(&f, &seed, load_w, drop_w);
        if (!(lowest_w >= -export_w - 2e6)) {
            fail_msg("case %d: %.2f MW after a drop of %.2f MW from %.2f MW", i,
                     lowest_w / 1e6, drop_w / 1e6, load_w / 1e6);
        }
        loop_close(&f);
    }
}

/* The same plan without the drop among the contingencies goes down further:
 * the test above can fail. */
static void plan_would_go_further(void **state)
{
    (void)state;
    uint64_t seed = random_seed(22);
    struct site *site = site_with(70e6, 0.0);
    site->grid.n_contingencies = 0;
    struct loop_fixture f = loop_open(site, POLICY_BALLAST, 149e6);
    plan_discharge(&f);
    assert_true(lowest_after_trip_w(&f, &seed, 149e6, 95e6) < -5e6);
    loop_close(&f);
}

/* Batteries that carry all of a load that swings: what leaks before they
 * answer goes either way, and the mean over a minute stays off the limit. */
static void all_of_a_swinging_load_is_carried(void **state)
{
    (void)state;
    uint64_t seed = random_seed(23);
    for (int i = 0; i < 4; i++) {
        double export_w = i % 2 == 0 ? 0.0 : 5e6;
        struct site *site = site_with(0.0, export_w);
        site->grid.n_contingencies = 0;
        struct loop_fixture f = loop_open(site, POLICY_BALLAST, 60e6);
        plan_discharge(&f);
        double load_w = 60e6;
        double sum_w = 0.0;
        double highest_w = -INFINITY; /* means of whole minutes */
        for (int k = 0; k < 18000; k++) {
            load_w = k % 50 == 0 ? random_draw(&seed, 55e6, 65e6) : load_w;
            loop_tick(&f, load_w);
            sum_w = (k % 600 == 0 ? 0.0 : sum_w) + f.plant->grid_w;
            if (k > 9600 && k % 600 == 599) {
                assert_true(sum_w / 600.0 >= -export_w);
                highest_w = fmax(highest_w, sum_w / 600.0);
            }
        }
        assert_true(highest_w < 2e6 - export_w); /* and near it */
        loop_close(&f);
    }
}

/* Nearly no load: what is said is the limit, not what is kept off it. */
static void the_reason_names_the_limit(void **state)
{
    (void)state;
    struct site *site = site_with(0.0, 0.0);
    site->grid.n_contingencies = 0;
    struct loop_fixture f = loop_open(site, POLICY_BALLAST, 0.2e6);
    int n_said = 0;
    for (int k = 0; k < 6000; k++) {
        loop_tick(&f, 0.2e6);
        for (int64_t i = 0; i < f.out->record.n_why; i++) {
            const struct reason_line *why = &f.out->record.why[i];
            if (why->code == (int64_t)REASON_EXPORT) {
                n_said++;
                assert_true(fabs(why->limit) < 1.0);
            }
        }
    }
    assert_true(n_said > 0);
    loop_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cluster_trip_does_not_export),
        cmocka_unit_test(plan_would_go_further),
        cmocka_unit_test(all_of_a_swinging_load_is_carried),
        cmocka_unit_test(the_reason_names_the_limit),
    };
    return cmocka_run_group_tests_name("export", tests, NULL, NULL);
}
