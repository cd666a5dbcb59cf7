/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/step/foresight: prices beyond the market's own, the day
 * that repeats, cars by their departure. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "controller/step/foresee.h"
#include "controller/step/foresight.h"
#include "tests/controller/step/foresee_fixture.h"
#include "tests/loop_fixture.h"

static void prices_go_on_beyond_the_market(void **state)
{
    struct fixture *x = *state;
    enum { DAYS = 8 };
    give_prices(x->loop.in, DAYS * 24);
    ticks(x, DAYS * 96 + 10, 80e6);
    assert_int_equal(x->f->price.n_finite, DAYS * 96);
    /* told again, and a little more */
    give_prices(x->loop.in, DAYS * 24 + 6);
    ticks(x, 40, 80e6);
    assert_int_equal(x->f->price.n_finite, DAYS * 96 + 24);
    /* days later the market ends in six hours */
    x->loop.in->utc_ms = LOOP_UTC_MS + INT64_C(86400000) * DAYS;
    struct problem *p = calloc(1, sizeof(*p));
    step_problem(x->loop.cfg, x->loop.state, x->loop.in, p);
    double at_s = 0.0;
    for (int i = 0; i < p->n_slots; i++) {
        double hour = floor(at_s / 3600.0);
        double usual = 0.04 + 0.02 * sin(2.0 * acos(-1.0) / 24.0 * hour);
        assert_int_equal(p->guessed[i], hour < 6.0 ? 0 : 1);
        assert_near(p->import_per_kwh[i], usual, hour < 6.0 ? 1e-12 : 0.008);
        at_s += p->step_s[i];
    }
    free(p);
}

/* The slot of a quarter hour ahead. */
static int slot_at(const struct problem *p, int quarter)
{
    double at_s = 900.0 * quarter;
    int i = 0;
    while (at_s >= p->step_s[i]) {
        at_s -= p->step_s[i++];
    }
    return i;
}

/* As long as nothing is known of it the fallback stands in. */
static void an_unknown_price_is_the_fallback(void **state)
{
    struct fixture *x = *state;
    give_prices(x->loop.in, 12);
    ticks(x, 60, 80e6);
    struct problem *p = calloc(1, sizeof(*p));
    step_problem(x->loop.cfg, x->loop.state, x->loop.in, p);
    assert_int_equal(p->guessed[slot_at(p, 47)], 0);
    assert_int_equal(p->guessed[slot_at(p, 48)], 1);
    assert_near(p->import_per_kwh[slot_at(p, 48)], 0.045, 0.0);
    free(p);
}

static void the_plan_sees_the_day_that_repeats(void **state)
{
    struct fixture *x = *state;
    struct outlook *o = &x->f->load;
    int64_t now_ms = x->loop.in->utc_ms;
    for (int64_t i = -3 * 96; i < 0; i++) {
        double w = ((i + 3 * 96) % 96) < 48 ? 60e6 : 100e6;
        outlook_feed(o, now_ms + i * FORESEE_SLOT_MS, w);
    }
    level_init(&x->loop.state->level);
    x->loop.state->level.level_w = 60e6;
    struct problem *p = calloc(1, sizeof(*p));
    step_problem(x->loop.cfg, x->loop.state, x->loop.in, p);
    assert_near(p->load_w[slot_at(p, 0)], 60e6, 1.0);
    assert_near(p->load_w[slot_at(p, 20)], 60e6, 4e6);
    assert_near(p->load_w[slot_at(p, 60)], 100e6, 4e6);
    assert_near(p->load_w[slot_at(p, 122)], 60e6, 4e6);
    assert_near(p->load_w[slot_at(p, 182)], 100e6, 4e6);
    free(p);
}

static void cars_are_counted_by_their_departure(void **state)
{
    struct fixture *x = *state;
    park(x, 40);
    tick(x, 80e6);
    count_cars(x);
    count_cars(x);
    const struct foresee_cars *c = &x->f->cars[0];
    assert_near(c->seen.plugged[AVAILABILITY_4H], 20.0, 0.0);
    assert_near(c->seen.plugged[AVAILABILITY_NOT_SAID], 20.0, 0.0);
    assert_near(c->arrived + c->left, 0.0, 0.0); /* not known before */
    park(x, 30);
    count_cars(x);
    park(x, 34);
    count_cars(x);
    assert_near(c->left, 10.0, 0.0);
    assert_near(c->arrived, 4.0, 0.0);
    ticks(x, SLOT_S + 20, 80e6);
    const struct availability *a = foresee_fleet(x->loop.site, x->f, 0);
    assert_int_equal(a->habit.n_finite, 1);
    assert_near(a->habit.last, 34.0, 0.0);
    assert_near(a->now.left, 10.0, 0.0);
    assert_near(c->left, 0.0, 0.0);
}

static void a_silent_fleet_is_a_gap_not_empty(void **state)
{
    struct fixture *x = *state;
    park(x, 40);
    tick(x, 80e6);
    count_cars(x);
    ticks(x, SLOT_S + 20, 80e6);
    x->loop.in->mono_ms += 3600 * 1000;
    count_cars(x);
    ticks(x, SLOT_S, 80e6);
    const struct availability *a = foresee_fleet(x->loop.site, x->f, 0);
    assert_int_equal(a->habit.n_finite, 1);
    assert_near(a->habit.last, 40.0, 0.0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(prices_go_on_beyond_the_market),
        CASE(an_unknown_price_is_the_fallback),
        CASE(the_plan_sees_the_day_that_repeats),
        CASE(cars_are_counted_by_their_departure),
        CASE(a_silent_fleet_is_a_gap_not_empty),
    };
    return cmocka_run_group_tests_name("foresight", tests, NULL, NULL);
}
