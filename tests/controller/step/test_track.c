/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/step/track: the plan's power, its energy, its peak. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/random.h"
#include "tests/loop_fixture.h"

static const double HELD_PU = 0.9995; /* a peak is held at that */

/* One block of 20 MWh and 10 MW at 'soc_pu' under a steady 80 MW; a plan of two
 * quarter hours that began when the demand interval did. */
struct fixture {
    struct loop_fixture loop;
    struct plan *plan;
};

static void set_soc(struct fixture *x, double soc_pu)
{
    struct estimate *est = &x->loop.scratch->est;
    est->usable_wh = 20e6;
    est->stored_wh = soc_pu * 20e6;
    est->track_wh = est->stored_wh;
    est->home_wh = 10e6;
    est->charge_max_w = 10e6;
    est->discharge_max_w = 10e6;
    est->batteries[0].usable = true;
}

static struct fixture begin(double per_kw)
{
    struct site *site = fixture_site(1, 1, 0);
    site->grid.demand_charge_per_kw = per_kw;
    struct fixture x = {loop_open(site, POLICY_BALLAST, 80e6), NULL};
    x.plan = x.loop.plan;
    x.loop.in->utc_ms = LOOP_UTC_MS;
    x.loop.in->tick = 100;
    x.loop.state->level.level_w = 80e6;
    x.loop.state->month.peak_w = 70e6;
    *x.plan = (struct plan){
        .status = PLAN_OPTIMAL,
        .start_at_ms = LOOP_UTC_MS,
        .expires_at_ms = LOOP_UTC_MS + 7200000,
        .n_slots = 2,
        .n_sure = 2,
        .step_s = {900.0, 900.0},
        .soc_pu = {0.5, 0.5},
        .grid_w = {40e6, 40e6},
        .peak_w = INFINITY,
    };
    set_soc(&x, 0.5);
    return x;
}

static double track(struct fixture *x)
{
    return track_plan(x->loop.cfg, x->loop.state, x->loop.scratch, x->loop.in,
                      x->plan);
}

static void assert_near(double got, double want, double by)
{
    if (!(fabs(got - want) <= by)) {
        fail_msg("%.17g instead of %.17g +- %g", got, want, by);
    }
}

/* Charging makes no peak beyond the one that the plan counts with. */
static void charging_makes_no_peak(void **state)
{
    (void)state;
    static const struct {
        double per_kw, peak_w, plan_w, want_w;
    } rows[] = {
        {0.0, INFINITY, 5e6, 5e6}, /* peaks cost nothing */
        {12.0, 80e6, 5e6, -0.04e6},
        {12.0, 82e6, 5e6, 1.959e6}, /* a little room */
        {12.0, 200e6, 5e6, 5e6},    /* all of it */
        {12.0, 78e6, 5e6, -2.039e6},
        {12.0, 78e6, -5e6, -5e6}, /* giving is never held back */
        {12.0, 200e6, -5e6, -5e6},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture x = begin(rows[i].per_kw);
        x.plan->peak_w = rows[i].peak_w;
        x.plan->battery_w[0] = rows[i].plan_w;
        assert_near(track(&x), rows[i].want_w, 1e3);
        /* said where it is what moves the batteries */
        bool holds = rows[i].want_w < rows[i].plan_w - 1e3;
        double said_w = x.loop.scratch->peak_w;
        assert_true(holds ? said_w <= rows[i].peak_w : isinf(said_w));
        loop_close(&x.loop);
    }
}

/* Where the plan's grid stands at the peak, the batteries take what the load
 * leaves below it, whatever was forecast; else what the plan says.  So do those
 * that give, where the next hour's prices are known. */
static void what_is_left_below_the_peak_is_taken(void **state)
{
    (void)state;
    static const struct {
        double peak_w, grid_w, plan_w, soc_pu;
        int sure;
        double want_w;
    } rows[] = {
        {84e6, 84e6, 2e6, 0.5, 2, HELD_PU * 84e6 - 80e6},
        {84e6, 83.5e6, 2e6, 0.5, 2, HELD_PU * 84e6 - 80e6},
        {84e6, 82e6, 2e6, 0.5, 2, 2e6}, /* the plan wants no more */
        {84e6, 84e6, 2e4, 0.5, 2, HELD_PU * 84e6 - 80e6},
        {84e6, 84e6, -2e6, 0.5, 3, -2e6}, /* it gives: who knows what comes */
        {84e6, 84e6, -2e6, 0.5, 4, 0.0},  /* nothing, and takes nothing */
        {79e6, 79e6, -2e6, 0.5, 4, HELD_PU * 79e6 - 80e6}, /* gives less */
        {77e6, 77e6, -2e6, 0.5, 4, HELD_PU * 77e6 - 80e6}, /* or more */
        {84e6, 82e6, -2e6, 0.5, 5, -2e6},
        {84e6, 84e6, 1e3, 0.5, 5, 1e3}, /* it rests, but for rounding */
        {84e6, 84e6, -1e3, 0.5, 5, -1e3},
        {82e6, 82e6, 5e6, 0.5, 2, HELD_PU * 82e6 - 80e6}, /* less than said */
        {120e6, 120e6, 2e6, 0.5, 2, 10e6},  /* all that they take */
        {84e6, 84e6, 2e6, 0.88, 2, 0.0},    /* no room to return from it */
        {INFINITY, 90e6, 2e6, 0.5, 2, 2e6}, /* peaks cost nothing */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture x = begin(isfinite(rows[i].peak_w) ? 12.0 : 0.0);
        x.plan->peak_w = rows[i].peak_w;
        x.plan->grid_w[0] = rows[i].grid_w;
        x.plan->battery_w[0] = rows[i].plan_w;
        x.plan->n_slots = 5;
        x.plan->n_sure = rows[i].sure;
        for (int k = 2; k < 5; k++) {
            x.plan->step_s[k] = 900.0;
            x.plan->soc_pu[k] = 0.5;
        }
        set_soc(&x, rows[i].soc_pu);
        assert_near(track(&x), rows[i].want_w, 1e3);
        loop_close(&x.loop);
    }
}

/* Likewise where it stands as low as it may: they give what the load takes. */
static void what_the_load_takes_is_given(void **state)
{
    (void)state;
    static const struct {
        double grid_w, plan_w, floor_w, want_w;
    } rows[] = {
        {72e6, -6e6, 72e6, -8e6},    /* the load is 2 MW above the forecast */
        {72.05e6, -6e6, 72e6, -8e6}, /* within 1 % of their power */
        {74e6, -6e6, 72e6, -6e6},    /* the plan wants no more */
        {72e6, -6e6, 60e6, -6e6},    /* an old plan: it may go lower now */
        {72e6, 2e6, 72e6, 2e6},      /* it charges */
        {60e6, -6e6, 60e6, -10e6},   /* all they have */
        {82e6, -1e6, 82e6, -1e6},    /* a floor above the load */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture x = begin(0.0);
        x.plan->grid_w[0] = rows[i].grid_w;
        x.plan->battery_w[0] = rows[i].plan_w;
        x.loop.scratch->caps.floor_w = rows[i].floor_w;
        assert_near(track(&x), rows[i].want_w, 1e3);
        assert_near(x.loop.scratch->planned_w, rows[i].want_w, 1e3);
        loop_close(&x.loop);
    }
}

/* As where the plan asks for it, the edges of a load that swings stay below the
 * breaker's limit when that is near the peak. */
static void what_is_taken_leaves_room_for_the_breaker(void **state)
{
    (void)state;
    static const double plans_w[] = {2e6, 24e6};
    for (int i = 0; i < 2; i++) {
        struct site *site = fixture_site(10, 100, 0);
        site->grid.demand_charge_per_kw = 12.0;
        struct loop_fixture f = loop_open(site, POLICY_BALLAST, 120e6);
        *f.plan = (struct plan){
            .status = PLAN_OPTIMAL,
            .start_at_ms = LOOP_UTC_MS,
            .expires_at_ms = LOOP_UTC_MS + 7200000,
            .n_slots = 1,
            .step_s = {7200.0},
            .soc_pu = {0.8},
            .battery_w = {plans_w[i]},
            .grid_w = {158e6},
            .peak_w = 158e6,
        };
        for (int c = 0; c < SITE_CLASSES_MAX; c++) {
            f.plan->class_w[c][0] = INFINITY;
        }
        for (int k = 0; k < 9000; k++) {
            loop_tick(&f, k / 100 % 2 ? 110e6 : 140e6);
        }
        double edge_w = level_range_edges(&f.state->range).up_w;
        assert_true(edge_w > 25e6 && f.scratch->planned_w >= plans_w[i]);
        assert_true(f.scratch->target_w + edge_w <=
                    site->grid.import_trip_w + 1.0);
        loop_close(&f);
    }
}

/* What the interval has drawn too much or too little is made up for in its
 * rest, upwards by no more than a hundredth. */
static void the_mean_of_the_interval_is_held(void **state)
{
    (void)state;
    struct fixture x = begin(12.0);
    double hold_w = HELD_PU * 80e6;
    x.plan->peak_w = 80e6;
    x.loop.state->interval_s = 450.0;
    x.loop.state->interval_ws = 450.0 * (hold_w + 2e6);
    assert_near(track(&x), hold_w - 80e6 - 2e6, 1e3);
    x.plan->battery_w[0] = 5e6;
    x.loop.state->interval_ws = 450.0 * (hold_w - 0.5e6);
    assert_near(track(&x), hold_w - 80e6 + 0.5e6, 1e3);
    x.loop.state->interval_ws = 450.0 * (hold_w - 2e6);
    assert_near(track(&x), 1.01 * hold_w - 80e6, 1e3);
    loop_close(&x.loop);
}

/* The last energy is for smoothing: there a peak is given up, and what is
 * missing comes back. */
static void smoothing_comes_before_the_peak(void **state)
{
    (void)state;
    struct fixture x = begin(12.0);
    x.plan->peak_w = 78e6;
    set_soc(&x, 0.16);
    double whole_w = track(&x);
    assert_near(whole_w, HELD_PU * 78e6 - 80e6, 1e3);
    set_soc(&x, 0.14);
    assert_near(track(&x), 0.5 * whole_w, 1e4);
    set_soc(&x, 0.105);
    assert_true(track(&x) > 0.0);
    loop_close(&x.loop);
}

/* Between the slots' ends the energy is interpolated, and a battery that is
 * behind it catches up. */
static void the_energy_is_followed(void **state)
{
    (void)state;
    struct fixture x = begin(0.0);
    x.plan->soc_pu[1] = 0.6;
    x.plan->battery_w[1] = 8e6;
    x.loop.in->utc_ms += 900000 + 450000;
    set_soc(&x, 0.55);
    assert_near(track(&x), 8e6, 1.0);
    assert_near(x.loop.scratch->planned_w, 8e6, 1.0);
    set_soc(&x, 0.54);
    assert_near(track(&x), 8e6 + 0.2e6 / 3.0, 1.0);
    x.plan->soc_pu[0] = 0.9;
    x.plan->soc_pu[1] = 0.9;
    set_soc(&x, 0.2);
    assert_near(track(&x), 8e6 + 1e6, 1.0); /* a tenth of the power at most */
    loop_close(&x.loop);
}

/* The next slot's power is due as long before its begin as half of the way
 * takes, at half of the ramp: 10 MW/min here. */
static void half_of_the_way_lies_before_the_slot(void **state)
{
    (void)state;
    static const struct {
        double now_w, then_w, before_s, want_w;
    } rows[] = {
        {0.0, -10e6, 59.0, -10e6}, {0.0, -10e6, 61.0, 0.0},
        {2e6, -8e6, 59.0, -8e6},   {-5e6, 5e6, 59.0, 5e6},
        {-5e6, -6e6, 7.0, -5e6},   {-5e6, -6e6, 5.0, -6e6},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture x = begin(0.0);
        x.plan->battery_w[0] = rows[i].now_w;
        x.plan->battery_w[1] = rows[i].then_w;
        x.loop.in->utc_ms += 900000 - (int64_t)(1e3 * rows[i].before_s);
        assert_near(track(&x), rows[i].want_w, 1e3);
        loop_close(&x.loop);
    }
}

/* A short slot the other way is not left out. */
static void one_way_after_the_other(void **state)
{
    (void)state;
    struct fixture x = begin(0.0);
    x.plan->n_slots = x.plan->n_sure = 3;
    x.plan->step_s[1] = x.plan->step_s[2] = 30.0;
    x.plan->battery_w[1] = 9e6;
    x.plan->battery_w[2] = -10e6;
    x.plan->soc_pu[2] = 0.5;
    x.loop.in->utc_ms += 900000 - 20000;
    assert_near(track(&x), 9e6, 1e3);
    x.plan->n_sure = 1; /* nobody said what the next slot's price is */
    assert_near(track(&x), 0.0, 1e3);
    loop_close(&x.loop);
}

/* Not further than 20 min, nor where nothing limits the pace; the swing limit
 * does as well as the ramp.  Not where the edge of work that is put off takes
 * the ramp. */
static void the_way_is_that_of_the_limits(void **state)
{
    (void)state;
    static const struct {
        double ramp_w_per_s, swing_w, before_s;
        bool waits;
        double want_w;
    } rows[] = {
        {1e3, INFINITY, 1205.0, false, 0.0},
        {1e3, INFINITY, 1195.0, false, -10e6},
        {1e6, 10e6, 59.0, false, -10e6},
        {1e6, 10e6, 61.0, false, 0.0},
        {INFINITY, INFINITY, 0.1, false, 0.0},
        {1e3, INFINITY, 5.0, true, 0.0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture x = begin(0.0);
        x.plan->step_s[0] = 1800.0;
        x.plan->battery_w[1] = -10e6;
        x.loop.cfg->site.grid.ramp_max_w_per_s = rows[i].ramp_w_per_s;
        x.loop.cfg->site.grid.swing_max_w = rows[i].swing_w;
        x.loop.cfg->any_waits = rows[i].waits;
        pace_init(x.loop.cfg, x.loop.state);
        x.loop.in->utc_ms += 1800000 - (int64_t)(1e3 * rows[i].before_s);
        double w = track(&x);
        bool begins = rows[i].want_w < 0.0;
        assert_near(x.loop.scratch->planned_w, rows[i].want_w, 1e3);
        assert_true(begins == (w < -0.1e6));
        loop_close(&x.loop);
    }
}

/* Without a plan it goes home, over hours: by no more than 1 % of the edge that
 * may follow one that was seen, or 0.5 % of the power. */
static void without_a_plan_it_goes_home(void **state)
{
    (void)state;
    static const int64_t away_ms[] = {-1, 1800000, 7200000};
    static const struct {
        double edge_w, want_w;
    } rows[] = {{0.0, 0.05e6}, {12e6, 0.12e6}, {60e6, 0.2e6}};
    for (size_t i = 0; i < 9; i++) {
        struct fixture x = begin(0.0);
        x.plan->battery_w[0] = 5e6;
        x.loop.in->utc_ms += away_ms[i % 3];
        x.loop.state->range.edge[2].down_w = rows[i / 3].edge_w;
        set_soc(&x, 0.47);
        assert_near(track(&x), rows[i / 3].want_w, 1.0);
        loop_close(&x.loop);
    }
    struct fixture x = begin(0.0);
    x.plan->battery_w[0] = 5e6;
    x.plan->from_tick = 101;
    assert_near(track(&x), 0.0, 1.0);
    loop_close(&x.loop);
}

/* Whatever plan and state: finite, and no charge that leads the interval's mean
 * above a peak that is paid for, but for what smoothing needs. */
static void never_a_new_peak(void **state)
{
    (void)state;
    uint64_t seed = random_seed(9);
    struct fixture x = begin(12.0);
    for (int round = 0; round < 5000; round++) {
        set_soc(&x, random_draw(&seed, 0.15, 1.0));
        x.plan->peak_w = random_draw(&seed, 50e6, 120e6);
        x.plan->grid_w[0] = random_draw(&seed, 50e6, 120e6);
        x.plan->battery_w[0] = random_draw(&seed, -10e6, 10e6);
        x.plan->soc_pu[0] = random_draw(&seed, 0.0, 1.0);
        x.plan->step_s[1] = random_draw(&seed, 900.0, 3600.0);
        x.loop.state->interval_s = random_draw(&seed, 0.0, 900.0);
        x.loop.state->interval_ws =
            x.loop.state->interval_s * random_draw(&seed, 0.0, 150e6);
        double w = track(&x);
        assert_true(isfinite(w));
        double left_s = 900.0 - x.loop.state->interval_s;
        double sum_ws = x.loop.state->interval_ws + (80e6 + w) * left_s;
        assert_true(w <= 0.0 || left_s < 60.0 ||
                    sum_ws < 900.0 * x.plan->peak_w);
        assert_true(w <= fmax(1.01 * x.plan->peak_w - 80e6, 0.0));
    }
    loop_close(&x.loop);
}

/* What the grid's ramp takes to follow stays in the batteries, or fits. */
static void a_large_power_can_be_returned(void **state)
{
    (void)state;
    static const double powers_w[] = {-10e6, -4e6, 4e6, 10e6};
    for (size_t i = 0; i < sizeof(powers_w) / sizeof(powers_w[0]); i++) {
        double before_w = INFINITY;
        for (int k = 0; k <= 161; k++) {
            double soc_pu = 0.1 + 0.01 * (double)(k % 81);
            bool waits = k > 80; /* work that was put off ends at once */
            before_w = k == 81 ? INFINITY : before_w;
            struct fixture x = begin(0.0);
            x.loop.cfg->any_waits = waits;
            double ramp = x.loop.cfg->site.grid.ramp_max_w_per_s;
            x.plan->battery_w[0] = powers_w[i];
            set_soc(&x, soc_pu);
            double w = track(&x);
            double left_ws = (soc_pu - 0.13) * 20e6 * 3600.0;
            double room_ws = ((waits ? 0.87 : 0.88) - soc_pu) * 20e6 * 3600.0;
            double most_ws = fmax(w < 0.0 ? left_ws : room_ws, 0.0);
            assert_true(w * w / (2.0 * ramp) <= most_ws * 1.000001 + 1.0);
            assert_true(fabs(w) <= fabs(powers_w[i]) && w * powers_w[i] >= 0.0);
            assert_true(k == 0 || w <= before_w); /* fuller: gives more */
            before_w = w;
            bool amid = soc_pu > 0.4 && soc_pu < 0.6;
            assert_true(!amid || fabs(w - powers_w[i]) < 1.0);
            loop_close(&x.loop);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(charging_makes_no_peak),
        cmocka_unit_test(what_is_left_below_the_peak_is_taken),
        cmocka_unit_test(what_the_load_takes_is_given),
        cmocka_unit_test(what_is_taken_leaves_room_for_the_breaker),
        cmocka_unit_test(the_mean_of_the_interval_is_held),
        cmocka_unit_test(smoothing_comes_before_the_peak),
        cmocka_unit_test(the_energy_is_followed),
        cmocka_unit_test(half_of_the_way_lies_before_the_slot),
        cmocka_unit_test(one_way_after_the_other),
        cmocka_unit_test(the_way_is_that_of_the_limits),
        cmocka_unit_test(a_large_power_can_be_returned),
        cmocka_unit_test(without_a_plan_it_goes_home),
        cmocka_unit_test(never_a_new_peak),
    };
    return cmocka_run_group_tests_name("track", tests, NULL, NULL);
}
