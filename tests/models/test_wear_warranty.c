/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/wear_warranty: what is allowed, carried and charged for. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/random.h"
#include "models/wear_warranty.h"

#define DAY_S 86400.0
enum { SEED = 20261124 };

/* cmocka 1.1.5 compares floats only */
static void assert_near(double got, double want, double by)
{
    if (!(fabs(got - want) <= by)) {
        fail_msg("%.17g instead of %.17g +- %g", got, want, by);
    }
}

static struct site_battery battery(double efc_per_y)
{
    return (struct site_battery){.energy_wh = 1e6,
                                 .replacement_per_kwh = 60.0,
                                 .warranty_efc_per_y = efc_per_y};
}

static void one_without_it_counts_and_costs_nothing(void **state)
{
    (void)state;
    static const double none[] = {0.0, INFINITY};
    for (int i = 0; i < 2; i++) {
        struct site_battery b = battery(none[i]);
        struct wear_warranty w = {.used_efc = 0.0};
        wear_warranty_use(&w, &b, 1e4, DAY_S);
        assert_near(w.used_efc, 1e4, 0.0);
        assert_near(wear_warranty_per_kwh(&w, &b), 0.0, 0.0);
        assert_near(wear_warranty_most_per_kwh(&b), 0.0, 0.0);
    }
}

/* 400 a year and 60 per kWh: at most 10 per MWh, 30 days ahead. */
static void what_runs_ahead_costs_in_proportion(void **state)
{
    (void)state;
    struct site_battery b = battery(400.0);
    double month_efc = 400.0 * 30.0 / 365.25;
    static const double rows[][2] = {/* months ahead, price */
                                     {0.0, 0.0},   {0.1, 0.001}, {0.5, 0.005},
                                     {1.0, 0.010}, {1.5, 0.010}, {99.0, 0.010}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct wear_warranty w = {.used_efc = 0.0};
        wear_warranty_use(&w, &b, rows[i][0] * month_efc, 0.0);
        assert_near(wear_warranty_per_kwh(&w, &b), rows[i][1], 1e-12);
    }
    assert_near(wear_warranty_most_per_kwh(&b), 0.010, 1e-15);
}

static void a_year_is_carried_and_no_more(void **state)
{
    (void)state;
    struct site_battery b = battery(400.0);
    struct wear_warranty w = {.used_efc = 0.0};
    for (int day = 0; day < 1000; day++) {
        wear_warranty_use(&w, &b, 0.0, DAY_S);
    }
    assert_near(w.spare_efc, 400.0, 1e-9);
    wear_warranty_use(&w, &b, 400.0, 0.0);
    assert_near(wear_warranty_per_kwh(&w, &b), 0.0, 0.0);
    wear_warranty_use(&w, &b, 1.0, 0.0);
    assert_true(wear_warranty_per_kwh(&w, &b) > 0.0);
}

/* Over random years: the books balance, however time is cut, and the price
 * stays in its bounds. */
static void random_years_balance(void **state)
{
    (void)state;
    uint64_t seed = random_seed(SEED);
    print_message("seed %d\n", SEED);
    for (int round = 0; round < 100; round++) {
        struct site_battery b = battery(random_draw(&seed, 50.0, 1000.0));
        struct wear_warranty w = {.used_efc = 0.0};
        struct wear_warranty cut = {.used_efc = 0.0};
        double a_day = b.warranty_efc_per_y / 365.25;
        double given_up = 0.0;
        double used = 0.0;
        int years = (int)random_draw(&seed, 1.0, 16.0);
        for (int day = 0; day < 365 * years; day++) {
            double efc = a_day * random_draw(&seed, 0.0, 2.2);
            double before = w.spare_efc;
            wear_warranty_use(&w, &b, efc, DAY_S);
            for (int part = 0; part < 4; part++) {
                wear_warranty_use(&cut, &b, efc / 4.0, DAY_S / 4.0);
            }
            used += efc;
            given_up += before + a_day - efc - w.spare_efc;
            double price = wear_warranty_per_kwh(&w, &b);
            assert_true(price >= 0.0);
            assert_true(price <= wear_warranty_most_per_kwh(&b));
            assert_true((price > 0.0) == (w.spare_efc < 0.0));
            assert_true(w.spare_efc <= b.warranty_efc_per_y);
        }
        assert_near(w.used_efc, used, 1e-6);
        assert_near(w.spare_efc, 365.0 * years * a_day - used - given_up, 1e-6);
        assert_near(cut.spare_efc, w.spare_efc, 1e-6);
    }
}

/* An operator who stops where the price eats his margin never gets far ahead:
 * the price holds what the warranty allows. */
static void the_price_holds_what_is_allowed(void **state)
{
    (void)state;
    uint64_t seed = random_seed(SEED + 1);
    struct site_battery b = battery(400.0);
    struct wear_warranty w = {.used_efc = 0.0};
    double most = wear_warranty_most_per_kwh(&b);
    for (int day = 0; day < 15 * 365; day++) {
        double margin = random_draw(&seed, 0.0, 0.99) * most;
        bool pays = margin > wear_warranty_per_kwh(&w, &b);
        wear_warranty_use(&w, &b, pays ? 3.0 : 0.0, DAY_S);
        assert_true(w.spare_efc > -400.0 * 30.0 / 365.25 - 3.0);
    }
    assert_true(w.used_efc <= 400.0 * 15.0 + 400.0 * 30.0 / 365.25 + 3.0);
    assert_true(w.used_efc > 0.95 * 400.0 * 15.0);
}

static void impossible_books_are_refused(void **state)
{
    (void)state;
    static const double rows[][3] = {
        {0.0, 0.0, 1.0},       {1e4, -1e4, 1.0},     {-1.0, 0.0, 0.0},
        {NAN, 0.0, 0.0},       {0.0, NAN, 0.0},      {INFINITY, 0.0, 0.0},
        {0.0, -INFINITY, 0.0}, {0.0, INFINITY, 0.0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct wear_warranty w = {rows[i][0], rows[i][1]};
        assert_int_equal(wear_warranty_valid(&w), rows[i][2] > 0.0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_without_it_counts_and_costs_nothing),
        cmocka_unit_test(what_runs_ahead_costs_in_proportion),
        cmocka_unit_test(a_year_is_carried_and_no_more),
        cmocka_unit_test(random_years_balance),
        cmocka_unit_test(the_price_holds_what_is_allowed),
        cmocka_unit_test(impossible_books_are_refused),
    };
    return cmocka_run_group_tests_name("wear_warranty", tests, NULL, NULL);
}
