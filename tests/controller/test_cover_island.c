/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/cover_island: what check says of an island is what the
 * step then does. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "controller/cover_island.h"
#include "tests/loop_fixture.h"

/* Batteries of 10 MW and 20 MWh from 10 to 90 %, pods of 150 MW, lowest 50. */
static struct site *site_of(int n_batteries, double island_load_w,
                            double island_s)
{
    struct site *site = fixture_site(n_batteries, 10, 0);
    site->grid.island_load_w = island_load_w;
    site->grid.island_s = island_s;
    for (int i = 0; i < n_batteries; i++) {
        site->batteries[i].sim_soc_start_pu = 0.5;
    }
    return site;
}

static const struct {
    int n_batteries;
    double island_load_w;
    double island_s;
    double may_w;
    enum island_bound bound;
    bool ok;
} rows[] = {
    {20, INFINITY, 1800.0, 150e6, ISLAND_BY_NONE, true},
    {20, 60e6, 1800.0, 60e6, ISLAND_BY_LOAD, true},
    {10, INFINITY, 600.0, 90e6, ISLAND_BY_POWER, true},
    {10, INFINITY, 3600.0, 72.5e6, ISLAND_BY_ENERGY, true},
    {10, 40e6, 3600.0, 40e6, ISLAND_BY_LOAD, false},
    {4, INFINITY, 600.0, 36e6, ISLAND_BY_POWER, false},
};

/* The site of a row, and what is said of it. */
static struct site *judged(size_t r, struct cover_island *c)
{
    struct site *site =
        site_of(rows[r].n_batteries, rows[r].island_load_w, rows[r].island_s);
    assert_true(cover_island(site, c));
    return site;
}

static void it_says_what_binds(void **state)
{
    (void)state;
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        struct cover_island c;
        struct site *site = judged(r, &c);
        assert_true(fabs(c.may_w - rows[r].may_w) < 0.01 * rows[r].may_w);
        assert_int_equal(c.bound, rows[r].bound);
        assert_int_equal(c.ok, rows[r].ok);
        assert_true(fabs(c.load_w - fmax(c.may_w, 50e6)) < 1e3);
        double held_wh = rows[r].n_batteries * 20e6 * 0.38 * sqrt(0.91);
        assert_true(fabs(c.middle_s * c.load_w - held_wh * 3600.0) <
                    0.001 * held_wh * 3600.0);
        assert_true(c.high_s > 2.0 * c.middle_s);
        free(site);
    }
}

static void the_step_serves_what_it_says(void **state)
{
    (void)state;
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        struct cover_island c;
        struct site *site = judged(r, &c);
        struct loop_fixture f = loop_open(site, POLICY_BALLAST, 150e6);
        for (int k = 0; k < 600; k++) {
            loop_observe(&f);
            if (k == 300) {
                f.in->utility[0] =
                    (struct utility_in){.id = "breaker",
                                        .kind = UTILITY_ISLAND,
                                        .start_at_ms = f.in->utc_ms,
                                        .end_at_ms = INT64_MAX};
                f.plant->island = 1;
            }
            loop_act(&f, 149e6);
        }
        double want_w = fmin(c.load_w, 149e6);
        assert_true(fabs(f.plant->pods_w - want_w) < 0.02 * want_w);
        loop_close(&f);
    }
}

/* Backup alone, and who keeps working: the class of the highest value. */
static void reserve_and_value_count(void **state)
{
    (void)state;
    struct site *site = site_of(10, 80e6, 600.0);
    site->n_classes = 2;
    site->classes[1] = (struct site_class){.value_per_kwh = 9.0, .firm = true};
    for (int i = 0; i < 10; i++) {
        site->pods[i].class_id = i < 3 ? 1 : 0;
        site->batteries[i].reserve_wh = 4e6;
    }
    struct cover_island c;
    assert_true(cover_island(site, &c));
    double reserve_wh = 10 * (4e6 - 0.02 * 20e6) * sqrt(0.91);
    assert_true(fabs(c.reserve_wh - reserve_wh) < 1.0);
    assert_true(fabs(c.reserve_s - reserve_wh * 3600.0 / 80e6) < 1.0);
    assert_true(fabs(c.class_pu[1] - 1.0) < 1e-9);
    assert_true(fabs(c.class_pu[0] - 35.0 / 105.0) < 0.01);
    assert_int_equal(c.n_whole, 3);
    assert_int_equal(c.n_lowest, 7);
    site->n_pods = 0;
    assert_false(cover_island(site, &c));
    free(site);
}

/* The batteries' own cooling is a part of the load: the pods have less. */
static void what_batteries_draw_counts(void **state)
{
    (void)state;
    struct site *site = site_of(10, 80e6, 600.0);
    for (int i = 0; i < 10; i++) {
        site->batteries[i].aux_w = 5e5;
    }
    struct cover_island c;
    assert_true(cover_island(site, &c));
    assert_true(fabs(c.full_w - 155e6) < 1.0);
    assert_true(fabs(c.least_w - 55e6) < 1.0);
    assert_true(fabs(c.load_w - 80e6) < 1e3);
    assert_true(fabs(c.class_pu[0] - 75.0 / 150.0) < 1e-3);
    site->grid.island_load_w = 3e6; /* less than that alone */
    assert_true(cover_island(site, &c));
    assert_false(c.ok);
    assert_true(fabs(c.load_w - 55e6) < 1e3);
    free(site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_what_binds),
        cmocka_unit_test(the_step_serves_what_it_says),
        cmocka_unit_test(reserve_and_value_count),
        cmocka_unit_test(what_batteries_draw_counts),
    };
    return cmocka_run_group_tests_name("cover island", tests, NULL, NULL);
}
