/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/step/month: a clock that is wrong for a while costs no
 * peak. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "controller/step/month.h"
#include "models/random.h"

enum { SEED = 20261121, WALKS = 300 };

static const int64_t MONTH_MS = INT64_C(30) * 86400000;

/* Months by number; '1' is the first. */
static int64_t from_of(int month)
{
    return month * MONTH_MS;
}

/* Minutes in a month with a mean of 'mean_w' that is over at their end. */
static void live(struct month *m, int month, int minutes, double mean_w)
{
    for (int k = 0; k < 600 * minutes; k++) {
        month_step(m, from_of(month), 0.1);
    }
    m->peak_w = fmax(m->peak_w, mean_w);
}

struct stay {
    int month; /* 0: none */
    int minutes;
    double mean_w;
    double peak_w; /* then */
};

static void run(const char *what, struct month *m, const struct stay *stays)
{
    for (int i = 0; i < 6 && stays[i].month != 0; i++) {
        live(m, stays[i].month, stays[i].minutes, stays[i].mean_w);
        if (!(fabs(m->peak_w - stays[i].peak_w) <= 0.0)) {
            fail_msg("%s: stay %d: %g, not %g", what, i, m->peak_w,
                     stays[i].peak_w);
        }
    }
}

static void a_month_that_was_left_in_error_comes_back(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct stay stays[6];
    } cases[] = {
        {"a month ends", {{5, 60, 9, 9}, {6, 60, 4, 4}, {7, 60, 1, 1}}},
        {"ahead and back", {{5, 60, 9, 9}, {6, 1, 3, 3}, {5, 1, 2, 9}}},
        {"far, for hours", {{5, 60, 9, 9}, {99, 300, 3, 3}, {5, 1, 2, 9}}},
        {"back and ahead", {{5, 60, 9, 9}, {4, 1, 3, 3}, {5, 1, 2, 9}}},
        {"through several",
         {{5, 60, 9, 9},
          {6, 1, 3, 3},
          {8, 9, 1, 1},
          {1, 2, 1, 1},
          {5, 1, 2, 9}}},
        {"twice",
         {{5, 60, 9, 9},
          {6, 1, 3, 3},
          {5, 1, 9.5, 9.5},
          {6, 1, 1, 1},
          {5, 1, 2, 9.5}}},
        {"back over a month's end",
         {{5, 60, 9, 9}, {6, 60, 4, 4}, {5, 1, 1, 9}, {6, 1, 1, 4}}},
        {"just begun", {{5, 1, 9, 9}, {6, 1, 3, 3}, {5, 1, 1, 9}}},
        {"two months that both were long",
         {{5, 60, 9, 9}, {6, 60, 3, 3}, {7, 60, 2, 2}, {5, 1, 1, 1}}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct month m = {0};
        run(cases[i].what, &m, cases[i].stays);
    }
}

static void another_run_goes_on_from_it(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct stay before;
        struct stay glitch;
        int starts_in;
        bool goes_on;
        struct stay after[3];
    } cases[] = {
        {"the same month", {5, 60, 9, 9}, {0}, 5, true, {{5, 60, 2, 9}}},
        {"the next one", {5, 60, 9, 9}, {0}, 6, false, {{6, 60, 2, 2}}},
        {"a clock that begins at zero, then is set",
         {5, 60, 9, 9},
         {0},
         1,
         false,
         {{1, 1, 2, 2}, {5, 60, 3, 9}}},
        {"saved in error, started rightly",
         {5, 60, 9, 9},
         {7, 2, 3, 3},
         5,
         false,
         {{5, 60, 2, 9}}},
        {"saved and started in error",
         {5, 60, 9, 9},
         {7, 2, 3, 3},
         8,
         false,
         {{8, 1, 2, 2}, {5, 60, 3, 9}}},
        {"in error within minutes of a restart",
         {5, 60, 9, 9},
         {0},
         5,
         true,
         {{5, 1, 2, 9}, {6, 1, 1, 1}, {5, 60, 2, 9}}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct month m = {0};
        const struct stay before[6] = {cases[i].before, cases[i].glitch};
        const struct stay after[6] = {cases[i].after[0], cases[i].after[1],
                                      cases[i].after[2]};
        run(cases[i].what, &m, before);
        struct month r = {.peak_w = 1e9};
        bool goes_on = month_resume(&r, &m, from_of(5) + MONTH_MS / 2,
                                    from_of(cases[i].starts_in));
        assert_int_equal(goes_on, cases[i].goes_on);
        run(cases[i].what, &r, after);
    }
}

static void what_is_not_dated_or_of_another_zone_goes_on(void **state)
{
    (void)state;
    const struct month dated = {.peak_w = 7.0, .from_ms = from_of(5)};
    const struct month undated = {.peak_w = 7.0};
    const int64_t hours_ms = 20 * 3600000;
    struct month m;
    assert_true(month_resume(&m, &dated, 0, from_of(5) - hours_ms));
    assert_true(month_resume(&m, &dated, 0, from_of(5) + hours_ms));
    assert_true(fabs(m.peak_w - 7.0) <= 0.0);
    assert_true(month_resume(&m, &undated, from_of(5) + 1, from_of(5)));
    assert_true(fabs(m.peak_w - 7.0) <= 0.0);
    assert_false(month_resume(&m, &undated, from_of(5) - 1, from_of(5)));
    assert_true(fabs(m.peak_w) <= 0.0);
}

/* However the clock errs, for less long than it takes to be believed: where it
 * is back, the peak is what was seen in the true month. */
static void no_walk_loses_the_peak(void **state)
{
    (void)state;
    print_message("seed %d\n", SEED);
    uint64_t random = random_seed(SEED);
    for (int walk = 0; walk < WALKS; walk++) {
        struct month m = {0};
        live(&m, 5, 11, 1.0);
        double true_w = 1.0;
        for (int k = 0; k < 9; k++) {
            double w = random_draw(&random, 1.0, 9.0);
            bool errs = random_draw(&random, 0.0, 1.0) < 0.6;
            int month = errs ? 6 + (int)random_draw(&random, 0.0, 4.0) : 5;
            live(&m, month, errs ? 1 : 11, w);
            true_w = errs ? true_w : fmax(true_w, w);
        }
        live(&m, 5, 1, 0.0);
        assert_true(fabs(m.peak_w - true_w) <= 0.0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_month_that_was_left_in_error_comes_back),
        cmocka_unit_test(another_run_goes_on_from_it),
        cmocka_unit_test(what_is_not_dated_or_of_another_zone_goes_on),
        cmocka_unit_test(no_walk_loses_the_peak),
    };
    return cmocka_run_group_tests_name("controller/step/month", tests, NULL,
                                       NULL);
}
