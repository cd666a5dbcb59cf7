/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/step/way: how the grid comes down to a limit that came
 * too late, and what that costs the compute. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/random.h"
#include "tests/loop_fixture.h"

enum { TELL_AT = 3000, TICKS = 6000, HOUR_MS = 3600000, AVERAGE = 100 };

static const double LOW_W = 82e6;
static const double HIGH_W = 120e6;
static const double RAMP = 10e6 / 60.0;

struct case_of {
    double often; /* new powers in a tick; 0: always at HIGH_W */
    enum utility_kind kind;
    double value;
};

struct outcome {
    double stood_w;   /* the grid's mean, when it was told */
    double reached_s; /* until its mean was at the limit; INFINITY: not */
    double held_wh;
    double steepest_w_per_s; /* of the mean over 10 s, from then on */
    bool said;               /* why compute was held back */
};

static void tell(struct loop_fixture *x, const struct case_of *c)
{
    struct utility_in *u = &x->in->utility[0];
    *u = (struct utility_in){.kind = (int64_t)c->kind,
                             .start_at_ms = x->in->utc_ms,
                             .end_at_ms = x->in->utc_ms + HOUR_MS,
                             .value = c->value};
    snprintf(u->id, sizeof(u->id), "late");
}

static double mean_w(const double *grid_w, int k)
{
    double sum_w = 0.0;
    for (int i = k - AVERAGE + 1; i <= k; i++) {
        sum_w += grid_w[i < 0 ? 0 : i];
    }
    return sum_w / AVERAGE;
}

static void look(const struct case_of *c, const double *grid_w, int k,
                 struct outcome *o)
{
    double now_w = mean_w(grid_w, k);
    double moved_w = fabs(now_w - mean_w(grid_w, k - AVERAGE));
    o->steepest_w_per_s = fmax(o->steepest_w_per_s, moved_w / 10.0);
    if (isinf(o->reached_s) && now_w <= c->value) {
        o->reached_s = 0.1 * (k - TELL_AT);
    }
}

static struct outcome play(const struct case_of *c, uint64_t seed)
{
    static double grid_w[TICKS];
    struct loop_fixture x =
        loop_open(fixture_site(10, 20, 0), POLICY_BALLAST, HIGH_W);
    uint64_t random = random_seed(seed);
    struct outcome o = {.reached_s = INFINITY};
    double w = HIGH_W;
    for (int k = 0; k < TICKS; k++) {
        loop_observe(&x);
        if (k == TELL_AT) {
            tell(&x, c);
            o.stood_w = mean_w(grid_w, k - 1);
        }
        if (random_draw(&random, 0.0, 1.0) < c->often) {
            w = random_draw(&random, 0.0, 1.0) < 0.5 ? LOW_W : HIGH_W;
        }
        loop_act(&x, w);
        grid_w[k] = x.plant->grid_w;
        if (k >= TELL_AT) {
            o.held_wh += x.out->record.shed_w * 0.1 / 3600.0;
            look(c, grid_w, k, &o);
            for (int i = 0; i < x.out->record.n_why; i++) {
                o.said |= x.out->record.why[i].code == REASON_SHED_LIMIT;
            }
        }
    }
    loop_close(&x);
    return o;
}

/* Where edges leak all the time, they are kept small until it is there. */
static void
a_load_that_swings_is_held_back_until_the_limit_is_reached(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct case_of c = {0.1, UTILITY_IMPORT_MAX, 88e6};
        struct outcome o = play(&c, seed);
        double least_s = (o.stood_w - c.value) / RAMP;
        if (!(o.reached_s <= 20.0 + 2.5 * least_s && o.held_wh > 0.0 &&
              o.said && o.steepest_w_per_s <= 1.01 * RAMP)) {
            fail_msg("seed %d: from %.1f MW in %.1f s, ramp %.3f of it",
                     (int)seed, o.stood_w / 1e6, o.reached_s,
                     o.steepest_w_per_s / RAMP);
        }
    }
}

/* A load that stands still needs no holding: the whole ramp is there. */
static void a_steady_load_goes_on(void **state)
{
    (void)state;
    struct case_of c = {0.0, UTILITY_IMPORT_MAX, 100e6};
    struct outcome o = play(&c, 1);
    assert_true(o.reached_s <= 20.0 + 1.6 * (o.stood_w - c.value) / RAMP);
    assert_true(o.held_wh < 1.0);
}

/* An operator's hold is no limit that work gives way to. */
static void a_set_point_holds_no_work_back(void **state)
{
    (void)state;
    struct case_of c = {0.1, UTILITY_SETPOINT, 95e6};
    assert_true(play(&c, 2).held_wh < 1.0);
}

/* Where an emergency has cut the grid, no more than that breaks the ramp; one
 * that the site is far below breaks none. */
static void an_emergency_far_above_keeps_the_ramp(void **state)
{
    (void)state;
    struct case_of c = {0.1, UTILITY_EMERGENCY, 140e6};
    struct outcome o = play(&c, 3);
    assert_true(o.steepest_w_per_s <= 1.01 * RAMP && o.held_wh < 1.0);
    c.value = 85e6;
    assert_true(play(&c, 3).reached_s <= 11.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_load_that_swings_is_held_back_until_the_limit_is_reached),
        cmocka_unit_test(a_steady_load_goes_on),
        cmocka_unit_test(a_set_point_holds_no_work_back),
        cmocka_unit_test(an_emergency_far_above_keeps_the_ramp),
    };
    return cmocka_run_group_tests_name("way", tests, NULL, NULL);
}
