/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of work that can wait, in a replay: it is done where power is cheap,
 * it is not lost, the grid does not feel it, and hindsight knows of it. */
#include <math.h>
#include <stdlib.h>

#include "tests/replay/hindsight_fixture.h"
#include "tests/site_fixture.h"

enum {
    HOURS = 24,
    KNOWN = HOURS + 48,
    PER_HOUR = 4,
    SAMPLES = HOURS * PER_HOUR
};

static const double BASE_W = 80e6;
static const double TURN = 6.283185307179586;

/* A load, and a dear afternoon in every day. */
struct world {
    struct trace trace;
    double t_s[SAMPLES + 1];
    double power_w[SAMPLES + 1];
    struct prices prices;
    double per_kwh[KNOWN]; /* two more days: plans look ahead */
    struct site *site;
    struct replay_cfg cfg;
};

/* What the site is like. */
struct kind {
    bool firm;
    double deadline_s;
    double swing_pu; /* of the load: up and down once in five hours */
};

static void make_load(struct world *w, const struct kind *kind)
{
    double s = 3600.0 * HOURS;
    for (int i = 0; i <= SAMPLES; i++) {
        w->t_s[i] = s * i / SAMPLES;
        double turn = sin(TURN * i / (5.0 * PER_HOUR));
        w->power_w[i] = BASE_W * (1.0 + kind->swing_pu * turn);
    }
    w->trace = (struct trace){.n = SAMPLES + 1,
                              .t_s = w->t_s,
                              .power_w = w->power_w,
                              .scale = 1.0,
                              .start_utc_ms = -1,
                              .step_s = s / SAMPLES,
                              .pass_s = s,
                              .duration_s = s};
    snprintf(w->trace.name, sizeof(w->trace.name), "by hand");
}

static struct world *begin(const struct kind *kind)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    make_load(w, kind);
    for (int i = 0; i < KNOWN; i++) {
        w->per_kwh[i] = i % 24 >= 12 && i % 24 < 16 ? 0.50 : 0.03;
    }
    set_prices(&w->prices, w->per_kwh, KNOWN, 3600000);
    w->site = fixture_site(4, 8, 0);
    w->site->n_classes = 2;
    w->site->classes[1] = (struct site_class){.name = "batch",
                                              .value_per_kwh = 2.0,
                                              .firm = kind->firm,
                                              .deadline_s = kind->deadline_s};
    w->site->pods[6].class_id = w->site->pods[7].class_id = 1;
    w->site->n_prices = 1;
    w->site->prices[0].fallback_per_kwh = 0.05;
    w->site->control.period_s = 0.5;
    w->cfg = (struct replay_cfg){.site = w->site,
                                 .trace = &w->trace,
                                 .prices = &w->prices,
                                 .start_utc_ms = START_MS,
                                 .seed = 1};
    return w;
}

static void end(struct world *w)
{
    free(w->site);
    free(w);
}

static void tell(const char *what, const struct replay_result *r)
{
    print_message("%-9s energy %.0f shed %.0f total %.0f; %.1f MWh put off, "
                  "%.2f wait, %.2f lost, %.1f h at most; ramp broken in %lld\n",
                  what, r->energy_cur, r->shed_cur, total(r),
                  r->deferred_wh / 1e6, r->waiting_wh / 1e6, r->lost_wh / 1e6,
                  r->waits_max_s / 3600.0, (long long)r->grid.ramp_violations);
}

/* All that was asked for was done, still waits, or is booked as lost. */
static void assert_booked(const struct replay_result *r)
{
    double off_wh = r->demand_wh - r->served_wh - r->waiting_wh - r->lost_wh;
    assert_true(fabs(off_wh) < 1e-9 * r->demand_wh);
    assert_true(r->grid.ramp_violations == 0);
    assert_true(r->grid.import_limit_violations == 0);
}

static void what_can_wait_is_done_cheaply_and_not_lost(void **state)
{
    (void)state;
    struct world *firm = begin(&(struct kind){true, INFINITY, 0.0});
    struct world *waits = begin(&(struct kind){false, 36000.0, 0.0});
    struct replay_result *now = steer(firm->cfg, POLICY_BALLAST);
    struct replay_result *later = steer(waits->cfg, POLICY_BALLAST);
    struct replay_result *none = steer(waits->cfg, POLICY_NONE);
    struct replay_result *best = look_back(&waits->cfg);
    tell("firm", now);
    tell("waits", later);
    tell("none", none);
    tell("hindsight", best);
    assert_true(now->deferred_wh <= 0.0 && none->deferred_wh <= 0.0);

    assert_true(later->deferred_wh > 25e6);
    assert_true(later->waiting_wh < 1e5);
    assert_true(later->lost_wh <= 0.0);
    assert_true(later->waits_max_s < 36000.0);
    assert_booked(later);
    assert_booked(best);
    /* most of what power costs less by then */
    assert_true(total(later) < total(now) - 0.4 * later->deferred_wh / 1e3);
    assert_true(total(best) <= total(later) + 1.0);
    assert_true(best->waits_max_s < 36000.0);
    free(now);
    free(later);
    free(none);
    free(best);
    end(firm);
    end(waits);
}

/* The dear time is longer than work may wait. */
static void no_deadline_is_missed(void **state)
{
    (void)state;
    struct world *w = begin(&(struct kind){false, 2.0 * 3600.0, 0.0});
    struct replay_result *r = steer(w->cfg, POLICY_BALLAST);
    struct replay_result *best = look_back(&w->cfg);
    tell("ballast", r);
    tell("hindsight", best);
    assert_booked(r);
    assert_true(r->deferred_wh > 5e6);
    assert_true(r->lost_wh <= 0.0 && best->lost_wh <= 0.0);
    assert_true(r->waits_max_s < 2.0 * 3600.0);
    assert_true(total(best) <= total(r) + 1.0);
    free(r);
    free(best);
    end(w);
}

/* What comes meanwhile is not what was foreseen. */
static void a_wrong_forecast_breaks_no_ramp(void **state)
{
    (void)state;
    struct world *w = begin(&(struct kind){false, 36000.0, 0.3});
    struct replay_result *r = steer(w->cfg, POLICY_BALLAST);
    struct replay_result *best = look_back(&w->cfg);
    tell("ballast", r);
    tell("hindsight", best);
    assert_booked(r);
    assert_true(r->deferred_wh > 10e6);
    assert_true(r->lost_wh <= 0.0);
    assert_true(r->waits_max_s < 36000.0);
    assert_true(total(best) <= total(r) + 1.0);
    free(r);
    free(best);
    end(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_can_wait_is_done_cheaply_and_not_lost),
        cmocka_unit_test(no_deadline_is_missed),
        cmocka_unit_test(a_wrong_forecast_breaks_no_ramp),
    };
    return cmocka_run_group_tests_name("deferred", tests, NULL, NULL);
}
