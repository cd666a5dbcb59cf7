/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/step/age: what the batteries and packs of a site live
 * through is what their engines are told. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/random.h"
#include "tests/controller/step/age_fixture.h"
#include "tests/loop_fixture.h"

static void batteries_take_turns_of_a_second(void **state)
{
    (void)state;
    struct loop_fixture f =
        loop_open(fixture_site(20, 4, 0), POLICY_LIMITER, 100e6);
    for (int k = 0; k < 100; k++) {
        int64_t n_before = 0;
        int64_t n_after = 0;
        for (int i = 0; i < 20; i++) {
            n_before += f.state->life[i].cycles.n_fed;
        }
        loop_tick(&f, 100e6);
        for (int i = 0; i < 20; i++) {
            n_after += f.state->life[i].cycles.n_fed;
        }
        assert_int_equal(n_after - n_before, 2);
    }
    for (int i = 0; i < 20; i++) {
        assert_int_equal(f.state->life[i].cycles.n_fed, 10);
    }
    loop_close(&f);
}

/* The same samples into an engine of our own. */
static void a_battery_lives_what_it_reports(void **state)
{
    (void)state;
    static const enum policy policies[] = {POLICY_BALLAST, POLICY_NONE,
                                           POLICY_LIMITER};
    for (size_t p = 0; p < 3; p++) {
        struct loop_fixture f =
            loop_open(fixture_site(3, 4, 0), policies[p], 100e6);
        uint64_t random = random_seed(SEED + p);
        double demand_w = 100e6;
        struct life own[3];
        double moved_wh[3] = {0.0};
        int64_t last_ms[3] = {0};
        for (int i = 0; i < 3; i++) {
            life_init(&own[i], CHEMISTRY_LFP, RAINFLOW_DEPTH);
        }
        for (int k = 0; k < 3000; k++) {
            demand_w =
                k % 300 == 0 ? random_draw(&random, 50e6, 150e6) : demand_w;
            loop_observe(&f);
            for (int i = 0; i < 3; i++) {
                const struct battery_in *b = &f.in->batteries[i];
                double dt_s = (double)(f.in->mono_ms - last_ms[i]) / 1e3;
                moved_wh[i] += fabs(b->power_w.value) * 0.1 / 3600.0;
                if ((i + k) % 10 != 0) {
                    continue;
                }
                struct life_sample s = {
                    .dt_s = last_ms[i] > 0 ? dt_s : 0.0,
                    .soc_pu = b->soc_pu.value,
                    .temp_c = 25.0,
                    .rate_per_h =
                        last_ms[i] > 0 ? moved_wh[i] / 20e6 / dt_s * 3600 : 0.0,
                };
                assert_int_equal(life_feed(&own[i], &s), ERR_NONE);
                moved_wh[i] = 0.0;
                last_ms[i] = f.in->mono_ms;
            }
            loop_act(&f, demand_w);
        }
        for (int i = 0; i < 3; i++) {
            struct life_loss a = life_loss(&own[i], LIFE_GUARD, true);
            struct life_loss b = life_loss(&f.state->life[i], LIFE_GUARD, true);
            assert_near(a.calendar_pu, b.calendar_pu, 1e-15);
            assert_near(a.cycle_pu, b.cycle_pu, 1e-12);
            assert_int_equal(own[i].cycles.n_fed,
                             f.state->life[i].cycles.n_fed);
            assert_int_equal(f.state->age[i].n_jumps, 0);
        }
        if (policies[p] == POLICY_BALLAST) {
            assert_true(travel_pu(&own[0]) > 1e-3);
        }
        loop_close(&f);
    }
}

/* Silent for a day, or asked every minute of it: as old. */
static void a_gap_is_lived_at_its_ends(void **state)
{
    (void)state;
    struct loop_fixture f = open_one(CHEMISTRY_NCA);
    struct loop_fixture g = open_one(CHEMISTRY_NCA);
    look_second(&f, 0.6, 0.0);
    look_second(&g, 0.6, 0.0);
    for (int i = 0; i < 24 * 60; i++) {
        look(&f, &(struct look){60.0, 0.6, 25.0, 0.0});
        look(&g, &(struct look){60.0, NAN, 25.0, NAN});
    }
    uint32_t n_fed = g.state->life[0].cycles.n_fed;
    assert_int_equal(n_fed, 1);
    look_second(&f, 0.6, 0.0);
    look_second(&g, 0.6, 0.0);
    double asked = life_loss(&f.state->life[0], LIFE_PRICE, true).calendar_pu;
    double silent = life_loss(&g.state->life[0], LIFE_PRICE, true).calendar_pu;
    assert_true(asked > 0.0);
    assert_near(silent / asked, 1.0, 1e-4);
    loop_close(&f);
    loop_close(&g);
}

static void a_missing_temperature_is_taken_for_25_c(void **state)
{
    (void)state;
    static const struct {
        double temp_c;
        int64_t assumed;
    } rows[] = {{NAN, 1}, {25.0, 0}, {1e6, 1}, {-300.0, 1}};
    double first = NAN;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct loop_fixture f = open_one(CHEMISTRY_NMC);
        look(&f, &(struct look){0.1, 0.7, rows[i].temp_c, 0.0});
        for (int k = 0; k < 100; k++) {
            look(&f, &(struct look){600.0, 0.7, rows[i].temp_c, 0.0});
        }
        double lost =
            life_loss(&f.state->life[0], LIFE_GUARD, true).calendar_pu;
        first = i == 0 ? lost : first;
        assert_true(lost > 0.0);
        assert_near(lost, first, 0.0);
        assert_int_equal(f.state->age[0].is_assumed, rows[i].assumed);
        loop_close(&f);
    }
}

/* A temperature holds for ten minutes, not for ever. */
static void an_old_temperature_is_not_one(void **state)
{
    (void)state;
    struct loop_fixture f = open_one(CHEMISTRY_LFP);
    look_second(&f, 0.5, 0.0);
    for (int i = 0; i < 10; i++) { /* every turn of the battery */
        f.in->batteries[0].temperature_c.mono_ms = f.in->mono_ms - 599000;
        f.in->mono_ms += 100;
        f.in->tick++;
        f.in->batteries[0].soc_pu.mono_ms = f.in->mono_ms;
        step(f.cfg, f.state, f.scratch, f.in, f.plan, f.out);
    }
    assert_int_equal(f.state->age[0].is_assumed, 0);
    for (int i = 0; i < 10; i++) {
        f.in->batteries[0].temperature_c.mono_ms = f.in->mono_ms - 601000;
        f.in->mono_ms += 100;
        f.in->tick++;
        f.in->batteries[0].soc_pu.mono_ms = f.in->mono_ms;
        step(f.cfg, f.state, f.scratch, f.in, f.plan, f.out);
    }
    assert_int_equal(f.state->age[0].is_assumed, 1);
    loop_close(&f);
}

static void clocks_that_go_back_make_nobody_younger(void **state)
{
    (void)state;
    struct loop_fixture f = open_one(CHEMISTRY_NMC);
    look_second(&f, 0.5, 0.0);
    look(&f, &(struct look){3600.0, 0.5, 25.0, 0.0});
    double before = 0.0;
    for (int i = 0; i < 30; i++) {
        look(&f, &(struct look){i % 3 == 0 ? -5.0 : 0.1, 0.5, 25.0, 0.0});
        double now = life_loss(&f.state->life[0], LIFE_GUARD, true).calendar_pu;
        assert_true(now >= before);
        before = now;
    }
    loop_close(&f);
}

/* What the battery's own management says counts after a month, and for LFP
 * only after a full cycle. */
static void a_state_of_health_corrects_after_a_full_cycle(void **state)
{
    (void)state;
    static const struct {
        double low_pu;
        double high_pu;
        int64_t quality;
        bool taken;
    } rows[] = {
        {0.1, 0.95, QUALITY_GOOD, true},
        {0.4, 0.60, QUALITY_GOOD, false},
        {0.1, 0.95, QUALITY_SUSPECT, false},
    };
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        struct loop_fixture f = open_one(CHEMISTRY_LFP);
        look_second(&f, rows[r].low_pu, 0.0);
        for (int i = 0; i < 40 * 12; i++) {
            double soc_pu = i % 2 == 0 ? rows[r].high_pu : rows[r].low_pu;
            look_second(&f, soc_pu, NAN);
            look(&f, &(struct look){7199.0, soc_pu, 25.0, NAN});
            f.in->batteries[0].soh_pu = reading_good(0.9, f.in->mono_ms);
            f.in->batteries[0].soh_pu.quality = rows[r].quality;
        }
        bool taken = isfinite(f.state->age[0].soh_pu);
        assert_int_equal(taken, rows[r].taken);
        assert_int_equal(fabs(life_scale(&f.state->life[0]) - 1.0) > 1e-3,
                         rows[r].taken);
        loop_close(&f);
    }
}

static void tell_nodes(struct loop_fixture *f, double soc_pu, double charge_w)
{
    for (int i = 0; i < NODES; i++) {
        f->in->nodes[i] = (struct node_in){
            .pack_mono_ms = f->in->mono_ms,
            .agent_mono_ms = f->in->mono_ms,
            .soc_pu = soc_pu,
            .charge_w = charge_w,
            .pack_c = i == 0 ? NAN : 25.0,
            .ambient_c = 20.0,
            .departs_soc_pu = NAN,
            .flags = NODE_ONLINE | NODE_PLUGGED,
        };
    }
}

static void packs_are_asked_once_a_minute_each_in_its_turn(void **state)
{
    (void)state;
    struct loop_fixture f = open_one(CHEMISTRY_LFP);
    struct life_pack own;
    life_pack_init(&own, CHEMISTRY_NCA);
    double hours = 2.0;
    int most = 0;
    look(&f, &(struct look){0.1, 0.5, 25.0, 0.0});
    for (int64_t k = 1; k < (int64_t)(hours * 36000.0); k++) {
        float before[NODES];
        for (int i = 0; i < NODES; i++) {
            before[i] = f.state->nodes[i].life.today_s;
        }
        tell_nodes(&f, 0.3 + 0.1 * (double)k / 36000.0, 7.5e3);
        look(&f, &(struct look){0.1, 0.5, 25.0, 0.0});
        int n = 0;
        for (int i = 0; i < NODES; i++) {
            n += f.state->nodes[i].life.today_s > before[i];
        }
        most = n > most ? n : most;
    }
    assert_true(most == 1);
    for (int i = 0; i < NODES; i++) {
        const struct life_pack *p = &f.state->nodes[i].life;
        assert_true(p->today_s >= (float)(hours * 3600.0 - 121.0));
        struct life_loss a = life_pack_loss(p, LIFE_PRICE, true);
        struct life_loss b =
            life_pack_loss(&f.state->nodes[0].life, LIFE_PRICE, true);
        assert_true(a.calendar_pu > 0.0 && a.cycle_pu > 0.0);
        assert_near(a.calendar_pu / b.calendar_pu, 1.0, 0.02);
    }
    loop_close(&f);
}

static void a_pack_jumps_only_as_far_as_cars_drive(void **state)
{
    (void)state;
    static const struct {
        double after_s;
        double to_pu;
        double most_pu; /* that may be counted of it */
    } rows[] = {
        {60.0, 0.2, 0.6 / 6.0},   /* a gauge */
        {4.0 * 3600.0, 0.2, 1.0}, /* a drive */
        {60.0, 0.78, 0.021},      /* a step */
    };
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        struct loop_fixture f = open_one(CHEMISTRY_LFP);
        look(&f, &(struct look){0.1, 0.5, 25.0, 0.0});
        f.cfg->n_slices = 1;
        f.cfg->n_rounds = 1;
        for (int k = 0; k < 100; k++) {
            tell_nodes(&f, 0.8, NAN);
            look(&f, &(struct look){1.0, 0.5, 25.0, 0.0});
        }
        tell_nodes(&f, NAN, NAN);
        look(&f, &(struct look){rows[r].after_s, 0.5, 25.0, 0.0});
        for (int k = 0; k < 100; k++) {
            tell_nodes(&f, rows[r].to_pu, NAN);
            look(&f, &(struct look){1.0, 0.5, 25.0, 0.0});
        }
        const struct life_pack *p = &f.state->nodes[1].life;
        double counted_pu = 0.0;
        for (int i = 0; i < p->n_points; i++) {
            counted_pu = fmax(counted_pu, fabs((double)(p->value[i] - p->tip)));
        }
        double moved_pu = 0.8 - rows[r].to_pu;
        assert_true(counted_pu <= rows[r].most_pu);
        assert_true(counted_pu >= fmin(moved_pu, rows[r].most_pu) * 0.8);
        assert_near((double)p->last, rows[r].to_pu, 1e-6);
        loop_close(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batteries_take_turns_of_a_second),
        cmocka_unit_test(a_battery_lives_what_it_reports),
        cmocka_unit_test(a_gap_is_lived_at_its_ends),
        cmocka_unit_test(a_missing_temperature_is_taken_for_25_c),
        cmocka_unit_test(an_old_temperature_is_not_one),
        cmocka_unit_test(clocks_that_go_back_make_nobody_younger),
        cmocka_unit_test(a_state_of_health_corrects_after_a_full_cycle),
        cmocka_unit_test(packs_are_asked_once_a_minute_each_in_its_turn),
        cmocka_unit_test(a_pack_jumps_only_as_far_as_cars_drive),
    };
    return cmocka_run_group_tests_name("age", tests, NULL, NULL);
}
