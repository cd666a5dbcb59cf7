/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/step/foresee: slots of the clock, markers once, one
 * series a tick, cars counted, a price beyond the market's own. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/step/carry.h"
#include "controller/step/foresee.h"
#include "controller/step/foresight.h"
#include "models/random.h"
#include "tests/loop_fixture.h"

enum { CLASSES = 3, NODES = 60, SLOT_S = 900 };

/* A site with a period of a second: three classes, of which two have pods. */
struct fixture {
    struct loop_fixture loop;
    struct foresee *f;
    struct estimate est;
};

static void assert_near(double got, double want, double by)
{
    if (!(fabs(got - want) <= by)) {
        fail_msg("%.17g instead of %.17g +- %g", got, want, by);
    }
}

static struct site *site_of(void)
{
    struct site *site = fixture_site(1, 4, NODES);
    site->control.period_s = 1.0;
    site->n_classes = CLASSES;
    strcpy(site->classes[0].name, "training");
    strcpy(site->classes[1].name, "inference");
    strcpy(site->classes[2].name, "batch");
    site->pods[3].class_id = 1;
    site->n_prices = 1;
    site->prices[0].fallback_per_kwh = 0.045;
    return site;
}

static int setup(void **state)
{
    struct fixture *x = calloc(1, sizeof(*x));
    x->loop = loop_open(site_of(), POLICY_BALLAST, 100e6);
    x->f = foresee_of(x->loop.cfg, x->loop.state);
    x->est.metered = true;
    x->loop.in->mono_ms = LOOP_MONO_MS;
    x->loop.in->utc_ms = LOOP_UTC_MS;
    x->loop.in->dt_s = 1.0;
    *state = x;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *x = *state;
    loop_close(&x->loop);
    free(x);
    return 0;
}

/* One second with that much load, a quarter of it the inference's. */
static void tick(struct fixture *x, double load_w)
{
    struct snapshot *in = x->loop.in;
    in->tick++;
    in->mono_ms += 1000;
    in->utc_ms += 1000;
    x->est.load_w = load_w;
    x->est.pods_w = load_w;
    for (int i = 0; i < 4; i++) {
        x->est.pod_w[i] = load_w / 4.0;
    }
    foresee_step(x->loop.cfg, x->loop.state, in, &x->est);
}

static void ticks(struct fixture *x, int n, double load_w)
{
    for (int i = 0; i < n; i++) {
        tick(x, load_w);
    }
}

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

static void give_prices(struct snapshot *in, int64_t n)
{
    struct price_in *p = &in->prices[0];
    p->start_at_ms = LOOP_UTC_MS;
    p->step_s = 3600.0;
    p->n_slots = n;
    p->mono_ms = in->mono_ms;
    p->expires_at_ms = INT64_MAX;
    for (int64_t i = 0; i < n; i++) {
        p->per_kwh[i] = 0.04 + 0.02 * sin(2.0 * acos(-1.0) / 24.0 * (double)i);
    }
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

static void prices_go_on_beyond_the_market(void **state)
{
    struct fixture *x = *state;
    enum { DAYS = 8 };
    give_prices(x->loop.in, DAYS * 24);
    ticks(x, DAYS * 96 + 10, 80e6);
    assert_int_equal(x->f->price.n_finite, DAYS * 96);
    /* told again, and a little more */
    give_prices(x->loop.in, DAYS * 24 + 6);
    ticks(x, 40, 80e6);
    assert_int_equal(x->f->price.n_finite, DAYS * 96 + 24);
    /* days later the market ends in six hours */
    x->loop.in->utc_ms = LOOP_UTC_MS + INT64_C(86400000) * DAYS;
    struct problem *p = calloc(1, sizeof(*p));
    step_problem(x->loop.cfg, x->loop.state, x->loop.in, p);
    double at_s = 0.0;
    for (int i = 0; i < p->n_slots; i++) {
        double hour = floor(at_s / 3600.0);
        double usual = 0.04 + 0.02 * sin(2.0 * acos(-1.0) / 24.0 * hour);
        assert_int_equal(p->guessed[i], hour < 6.0 ? 0 : 1);
        assert_near(p->import_per_kwh[i], usual, hour < 6.0 ? 1e-12 : 0.008);
        at_s += p->step_s[i];
    }
    free(p);
}

/* The slot of a quarter hour ahead. */
static int slot_at(const struct problem *p, int quarter)
{
    double at_s = 900.0 * quarter;
    int i = 0;
    while (at_s >= p->step_s[i]) {
        at_s -= p->step_s[i++];
    }
    return i;
}

/* As long as nothing is known of it the fallback stands in. */
static void an_unknown_price_is_the_fallback(void **state)
{
    struct fixture *x = *state;
    give_prices(x->loop.in, 12);
    ticks(x, 60, 80e6);
    struct problem *p = calloc(1, sizeof(*p));
    step_problem(x->loop.cfg, x->loop.state, x->loop.in, p);
    assert_int_equal(p->guessed[slot_at(p, 47)], 0);
    assert_int_equal(p->guessed[slot_at(p, 48)], 1);
    assert_near(p->import_per_kwh[slot_at(p, 48)], 0.045, 0.0);
    free(p);
}

static void the_plan_sees_the_day_that_repeats(void **state)
{
    struct fixture *x = *state;
    struct outlook *o = &x->f->load;
    int64_t now_ms = x->loop.in->utc_ms;
    for (int64_t i = -3 * 96; i < 0; i++) {
        double w = ((i + 3 * 96) % 96) < 48 ? 60e6 : 100e6;
        outlook_feed(o, now_ms + i * FORESEE_SLOT_MS, w);
    }
    level_init(&x->loop.state->level);
    x->loop.state->level.level_w = 60e6;
    struct problem *p = calloc(1, sizeof(*p));
    step_problem(x->loop.cfg, x->loop.state, x->loop.in, p);
    assert_near(p->load_w[slot_at(p, 0)], 60e6, 1.0);
    assert_near(p->load_w[slot_at(p, 20)], 60e6, 4e6);
    assert_near(p->load_w[slot_at(p, 60)], 100e6, 4e6);
    assert_near(p->load_w[slot_at(p, 122)], 60e6, 4e6);
    assert_near(p->load_w[slot_at(p, 182)], 100e6, 4e6);
    free(p);
}

/* 'n' cars are plugged in, every second one leaves in three hours. */
static void park(struct fixture *x, int n)
{
    struct snapshot *in = x->loop.in;
    for (int i = 0; i < NODES; i++) {
        in->nodes[i].pack_mono_ms = in->mono_ms;
        in->nodes[i].flags = i < n ? NODE_PLUGGED : 0;
        if (i % 2 == 0) {
            in->nodes[i].flags |= NODE_HAS_DEPARTURE;
            in->nodes[i].departs_at_ms = in->utc_ms + 3 * 3600 * 1000;
        }
    }
}

/* A minute: all cars have their turn. */
static void count_cars(struct fixture *x)
{
    const struct step_cfg *cfg = x->loop.cfg;
    struct step_state *s = x->loop.state;
    for (int64_t k = 0; k < cfg->n_slices * cfg->n_rounds; k++) {
        s->slice = (s->slice + 1) % cfg->n_slices;
        s->round += s->slice == 0;
        int64_t from = NODES * s->slice / cfg->n_slices;
        int64_t to = NODES * (s->slice + 1) / cfg->n_slices;
        for (int64_t i = from; i < to; i++) {
            foresee_node(cfg, s, x->loop.in, 0, i);
        }
        foresee_nodes_done(cfg, s);
    }
}

static void cars_are_counted_by_their_departure(void **state)
{
    struct fixture *x = *state;
    park(x, 40);
    tick(x, 80e6);
    count_cars(x);
    count_cars(x);
    const struct foresee_cars *c = &x->f->cars[0];
    assert_near(c->seen.plugged[AVAILABILITY_4H], 20.0, 0.0);
    assert_near(c->seen.plugged[AVAILABILITY_NOT_SAID], 20.0, 0.0);
    assert_near(c->arrived + c->left, 0.0, 0.0); /* not known before */
    park(x, 30);
    count_cars(x);
    park(x, 34);
    count_cars(x);
    assert_near(c->left, 10.0, 0.0);
    assert_near(c->arrived, 4.0, 0.0);
    ticks(x, SLOT_S + 20, 80e6);
    const struct availability *a = foresee_fleet(x->loop.site, x->f, 0);
    assert_int_equal(a->habit.n_finite, 1);
    assert_near(a->habit.last, 34.0, 0.0);
    assert_near(a->now.left, 10.0, 0.0);
    assert_near(c->left, 0.0, 0.0);
}

static void a_silent_fleet_is_a_gap_not_empty(void **state)
{
    struct fixture *x = *state;
    park(x, 40);
    tick(x, 80e6);
    count_cars(x);
    ticks(x, SLOT_S + 20, 80e6);
    x->loop.in->mono_ms += 3600 * 1000;
    count_cars(x);
    ticks(x, SLOT_S, 80e6);
    const struct availability *a = foresee_fleet(x->loop.site, x->f, 0);
    assert_int_equal(a->habit.n_finite, 1);
    assert_near(a->habit.last, 40.0, 0.0);
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

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(slots_are_those_of_the_clock),
        CASE(less_than_half_a_slot_is_a_gap),
        CASE(held_back_power_counts_as_wanted),
        CASE(a_marker_is_told_once),
        CASE(of_all_series_one_is_fed_a_tick),
        CASE(prices_go_on_beyond_the_market),
        CASE(an_unknown_price_is_the_fallback),
        CASE(the_plan_sees_the_day_that_repeats),
        CASE(cars_are_counted_by_their_departure),
        CASE(a_silent_fleet_is_a_gap_not_empty),
        CASE(a_pause_is_a_gap_and_an_hour_begins_anew),
        CASE(clocks_that_are_set_do_no_harm),
        CASE(outside_of_two_days_nothing_is_said),
        CASE(a_restart_keeps_what_was_learned),
        CASE(after_an_hour_only_the_days_are_kept),
        CASE(people_are_told_what_is_known),
    };
    return cmocka_run_group_tests_name("foresee", tests, NULL, NULL);
}
