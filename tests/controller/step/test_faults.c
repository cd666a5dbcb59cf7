/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/step: faults of devices, meter and of the controller's
 * own time, in closed loop with the simulated plant.  None of them may be an
 * event for the grid. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/loop_fixture.h"

/* Steady at 100 MW, with the batteries at 'battery_w' each. */
static struct loop_fixture settled(double battery_w)
{
    struct loop_fixture f =
        loop_open(fixture_site(3, 4, 0), POLICY_BALLAST, 100e6);
    f.cfg->site.grid.meter.present = true;
    for (int i = 0; i < 3; i++) {
        f.plant->batteries[i].set_w = battery_w;
    }
    for (int k = 0; k < 50; k++) {
        plant_step(f.plant, f.site, 0.1);
    }
    for (int k = 0; k < 20; k++) {
        loop_tick(&f, 100e6);
    }
    return f;
}

/* Says nothing from 'since_ms' on, and keeps its set-point meanwhile. */
static void silence(struct loop_fixture *f, int i, int64_t since_ms)
{
    f->in->batteries[i].flags &= ~(int64_t)BATTERY_ONLINE;
    f->in->batteries[i].power_w.mono_ms = since_ms;
    f->in->batteries[i].soc_pu.mono_ms = since_ms;
}

static void act_without(struct loop_fixture *f, int i, double demand_w)
{
    double set_w = f->plant->batteries[i].set_w;
    step(f->cfg, f->state, f->scratch, f->in, f->plan, f->out);
    plant_command(f->plant, f->site, f->out);
    f->plant->batteries[i].set_w = set_w;
    plant_demand(f->plant, f->site, demand_w);
    plant_step(f->plant, f->site, f->site->control.period_s);
    f->k++;
}

/* What a battery that cannot be reached does is in the meter's value: the
 * others must not make up for it once more. */
static void silent_battery_is_not_counted_twice(void **state)
{
    (void)state;
    for (int sign = -1; sign <= 1; sign += 2) {
        struct loop_fixture f = settled(sign * 6e6);
        double before_w = f.plant->grid_w;
        int64_t since_ms = f.in->mono_ms;
        for (int k = 0; k < 80; k++) {
            loop_observe(&f);
            silence(&f, 1, since_ms);
            act_without(&f, 1, 100e6);
            double moved_w = fabs(f.plant->grid_w - before_w);
            assert_true(moved_w < 0.2e6 * 0.1 * (k + 3) + 0.2e6);
        }
        loop_close(&f);
    }
}

/* Without the meter, too, the others leave a battery under local control what
 * it carries. */
static void local_battery_keeps_its_part_without_the_meter(void **state)
{
    (void)state;
    struct loop_fixture f = settled(-6e6);
    double before_w = f.plant->grid_w;
    int64_t since_ms = f.in->mono_ms;
    for (int k = 0; k < 80; k++) {
        loop_observe(&f);
        f.in->batteries[1].flags &= ~(int64_t)BATTERY_REMOTE;
        f.in->meter.power_w.mono_ms = since_ms;
        act_without(&f, 1, 100e6);
        double moved_w = fabs(f.plant->grid_w - before_w);
        assert_true(moved_w < 0.2e6 * 0.1 * (k + 3) + 0.2e6);
    }
    loop_close(&f);
}

/* One value that nothing on the site could draw is a broken value: it moves
 * nothing, then or later. */
static void impossible_values_are_not_used(void **state)
{
    (void)state;
    static const double rows[] = {1e300, -1e300, 3.4e38, -4.3e12, 1e12};
    for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
        struct loop_fixture f = settled(-6e6);
        double before_w = f.plant->grid_w;
        for (int k = 0; k < 80; k++) {
            loop_observe(&f);
            if (k == 5 && i % 2 == 0) {
                f.in->meter.power_w.value = rows[i / 2];
            } else if (k == 5) {
                f.in->batteries[2].power_w.value = rows[i / 2];
            }
            loop_act(&f, 100e6);
            double moved_w = fabs(f.plant->grid_w - before_w);
            assert_true(moved_w < 0.2e6 * 0.1 * (k + 3) + 0.2e6);
        }
        assert_true(f.out->record.shed_w == 0.0);
        loop_close(&f);
    }
}

/* The process stood still for half a minute; the batteries' own timers have
 * ended.  It begins with what it finds, not with what it last knew. */
static void long_pause_is_a_new_start(void **state)
{
    (void)state;
    struct loop_fixture f = settled(-6e6);
    for (int i = 0; i < 3; i++) {
        f.plant->batteries[i].set_w = 0.0;
    }
    for (int k = 0; k < 300; k++) {
        plant_step(f.plant, f.site, 0.1);
    }
    double before_w = f.plant->grid_w;
    f.k += 300;
    int64_t ms = LOOP_MONO_MS + f.k * 100;
    f.in->tick++;
    f.in->mono_ms = ms; /* all values are those of before */
    f.in->utc_ms = LOOP_UTC_MS + f.k * 100;
    f.in->dt_s = 30.0;
    loop_act(&f, 100e6);
    assert_int_equal(f.out->record.why[0].code, REASON_LISTEN);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(f.out->batteries[i].valid, 0);
    }
    for (int k = 0; k < 100; k++) {
        loop_tick(&f, 100e6);
        double moved_w = fabs(f.plant->grid_w - before_w);
        assert_true(moved_w < 0.2e6 * 0.1 * (k + 3) + 0.2e6);
        assert_true(f.out->record.shed_w == 0.0);
    }
    assert_int_equal(f.out->batteries[0].valid, 1);
    loop_close(&f);
}

/* Pods that are found capped are let go at the ramp, not all at once; a pod
 * that has not been heard yet is told nothing for a while. */
static void caps_that_are_found_are_taken_over(void **state)
{
    (void)state;
    struct site *site = fixture_site(0, 4, 0);
    struct loop_fixture f = loop_open(site, POLICY_BALLAST, 100e6);
    f.cfg->site.grid.meter.present = true;
    struct step_out *caps = calloc(1, step_out_size(0));
    for (int i = 0; i < 4; i++) {
        caps->pods[i] =
            (struct pod_command){.cap_w = 20e6, .ttl_s = 30.0, .valid = 1};
    }
    plant_command(f.plant, f.site, caps);
    free(caps);
    for (int k = 0; k < 50; k++) {
        plant_step(f.plant, f.site, 0.1);
    }
    double before_w = f.plant->grid_w;
    assert_true(before_w < 81e6);
    for (int k = 0; k < 300; k++) {
        loop_observe(&f);
        if (k < 10) {
            f.in->pods[2] = (struct pod_in){.flags = 0};
        }
        loop_act(&f, 100e6);
        assert_int_equal(f.out->pods[2].valid, k >= 10);
        assert_int_equal(f.out->pods[0].valid, 1);
        double moved_w = fabs(f.plant->grid_w - before_w);
        assert_true(moved_w < 0.18e6 * 0.1 * (k + 5));
    }
    for (int k = 0; k < 2000; k++) {
        loop_tick(&f, 100e6);
    }
    assert_true(f.plant->pods_w > 99.9e6);
    loop_close(&f);
}

/* A job that ends while compute is held back leaves nothing to wait for: the
 * batteries do not take its place. */
static void job_that_ends_while_shed_is_forgotten(void **state)
{
    (void)state;
    struct site *site = fixture_site(1, 4, 0);
    site->grid.contingencies_given = true; /* none: such a rise may come */
    struct loop_fixture f = loop_open(site, POLICY_BALLAST, 60e6);
    for (int k = 0; k < 600; k++) {
        loop_tick(&f, 60e6);
    }
    for (int k = 0; k < 300; k++) {
        loop_tick(&f, 120e6);
    }
    assert_true(f.out->record.shed_w > 20e6);
    for (int k = 0; k < 30; k++) {
        loop_tick(&f, 55e6);
    }
    assert_true(f.out->record.shed_w < 2e6);
    for (int k = 0; k < 1800; k++) {
        loop_tick(&f, 55e6);
    }
    assert_true(f.plant->battery_w < 2e6);
    loop_close(&f);
}

/* A battery that tripped stands at 0 W; were its old set-point kept for it,
 * its reset would be a step. */
static void tripped_battery_has_no_old_set_point(void **state)
{
    (void)state;
    struct loop_fixture f = settled(-6e6);
    for (int k = 0; k < 20; k++) {
        loop_observe(&f);
        f.in->batteries[1].flags &= ~(int64_t)BATTERY_RUNNING;
        f.in->batteries[1].power_w.value = 0.0;
        f.in->meter.power_w.value -= f.plant->batteries[1].power_w;
        loop_act(&f, 100e6);
        assert_true(fabs(f.out->batteries[1].set_w) < 0.02e6);
    }
    loop_close(&f);
}

/* A pod that is never heard is let go in the end. */
static void pod_that_says_nothing_is_not_waited_for(void **state)
{
    (void)state;
    struct loop_fixture f = settled(0.0);
    step_state_init(f.cfg, f.state);
    for (int k = 0; k < 60; k++) {
        loop_observe(&f);
        f.in->pods[2] = (struct pod_in){.flags = 0};
        loop_act(&f, 100e6);
        assert_int_equal(f.out->pods[2].valid, k >= 50);
    }
    loop_close(&f);
}

/* What no model knows (here 6 MW) is remembered: losing the meter and having
 * it back moves nothing. */
static void lost_meter_is_no_step(void **state)
{
    (void)state;
    struct loop_fixture f = settled(-6e6);
    double before_w = 0.0;
    for (int k = 0; k < 400; k++) {
        loop_observe(&f);
        f.in->meter.power_w.value += 6e6;
        if (k >= 200 && k < 300) {
            f.in->meter.power_w.quality = QUALITY_BAD;
        }
        loop_act(&f, 100e6);
        before_w = k == 199 ? f.plant->grid_w : before_w;
        double moved_w = fabs(f.plant->grid_w - before_w);
        assert_true(k < 200 || moved_w < 0.2e6 * 0.1 * (k - 197) + 0.2e6);
    }
    loop_close(&f);
}

/* A meter that repeats itself, its times fresh: the batteries would run after
 * a difference that never changes. */
static void frozen_meter_is_found(void **state)
{
    (void)state;
    struct loop_fixture f = settled(-1e6);
    double frozen_w = f.in->meter.power_w.value;
    bool found = false;
    for (int k = 0; k < 2000; k++) {
        loop_observe(&f);
        f.in->meter.power_w.value = frozen_w;
        loop_act(&f, k < 100 ? 100e6 : 92e6);
        found = f.out->record.why[0].code == REASON_METER_WRONG;
        assert_true(k < 160 || found);
    }
    assert_true(fabs(f.plant->grid_w - 92e6) < 2e6);
    f.plant->batteries[0].set_w += 0.1e6;
    for (int k = 0; k < 150; k++) {
        loop_tick(&f, 92e6);
    }
    assert_true(f.out->record.why[0].code != REASON_METER_WRONG);
    loop_close(&f);
}

/* Its sign the wrong way round, from the start and later. */
static void turned_meter_is_found(void **state)
{
    (void)state;
    for (int later = 0; later < 2; later++) {
        struct loop_fixture f =
            loop_open(fixture_site(3, 4, 0), POLICY_BALLAST, 100e6);
        f.cfg->site.grid.meter.present = true;
        for (int k = 0; k < 3100; k++) {
            loop_observe(&f);
            double w = f.in->meter.power_w.value;
            f.in->meter.power_w.value = later && k < 300 ? w : -w;
            loop_act(&f, 100e6);
            double moved_w = fabs(f.plant->grid_w - 100e6);
            assert_true(later ? k < 3000 || moved_w < 2e6 : moved_w < 1e6);
        }
        assert_int_equal(f.out->record.why[0].code, REASON_METER_WRONG);
        loop_close(&f);
    }
}

/* A meter on a steady site says the same for hours. */
static void steady_meter_is_believed(void **state)
{
    (void)state;
    struct loop_fixture f = settled(0.0);
    for (int k = 0; k < 600; k++) {
        loop_tick(&f, 100e6);
        assert_true(f.out->record.degraded == 0);
    }
    loop_close(&f);
}

/* Pods tell of a step of the load when the meter has long said the same to the
 * last digit: that is no contradiction. */
static void meter_that_knows_first_is_believed(void **state)
{
    (void)state;
    struct loop_fixture f =
        loop_open(fixture_site(3, 4, 0), POLICY_BALLAST, 100e6);
    f.cfg->site.grid.meter.present = true;
    for (int k = 0; k < 200; k++) {
        loop_observe(&f);
        for (int i = 0; i < 4 && k < 20; i++) {
            f.in->pods[i].power_w.value *= 0.94;
        }
        loop_act(&f, 100e6);
        assert_true(f.out->record.why[0].code != REASON_METER_WRONG);
    }
    loop_close(&f);
}

/* While the assets' sum stands in, 6 MW that no model knows went away.  When
 * the meter is believed again, that is no drop of the grid to be undone. */
static void meter_that_returns_is_no_step(void **state)
{
    (void)state;
    struct loop_fixture f = settled(-1e6);
    double rest_w = 6e6;
    double frozen_w = 0.0;
    double before_w = 0.0;
    int64_t returned = 0;
    for (int k = 0; k < 1200; k++) {
        bool frozen = k >= 200 && k < 500;
        loop_observe(&f);
        rest_w = frozen ? 0.0 : rest_w;
        frozen_w = k == 200 ? f.in->meter.power_w.value + 6e6 : frozen_w;
        f.in->meter.power_w.value =
            frozen ? frozen_w : f.in->meter.power_w.value + rest_w;
        loop_act(&f, k < 200 ? 100e6 : 94e6);
        bool doubted = f.out->record.why[0].code == REASON_METER_WRONG;
        assert_true(k < 300 || k > 500 || doubted);
        if (k > 500 && !doubted && returned == 0) {
            returned = k;
            before_w = f.plant->grid_w;
        }
        double moved_w = fabs(f.plant->grid_w - before_w);
        assert_true(returned == 0 ||
                    moved_w < 0.2e6 * 0.1 * (double)(k - returned + 3) + 0.2e6);
    }
    assert_true(returned > 0);
    loop_close(&f);
}

/* What is held back for a limit is known, whatever becomes of the meter. */
static void doubt_invents_nothing_held_back(void **state)
{
    (void)state;
    struct loop_fixture f =
        loop_open(fixture_site(3, 4, 0), POLICY_BALLAST, 100e6);
    f.cfg->site.grid.meter.present = true;
    f.cfg->site.grid.import_max_w = 70e6;
    for (int k = 0; k < 36300; k++) {
        loop_observe(&f);
        if (k == 36000) {
            assert_true(f.state->held_w > 20e6);
            f.state->meter.doubted = 1;
            f.state->meter.well_s = 0.0;
        }
        loop_act(&f, 100e6);
        assert_true(k < 36000 || fabs(f.state->demand_w - 100e6) < 1e6);
    }
    assert_int_equal(f.state->meter.doubted, 0);
    loop_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silent_battery_is_not_counted_twice),
        cmocka_unit_test(local_battery_keeps_its_part_without_the_meter),
        cmocka_unit_test(impossible_values_are_not_used),
        cmocka_unit_test(long_pause_is_a_new_start),
        cmocka_unit_test(caps_that_are_found_are_taken_over),
        cmocka_unit_test(job_that_ends_while_shed_is_forgotten),
        cmocka_unit_test(tripped_battery_has_no_old_set_point),
        cmocka_unit_test(lost_meter_is_no_step),
        cmocka_unit_test(frozen_meter_is_found),
        cmocka_unit_test(turned_meter_is_found),
        cmocka_unit_test(steady_meter_is_believed),
        cmocka_unit_test(meter_that_knows_first_is_believed),
        cmocka_unit_test(meter_that_returns_is_no_step),
        cmocka_unit_test(doubt_invents_nothing_held_back),
        cmocka_unit_test(pod_that_says_nothing_is_not_waited_for),
    };
    return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
