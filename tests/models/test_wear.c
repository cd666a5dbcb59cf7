/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/wear: prices against the reference's figures and against
 * what the life engine books for the same cycles. */
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

#define WEAR "../shared/vectors/wear/"

enum { SEED = 20261122, ROUNDS = 2000 };

/* cmocka 1.1.5 compares floats only */
static void assert_near(double got, double want, double by)
{
    if (!(fabs(got - want) <= by)) {
        fail_msg("%.17g instead of %.17g +- %g", got, want, by);
    }
}

/* 1 MWh at 100 per kWh without losses: currency per MWh. */
static struct site_battery study_battery(enum chemistry c)
{
    return (struct site_battery){
        .energy_wh = 1e6,
        .charge_max_w = 5e5,
        .discharge_max_w = 5e5,
        .efficiency_pu = 1.0,
        .soc_min_pu = 0.0,
        .soc_max_pu = 1.0,
        .chemistry = c,
        .replacement_per_kwh = 100.0,
    };
}

static struct wear_terms study_terms(enum life_model_id id, double temp_c,
                                     double rate_per_h)
{
    return (struct wear_terms){.model = id,
                               .temp_c = temp_c,
                               .rate_per_h = rate_per_h,
                               .mean_pu = 0.6,
                               .scale = 1.0};
}

static double study_cur(const struct wear_terms *t, double depth_pu)
{
    struct site_battery b = study_battery(CHEMISTRY_LFP);
    return wear_lambda_cur(&b) * wear_cycle_pu(t, depth_pu);
}

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

static struct site_battery random_battery(uint64_t *seed)
{
    double from = random_draw(seed, 0.0, 0.8);
    struct site_battery b = {
        .energy_wh = pow(10.0, random_draw(seed, 3.0, 9.0)),
        .efficiency_pu = random_draw(seed, 0.5, 1.0),
        .soc_min_pu = from,
        .soc_max_pu = random_draw(seed, from + 0.01, 1.0),
        .chemistry = (enum chemistry)random_draw(seed, 0.0, CHEMISTRY_COUNT),
        .replacement_per_kwh = random_draw(seed, 0.0, 1000.0),
    };
    b.charge_max_w = b.energy_wh * random_draw(seed, 0.01, 5.0);
    b.discharge_max_w = b.energy_wh * random_draw(seed, 0.01, 5.0);
    return b;
}

static struct wear_terms random_terms(uint64_t *seed,
                                      const struct site_battery *b)
{
    struct wear_terms t = wear_terms_new(
        b, random_draw(seed, 0.0, 1.0) < 0.5 ? LIFE_PRICE : LIFE_GUARD);
    t.temp_c = random_draw(seed, -60.0, 150.0);
    if (random_draw(seed, 0.0, 1.0) < 0.7) {
        t.lost_n_pu = random_draw(seed, 0.0, 0.5);
        t.lost_t_pu = random_draw(seed, 0.0, 0.5);
        t.scale = random_draw(seed, 0.25, 4.0);
    }
    return t;
}

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
        double x_w = random_draw(&seed, -b.discharge_max_w, b.charge_max_w);
        double at_w = random_draw(&seed, -b.discharge_max_w, b.charge_max_w);
        struct wear_line line = wear_rate_line(&r, at_w);
        double cost = wear_rate_cur_per_h(&r, x_w);
        double floor =
            line.slope_cur_per_wh * fabs(x_w) + line.offset_cur_per_h;
        double touch =
            line.slope_cur_per_wh * fabs(at_w) + line.offset_cur_per_h;
        assert_true(floor <= cost + 1e-9 * (cost + 1.0));
        assert_near(touch, wear_rate_cur_per_h(&r, at_w),
                    1e-9 * (fabs(touch) + 1.0));
        /* and at its own rate the price itself */
        double own_w = b.energy_wh * clamp(t.rate_per_h, 0.0, 1.0);
        double want = wear_lambda_cur(&b) * wear_cycle_pu(&t, depth_pu) *
                      own_w / (2.0 * b.energy_wh);
        if (t.rate_per_h <= 1.0) {
            assert_near(wear_rate_cur_per_h(&r, own_w), want, 1e-9 * want);
        }
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

static void begin(struct life *l, enum chemistry c, double soc_pu,
                  double temp_c)
{
    life_init(l, c, RAINFLOW_DEPTH);
    struct life_sample s = {
        .soc_pu = soc_pu, .temp_c = temp_c, .rate_per_h = 0.0};
    assert_int_equal(life_feed(l, &s), ERR_NONE);
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
        cmocka_unit_test(segments_rise_whatever_the_battery),
        cmocka_unit_test(holding_is_a_hull),
        cmocka_unit_test(rate_costs_its_tangent),
        cmocka_unit_test(segments_say_what_the_engine_books),
        cmocka_unit_test(the_secant_pays_for_the_budget),
        cmocka_unit_test(what_segments_hold_follows_from_the_turning_points),
        cmocka_unit_test(a_window_bounds_what_segments_hold),
        cmocka_unit_test(ripple_pays),
        cmocka_unit_test(time_held_costs_its_days),
    };
    return cmocka_run_group_tests_name("wear", tests, NULL, NULL);
}
