/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/step/problem: what the planner is told of wear, cars and
 * what the utility wants kept. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/step/foresee.h"
#include "models/wear.h"
#include "tests/loop_fixture.h"

enum { TICKS = 100 };

/* cmocka 1.1.5 compares floats only */
static void assert_near(double got, double want, double by)
{
    if (!(fabs(got - want) <= by)) {
        fail_msg("%.17g instead of %.17g +- %g", got, want, by);
    }
}

static struct loop_fixture begin(double warranty_efc_per_y)
{
    struct site *site = fixture_site(2, 4, 0);
    site->batteries[0].warranty_efc_per_y = warranty_efc_per_y;
    struct loop_fixture f = loop_open(site, POLICY_BALLAST, 100e6);
    for (int k = 0; k < TICKS; k++) {
        loop_tick(&f, 100e6);
    }
    loop_observe(&f);
    return f;
}

static void segments_stand_for_the_batteries(void **state)
{
    (void)state;
    struct loop_fixture f = begin(INFINITY);
    struct problem *p = calloc(1, sizeof(*p));
    step_problem(f.cfg, f.state, f.in, p);
    for (int i = 0; i < 2; i++) {
        const struct site_battery *b = &f.site->batteries[i];
        const struct wear_segments *s = &p->wear[i];
        assert_int_equal(s->n, WEAR_SEGMENTS);
        double width_pu = 0.0;
        double start_pu = 0.0;
        for (int k = 0; k < s->n; k++) {
            width_pu += s->at[k].width_pu;
            start_pu += s->at[k].start_pu;
            assert_true(s->at[k].per_kwh > 0.005 && s->at[k].per_kwh < 0.05);
            assert_true(k == 0 || s->at[k].per_kwh >= s->at[k - 1].per_kwh);
        }
        assert_near(b->soc_min_pu + width_pu, b->soc_max_pu, 1e-12);
        assert_near(b->soc_min_pu + start_pu, p->soc_pu[i], 1e-12);
    }
    free(p);
    loop_close(&f);
}

static void one_that_is_not_ready_has_none(void **state)
{
    (void)state;
    struct loop_fixture f = begin(INFINITY);
    struct problem *p = calloc(1, sizeof(*p));
    f.in->batteries[1].flags &= ~(unsigned)BATTERY_READY;
    step_problem(f.cfg, f.state, f.in, p);
    assert_int_equal(p->wear[0].n, WEAR_SEGMENTS);
    assert_int_equal(p->wear[1].n, 0);
    assert_near(p->available[1], 0.0, 0.0);
    free(p);
    loop_close(&f);
}

/* An old battery's next cycle takes less, a hot one's no less either. */
static void life_and_temperature_enter(void **state)
{
    (void)state;
    struct loop_fixture f = begin(INFINITY);
    struct problem *p = calloc(1, sizeof(*p));
    struct problem *old = calloc(1, sizeof(*old));
    step_problem(f.cfg, f.state, f.in, p);
    f.state->life[0].channels[LIFE_PRICE].loss_n = pow(0.10, 1.0 / 0.828);
    f.state->life[1].cycles.last_temp_c = 12.0;
    step_problem(f.cfg, f.state, f.in, old);
    for (int k = 0; k < WEAR_SEGMENTS; k++) {
        assert_true(old->wear[0].at[k].per_kwh < p->wear[0].at[k].per_kwh);
        assert_true(old->wear[1].at[k].per_kwh >
                    1.2 * p->wear[1].at[k].per_kwh);
    }
    free(old);
    free(p);
    loop_close(&f);
}

/* What goes through the terminals is what the warranty counts, and use ahead
 * of it lifts every segment alike. */
static void a_warranty_used_ahead_lifts_the_prices(void **state)
{
    (void)state;
    struct loop_fixture f = begin(400.0);
    struct problem *p = calloc(1, sizeof(*p));
    struct problem *ahead = calloc(1, sizeof(*ahead));
    double used = f.state->age[0].warranty.used_efc;
    double want =
        wear_efc(&f.site->batteries[0], f.plant->batteries[0].throughput_wh);
    assert_true(used <= want + 1e-12 && used >= 0.0);
    f.state->age[0].warranty.spare_efc = 1.0;
    step_problem(f.cfg, f.state, f.in, p);
    f.state->age[0].warranty.spare_efc = -1e6;
    step_problem(f.cfg, f.state, f.in, ahead);
    for (int k = 0; k < WEAR_SEGMENTS; k++) {
        assert_near(ahead->wear[0].at[k].per_kwh - p->wear[0].at[k].per_kwh,
                    150.0 / (400.0 * 15.0), 1e-12);
        assert_near(ahead->wear[1].at[k].per_kwh, p->wear[1].at[k].per_kwh,
                    0.0);
    }
    free(ahead);
    free(p);
    loop_close(&f);
}

/* Over a load that swings: as much as went through, but for what waits for
 * the next sample. */
static void the_warranty_counts_what_went_through(void **state)
{
    (void)state;
    struct site *site = fixture_site(2, 4, 0);
    site->batteries[0].warranty_efc_per_y = 400.0;
    struct loop_fixture f = loop_open(site, POLICY_BALLAST, 100e6);
    for (int k = 0; k < 6000; k++) {
        loop_tick(&f, (k / 300) % 2 == 0 ? 100e6 : 60e6);
    }
    const struct wear_warranty *w = &f.state->age[0].warranty;
    double want =
        wear_efc(&f.site->batteries[0], f.plant->batteries[0].throughput_wh);
    assert_true(want > 1e-3);
    assert_near(w->used_efc, want, 0.02 * want);
    assert_near(w->spare_efc + w->used_efc, 400.0 * 600.0 / 31557600.0,
                0.01 * 400.0 * 600.0 / 31557600.0);
    loop_close(&f);
}

/* What the cars of a lot need is in its buckets, and what they charge is not in
 * the load as well. */
static void cars_are_in_buckets_and_not_in_the_load(void **state)
{
    (void)state;
    double load_w[2];
    double plugs_w = 0.0;
    for (int k = 0; k < 2; k++) {
        struct site *site = fixture_site(2, 4, 200);
        site->classes[0].value_per_kwh = 0.0;
        site->fleets[0].behind_poi = k == 0;
        struct loop_fixture f = loop_open(site, POLICY_BALLAST, 100e6);
        for (int t = 0; t < 30 * TICKS; t++) {
            loop_tick(&f, 100e6);
        }
        loop_observe(&f);
        struct problem *p = calloc(1, sizeof(*p));
        step_problem(f.cfg, f.state, f.in, p);
        load_w[k] = p->load_w[0] - p->must[0].power_w;
        plugs_w = fmax(plugs_w, f.state->drawn_w[0]);
        assert_true(k == 0 ? p->n_buckets > 2 : p->n_buckets == 0);
        double power_w = p->must[0].power_w;
        for (int i = 0; i < p->n_buckets; i++) {
            power_w += p->buckets[i].power_w;
            assert_true(p->buckets[i].need_wh > 0.0);
            assert_int_equal(p->buckets[i].fleet, 0);
        }
        assert_true(power_w <= site->fleets[0].feeder_max_w + 1.0);
        free(p);
        loop_close(&f);
    }
    assert_true(plugs_w > 150e3);
    assert_near(load_w[0], load_w[1], 50e3);
}

/* Cars that are yet to come draw what is usual, once those that are here have
 * what they need; nobody comes at once, and a fleet elsewhere is not counted.
 */
static void cars_to_come_are_in_the_load(void **state)
{
    (void)state;
    const double usual_w = 500e3;
    for (int behind = 0; behind < 2; behind++) {
        struct site *site = fixture_site(2, 4, 200);
        site->fleets[0].behind_poi = behind;
        struct loop_fixture f = loop_open(site, POLICY_BALLAST, 100e6);
        for (int t = 0; t < 30 * TICKS; t++) {
            loop_tick(&f, 100e6);
        }
        loop_observe(&f);
        struct foresee_cars *cars = &foresee_of(f.cfg, f.state)->cars[0];
        assert_true(behind ? cars->usual_w > 10e3 : cars->usual_w == 0.0);
        struct problem *p = calloc(2, sizeof(*p));
        cars->usual_w = 0.0;
        step_problem(f.cfg, f.state, f.in, &p[0]);
        cars->usual_w = behind ? usual_w : 0.0;
        cars->usual_s = 86400.0;
        step_problem(f.cfg, f.state, f.in, &p[1]);
        int64_t last = p[0].n_slots - 1;
        assert_near(p[1].load_w[0], p[0].load_w[0], 1e3);
        assert_near(p[1].load_w[last] - p[0].load_w[last],
                    behind ? usual_w : 0.0, 20e3);
        free(p);
        loop_close(&f);
    }
}

/* What the utility wants kept for an outage: now, and where it begins within
 * two hours, for filling up takes its time; a share of the window. */
static void a_told_reserve_is_kept(void **state)
{
    (void)state;
    const int64_t hour_ms = 3600000;
    static const struct {
        double from_h, to_h, value, want_pu;
    } rows[] = {
        {-1.0, 1.0, 0.5, 0.5}, /* in force */
        {1.0, 5.0, 0.5, 0.5},  /* soon */
        {2.5, 5.0, 0.5, 0.0},  /* not yet */
        {-2.0, -1.0, 0.5, 0.0}, {-1.0, 1.0, 7.0, 1.0}, {-1.0, 1.0, 0.0, 0.0},
    };
    struct loop_fixture f = begin(INFINITY);
    struct problem *p = calloc(1, sizeof(*p));
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        double hour = (double)hour_ms;
        f.in->utility[0] = (struct utility_in){
            .id = "outage",
            .kind = UTILITY_RESERVE,
            .value = rows[r].value,
            .start_at_ms = f.in->utc_ms + (int64_t)(rows[r].from_h * hour),
            .end_at_ms = f.in->utc_ms + (int64_t)(rows[r].to_h * hour)};
        step_problem(f.cfg, f.state, f.in, p);
        for (int i = 0; i < 2; i++) {
            const struct site_battery *b = &f.site->batteries[i];
            double window_wh = (b->soc_max_pu - b->soc_min_pu) * b->energy_wh;
            assert_near(p->reserve_wh[i], rows[r].want_pu * window_wh, 1.0);
        }
    }
    free(p);
    loop_close(&f);
}

/* Hours of a market from the one that holds 'utc_ms' on. */
static void publish(struct price_in *p, const struct snapshot *in, int64_t n,
                    double per_kwh)
{
    p->mono_ms = in->mono_ms;
    p->step_s = 3600.0;
    p->start_at_ms = in->utc_ms / 3600000 * 3600000;
    p->n_slots = n;
    p->expires_at_ms = p->start_at_ms + n * 3600000;
    p->value_per_kwh = NAN;
    for (int64_t k = 0; k < n; k++) {
        p->per_kwh[k] = per_kwh + 0.001 * (double)k;
    }
}

/* The load of now counts until a quarter hour was measured, then that. */
static void the_load_counts_in_quarter_hours(void **state)
{
    (void)state;
    struct loop_fixture f = begin(INFINITY);
    struct problem *p = calloc(1, sizeof(*p));
    step_problem(f.cfg, f.state, f.in, p);
    assert_near(p->total_w, f.state->level.level_w, 1.0);
    struct foresee *foresee = foresee_of(f.cfg, f.state);
    foresee->closed_ms = f.in->utc_ms - 900000;
    foresee->load_mean.closed = 70e6;
    step_problem(f.cfg, f.state, f.in, p);
    assert_near(p->total_w, 70e6, 1.0);
    foresee->load_mean.closed = NAN; /* a gap */
    step_problem(f.cfg, f.state, f.in, p);
    assert_near(p->total_w, f.state->level.level_w, 1.0);
    free(p);
    loop_close(&f);
}

/* Charging leaves what one of two batteries takes to the other one; of giving,
 * pods that are heard and obey make up for a part. */
static void pods_free_power_of_what_may_trip(void **state)
{
    (void)state;
    struct loop_fixture f = begin(INFINITY);
    struct problem *p = calloc(1, sizeof(*p));
    double one_w = f.site->batteries[0].discharge_max_w;
    f.cfg->site.grid.contingencies_given = true; /* none larger than it */
    step_problem(f.cfg, f.state, f.in, p);
    assert_true(p->kept_charge_w >= one_w);
    assert_true(p->kept_discharge_w < p->kept_charge_w - 0.1e6);
    double with_pods_w = p->kept_discharge_w;
    f.state->resumed = 0; /* no cap can be given yet */
    step_problem(f.cfg, f.state, f.in, p);
    assert_near(p->kept_discharge_w, p->kept_charge_w, 1.0);
    f.state->resumed = 1;
    for (int i = 0; i < f.site->n_pods; i++) {
        f.in->pods[i].flags = 0; /* offline */
    }
    step_problem(f.cfg, f.state, f.in, p);
    assert_near(p->kept_discharge_w, p->kept_charge_w, 1.0);
    assert_true(with_pods_w > 0.0);
    free(p);
    loop_close(&f);
}

/* The bill's market comes first; where it is silent the next one that speaks
 * stands in, and behind that what was, a day before, and the fallback. */
static void another_market_says_what_to_expect(void **state)
{
    (void)state;
    struct site *site = fixture_site(2, 4, 0);
    site->n_prices = 3;
    site->prices[0].fallback_per_kwh = 0.777;
    struct loop_fixture f = loop_open(site, POLICY_BALLAST, 100e6);
    for (int k = 0; k < TICKS; k++) {
        loop_tick(&f, 100e6);
    }
    loop_observe(&f);
    publish(&f.in->prices[0], f.in, 1, 0.5);
    publish(&f.in->prices[2], f.in, 24, 0.03);
    struct problem *p = calloc(1, sizeof(*p));
    step_problem(f.cfg, f.state, f.in, p);
    int64_t first_ms = f.in->prices[0].start_at_ms;
    int64_t at_ms = p->start_at_ms;
    for (int64_t k = 0; k < p->n_slots; k++) {
        int64_t to_ms = at_ms + llround(p->step_s[k] * 1e3);
        int64_t hour = (at_ms - first_ms) / 3600000;
        bool whole = (to_ms - 1 - first_ms) / 3600000 == hour;
        double want = hour == 0 ? 0.5 : 0.03 + 0.001 * (double)hour;
        if (whole && hour < 24) {
            assert_near(p->import_per_kwh[k], want, 1e-12);
            assert_int_equal(p->guessed[k], hour != 0);
        } else if (hour >= 25 && hour < 48) {
            assert_near(p->import_per_kwh[k], 0.777, 1e-12);
        }
        at_ms = to_ms;
    }
    free(p);
    loop_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_load_counts_in_quarter_hours),
        cmocka_unit_test(pods_free_power_of_what_may_trip),
        cmocka_unit_test(another_market_says_what_to_expect),
        cmocka_unit_test(segments_stand_for_the_batteries),
        cmocka_unit_test(one_that_is_not_ready_has_none),
        cmocka_unit_test(life_and_temperature_enter),
        cmocka_unit_test(a_warranty_used_ahead_lifts_the_prices),
        cmocka_unit_test(the_warranty_counts_what_went_through),
        cmocka_unit_test(cars_are_in_buckets_and_not_in_the_load),
        cmocka_unit_test(cars_to_come_are_in_the_load),
        cmocka_unit_test(a_told_reserve_is_kept),
    };
    return cmocka_run_group_tests_name("problem", tests, NULL, NULL);
}
