/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/outlook: what a statistician would expect, a synthetic and
 * a measured year, hostile and missing slots. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/outlook.h"
#include "models/random.h"

enum { HOUR_MS = 3600 * 1000, DAY = 24, WEEK = 168, YEAR = 8760 };

#define EPEX "../shared/prices/epex_de_da_hourly_2017.csv"

static const int64_t START_MS = 1483228800000; /* 2017-01-01, a Sunday */
static const struct outlook_cfg HOURLY = {3600.0, 48, -INFINITY, INFINITY};

static struct outlook *fresh(const struct outlook_cfg *cfg)
{
    struct outlook *o = malloc(sizeof(*o));
    assert_non_null(o);
    outlook_init(o, cfg);
    return o;
}

static double gauss(uint64_t *r)
{
    double sum = 0.0;
    for (int i = 0; i < 12; i++) {
        sum += random_draw(r, -0.5, 0.5);
    }
    return sum;
}

/* A site's load by the hour: day, week, a season of the year, weather. */
static void synthetic_year(double *y, uint64_t seed)
{
    uint64_t r = random_seed(seed);
    double weather = 0.0;
    for (int i = 0; i < YEAR; i++) {
        int hour = i % DAY;
        int weekday = (i / DAY + 6) % 7;
        double day = 8.0 * sin((hour - 8) * acos(-1.0) / 12.0);
        double week = weekday >= 5 ? -6.0 : 0.0;
        double season = 5.0 * sin(2.0 * acos(-1.0) * i / YEAR);
        weather = 0.97 * weather + 0.5 * gauss(&r);
        y[i] = (60.0 + day + week + season + weather + gauss(&r)) * 1e6;
    }
}

struct score {
    double error;    /* mean |error| 24 h ahead */
    double seasonal; /* of the same hour a week before */
    double covered;  /* by the 10 to 90 % band */
};

static struct score backtest(const double *y, int n, int lead)
{
    struct outlook *o = fresh(&HOURLY);
    struct outlook_at *at = calloc((size_t)n + 48, sizeof(*at));
    assert_non_null(at);
    struct score s = {0};
    int scored = 0;
    for (int i = 0; i < n; i++) {
        if (i >= 5 * WEEK) {
            s.error += fabs(at[i].mean - y[i]);
            s.seasonal += fabs(y[i - WEEK] - y[i]);
            s.covered += y[i] >= at[i].q10 && y[i] <= at[i].q90;
            scored++;
        }
        outlook_feed(o, START_MS + (int64_t)i * HOUR_MS, y[i]);
        at[i + lead] = outlook_ahead(o, lead);
    }
    s.error /= scored;
    s.seasonal /= scored;
    s.covered /= scored;
    free(at);
    free(o);
    return s;
}

static void year_of_load_beats_the_week_before(void **state)
{
    (void)state;
    static double y[YEAR];
    for (uint64_t seed = 1; seed <= 3; seed++) {
        synthetic_year(y, seed);
        struct score s = backtest(y, YEAR, DAY);
        print_message("seed %llu: MASE %.3f, covered %.3f\n",
                      (unsigned long long)seed, s.error / s.seasonal,
                      s.covered);
        assert_true(s.error < 0.8 * s.seasonal);
        assert_true(s.covered > 0.77 && s.covered < 0.83);
    }
}

static void year_of_prices_beats_the_week_before(void **state)
{
    (void)state;
    static double y[YEAR];
    FILE *f = fopen(EPEX, "r");
    if (f == NULL) {
        print_message("skip: " EPEX " is not there\n");
        skip();
    }
    char line[128];
    assert_non_null(fgets(line, sizeof(line), f));
    int n = 0;
    while (n < YEAR && fgets(line, sizeof(line), f) != NULL) {
        y[n++] = strtod(strchr(line, ',') + 1, NULL);
    }
    fclose(f);
    struct score s = backtest(y, n, DAY);
    print_message("MASE %.3f, covered %.3f\n", s.error / s.seasonal, s.covered);
    assert_true(s.error < 0.8 * s.seasonal);
    assert_true(s.covered > 0.77 && s.covered < 0.83);
}

static void constant_stays(void **state)
{
    (void)state;
    struct outlook *o = fresh(&HOURLY);
    for (int i = 0; i < 3 * WEEK; i++) {
        outlook_feed(o, START_MS + (int64_t)i * HOUR_MS, 42e6);
        for (int k = 1; k <= 48; k++) {
            struct outlook_at a = outlook_ahead(o, k);
            assert_true(fabs(a.mean - 42e6) < 1e3);
            assert_true(fabs(a.q90 - a.q10) < 1e4);
        }
    }
    free(o);
}

static void noise_gives_its_mean_and_its_band(void **state)
{
    (void)state;
    uint64_t r = random_seed(7);
    static double y[YEAR];
    for (int i = 0; i < YEAR; i++) {
        y[i] = 100.0 + gauss(&r);
    }
    struct score s = backtest(y, YEAR, DAY);
    double best = sqrt(2.0 / acos(-1.0)); /* mean |N(0, 1)| */
    assert_true(s.error < 1.12 * best && s.error > 0.95 * best);
    assert_true(s.covered > 0.77 && s.covered < 0.83);
}

static void new_level_is_followed(void **state)
{
    (void)state;
    struct outlook *o = fresh(&HOURLY);
    uint64_t r = random_seed(3);
    for (int i = 0; i < 8 * WEEK; i++) {
        double level = i < 6 * WEEK ? 50.0 : 80.0;
        outlook_feed(o, START_MS + (int64_t)i * HOUR_MS, level + gauss(&r));
        if (i == 6 * WEEK + DAY) {
            assert_true(outlook_ahead(o, 1).mean > 65.0);
        }
    }
    assert_true(fabs(outlook_ahead(o, DAY).mean - 80.0) < 3.0);
    free(o);
}

static void announced_job_is_added(void **state)
{
    (void)state;
    struct outlook *o = fresh(&HOURLY);
    for (int i = 0; i < 2 * WEEK; i++) {
        outlook_feed(o, START_MS + (int64_t)i * HOUR_MS, 10e6);
    }
    int64_t next_ms = START_MS + (int64_t)(2 * WEEK) * HOUR_MS;
    outlook_announce(o, next_ms + HOUR_MS + HOUR_MS / 4, 4e6);
    outlook_announce(o, next_ms, NAN);
    assert_true(fabs(outlook_ahead(o, 1).mean - 10e6) < 1e3);
    assert_true(fabs(outlook_ahead(o, 2).mean - 13e6) < 1e3);
    assert_true(fabs(outlook_ahead(o, 3).mean - 14e6) < 1e3);
    for (int i = 0; i < 3; i++) {
        outlook_feed(o, next_ms + i * HOUR_MS, i < 1 ? 10e6 : 14e6);
    }
    assert_true(outlook_ahead(o, 1).mean < 14.5e6); /* not counted twice */
    free(o);
}

/* Jobs whose ends are followed by the next within the hour: what is announced
 * goes as quickly.  Jobs that leave a site idle for days do not. */
static void announced_change_lasts_as_others_did(void **state)
{
    (void)state;
    for (int lasting = 0; lasting < 2; lasting++) {
        struct outlook *o = fresh(&HOURLY);
        uint64_t r = random_seed(11);
        bool down = false;
        for (int i = 0; i < 4 * WEEK; i++) {
            bool turns = random_draw(&r, 0.0, 1.0) < (lasting ? 0.02 : 0.05);
            down = lasting ? turns != down : turns;
            down = down && i < 4 * WEEK - DAY; /* up for the last day */
            outlook_feed(o, START_MS + (int64_t)i * HOUR_MS, down ? 6e6 : 10e6);
        }
        double usual_w = outlook_ahead(o, 8).mean;
        outlook_announce(o, START_MS + (int64_t)(4 * WEEK) * HOUR_MS, -4e6);
        double left_w = usual_w - outlook_ahead(o, 8).mean;
        assert_true(outlook_ahead(o, 1).mean < 7e6);
        assert_true(lasting ? left_w > 2e6 : left_w < 0.2e6);
        free(o);
    }
}

static void limits_of_the_series_hold(void **state)
{
    (void)state;
    struct outlook_cfg cfg = {3600.0, 48, 0.0, 12.0};
    struct outlook *o = fresh(&cfg);
    uint64_t r = random_seed(5);
    for (int i = 0; i < 4 * WEEK; i++) {
        double y = 12.0 * (i % DAY > 8) + gauss(&r);
        outlook_feed(o, START_MS + (int64_t)i * HOUR_MS, y);
        for (int k = 1; k <= 48; k++) {
            struct outlook_at a = outlook_ahead(o, k);
            assert_true(a.q10 >= 0.0 && a.q90 <= 12.0);
            assert_true(a.q10 <= a.q50 && a.q50 <= a.q90);
        }
    }
    free(o);
}

static void nothing_is_said_of_nothing(void **state)
{
    (void)state;
    struct outlook *o = fresh(&HOURLY);
    assert_true(isnan(outlook_ahead(o, 1).mean));
    outlook_feed(o, START_MS, NAN);
    assert_true(isnan(outlook_ahead(o, 48).mean));
    outlook_feed(o, START_MS + HOUR_MS, 5.0);
    assert_true(fabs(outlook_ahead(o, 48).mean - 5.0) < 1e-6);
    free(o);
}

static void clock_that_goes_back_changes_nothing(void **state)
{
    (void)state;
    struct outlook *o = fresh(&HOURLY);
    struct outlook *before = fresh(&HOURLY);
    for (int i = 0; i < WEEK; i++) {
        outlook_feed(o, START_MS + (int64_t)i * HOUR_MS, i % 24);
    }
    memcpy(before, o, sizeof(*o));
    outlook_feed(o, START_MS, 1e9);
    outlook_feed(o, -5, 1e9);
    assert_memory_equal(before, o, sizeof(*o));
    free(before);
    free(o);
}

/* Property: whatever comes, what is said is finite and in order. */
static void hostile_series_stay_finite(void **state)
{
    (void)state;
    static const double WILD[] = {
        NAN, INFINITY, -INFINITY, 1e300, -1e300, 0.0, 5e-324, 1e29, -1e29,
    };
    for (uint64_t seed = 1; seed <= 40; seed++) {
        uint64_t r = random_seed(seed);
        struct outlook *o = fresh(&HOURLY);
        double share = random_draw(&r, 0.0, 1.0);
        int64_t at = START_MS;
        bool heard = false;
        for (int i = 0; i < 900; i++) {
            double y = 50.0 + gauss(&r);
            if (random_draw(&r, 0.0, 1.0) < share) {
                y = WILD[(int)random_draw(&r, 0.0, 9.0)];
            }
            at += HOUR_MS * (int64_t)random_draw(&r, -1.0, 4.0);
            outlook_feed(o, at, y);
            heard = heard || o->n_finite > 0;
            struct outlook_at a =
                outlook_ahead(o, (int64_t)random_draw(&r, 1.0, 49.0));
            if (heard && !(isfinite(a.mean) && isfinite(a.q10) &&
                           isfinite(a.q90) && a.q10 <= a.q90)) {
                fail_msg("seed %llu, slot %d: %g (%g .. %g)",
                         (unsigned long long)seed, i, a.mean, a.q10, a.q90);
            }
        }
        free(o);
    }
}

/* Days alike but for noise: their mean is the best there is, and it is known
 * to be after a few of them, with no week gone by.  A copy of the day before
 * errs by the square root of two. */
static void days_alike_are_averaged(void **state)
{
    (void)state;
    uint64_t r = random_seed(20261121);
    struct outlook *o = fresh(&HOURLY);
    double error = 0.0;
    double noise = 0.0;
    enum { DAYS = 20, FROM = 5 };
    double said[DAYS * DAY + DAY] = {0};
    for (int i = 0; i < DAYS * DAY; i++) {
        double usual = 100.0 + 20.0 * sin(i % DAY * acos(-1.0) / 12.0);
        double y = usual + 5.0 * gauss(&r);
        if (i >= FROM * DAY) {
            error += fabs(said[i] - y);
            noise += fabs(usual - y);
        }
        outlook_feed(o, START_MS + (int64_t)i * HOUR_MS, y);
        said[i + DAY] = outlook_ahead(o, DAY).mean;
    }
    print_message("error %.3f of the noise\n", error / noise);
    assert_true(error < 1.17 * noise);
    free(o);
}

/* The copy of a week before begins to speak after a week.  Of a series that is
 * far from weekly it must not be listened to for being new. */
static void a_new_voice_has_no_head_start(void **state)
{
    (void)state;
    uint64_t r = random_seed(7);
    struct outlook *o = fresh(&HOURLY);
    double said[12 * DAY] = {0};
    double error[2] = {0.0, 0.0}; /* the days before and after it begins */
    for (int i = 0; i < 11 * DAY; i++) {
        double step = i >= 6 * DAY ? 50.0 : 0.0; /* unlike the week before */
        double y = 100.0 + step + gauss(&r);
        int day = i / DAY;
        if (day >= 9) {
            error[1] += fabs(said[i] - y);
        }
        if (day >= 4 && day < 6) {
            error[0] += fabs(said[i] - y);
        }
        outlook_feed(o, START_MS + (int64_t)i * HOUR_MS, y);
        said[i + DAY] = outlook_ahead(o, DAY).mean;
    }
    print_message("error %.2f before, %.2f after\n", error[0] / 48.0,
                  error[1] / 48.0);
    assert_true(error[1] < 1.8 * error[0]);
    free(o);
}

static void gaps_are_bridged(void **state)
{
    (void)state;
    static double y[YEAR];
    synthetic_year(y, 9);
    struct outlook *whole = fresh(&HOURLY);
    struct outlook *holes = fresh(&HOURLY);
    uint64_t r = random_seed(9);
    double error = 0.0;
    double error_whole = 0.0;
    for (int i = 0; i + 1 < 20 * WEEK; i++) {
        int64_t at = START_MS + (int64_t)i * HOUR_MS;
        outlook_feed(whole, at, y[i]);
        double kind = random_draw(&r, 0.0, 1.0);
        if (kind > 0.1) {
            outlook_feed(holes, at, kind < 0.2 ? NAN : y[i]);
        }
        if (i > 5 * WEEK && kind > 0.2) {
            error += fabs(outlook_ahead(holes, DAY).mean - y[i + DAY]);
            error_whole += fabs(outlook_ahead(whole, DAY).mean - y[i + DAY]);
        }
    }
    assert_true(error < 1.15 * error_whole);
    free(whole);
    free(holes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(year_of_load_beats_the_week_before),
        cmocka_unit_test(year_of_prices_beats_the_week_before),
        cmocka_unit_test(constant_stays),
        cmocka_unit_test(noise_gives_its_mean_and_its_band),
        cmocka_unit_test(new_level_is_followed),
        cmocka_unit_test(announced_job_is_added),
        cmocka_unit_test(announced_change_lasts_as_others_did),
        cmocka_unit_test(limits_of_the_series_hold),
        cmocka_unit_test(nothing_is_said_of_nothing),
        cmocka_unit_test(clock_that_goes_back_changes_nothing),
        cmocka_unit_test(hostile_series_stay_finite),
        cmocka_unit_test(days_alike_are_averaged),
        cmocka_unit_test(a_new_voice_has_no_head_start),
        cmocka_unit_test(gaps_are_bridged),
    };
    return cmocka_run_group_tests_name("outlook", tests, NULL, NULL);
}
