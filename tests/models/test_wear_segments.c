/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/wear: prices by depth, what they hold, and that they ask for
 * what the engine books. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/clamp.h"
#include "models/random.h"
#include "models/wear.h"
#include "tests/models/wear_fixture.h"

static void segments_rise_whatever_the_battery(void **state)
{
    (void)state;
    uint64_t seed = random_seed(SEED);
    print_message("seed %d\n", SEED);
    for (int round = 0; round < ROUNDS; round++) {
        struct site_battery b = random_battery(&seed);
        struct wear_terms t = random_terms(&seed, &b);
        int n = (int)random_draw(&seed, 1.0, WEAR_SEGMENTS_MAX + 1.0);
        struct wear_segments s;
        wear_segments(&b, &t, n, &s);
        assert_int_equal(s.n, n);
        double width_pu = 0.0;
        double cur = 0.0;
        for (int i = 0; i < n; i++) {
            assert_true(isfinite(s.at[i].per_kwh) && s.at[i].per_kwh >= 0.0);
            assert_true(i == 0 || s.at[i].per_kwh >= s.at[i - 1].per_kwh);
            width_pu += s.at[i].width_pu;
            cur += s.at[i].width_pu * s.at[i].per_kwh;
        }
        double window_pu = b.soc_max_pu - b.soc_min_pu;
        double whole = window_pu * wear_cycle_pu(&t, window_pu) *
                       b.replacement_per_kwh / 0.3 / sqrt(b.efficiency_pu);
        assert_near(width_pu, window_pu, 1e-12);
        assert_near(cur, whole, 1e-9 * whole);
    }
}

/* A charge and discharge of 'depth_pu' at a constant rate, below soc_max. */
static void feed_cycle(struct life *l, const struct wear_terms *t,
                       double top_pu, double depth_pu)
{
    enum { STEPS = 10 };
    for (int i = 1; i <= 2 * STEPS; i++) {
        double part = fabs((double)(i - STEPS)) / STEPS; /* 1 .. 0 .. 1 */
        struct life_sample s = {
            .dt_s = depth_pu / STEPS / t->rate_per_h * 3600.0,
            .soc_pu = top_pu - depth_pu * (1.0 - part),
            .temp_c = t->temp_c,
            .rate_per_h = t->rate_per_h,
        };
        assert_int_equal(life_feed(l, &s), ERR_NONE);
    }
}

/* One cycle as deep as some segments: they say what the engine's own cycle
 * costs.  Convex laws to rounding; the envelope of Naumann's at most a tenth
 * below, never above; Schmalstieg's depends on where it cycles. */
static void segments_say_what_the_engine_books(void **state)
{
    (void)state;
    static const double below[CHEMISTRY_COUNT] = {
        [CHEMISTRY_LFP] = 1e-6,
        [CHEMISTRY_LFP_NAUMANN] = 0.1,
        [CHEMISTRY_NCA] = 1e-6,
        [CHEMISTRY_NMC] = 1e-6,
    };
    for (int c = 0; c <= CHEMISTRY_NMC; c++) {
        struct site_battery b = study_battery((enum chemistry)c);
        struct wear_terms t = wear_terms_new(&b, LIFE_PRICE);
        t.temp_c = 20.0;
        t.rate_per_h = 0.25;
        struct wear_segments s;
        wear_segments(&b, &t, WEAR_SEGMENTS, &s);
        double sum_cur = 0.0;
        for (int i = 0; i < WEAR_SEGMENTS; i++) {
            double depth_pu = (i + 1.0) / WEAR_SEGMENTS;
            sum_cur += s.at[i].width_pu * 1e3 * s.at[i].per_kwh;
            struct life l;
            begin(&l, b.chemistry, 1.0, 20.0);
            feed_cycle(&l, &t, 1.0, depth_pu);
            struct wear_use use = {depth_pu, 1.0};
            double booked = wear_life_cur(&b, &l, LIFE_PRICE, &use);
            if (c == CHEMISTRY_NMC) { /* its knee is not in one cycle */
                booked = fmax(booked, wear_lambda_cur(&b) * depth_pu *
                                          wear_cycle_pu(&t, depth_pu));
            }
            assert_true(sum_cur <= booked * (1 + 1e-5));
            assert_true(sum_cur >= booked * (1 - 1e-5 - below[c]));
        }
    }
}

/* Cycled until the budget is lost, what the prices sum up to is what it cost:
 * the chord is right over its length. */
static void the_secant_pays_for_the_budget(void **state)
{
    (void)state;
    static const enum chemistry all[] = {CHEMISTRY_LFP, CHEMISTRY_LFP_NAUMANN,
                                         CHEMISTRY_NCA};
    for (size_t i = 0; i < 3; i++) {
        struct site_battery b = study_battery(all[i]);
        struct wear_terms t = wear_terms_new(&b, LIFE_PRICE);
        t.temp_c = 20.0;
        t.rate_per_h = 0.25;
        struct life l;
        begin(&l, b.chemistry, 0.9, 20.0);
        double lost_pu = 0.0;
        for (int k = 0; k < 40000 && lost_pu < WEAR_CYCLE_PU; k++) {
            feed_cycle(&l, &t, 0.9, 0.8);
            lost_pu = life_loss(&l, LIFE_PRICE, false).cycle_pu;
        }
        double paid = study_cur(&t, 0.8) * l.efc;
        double cost = wear_lambda_cur(&b) * lost_pu;
        assert_true(lost_pu >= WEAR_CYCLE_PU);
        assert_near(paid, cost, 1e-3 * cost);
        /* An old one loses less by the next cycle. */
        struct wear_terms old = wear_terms_of(&b, LIFE_PRICE, &l);
        assert_near(old.lost_n_pu, lost_pu, 1e-4);
        assert_true(study_cur(&old, 0.8) < study_cur(&t, 0.8));
    }
}

/* The test's own segments, moved at every sample. */
static void move_by_hand(double *held_pu, double width_pu, double by_pu)
{
    for (int i = 0; i < WEAR_SEGMENTS; i++) {
        double to = clamp(held_pu[i] + by_pu, 0.0, width_pu);
        by_pu -= to - held_pu[i];
        held_pu[i] = to;
    }
}

static void what_segments_hold_follows_from_the_turning_points(void **state)
{
    (void)state;
    uint64_t seed = random_seed(SEED + 3);
    for (int round = 0; round < 200; round++) {
        struct site_battery b = study_battery(CHEMISTRY_LFP);
        b.soc_min_pu = 0.1;
        b.soc_max_pu = 0.9;
        struct wear_terms t = wear_terms_new(&b, LIFE_PRICE);
        struct wear_segments s;
        wear_segments(&b, &t, WEAR_SEGMENTS, &s);
        double soc_pu = random_draw(&seed, 0.1, 0.9);
        double held_pu[WEAR_SEGMENTS] = {0.0};
        move_by_hand(held_pu, 0.1, soc_pu - 0.1);
        struct life l;
        begin(&l, CHEMISTRY_LFP, soc_pu, 25.0);
        for (int k = 0; k < 60; k++) {
            double to = random_draw(&seed, 0.1, 0.9);
            if (fabs(to - soc_pu) < 2.0 * LIFE_DEADBAND_PU) {
                continue;
            }
            move_by_hand(held_pu, 0.1, to - soc_pu);
            soc_pu = to;
            struct life_sample one = {
                .dt_s = 600.0, .soc_pu = to, .temp_c = 25.0, .rate_per_h = 0.5};
            assert_int_equal(life_feed(&l, &one), ERR_NONE);
            wear_segments_fill(&s, &b, &l, soc_pu);
            double sum_pu = 0.0;
            for (int i = 0; i < WEAR_SEGMENTS; i++) {
                assert_near(s.at[i].start_pu, held_pu[i], 1e-9);
                sum_pu += s.at[i].start_pu;
            }
            assert_near(sum_pu, soc_pu - 0.1, 1e-12);
        }
    }
}

static void a_window_bounds_what_segments_hold(void **state)
{
    (void)state;
    struct site_battery b = study_battery(CHEMISTRY_LFP);
    b.soc_min_pu = 0.2;
    b.soc_max_pu = 0.6;
    struct wear_terms t = wear_terms_new(&b, LIFE_PRICE);
    struct wear_segments s;
    wear_segments(&b, &t, 4, &s);
    static const double rows[][2] = {
        {0.0, 0.0}, {0.2, 0.0}, {0.35, 0.15}, {0.6, 0.4}, {1.0, 0.4}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        wear_segments_fill(&s, &b, NULL, rows[i][0]);
        double sum_pu = 0.0;
        for (int k = 0; k < 4; k++) {
            sum_pu += s.at[k].start_pu;
        }
        assert_near(sum_pu, rows[i][1], 1e-12);
        assert_true(s.at[0].start_pu >= s.at[3].start_pu);
    }
    assert_near(wear_segments_mean(&s, 0.1), s.at[0].per_kwh, 1e-15);
    assert_near(wear_segments_mean(&s, 0.2),
                0.5 * (s.at[0].per_kwh + s.at[1].per_kwh), 1e-15);
    assert_near(wear_segments_mean(&s, 0.0), s.at[0].per_kwh, 0.0);
    s.n = 0;
    assert_near(wear_segments_mean(&s, 0.5), 0.0, 0.0);
}

/* Ripple below the counter's deadband is no cycle and still pays. */
static void ripple_pays(void **state)
{
    (void)state;
    struct site_battery b = study_battery(CHEMISTRY_LFP);
    struct wear_terms t = wear_terms_new(&b, LIFE_PRICE);
    t.temp_c = 25.0;
    t.rate_per_h = 0.25;
    struct life l;
    begin(&l, CHEMISTRY_LFP, 0.5, 25.0);
    for (int k = 0; k < 3600; k++) {
        struct life_sample s = {.dt_s = 1.0,
                                .soc_pu = 0.5 + (k % 2 ? 1e-4 : -1e-4),
                                .temp_c = 25.0,
                                .rate_per_h = 0.25};
        assert_int_equal(life_feed(&l, &s), ERR_NONE);
    }
    struct wear_use use = {.efc = 0.125, .days = 1.0 / 24.0};
    double cur = wear_life_cur(&b, &l, LIFE_PRICE, &use);
    assert_near(cur, 0.125 * study_cur(&t, 0.0), 2e-3 * cur);
    struct wear_use still = {.efc = 0.0, .days = 1.0 / 24.0};
    assert_true(wear_life_cur(&b, &l, LIFE_PRICE, &still) < 1e-2 * cur);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_rise_whatever_the_battery),
        cmocka_unit_test(segments_say_what_the_engine_books),
        cmocka_unit_test(the_secant_pays_for_the_budget),
        cmocka_unit_test(what_segments_hold_follows_from_the_turning_points),
        cmocka_unit_test(a_window_bounds_what_segments_hold),
        cmocka_unit_test(ripple_pays),
    };
    return cmocka_run_group_tests_name("wear_segments", tests, NULL, NULL);
}
