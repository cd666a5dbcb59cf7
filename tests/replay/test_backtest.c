/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of replay/backtest: errors computed by hand, what is scored and what
 * is not, and that nothing is known before it happens. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/random.h"
#include "replay/backtest.h"

enum { N_MAX = 2000 };

/* Says 'factor' times the newest value, 5 either way. */
struct fake {
    const double *y; /* to know the future, for an oracle; else NULL */
    const int64_t *lead;
    double factor;
    double newest;
    int64_t fed;
    double period_s;
};

static void fake_feed(void *state, double y)
{
    struct fake *f = state;
    f->fed++;
    f->newest = isnan(y) ? f->newest : y;
}

static struct forecast_at fake_ask(void *state, int horizon)
{
    const struct fake *f = state;
    double x = f->y != NULL ? f->y[f->fed - 1 + f->lead[horizon]]
                            : f->factor * f->newest;
    return (struct forecast_at){x, x - 9, x - 5, x, x + 5, x + 9};
}

static int fake_periods(void *state, double out[FORECAST_PERIODS_MAX])
{
    const struct fake *f = state;
    out[0] = f->period_s;
    return f->period_s > 0.0;
}

struct rig {
    struct fake fake;
    struct observed series;
    struct backtest_cfg cfg;
    struct backtest_result results[FORECAST_HORIZONS_MAX];
    struct backtest_periods periods;
    uint8_t part[N_MAX];
};

static void open_rig(struct rig *r, double *y, size_t n)
{
    *r = (struct rig){.fake = {.factor = 2.0, .newest = NAN}};
    r->series = (struct observed){
        .unit = "W", .step_s = 1.0, .n = n, .y = y, .part = r->part};
    r->cfg = (struct backtest_cfg){
        .series = &r->series,
        .model = {&r->fake, fake_feed, fake_ask, fake_periods, NULL, 8},
        .lead = {1},
        .n_leads = 1,
        .season_s = 2.0,
    };
    r->fake.lead = r->cfg.lead;
}

static void run(struct rig *r)
{
    assert_int_equal(backtest_run(&r->cfg, r->results, &r->periods, NULL),
                     ERR_NONE);
}

static void same(double got, double want)
{
    if (!(fabs(got - want) <= 1e-9 * fmax(1.0, fabs(want)))) {
        fail_msg("got %.12g, want %.12g", got, want);
    }
}

static void errors_by_hand(void **state)
{
    (void)state;
    double y[] = {10, 20, 10, 40, 20, 80};
    struct rig r;
    open_rig(&r, y, 6);
    run(&r);
    const struct backtest_score *s = r.results[0].score;
    assert_int_equal(r.results[0].n, 5);
    assert_int_equal(r.results[0].n_unscored, 0);
    /* 20, 40, 20, 80, 40 were said */
    same(s[BACKTEST_OURS].mae_w, 30.0);
    same(s[BACKTEST_OURS].mape_pu, 1.4);
    same(s[BACKTEST_OURS].rmse_w, sqrt(1300.0));
    same(s[BACKTEST_OURS].pinball_w, 14.0);
    same(s[BACKTEST_OURS].in80_pu, 0.2);
    same(s[BACKTEST_OURS].mean_width_w, 10.0);
    /* 10, 20, 10, 40, 20 */
    same(s[BACKTEST_PERSISTENCE].mae_w, 26.0);
    same(s[BACKTEST_PERSISTENCE].mape_pu, 0.8);
    same(s[BACKTEST_PERSISTENCE].rmse_w, sqrt(1020.0));
    /* no value two before the first, then 10, 20, 10, 40 */
    same(s[BACKTEST_SEASONAL].mae_w, 16.0);
    same(backtest_mase(&r.cfg, &r.results[0]), 30.0 / 16.0);
}

static void first_band_of_a_copy_has_no_width(void **state)
{
    (void)state;
    double y[] = {10, 20, 10};
    struct rig r;
    open_rig(&r, y, 3);
    run(&r);
    /* 10 for 20: half of each 10; 20 for 10 with the band that an error of 10
     * makes: 1.61 mean errors of a Laplace distribution, tracked one step */
    double first = (0.1 * 10 + 0.5 * 10 + 0.9 * 10) / 3.0;
    double pinball = r.results[0].score[BACKTEST_PERSISTENCE].pinball_w;
    assert_true(pinball > first / 2.0 && pinball < first);
}

static void what_is_scored(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        double warmup_s;
        int64_t lead;
        int hole, part; /* index of a missing value, of a new part; -1 none */
        int n, n_unscored;
    } cases[] = {
        {"all", 0, 1, -1, -1, 9, 0},
        {"from the warm-up on", 3, 1, -1, -1, 6, 0},
        {"between two steps", 3.5, 1, -1, -1, 5, 0},
        {"three ahead", 0, 3, -1, -1, 7, 0},
        {"a hole spoils two", 0, 1, 4, -1, 7, 2},
        {"two ahead, a hole at the end", 0, 2, 9, -1, 7, 1},
        {"a hole in the warm-up", 6, 1, 4, -1, 3, 0},
        {"across parts", 0, 1, -1, 5, 8, 1},
        {"three across parts", 0, 3, -1, 5, 4, 3},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        double y[10] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
        struct rig r;
        open_rig(&r, y, 10);
        r.cfg.warmup_s = cases[i].warmup_s;
        r.cfg.lead[0] = cases[i].lead;
        if (cases[i].hole >= 0) {
            y[cases[i].hole] = NAN;
        }
        for (int k = cases[i].part; k >= 0 && k < 10; k++) {
            r.part[k] = 1;
        }
        run(&r);
        if (r.results[0].n != cases[i].n ||
            r.results[0].n_unscored != cases[i].n_unscored) {
            fail_msg("%s: %d scored, %d not", cases[i].what,
                     (int)r.results[0].n, (int)r.results[0].n_unscored);
        }
    }
}

static void relative_error_needs_a_sign(void **state)
{
    (void)state;
    double with_zero[] = {2, 4, 0, 4, 8};
    struct rig r;
    open_rig(&r, with_zero, 5);
    run(&r);
    /* 4 for 4, 8 for 0 left out, 0 for 4, 8 for 8 */
    same(r.results[0].score[BACKTEST_OURS].mape_pu, 1.0 / 3.0);
    double below_zero[] = {2, 4, -1, 4, 8};
    open_rig(&r, below_zero, 5);
    run(&r);
    assert_true(isnan(r.results[0].score[BACKTEST_OURS].mape_pu));
    assert_true(isfinite(r.results[0].score[BACKTEST_OURS].rmse_w));
}

static void nothing_scored_is_no_number(void **state)
{
    (void)state;
    double y[] = {NAN, NAN, NAN};
    struct rig r;
    open_rig(&r, y, 3);
    run(&r);
    assert_int_equal(r.results[0].n, 0);
    assert_int_equal(r.results[0].n_unscored, 2);
    assert_true(isnan(r.results[0].score[BACKTEST_OURS].mape_pu));
    assert_true(isnan(r.results[0].score[BACKTEST_OURS].pinball_w));
}

/* Of an oracle nothing is left: forecasts and what came meet at the right
 * step, at every horizon. */
static void oracle_is_perfect(void **state)
{
    (void)state;
    static double y[N_MAX];
    uint64_t random = random_seed(7);
    for (int k = 0; k < N_MAX; k++) {
        y[k] = random_draw(&random, 1.0, 100.0);
    }
    struct rig r;
    open_rig(&r, y, N_MAX - 50);
    r.fake.y = y;
    r.cfg.n_leads = 4;
    r.cfg.lead[1] = 2;
    r.cfg.lead[2] = 7;
    r.cfg.lead[3] = 50;
    r.cfg.warmup_s = 100.0;
    run(&r);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(r.results[i].n, N_MAX - 50 - 100 - r.cfg.lead[i]);
        same(r.results[i].score[BACKTEST_OURS].mae_w, 0.0);
        same(r.results[i].score[BACKTEST_OURS].in98_pu, 1.0);
        assert_true(r.results[i].score[BACKTEST_PERSISTENCE].mae_w > 20.0);
    }
}

/* Persistence and the season's copy against a plain loop. */
static void baselines_agree_with_a_plain_loop(void **state)
{
    (void)state;
    static double y[N_MAX];
    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint64_t random = random_seed(seed);
        size_t n = (size_t)random_draw(&random, 100, N_MAX);
        int lead = (int)random_draw(&random, 1, 40);
        int season = (int)random_draw(&random, 1, 60);
        for (size_t k = 0; k < n; k++) {
            y[k] = random_draw(&random, -10.0, 100.0);
        }
        struct rig r;
        open_rig(&r, y, n);
        r.cfg.lead[0] = lead;
        r.cfg.season_s = season;
        run(&r);
        int back = season * ((lead + season - 1) / season);
        double kept = 0.0;
        double copied = 0.0;
        for (size_t k = (size_t)lead; k < n; k++) {
            double last = y[k - (size_t)lead];
            kept += fabs(y[k] - last);
            copied +=
                fabs(y[k] - (k >= (size_t)back ? y[k - (size_t)back] : last));
        }
        double m = (double)(n - (size_t)lead);
        same(r.results[0].score[BACKTEST_PERSISTENCE].mae_w, kept / m);
        same(r.results[0].score[BACKTEST_SEASONAL].mae_w, copied / m);
        assert_true(isnan(r.results[0].score[BACKTEST_SEASONAL_LONG].mae_w));
    }
}

static void learned_season_is_used_as_soon_as_it_is_there(void **state)
{
    (void)state;
    double y[] = {1, 5, 1, 5, 1, 5, 1, 5};
    struct rig r;
    open_rig(&r, y, 8);
    r.cfg.season_s = 0.0;
    run(&r);
    same(r.results[0].score[BACKTEST_SEASONAL].mae_w, 4.0);
    assert_int_equal(r.periods.n, 0);
    open_rig(&r, y, 8);
    r.cfg.season_s = 0.0;
    r.fake.period_s = 2.2; /* two steps */
    run(&r);
    same(r.results[0].score[BACKTEST_SEASONAL].mae_w, 4.0 / 7.0);
    assert_int_equal(r.periods.n, 1);
}

static void long_season_runs_beside(void **state)
{
    (void)state;
    double y[] = {1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4};
    struct rig r;
    open_rig(&r, y, 12);
    r.cfg.season_long_s = 4.0;
    r.cfg.warmup_s = 4.0;
    run(&r);
    same(r.results[0].score[BACKTEST_SEASONAL].mae_w, 2.0);
    same(r.results[0].score[BACKTEST_SEASONAL_LONG].mae_w, 0.0);
}

static void drawn_is_of_the_step_it_was_said_of(void **state)
{
    (void)state;
    double y[] = {1, 2, 3, 4, 5, 6};
    double arrays[3][6];
    struct backtest_drawn drawn = {arrays[0], arrays[1], arrays[2]};
    struct rig r;
    open_rig(&r, y, 6);
    r.cfg.lead[0] = 2;
    assert_int_equal(backtest_run(&r.cfg, r.results, &r.periods, &drawn),
                     ERR_NONE);
    assert_true(isnan(arrays[0][0]) && isnan(arrays[1][1]));
    for (int k = 2; k < 6; k++) {
        same(arrays[0][k], 2.0 * y[k - 2]);
        same(arrays[1][k], 2.0 * y[k - 2] - 5.0);
        same(arrays[2][k], 2.0 * y[k - 2] + 5.0);
    }
}

static void bands_of_the_baselines_are_honest(void **state)
{
    (void)state;
    static double y[N_MAX];
    uint64_t random = random_seed(11);
    for (int k = 0; k < N_MAX; k++) {
        y[k] = 100.0 + random_draw(&random, -10.0, 10.0);
    }
    struct rig r;
    open_rig(&r, y, N_MAX);
    r.cfg.lead[0] = 10;
    r.cfg.warmup_s = 200.0;
    run(&r);
    for (int w = BACKTEST_PERSISTENCE; w <= BACKTEST_SEASONAL; w++) {
        double in80_pu = r.results[0].score[w].in80_pu;
        assert_true(in80_pu > 0.77 && in80_pu < 0.83);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_by_hand),
        cmocka_unit_test(first_band_of_a_copy_has_no_width),
        cmocka_unit_test(what_is_scored),
        cmocka_unit_test(relative_error_needs_a_sign),
        cmocka_unit_test(nothing_scored_is_no_number),
        cmocka_unit_test(oracle_is_perfect),
        cmocka_unit_test(baselines_agree_with_a_plain_loop),
        cmocka_unit_test(learned_season_is_used_as_soon_as_it_is_there),
        cmocka_unit_test(long_season_runs_beside),
        cmocka_unit_test(drawn_is_of_the_step_it_was_said_of),
        cmocka_unit_test(bands_of_the_baselines_are_honest),
    };
    return cmocka_run_group_tests_name("backtest", tests, NULL, NULL);
}
