/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Jobs that end while the batteries cannot take all of it: the pods' floors
 * hold the load up until the grid is down.  The judge is a plain mean over
 * plain windows and shares no code with what it judges. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/random.h"
#include "tests/loop_fixture.h"

enum { TICKS = 12000, AVERAGE = 100, WINDOW = 600, PODS = 20 };

static const double RAMP = 10e6 / 60.0;
static const double STOP_W = 70e6;
static const double POD_W = 7.5e6;

/* Four batteries of 10 MW for stops of 70 MW of 140. */
static struct site *small_site(double floor_max_w)
{
    struct site *site = fixture_site(4, PODS, 0);
    site->grid.contingencies_given = true;
    site->grid.n_contingencies = 1;
    site->grid.meter.present = true;
    site->grid.contingencies[0] =
        (struct site_contingency){.name = "jobs end", .stop_w = STOP_W};
    for (int i = 0; i < PODS; i++) {
        site->pods[i].power_max_w = POD_W;
        site->pods[i].cap_min_w = 2e6;
        site->pods[i].floor_max_w = floor_max_w;
    }
    return site;
}

struct run {
    double grid_w[TICKS];
    double mean_w[TICKS];
    double burn_wh;
    double shed_wh;
    double rise_w;  /* largest of the pods' power in a tick, after a minute */
    int64_t n_said; /* ticks in which the burning was explained */
};

static int n_broken(struct run *r)
{
    int n = 0;
    for (int k = 0; k < TICKS; k++) {
        double sum_w = 0.0;
        for (int i = k - AVERAGE + 1; i <= k; i++) {
            sum_w += r->grid_w[i < 0 ? 0 : i];
        }
        r->mean_w[k] = sum_w / AVERAGE;
        bool broken = false;
        for (int tau = AVERAGE; tau <= WINDOW; tau += 10) {
            double then_w = r->mean_w[k >= tau ? k - tau : 0];
            double most_w = 1.01 * RAMP * tau * 0.1;
            broken |= fabs(r->mean_w[k] - then_w) > most_w;
        }
        n += broken ? 1 : 0;
    }
    return n;
}

/* Which pods stop, and when. */
struct stops {
    int at[PODS]; /* tick; 0: goes on */
};

static struct stops draw_stops(uint64_t *seed, bool together)
{
    struct stops s = {{0}};
    int first = (int)random_draw(seed, 3000.0, 6000.0);
    int n = (int)random_draw(seed, 5.0, 10.99);
    for (int left = n; left > 0; left--) {
        int i = (int)random_draw(seed, 0.0, PODS - 0.01);
        int later = together ? 0 : (int)random_draw(seed, 0.0, 900.0);
        s.at[i] = s.at[i] == 0 ? first + later : s.at[i];
    }
    return s;
}

/* How the pods speak: at once, without a word of what they burn, or once a
 * second each, as they do by MQTT. */
enum speech { PROMPT, SILENT_BURN, SECONDLY };

static void speak(struct loop_fixture *f, int k, enum speech speech)
{
    static struct pod_in said[PODS];
    for (int i = 0; i < PODS; i++) {
        if (speech == SILENT_BURN) {
            f->in->pods[i].burn_w = (struct reading){NAN, 0, QUALITY_MISSING};
        } else if (speech == SECONDLY) {
            said[i] = k % 10 == i % 10 || k < 10 ? f->in->pods[i] : said[i];
            f->in->pods[i] = said[i];
        }
    }
}

static void live(struct loop_fixture *f, const struct stops *stops, int k,
                 enum speech speech)
{
    speak(f, k, speech);
    step(f->cfg, f->state, f->scratch, f->in, f->plan, f->out);
    plant_command(f->plant, f->site, f->out);
    f->plant->demand_w = 0.0;
    for (int i = 0; i < PODS; i++) {
        bool over = stops->at[i] > 0 && k >= stops->at[i];
        double ripple = sin(0.57 * k * 0.1 + i);
        f->plant->pods[i].demand_w = over ? 0.4e6 : 6.9e6 + 0.15e6 * ripple;
        f->plant->demand_w += f->plant->pods[i].demand_w;
    }
    plant_step(f->plant, f->site, 0.1);
    f->k++;
}

/* The scheduler says, pod by pod and three minutes before, which jobs end; they
 * do so when they like. */
static void announce(struct loop_fixture *f, const struct stops *stops, int k)
{
    static const int EARLY = 1800;
    static const int LATE = 80;
    for (int i = 0; i < PODS; i++) {
        if (stops->at[i] > 0 && k == stops->at[i] - EARLY) {
            f->in->jobs[i] = (struct job_in){
                .seq = 1 + i,
                .pod = i,
                .event = JOB_STOP,
                .at_ms = f->in->utc_ms + (EARLY - LATE) * 100,
                .power_from_w = 6.9e6,
                .power_to_w = 0.4e6,
                .period_s = NAN,
            };
        }
    }
}

static void play(struct run *r, struct site *site, const struct stops *stops,
                 enum speech speech)
{
    memset(r, 0, sizeof(*r));
    bool listed = site->grid.n_contingencies > 0;
    struct loop_fixture f = loop_open(site, POLICY_BALLAST, 138e6);
    for (int k = 0; k < TICKS; k++) {
        loop_observe(&f);
        if (!listed) {
            announce(&f, stops, k);
        }
        double seen_w = f.plant->burn_w;
        double before_w = f.plant->pods_w;
        live(&f, stops, k, speech);
        double rise_w = f.plant->pods_w - before_w;
        r->rise_w = fmax(r->rise_w, k > 600 ? rise_w : 0.0);
        r->grid_w[k] = f.plant->grid_w;
        r->burn_wh += f.plant->burn_w / 36000.0;
        double served_w = f.plant->pods_w - f.plant->burn_w;
        r->shed_wh += (f.plant->demand_w - served_w) / 36000.0;
        const struct tick_record *said = &f.out->record;
        for (int i = 0; i < said->n_why; i++) {
            r->n_said += said->why[i].code == REASON_FLOOR;
        }
        assert_true(speech != PROMPT || fabs(said->burn_w - seen_w) < 1.0);
    }
    loop_close(&f);
}

static void stop_beyond_the_batteries_keeps_the_ramp(void **state)
{
    (void)state;
    struct run *r = malloc(sizeof(*r));
    for (uint64_t n = 1; n <= 12; n++) {
        uint64_t seed = random_seed(n);
        struct stops stops = draw_stops(&seed, n % 2 == 0);
        play(r, small_site(0.9 * POD_W), &stops, (enum speech)(n % 3));
        int broken = n_broken(r);
        if (broken > 0) {
            fail_msg("seed %d: %d ticks", (int)n, broken);
        }
        assert_true(r->shed_wh < 1e3);
        /* no floor rises under a job that has ended */
        if (r->rise_w > 1e6) {
            fail_msg("seed %d: %.0f W more in a tick", (int)n, r->rise_w);
        }
    }
    free(r);
}

/* What is burnt is what the batteries cannot take on the way down: 65 MW less
 * 40 MW at 10 MW/min, (25 MW)^2 / 2R, and a little for their margins. */
static void no_more_is_burnt_than_it_takes(void **state)
{
    (void)state;
    struct run *r = malloc(sizeof(*r));
    struct stops stops = {{0}};
    for (int i = 0; i < 10; i++) {
        stops.at[i] = 4000;
    }
    play(r, small_site(0.9 * POD_W), &stops, PROMPT);
    assert_int_equal(n_broken(r), 0);
    double stop_w = 10.0 * 6.5e6;
    double least_wh = (stop_w - 40e6) * (stop_w - 40e6) / 2.0 / RAMP / 3600.0;
    assert_true(r->burn_wh > 0.8 * least_wh && r->burn_wh < 1.6 * least_wh);
    assert_true(r->n_said > 100);
    free(r);
}

/* Nothing is listed, but the jobs' scheduler tells of their end. */
static void announced_stops_of_many_pods_are_one(void **state)
{
    (void)state;
    struct run *r = malloc(sizeof(*r));
    for (int floors = 0; floors < 2; floors++) {
        struct stops stops = {{0}};
        for (int i = 0; i < 10; i++) {
            stops.at[i] = 4000 + i % 5;
        }
        struct site *site = small_site(floors * 0.9 * POD_W);
        site->grid.n_contingencies = 0;
        site->n_batteries = 2; /* half of the way is gone ahead of it */
        play(r, site, &stops, PROMPT);
        assert_true(floors ? n_broken(r) == 0 : n_broken(r) > 0);
        assert_true(floors ? r->burn_wh > 50e3 : r->burn_wh == 0.0);
    }
    free(r);
}

/* Without floors the same stop is listed, and compute is held back for it. */
static void without_floors_compute_pays(void **state)
{
    (void)state;
    struct run *r = malloc(sizeof(*r));
    struct stops none = {{0}};
    play(r, small_site(0.0), &none, PROMPT);
    assert_true(r->shed_wh > 2e6);
    assert_true(r->burn_wh == 0.0);
    play(r, small_site(0.9 * POD_W), &none, PROMPT);
    assert_true(r->shed_wh < 1e3);
    assert_true(r->burn_wh < 1e3);
    free(r);
}

/* A controller that starts anew while pods burn takes their floors over. */
static void restart_takes_the_floors_over(void **state)
{
    (void)state;
    struct loop_fixture f =
        loop_open(small_site(0.9 * POD_W), POLICY_BALLAST, 138e6);
    struct stops stops = {{0}};
    for (int i = 0; i < 10; i++) {
        stops.at[i] = 2000;
    }
    double before_w = 0.0;
    for (int k = 0; k < 2100; k++) {
        loop_observe(&f);
        live(&f, &stops, k, PROMPT);
        before_w = f.plant->burn_w;
    }
    assert_true(before_w > 10e6);
    step_state_init(f.cfg, f.state);
    for (int k = 2100; k < 2110; k++) {
        loop_observe(&f);
        live(&f, &stops, k, PROMPT);
        assert_true(f.plant->burn_w > before_w - 2e6);
    }
    loop_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stop_beyond_the_batteries_keeps_the_ramp),
        cmocka_unit_test(no_more_is_burnt_than_it_takes),
        cmocka_unit_test(announced_stops_of_many_pods_are_one),
        cmocka_unit_test(without_floors_compute_pays),
        cmocka_unit_test(restart_takes_the_floors_over),
    };
    return cmocka_run_group_tests_name("hold", tests, NULL, NULL);
}
