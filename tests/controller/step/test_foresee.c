/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/step/foresee: slots of the clock, markers once, one
 * series a tick, gaps, restarts. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "controller/step/carry.h"
#include "controller/step/foresee.h"
#include "controller/step/foresight.h"
#include "models/random.h"
#include "tests/controller/step/foresee_fixture.h"
#include "tests/loop_fixture.h"

static void slots_are_those_of_the_clock(void **state)
{
    struct fixture *x = *state;
    x->loop.in->utc_ms += 400 * 1000; /* LOOP_UTC_MS is a full hour */
    int64_t first = LOOP_UTC_MS / FORESEE_SLOT_MS;
    ticks(x, 499, 80e6); /* until just before 00:15 */
    assert_int_equal(x->f->load.n, 0);
    ticks(x, SLOT_S / 2, 40e6);
    ticks(x, SLOT_S / 2, 60e6);
    ticks(x, 20, 90e6);
    assert_int_equal(x->f->load.newest, first + 1);
    assert_near((double)x->f->load.last, 50e6, 1.0);
    assert_int_equal(x->f->load.n_finite, 2); /* 499 of 900 s are enough */
    assert_near((double)foresee_class(x->f, 0)->last, 37.5e6, 1.0);
    assert_near((double)foresee_class(x->f, 1)->last, 12.5e6, 1.0);
    assert_int_equal(foresee_class(x->f, 2)->n_finite, 0);
}

static void less_than_half_a_slot_is_a_gap(void **state)
{
    struct fixture *x = *state;
    ticks(x, SLOT_S + 10, 80e6);
    x->loop.site->grid.meter.present = true;
    x->loop.cfg->site.grid.meter.present = true;
    x->est.metered = false;
    ticks(x, 600, 80e6);
    x->est.metered = true;
    ticks(x, 2 * SLOT_S, 80e6);
    assert_int_equal(x->f->load.n, 3);
    assert_int_equal(x->f->load.n_finite, 2);
}

/* What is held back of the pods is in the load, and not in the classes. */
static void held_back_power_counts_as_wanted(void **state)
{
    struct fixture *x = *state;
    x->loop.state->held_w = 10e6;
    ticks(x, SLOT_S + 10, 80e6);
    assert_near((double)x->f->load.last, 90e6, 1.0);
    assert_int_equal(foresee_class(x->f, 0)->n_finite, 0);
}

static void a_marker_is_told_once(void **state)
{
    struct fixture *x = *state;
    ticks(x, 30, 80e6);
    int64_t at_ms = x->loop.in->utc_ms + 7200 * 1000;
    /* not in their order */
    x->loop.in->jobs[5] = (struct job_in){.seq = 2,
                                          .pod = 3,
                                          .event = JOB_STOP,
                                          .at_ms = at_ms + 60000,
                                          .power_from_w = 30e6,
                                          .power_to_w = 10e6};
    x->loop.in->jobs[9] = (struct job_in){.seq = 1,
                                          .pod = -1,
                                          .event = JOB_START,
                                          .at_ms = at_ms,
                                          .power_from_w = 10e6,
                                          .power_to_w = 50e6};
    ticks(x, 50, 80e6);
    assert_int_equal(x->f->soon.n_marks, 2);
    assert_int_equal(x->f->load.n_steps, 2);
    assert_int_equal(foresee_class(x->f, 0)->n_steps, 0);
    assert_int_equal(foresee_class(x->f, 1)->n_steps, 1);
    assert_near(x->f->load.steps[0].change, 40e6, 1e-6);
    x->loop.in->jobs[9].seq = 3; /* one that has happened moves nothing */
    x->loop.in->jobs[9].at_ms = x->loop.in->utc_ms - 1000;
    ticks(x, 5, 80e6);
    assert_int_equal(x->f->soon.n_marks, 3);
    assert_int_equal(x->f->load.n_steps, 2);
}

static int64_t fed(const struct fixture *x)
{
    struct foresee *f = x->f;
    int64_t n = f->load.n + f->price.n;
    for (int c = 0; c < CLASSES; c++) {
        n += foresee_class(f, c)->n;
    }
    return n + foresee_fleet(x->loop.site, f, 0)->habit.n;
}

static void of_all_series_one_is_fed_a_tick(void **state)
{
    struct fixture *x = *state;
    x->f->cars[0].n_seen = 1.0;
    give_prices(x->loop.in, 24);
    int64_t before = 0;
    int n_feeds = 0;
    for (int i = 0; i < 2 * SLOT_S + 50; i++) {
        tick(x, 80e6);
        int64_t now = fed(x);
        assert_in_range(now - before, 0, 1);
        n_feeds += now > before;
        before = now;
        x->f->cars[0].n_seen = 1.0;
    }
    assert_int_equal(n_feeds, 96 + 2 * (1 + CLASSES + 1));
}

static void a_pause_is_a_gap_and_an_hour_begins_anew(void **state)
{
    struct fixture *x = *state;
    ticks(x, 600, 80e6);
    int64_t now = x->f->soon.now;
    x->loop.in->mono_ms += 100 * 1000;
    tick(x, 80e6);
    assert_int_equal(x->f->soon.now, now + 101);
    x->loop.in->mono_ms += 3700 * 1000;
    tick(x, 80e6);
    assert_int_equal(x->f->soon.n, 1);
}

/* However far it is set, no tick pays for all of it and nothing is lost but
 * time. */
static void clocks_that_are_set_do_no_harm(void **state)
{
    struct fixture *x = *state;
    uint64_t seed = random_seed(7);
    print_message("seed 7\n");
    for (int i = 0; i < 400; i++) {
        ticks(x, (int)random_draw(&seed, 1.0, 30.0),
              random_draw(&seed, 1e6, 1e8));
        double days = random_draw(&seed, -60.0, 60.0);
        x->loop.in->utc_ms += (int64_t)(days * 86400e3);
        x->loop.in->utc_ms =
            x->loop.in->utc_ms < LOOP_UTC_MS ? LOOP_UTC_MS : x->loop.in->utc_ms;
        assert_true(foresee_valid(x->loop.cfg, x->f));
    }
    x->loop.in->utc_ms = LOOP_UTC_MS; /* at last it is right */
    ticks(x, 3 * SLOT_S, 70e6);
    struct outlook_at at = foresee_slot(&x->f->load, x->loop.in->utc_ms, 1);
    assert_true(isfinite(at.mean) && at.q10 <= at.q90);
}

static void outside_of_two_days_nothing_is_said(void **state)
{
    struct fixture *x = *state;
    ticks(x, SLOT_S + 20, 80e6);
    int64_t now_ms = x->loop.in->utc_ms;
    assert_near(foresee_slot(&x->f->load, now_ms, 1).mean, 80e6, 1.0);
    assert_true(isnan(foresee_slot(&x->f->load, now_ms, 2).mean));
    int64_t end_ms = now_ms + (int64_t)FORESEE_AHEAD * FORESEE_SLOT_MS;
    assert_true(isfinite(foresee_slot(&x->f->load, end_ms, 1).mean));
    end_ms += FORESEE_SLOT_MS;
    assert_true(isnan(foresee_slot(&x->f->load, end_ms, 1).mean));
    assert_true(isnan(foresee_slot(&x->f->load, now_ms - 900000, 1).mean));
}

static void save_and_load(const struct fixture *x, struct fixture *y,
                          double gap_s)
{
    unsigned char *blob = malloc(CARRY_SIZE_MAX);
    struct carry_now then = {.mono_ms = x->loop.in->mono_ms,
                             .utc_ms = x->loop.in->utc_ms};
    struct carry_now now = {.mono_ms = LOOP_MONO_MS,
                            .utc_ms = then.utc_ms + (int64_t)(gap_s * 1e3)};
    for (int64_t u = 0; u < carry_units(x->loop.cfg); u++) {
        if (!carry_is_slow(x->loop.cfg, u)) {
            continue;
        }
        size_t size = carry_save(x->loop.cfg, x->loop.state, u, &then, blob);
        assert_int_equal(size, carry_size(x->loop.cfg, u));
        carry_seal(blob, size);
        assert_int_equal(
            carry_load(y->loop.cfg, y->loop.state, u, &now, blob, size),
            CARRY_TAKEN);
    }
    free(blob);
    y->loop.in->mono_ms = now.mono_ms;
    y->loop.in->utc_ms = now.utc_ms;
}

/* A load with a cycle of 40 s, and a day's worth of everything else. */
static void learn(struct fixture *x)
{
    give_prices(x->loop.in, 24);
    park(x, 40);
    for (int i = 0; i < 3000; i++) {
        tick(x, (i % 40) < 8 ? 60e6 : 100e6);
    }
    count_cars(x);
}

/* As if it had not been off, but for the time that it was. */
static void a_restart_keeps_what_was_learned(void **state)
{
    struct fixture *x = *state;
    struct fixture *y = NULL;
    setup((void **)&y);
    learn(x);
    save_and_load(x, y, 20.0);
    assert_memory_equal(&y->f->load, &x->f->load, sizeof(struct outlook));
    assert_memory_equal(&y->f->price, &x->f->price, sizeof(struct outlook));
    assert_memory_equal(&y->f->soon, &x->f->soon, sizeof(struct forecast));
    x->loop.in->mono_ms += 20 * 1000; /* one that only stood still */
    x->loop.in->utc_ms += 20 * 1000;
    for (int i = 20; i < 200; i++) {
        double load_w = (i % 40) < 8 ? 60e6 : 100e6;
        tick(x, load_w);
        tick(y, load_w);
        struct forecast_at a = forecast_at(&x->f->soon, FORESEE_60S);
        struct forecast_at b = forecast_at(&y->f->soon, FORESEE_60S);
        assert_near(b.mean, a.mean, 0.0);
        assert_near(b.q90, a.q90, 0.0);
    }
    double period_s[FORECAST_PERIODS_MAX];
    assert_true(forecast_periods(&y->f->soon, period_s) > 0);
    assert_near(period_s[0], 40.0, 1.0);
    teardown((void **)&y);
}

static void after_an_hour_only_the_days_are_kept(void **state)
{
    struct fixture *x = *state;
    struct fixture *y = NULL;
    setup((void **)&y);
    learn(x);
    save_and_load(x, y, 2.0 * 3600.0);
    assert_int_equal(y->f->soon.n, 0);
    assert_int_equal(y->f->load.n, x->f->load.n);
    ticks(y, SLOT_S + 20, 80e6);
    assert_int_equal(y->f->load.n, x->f->load.n + 9); /* eight are a gap */
    assert_int_equal(y->f->load.n_finite, x->f->load.n_finite + 1);
    teardown((void **)&y);
}

static struct foresight look(const struct fixture *x, int64_t *n)
{
    struct foresight out = {.known = -1};
    int64_t piece = 0;
    *n = 0;
    do {
        piece =
            foresight_look(x->loop.cfg, x->loop.state, x->loop.in, piece, &out);
        ++*n;
    } while (piece != 0);
    return out;
}

static void people_are_told_what_is_known(void **state)
{
    struct fixture *x = *state;
    int64_t n = 0;
    struct foresight out = look(x, &n);
    assert_int_equal(out.known, 0);
    learn(x);
    park(x, 40);
    count_cars(x);
    count_cars(x);
    ticks(x, SLOT_S, 70e6);
    out = look(x, &n);
    assert_int_equal(out.known, 1);
    assert_int_equal(n, 1 + FORESEE_DAY + 1);
    assert_near(out.heard_s, 3900.0, 0.0);
    assert_true(out.in_1min.q10 <= out.in_1min.q90);
    assert_near(out.peak_w, 81e6, 12e6); /* mean of the slots: 92, then 70 */
    assert_true(out.peak_at_ms % FORESEE_SLOT_MS == 0);
    assert_near(out.cars[0].now, 40.0, 0.0);
    assert_true(isfinite(out.cars[0].in_1h.mean));
}

/* Not a band of no width: none, until forecasts have come true. */
static void a_band_is_told_when_it_is_learnt(void **state)
{
    struct fixture *x = *state;
    static const struct {
        int more_s;
        bool soon;
        bool later;
    } waits[] = {{40, false, false}, {40, true, false}, {700, true, true}};
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        int64_t n = 0;
        for (int k = 0; k < waits[i].more_s; k++) {
            tick(x, k % 2 == 0 ? 70e6 : 70.5e6);
        }
        struct foresight out = look(x, &n);
        assert_true(isfinite(out.in_1min.mean) && isfinite(out.in_10min.mean));
        assert_int_equal(isfinite(out.in_1min.q10), waits[i].soon);
        assert_int_equal(isfinite(out.in_1min.q90), waits[i].soon);
        assert_int_equal(isfinite(out.in_10min.q10), waits[i].later);
    }
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(slots_are_those_of_the_clock),
        CASE(less_than_half_a_slot_is_a_gap),
        CASE(held_back_power_counts_as_wanted),
        CASE(a_marker_is_told_once),
        CASE(of_all_series_one_is_fed_a_tick),
        CASE(a_pause_is_a_gap_and_an_hour_begins_anew),
        CASE(clocks_that_are_set_do_no_harm),
        CASE(outside_of_two_days_nothing_is_said),
        CASE(a_restart_keeps_what_was_learned),
        CASE(after_an_hour_only_the_days_are_kept),
        CASE(people_are_told_what_is_known),
        CASE(a_band_is_told_when_it_is_learnt),
    };
    return cmocka_run_group_tests_name("foresee", tests, NULL, NULL);
}
