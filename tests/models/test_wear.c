/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/wear: prices against the figures of the reference. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/clamp.h"
#include "models/random.h"
#include "models/wear.h"
#include "tests/models/wear_fixture.h"

#define WEAR "../shared/vectors/wear/"

/* What the study's raw figure becomes: no reward for heat, and a knee. */
static double as_priced(enum life_model_id id, const struct wear_terms *t,
                        double depth_pu, double cur)
{
    if (id == LIFE_LFP_250) {
        double cool_k = fmin(t->temp_c, 20.0) + LIFE_ZERO_C_K;
        double k = t->temp_c + LIFE_ZERO_C_K;
        return cur * exp(2190.0 / 0.828 * (1.0 / cool_k - 1.0 / k));
    }
    if (id == LIFE_NMC) {
        double mean_pu = clamp(t->mean_pu, depth_pu / 2, 1.0 - depth_pu / 2);
        double cool_c = fmin(t->temp_c, 20.0);
        double efc = 1e4 + 153.0 * (cool_c - 55.0) * depth_pu * mean_pu / 0.6;
        /* where the sigmoid leaves 0.7: tanh(z/2) = 0.31 */
        return fmax(cur, 1e5 / (efc * pow(2.0 * atanh(0.31), 0.1)));
    }
    return cur;
}

static enum life_model_id model_named(const char *name)
{
    static const struct {
        const char *name;
        enum life_model_id id;
    } rows[] = {{"LFP250", LIFE_LFP_250},
                {"LFP_Naumann", LIFE_LFP_NAUMANN},
                {"NCA", LIFE_NCA},
                {"NMC_Kokam", LIFE_NMC}};
    for (size_t i = 0; i < 4; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            return rows[i].id;
        }
    }
    fail_msg("no model %s", name);
    return LIFE_NCA;
}

static void each_row(const char *path,
                     void (*row)(enum life_model_id id, const double *x))
{
    FILE *f = fopen(path, "r");
    if (f == NULL) {
        print_message("skip: no %s\n", path);
        skip();
    }
    char line[512];
    int n = 0;
    while (fgets(line, sizeof(line), f) != NULL) {
        double x[10] = {0.0};
        char *at = strchr(line, ',');
        assert_non_null(at);
        *at++ = '\0';
        for (int k = 0; k < 10 && *at != '\0' && *at != '\n'; k++) {
            x[k] = strtod(at, &at);
            at += *at == ',';
        }
        if (n++ > 0) {
            row(model_named(line), x);
        }
    }
    fclose(f);
    assert_true(n > 100);
}

/* temperature_C, dod, crate, k, tangents at 0.02, 0.05 and 0.10, secant. */
static void cycle_row(enum life_model_id id, const double *x)
{
    struct wear_terms t = study_terms(id, x[0], x[2]);
    double want = as_priced(id, &t, x[1], x[7]);
    assert_near(study_cur(&t, x[1]), want, 1e-5 * want);
    /* A chord lies between the slopes at its ends. */
    static const double lost_pu[] = {0.02, 0.05, 0.10};
    double before = want;
    for (int i = 0; i < 3; i++) {
        t.lost_n_pu = lost_pu[i];
        double cur = study_cur(&t, x[1]);
        assert_true(cur <= before * (1 + 1e-9));
        assert_true(cur <= as_priced(id, &t, x[1], x[4 + i]) * (1 + 1e-5));
        before = cur;
    }
}

static void cycling_costs_what_the_study_says(void **state)
{
    (void)state;
    each_row(WEAR "wear_cost_cycle.csv", cycle_row);
}

/* temperature_C, soc, k, at one year, at five, mean of ten. */
static void calendar_row(enum life_model_id id, const double *x)
{
    struct site_battery b = study_battery(CHEMISTRY_LFP);
    struct wear_terms t = study_terms(id, x[0], 0.25);
    double cur = wear_lambda_cur(&b) * wear_day_pu(&t, x[1]);
    assert_near(cur, x[5], 1e-5 * x[5]);
    assert_near(24.0 * wear_hold_cur_per_h(&b, &t, x[1]), x[5], 1e-5 * x[5]);
    double k = x[2];
    double p = life_model(id)->loss_t.p;
    t.lost_t_pu = k * pow(1826.25, p);
    double later = wear_lambda_cur(&b) * wear_day_pu(&t, x[1]);
    assert_true(later < cur && later < x[4] * 1.001);
}

static void holding_costs_what_the_study_says(void **state)
{
    (void)state;
    each_row(WEAR "wear_cost_calendar.csv", calendar_row);
}

/* The reference's own table, to its one digit. */
static void the_table_of_the_reference_holds(void **state)
{
    (void)state;
    static const double depth_pu[7] = {0.02, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0};
    static const struct {
        enum life_model_id id;
        double cur[7];
    } rows[] = {
        {LIFE_LFP_250, {10.3, 10.5, 10.7, 11.2, 11.6, 12.1, 12.6}},
        {LIFE_LFP_NAUMANN, {0.3, 1.0, 2.0, 3.2, 3.4, 3.6, 5.2}},
        {LIFE_NCA, {0.1, 0.4, 0.9, 2.4, 4.3, 6.5, 8.9}},
        {LIFE_NMC, {2.1, 2.1, 2.2, 2.7, 3.8, 7.0, 21.0}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct wear_terms t = study_terms(rows[i].id, 25.0, 0.25);
        for (int k = 0; k < 7; k++) {
            double d = depth_pu[k];
            double want = as_priced(rows[i].id, &t, d, rows[i].cur[k]);
            double by = as_priced(rows[i].id, &t, d, 0.0501);
            assert_near(study_cur(&t, d), want,
                        rows[i].id == LIFE_NMC ? fmin(by, 0.0501) : by);
        }
    }
    struct wear_terms cold = study_terms(LIFE_LFP_250, 10.0, 0.25);
    assert_near(study_cur(&cold, 0.6), 18.6, 0.0501);
}

static void xu_s_table_comes_back(void **state)
{
    (void)state;
    struct wear_terms t = study_terms(LIFE_NCA_BOUND, 25.0, 0.25);
    double slope_pu[5];
    wear_slopes(&t, 1.0, 5, slope_pu);
    static const double want[5] = {71.0, 214.0, 214.0, 464.0, 464.0};
    for (int i = 0; i < 5; i++) {
        /* 100 per kWh over 20 %, in their own budget */
        assert_near(1000.0 * 100.0 / 0.2 * slope_pu[i], want[i], 1e-6);
    }
}

static void heat_is_never_rewarded(void **state)
{
    (void)state;
    for (int id = 0; id < LIFE_MODEL_COUNT; id++) {
        double before = 0.0;
        for (double c = 20.0; c <= 60.0; c += 2.5) {
            struct wear_terms t = study_terms((enum life_model_id)id, c, 0.25);
            double cur = study_cur(&t, 0.5);
            assert_true(cur >= before * (1 - 1e-12));
            before = cur;
        }
    }
}

static void holding_is_a_hull(void **state)
{
    (void)state;
    uint64_t seed = random_seed(SEED + 1);
    for (int round = 0; round < ROUNDS; round++) {
        struct site_battery b = random_battery(&seed);
        struct wear_terms t = random_terms(&seed, &b);
        struct wear_hold h;
        wear_hold(&b, &t, &h);
        for (int i = 0; i < WEAR_HOLD_POINTS; i++) {
            double raw = wear_hold_cur_per_h(&b, &t, h.soc_pu[i]);
            bool end = i == 0 || i == WEAR_HOLD_POINTS - 1;
            assert_true(isfinite(h.cur_per_h[i]) && h.cur_per_h[i] >= -1e-12);
            assert_true(h.cur_per_h[i] <= raw + 1e-9 * raw);
            assert_true(!end || h.cur_per_h[i] >= raw - 1e-9 * raw);
        }
        for (int i = 1; i < WEAR_HOLD_POINTS - 1; i++) {
            assert_true(h.per_kwh_h[i] >= h.per_kwh_h[i - 1]);
        }
        assert_near(h.soc_pu[0], b.soc_min_pu, 0.0);
        assert_near(h.soc_pu[WEAR_HOLD_POINTS - 1], b.soc_max_pu, 1e-12);
    }
}

static double rate_cur_per_h(const struct wear_rate *r, double w)
{
    return (r->linear_cur_per_wh + r->square_cur_per_w2h * w) * w;
}

/* "4.8 + 24.6 c" at 25 C and 30 % depth, of the reference. */
static void rate_costs_its_tangent(void **state)
{
    (void)state;
    struct site_battery b = study_battery(CHEMISTRY_LFP);
    struct wear_terms t = study_terms(LIFE_LFP_250, 25.0, 0.25);
    struct wear_rate r = wear_rate(&b, &t, 0.3);
    double no_reward = as_priced(LIFE_LFP_250, &t, 0.3, 1.0);
    /* half of it while charging, half while discharging */
    assert_near(2e6 * r.linear_cur_per_wh, 4.8 * no_reward, 0.06);
    assert_near(2e12 * r.square_cur_per_w2h, 24.6 * no_reward, 0.06);
    uint64_t seed = random_seed(SEED + 2);
    for (int round = 0; round < ROUNDS; round++) {
        b = random_battery(&seed);
        t = random_terms(&seed, &b);
        t.rate_per_h = random_draw(&seed, 0.0, 3.0);
        double depth_pu = random_draw(&seed, 0.0, 1.0);
        r = wear_rate(&b, &t, depth_pu);
        assert_true(r.linear_cur_per_wh >= 0.0 && r.square_cur_per_w2h >= 0.0);
        assert_true(isfinite(r.linear_cur_per_wh + r.square_cur_per_w2h));
        /* at its own rate the price itself */
        double own_w = b.energy_wh * clamp(t.rate_per_h, 0.0, 1.0);
        double want = wear_lambda_cur(&b) * wear_cycle_pu(&t, depth_pu) *
                      own_w / (2.0 * b.energy_wh);
        if (t.rate_per_h <= 1.0) {
            assert_near(rate_cur_per_h(&r, own_w), want, 1e-9 * want);
        }
    }
}

static void time_held_costs_its_days(void **state)
{
    (void)state;
    struct site_battery b = study_battery(CHEMISTRY_LFP);
    struct wear_terms t = study_terms(LIFE_LFP_250, 25.0, 0.25);
    struct life l;
    begin(&l, CHEMISTRY_LFP, 0.5, 25.0);
    for (int k = 0; k < 30 * 24; k++) {
        struct life_sample s = {
            .dt_s = 3600.0, .soc_pu = 0.5, .temp_c = 25.0, .rate_per_h = 0.0};
        assert_int_equal(life_feed(&l, &s), ERR_NONE);
    }
    struct wear_use use = {.efc = 0.0, .days = 30.0};
    double want = 30.0 * 24.0 * wear_hold_cur_per_h(&b, &t, 0.5);
    assert_near(wear_life_held_cur(&b, &l, LIFE_PRICE, &use), want,
                1e-3 * want);
    assert_near(wear_life_cur(&b, &l, LIFE_PRICE, &use), 0.0, 0.0);
    use.days = 0.0;
    assert_near(wear_life_held_cur(&b, &l, LIFE_PRICE, &use), 0.0, 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cycling_costs_what_the_study_says),
        cmocka_unit_test(holding_costs_what_the_study_says),
        cmocka_unit_test(the_table_of_the_reference_holds),
        cmocka_unit_test(xu_s_table_comes_back),
        cmocka_unit_test(heat_is_never_rewarded),
        cmocka_unit_test(holding_is_a_hull),
        cmocka_unit_test(rate_costs_its_tangent),
        cmocka_unit_test(time_held_costs_its_days),
    };
    return cmocka_run_group_tests_name("wear", tests, NULL, NULL);
}
