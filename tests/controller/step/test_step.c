/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/step: causality, worst cases, leases and sheds, in
 * closed loop with the simulated plant. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/loop_fixture.h"

static const char *word(const struct step_out *out)
{
    return reason_word((enum reason)out->record.why[0].code);
}

/* In the tick of a load step the battery has not moved: the edge reaches the
 * grid whole, and leaks 1.58 ticks' worth in all. */
static void edge_reaches_the_grid_before_the_battery(void **state)
{
    (void)state;
    struct loop_fixture f =
        loop_open(fixture_site(10, 10, 0), POLICY_BALLAST, 100e6);
    for (int k = 0; k < 300; k++) {
        loop_tick(&f, 100e6);
    }
    double before_w = f.plant->grid_w;
    double battery_w = f.plant->battery_w;
    loop_tick(&f, 80e6);
    assert_true(fabs(f.plant->battery_w - battery_w) < 0.05e6);
    assert_true(fabs(before_w - f.plant->grid_w - 20e6) < 0.05e6);
    double leaked = before_w - f.plant->grid_w;
    for (int k = 0; k < 8; k++) {
        loop_tick(&f, 80e6);
        leaked += before_w - f.plant->grid_w;
    }
    assert_true(fabs(leaked / 20e6 - 1.58) < 0.1);
    loop_close(&f);
}

/* A battery out of order is not counted on, and said so; the others go on. */
static void lost_battery_is_named_and_replaced(void **state)
{
    (void)state;
    static const struct {
        enum reason why;
        int64_t flags; /* taken away */
        double soc_pu; /* reported; 0.6 where nothing is wrong with it */
        int64_t valid;
    } rows[] = {
        {REASON_STALE, BATTERY_ONLINE, 0.6, 0},
        {REASON_LOCAL, BATTERY_REMOTE, 0.6, 0},
        {REASON_FAULT, BATTERY_RUNNING, 0.6, 1},
        {REASON_FAULT, BATTERY_ALIVE, 0.6, 1},
        {REASON_DISOBEYS, BATTERY_OBEYS, 0.6, 1},
        {REASON_STALE, 0, NAN, 1},
        {REASON_STALE, 0, 1.8, 1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct loop_fixture f =
            loop_open(fixture_site(3, 10, 0), POLICY_BALLAST, 100e6);
        for (int k = 0; k < 100; k++) {
            loop_tick(&f, 100e6);
        }
        for (int k = 0; k < 20; k++) {
            loop_observe(&f);
            f.in->batteries[1].flags &= ~rows[i].flags;
            f.in->batteries[1].soc_pu.value = rows[i].soc_pu;
            loop_act(&f, 90e6);
        }
        assert_int_equal(f.out->record.degraded, 1);
        assert_int_equal(f.out->record.why[0].code, rows[i].why);
        assert_int_equal(f.out->record.why[0].index, 1);
        assert_int_equal(f.out->batteries[1].valid, rows[i].valid);
        assert_true(fabs(f.out->batteries[1].set_w) < 0.1e6);
        double others_w = f.out->batteries[0].set_w + f.out->batteries[2].set_w;
        assert_true(others_w > 9e6);
        loop_close(&f);
    }
}

/* Many batteries out of order do not hide what binds the grid. */
static void lost_batteries_leave_room_for_reasons(void **state)
{
    (void)state;
    struct loop_fixture f =
        loop_open(fixture_site(10, 10, 0), POLICY_BALLAST, 100e6);
    for (int k = 0; k < 100; k++) {
        loop_tick(&f, 100e6);
    }
    for (int k = 0; k < 20; k++) {
        loop_observe(&f);
        for (int i = 0; i < 8; i++) {
            f.in->batteries[i].flags &= ~(int64_t)BATTERY_ONLINE;
        }
        loop_act(&f, 90e6);
    }
    const struct tick_record *r = &f.out->record;
    assert_int_equal(r->degraded, 8);
    assert_int_equal(r->n_why, 5);
    assert_int_equal(r->why[2].index, 2);
    assert_int_equal(r->why[3].code, REASON_RAMP);
    assert_int_equal(r->why[4].code, REASON_RESERVE_POD);
    loop_close(&f);
}

/* What is said of a limit: which, how much wants to pass it, what it takes. */
static void a_limit_is_said_with_its_numbers(void **state)
{
    (void)state;
    struct site *site = fixture_site(10, 10, 0);
    site->grid.import_max_w = 90e6;
    struct loop_fixture f = loop_open(site, POLICY_BALLAST, 80e6);
    for (int k = 0; k < 1500; k++) {
        loop_tick(&f, k < 100 ? 80e6 : 100e6);
    }
    const struct reason_line *why = &f.out->record.why[0];
    assert_int_equal(why->code, REASON_IMPORT);
    assert_true(fabs(why->limit - 0.995 * 90e6) < 1.0);
    assert_true(fabs(why->value - 100e6) < 0.5e6);
    assert_true(fabs(why->need - (why->value - why->limit)) < 0.5e6);
    loop_close(&f);
}

/* Dips of the voltage, with what the load does in them, move nothing: not
 * while they last, and no account is settled afterwards. */
static void voltage_dip_moves_nothing(void **state)
{
    (void)state;
    struct loop_fixture f =
        loop_open(fixture_site(10, 10, 0), POLICY_BALLAST, 100e6);
    for (int k = 0; k < 300; k++) {
        loop_tick(&f, k < 200 ? 100e6 : 110e6);
    }
    static const double dips_pu[] = {0.2, 0.5, 0.89, 1.2, 0.7, 0.0};
    for (int d = 0; d < 6; d++) {
        struct battery_command before = f.out->batteries[3];
        double cap_w = f.out->pods[2].cap_w;
        for (int k = 0; k < 4; k++) {
            loop_observe(&f);
            f.in->meter.voltage_pu.value = dips_pu[d];
            loop_act(&f, 40e6);
            assert_true(fabs(f.out->batteries[3].set_w - before.set_w) < 1.0);
            assert_true(f.out->batteries[3].valid && f.out->pods[2].valid);
            assert_true(!(fabs(f.out->pods[2].cap_w - cap_w) > 0.0));
            assert_string_equal(word(f.out), "freeze");
        }
        double ref_w = f.out->record.grid_ref_w;
        for (int k = 0; k < 100; k++) {
            loop_tick(&f, 110e6);
        }
        double moved_w = f.out->record.grid_ref_w - ref_w;
        assert_true(fabs(moved_w) < 10.0 * 10e6 / 60.0 + 1.0);
    }
    loop_close(&f);
}

/* A meter that has another idea of nominal stops nobody. */
static void voltage_that_never_was_nominal_is_no_dip(void **state)
{
    (void)state;
    struct loop_fixture f =
        loop_open(fixture_site(10, 10, 0), POLICY_BALLAST, 100e6);
    for (int k = 0; k < 100; k++) {
        loop_observe(&f);
        f.in->meter.voltage_pu.value = 0.577;
        loop_act(&f, k < 50 ? 100e6 : 80e6);
        assert_true(f.out->record.why[0].code != REASON_FREEZE);
    }
    assert_true(f.plant->battery_w > 19e6);
    loop_close(&f);
}

/* An LFP's gauge corrects itself by a tenth: the grid does not notice. */
static void gauge_that_jumps_moves_no_power(void **state)
{
    (void)state;
    struct loop_fixture f =
        loop_open(fixture_site(10, 10, 0), POLICY_BALLAST, 100e6);
    for (int k = 0; k < 3000; k++) {
        loop_tick(&f, 100e6);
    }
    for (int k = 0; k < 1200; k++) {
        loop_observe(&f);
        for (int i = 0; i < 10; i++) {
            f.in->batteries[i].soc_pu.value += 0.1;
        }
        loop_act(&f, 100e6);
        assert_true(fabs(f.plant->battery_w) < 0.25e6);
    }
    loop_close(&f);
}

/* Without the meter the grid is the sum of the assets; a silent pod then
 * draws all it may. */
static void meter_lost_means_worst_case(void **state)
{
    (void)state;
    struct loop_fixture f =
        loop_open(fixture_site(10, 10, 0), POLICY_BALLAST, 100e6);
    f.cfg->site.grid.meter.present = true;
    for (int k = 0; k < 100; k++) {
        loop_tick(&f, 100e6);
    }
    for (int k = 0; k < 60; k++) { /* longer than any time-out */
        loop_observe(&f);
        f.in->meter.power_w.mono_ms = LOOP_MONO_MS + 9900;
        f.in->pods[3].power_w.mono_ms = LOOP_MONO_MS + 9900;
        loop_act(&f, 100e6);
    }
    assert_int_equal(f.out->record.why[0].code, REASON_NO_METER);
    assert_int_equal(f.out->record.degraded, 2);
    double worst_w = 90e6 + 15e6; /* the silent pod at its rating */
    assert_true(fabs(f.out->record.load_w - worst_w) < 1e3);
    loop_close(&f);
}

/* A controller started on a running site writes nothing before it has heard
 * the meter, then takes over without a bump. */
static void start_takes_over_what_it_finds(void **state)
{
    (void)state;
    struct loop_fixture f =
        loop_open(fixture_site(3, 4, 0), POLICY_BALLAST, 100e6);
    for (int i = 0; i < 3; i++) {
        f.plant->batteries[i].set_w = -5e6;
    }
    for (int k = 0; k < 50; k++) {
        plant_step(f.plant, f.site, 0.1);
    }
    double before_w = f.plant->grid_w;
    for (int k = 0; k < 30; k++) {
        loop_observe(&f);
        f.in->meter.power_w = (struct reading){NAN, 0, QUALITY_MISSING};
        loop_act(&f, 100e6);
        assert_int_equal(f.out->batteries[0].valid, 0);
        assert_int_equal(f.out->pods[0].valid, 0);
    }
    for (int k = 0; k < 100; k++) {
        loop_tick(&f, 100e6);
        double moved_w = fabs(f.plant->grid_w - before_w);
        assert_true(moved_w < 0.17e6 * 0.1 * (k + 2));
    }
    assert_int_equal(f.out->batteries[0].valid, 1);
    loop_close(&f);
}

static void small_battery_sheds_by_priority(void **state)
{
    (void)state;
    struct site *site = fixture_site(1, 4, 0);
    site->grid.contingencies_given = true; /* none: such a rise may come */
    for (int i = 0; i < 4; i++) {
        site->pods[i].priority = i;
    }
    struct loop_fixture f = loop_open(site, POLICY_BALLAST, 60e6);
    for (int k = 0; k < 600; k++) {
        loop_tick(&f, 60e6);
    }
    loop_tick(&f, 120e6); /* 60 MW up, 10 MW of battery */
    loop_tick(&f, 120e6);
    assert_string_equal(word(f.out), "shed");
    for (int k = 0; k < 50; k++) {
        loop_tick(&f, 120e6);
    }
    assert_true(f.plant->grid_w < 66e6);
    assert_true(f.plant->pods[0].power_w < f.plant->pods[3].power_w);
    assert_true(f.out->record.shed_w > 30e6);
    for (int k = 0; k < 6000; k++) { /* and all of it comes back */
        loop_tick(&f, 120e6);
    }
    assert_true(f.plant->pods_w > 119.9e6);
    loop_close(&f);
}

/* The timers of the devices end one after the other, far enough apart for the
 * ramp to carry what each lets go. */
static void leases_end_one_after_the_other(void **state)
{
    (void)state;
    struct loop_fixture f =
        loop_open(fixture_site(10, 10, 0), POLICY_BALLAST, 60e6);
    for (int k = 0; k < 100; k++) {
        loop_tick(&f, 60e6);
    }
    for (int k = 0; k < 20; k++) {
        loop_tick(&f, 120e6);
    }
    double ramp = 10e6 / 60.0;
    for (int i = 0; i < 10; i++) {
        const struct battery_command *c = &f.out->batteries[i];
        assert_true(c->set_w < -4e6);
        assert_true(c->expiry_s >= 10.0 && c->expiry_s <= 600.0);
        assert_true(c->fallback_w == 0.0);
        if (i > 0) {
            const struct battery_command *b = &f.out->batteries[i - 1];
            double apart_s = c->expiry_s - b->expiry_s;
            assert_true(apart_s >= fabs(b->set_w) / ramp - 1.0);
        }
    }
    loop_close(&f);
}

static void utility_limit_is_reached_before_it_starts(void **state)
{
    (void)state;
    struct loop_fixture f =
        loop_open(fixture_site(10, 10, 0), POLICY_BALLAST, 100e6);
    f.in->utility[0] = (struct utility_in){
        .id = "cap",
        .kind = UTILITY_IMPORT_MAX,
        .start_at_ms = LOOP_UTC_MS + 180 * 1000,
        .end_at_ms = LOOP_UTC_MS + 400 * 1000,
        .value = 90e6,
    };
    for (int k = 0; k < 3900; k++) {
        loop_tick(&f, 100e6);
        assert_true(k < 1800 || f.plant->grid_w <= 90e6);
    }
    assert_string_equal(word(f.out), "event");
    loop_close(&f);
}

static void emergency_holds_at_once(void **state)
{
    (void)state;
    struct loop_fixture f =
        loop_open(fixture_site(10, 10, 0), POLICY_BALLAST, 100e6);
    for (int k = 0; k < 100; k++) {
        loop_tick(&f, 100e6);
    }
    f.in->utility[0] = (struct utility_in){
        .id = "now",
        .kind = UTILITY_EMERGENCY,
        .start_at_ms = f.in->utc_ms,
        .end_at_ms = INT64_MAX,
        .value = 60e6,
    };
    for (int k = 0; k < 20; k++) {
        loop_tick(&f, 100e6);
    }
    assert_true(f.plant->grid_w < 60.1e6);
    assert_string_equal(word(f.out), "emergency");
    loop_close(&f);
}

static void site_that_contradicts_its_period_is_refused(void **state)
{
    (void)state;
    struct site *site = fixture_site(1, 1, 0);
    struct step_cfg *cfg = calloc(1, step_cfg_size());
    assert_int_equal(step_cfg_init(cfg, site, POLICY_BALLAST), ERR_NONE);
    site->control.period_s = 0.001;
    assert_int_equal(step_cfg_init(cfg, site, POLICY_BALLAST), ERR_RANGE);
    site->control.period_s = NAN;
    assert_int_equal(step_cfg_init(cfg, site, POLICY_BALLAST), ERR_RANGE);
    site->control.period_s = 0.1;
    site->grid.ramp_max_w_per_s = 0.0;
    assert_int_equal(step_cfg_init(cfg, site, POLICY_BALLAST), ERR_RANGE);
    free(cfg);
    free(site);
}

/* Intervals of a minute; a month ends after three of them. */
static void the_peak_is_of_its_month(void **state)
{
    (void)state;
    struct site *site = fixture_site(0, 4, 0);
    site->grid.demand_interval_s = 60.0;
    site->grid.billing_peak_w = 70e6;
    struct loop_fixture f = loop_open(site, POLICY_NONE, 80e6);
    static const struct {
        int64_t month_from_ms;
        double load_w;
        double peak_w; /* known in the minute */
    } minutes[] = {
        {1000, 80e6, 70e6}, {1000, 90e6, 80e6}, {1000, 60e6, 90e6},
        {2000, 50e6, 0.0},  {2000, 55e6, 50e6}, {2000, 40e6, 55e6},
        {3000, 30e6, 0.0},  {3000, 30e6, 30e6},
    };
    for (size_t i = 0; i < sizeof(minutes) / sizeof(minutes[0]); i++) {
        for (int k = 0; k < 600; k++) {
            f.in->month_from_ms = minutes[i].month_from_ms;
            loop_tick(&f, minutes[i].load_w);
        }
        assert_true(fabs(f.state->month.peak_w - minutes[i].peak_w) < 2e5);
    }
    loop_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edge_reaches_the_grid_before_the_battery),
        cmocka_unit_test(lost_battery_is_named_and_replaced),
        cmocka_unit_test(lost_batteries_leave_room_for_reasons),
        cmocka_unit_test(a_limit_is_said_with_its_numbers),
        cmocka_unit_test(voltage_dip_moves_nothing),
        cmocka_unit_test(voltage_that_never_was_nominal_is_no_dip),
        cmocka_unit_test(gauge_that_jumps_moves_no_power),
        cmocka_unit_test(meter_lost_means_worst_case),
        cmocka_unit_test(start_takes_over_what_it_finds),
        cmocka_unit_test(small_battery_sheds_by_priority),
        cmocka_unit_test(leases_end_one_after_the_other),
        cmocka_unit_test(utility_limit_is_reached_before_it_starts),
        cmocka_unit_test(emergency_holds_at_once),
        cmocka_unit_test(the_peak_is_of_its_month),
        cmocka_unit_test(site_that_contradicts_its_period_is_refused),
    };
    return cmocka_run_group_tests_name("step", tests, NULL, NULL);
}
