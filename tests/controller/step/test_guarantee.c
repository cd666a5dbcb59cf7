/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The whole step against loads and faults that mean it ill: inside the site's
 * contingencies the ramp never breaks.  The judge is a plain mean over plain
 * windows and shares no code with what it judges. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/random.h"
#include "tests/controller/step/unkind_load.h"
#include "tests/loop_fixture.h"

enum { SECONDS = 1000, TICKS = SECONDS * 10, AVERAGE = 100, WINDOW = 600 };

static const double RAMP = 10e6 / 60.0;

struct judge {
    double grid_w[TICKS];
    double mean_w[TICKS];
    int n_broken;
    int first_broken;
};

static double mean_at(const struct judge *j, int k)
{
    double sum_w = 0.0;
    for (int i = k - AVERAGE + 1; i <= k; i++) {
        sum_w += j->grid_w[i < 0 ? 0 : i];
    }
    return sum_w / AVERAGE;
}

/* More than 'tolerance' of the limit is a break. */
static void judge(struct judge *j, double tolerance)
{
    j->n_broken = 0;
    for (int k = 0; k < TICKS; k++) {
        j->mean_w[k] = mean_at(j, k);
        bool broken = false;
        for (int tau = AVERAGE; tau <= WINDOW; tau++) {
            double then_w = j->mean_w[k >= tau ? k - tau : 0];
            double most_w = tolerance * RAMP * tau * 0.1;
            broken |= fabs(j->mean_w[k] - then_w) > most_w;
        }
        if (broken && j->n_broken++ == 0) {
            j->first_broken = k;
        }
    }
}

/* What may go wrong in this tick; the plant is as it is. */
static void disturb(struct loop_fixture *f, uint64_t *seed, int k)
{
    static const double dips_pu[] = {0.2, 0.6, 0.85};
    if (k % 700 == 350) { /* every gauge has its own idea */
        int i = (int)random_draw(seed, 0.0, 9.99);
        f->in->batteries[i].soc_pu.value += random_draw(seed, -0.05, 0.05);
    }
    if (k % 1500 >= 1200 && k % 1500 < 1215) { /* a pod is silent */
        f->in->pods[3].flags = 0;
        f->in->pods[3].power_w.quality = QUALITY_MISSING;
    }
    if (k % 2500 == 2000) {
        f->in->meter.voltage_pu.value = dips_pu[k / 2500 % 3];
    }
}

static struct site *adverse_site(int delay)
{
    struct site *site = fixture_site(10, 20, 0);
    site->grid.contingencies_given = true;
    site->grid.n_contingencies = 1;
    site->grid.contingencies[0] = (struct site_contingency){
        .name = "any", .drop_w = 38e6, .rise_w = 38e6};
    for (int i = 0; i < site->n_batteries; i++) {
        site->batteries[i].sim_delay_s = 0.1 * delay;
    }
    return site;
}

static void sound_commands(const struct loop_fixture *f)
{
    for (int i = 0; i < 10; i++) {
        double w = f->out->batteries[i].set_w;
        assert_true(isfinite(w) && fabs(w) <= 10e6 + 1e-6);
    }
    for (int i = 0; i < 20; i++) {
        assert_true(isfinite(f->out->pods[i].cap_w));
    }
}

static void covered_edges_never_break_the_ramp(void **state)
{
    (void)state;
    struct judge *j = malloc(sizeof(*j));
    for (uint64_t n = 1; n <= 16; n++) {
        uint64_t seed = random_seed(n);
        struct loop_fixture f =
            loop_open(adverse_site(0), POLICY_BALLAST, 100e6);
        double w = 100e6;
        for (int k = 0; k < TICKS; k++) {
            loop_observe(&f);
            disturb(&f, &seed, k);
            w = k < 300 ? w : next_load(&seed, k, (int)(n % 4), w);
            loop_act(&f, w);
            sound_commands(&f);
            j->grid_w[k] = f.plant->grid_w;
        }
        assert_true(f.plant->pods_w >= LOW_W - 1.0); /* nothing was shed */
        judge(j, 1.01);
        if (j->n_broken > 0) {
            fail_msg("seed %d: %d ticks, the first at %.1f s", (int)n,
                     j->n_broken, 0.1 * j->first_broken);
        }
        loop_close(&f);
    }
    free(j);
}

/* A battery trips under its load: what it carried is an edge, the others take
 * it over, one less; and it comes back.  The trip is no listed contingency, so
 * that a jump of the load soon after it may take 2 % more than the ramp. */
static void battery_that_trips_is_one_more_edge(void **state)
{
    (void)state;
    struct judge *j = malloc(sizeof(*j));
    for (uint64_t n = 1; n <= 8; n++) {
        uint64_t seed = random_seed(100 + n);
        struct loop_fixture f =
            loop_open(adverse_site(0), POLICY_BALLAST, 100e6);
        double w = 100e6;
        for (int k = 0; k < TICKS; k++) {
            int tripped = (int)(n % 10);
            f.plant->batteries[tripped].tripped = k % 3000 >= 2000;
            loop_observe(&f);
            bool edge = k >= 300 && k % 400 == 0;
            w = edge ? random_draw(&seed, LOW_W, HIGH_W) : w;
            loop_act(&f, w);
            sound_commands(&f);
            j->grid_w[k] = f.plant->grid_w;
        }
        judge(j, 1.02);
        if (j->n_broken > 0) {
            fail_msg("seed %d: %d ticks, the first at %.1f s", (int)(100 + n),
                     j->n_broken, 0.1 * j->first_broken);
        }
        loop_close(&f);
    }
    free(j);
}

/* Where the trip is a listed contingency, nothing follows from it that the
 * ramp would not forgive: whatever the batteries give goes on without the one
 * that gives most, at the worst moment, and the compute that the others could
 * not carry has been held back before. */
static void listed_trip_never_breaks_the_ramp(void **state)
{
    (void)state;
    struct judge *j = malloc(sizeof(*j));
    for (uint64_t n = 1; n <= 6; n++) {
        uint64_t seed = random_seed(200 + n);
        struct site *site = fixture_site(3, 20, 0);
        site->grid.contingencies_given = true;
        site->grid.n_contingencies = 1;
        site->grid.contingencies[0] = (struct site_contingency){
            .name = "any", .battery = "largest", .loses = SITE_LOSES_LARGEST};
        struct loop_fixture f = loop_open(site, POLICY_BALLAST, 100e6);
        double w = 100e6;
        int tripped = 0;
        for (int k = 0; k < TICKS; k++) {
            bool edge = k >= 300 && k % 1000 == 0; /* 27 to 30 of 30 MW */
            w = !edge       ? w
                : w > 100e6 ? 100e6
                            : 100e6 + random_draw(&seed, 27e6, 30e6);
            if (k >= 1000 && k % 2000 == 50) {
                tripped = (int)random_draw(&seed, 0.0, 2.99);
            }
            f.plant->batteries[tripped].tripped =
                k >= 1000 && k % 2000 >= 50 && k % 2000 < 600;
            loop_observe(&f);
            loop_act(&f, w);
            j->grid_w[k] = f.plant->grid_w;
            /* what two can carry, and what pods give up meanwhile */
            bool held = k % 1000 >= 20;
            assert_true(!held || f.plant->battery_w > -27.7e6);
        }
        judge(j, 1.01);
        if (j->n_broken > 0) {
            fail_msg("seed %d: %d ticks, the first at %.1f s", (int)(200 + n),
                     j->n_broken, 0.1 * j->first_broken);
        }
        loop_close(&f);
    }
    free(j);
}

/* The judge can say no: without batteries the same load breaks it. */
static void judge_sees_what_breaks(void **state)
{
    (void)state;
    struct judge *j = malloc(sizeof(*j));
    uint64_t seed = random_seed(1);
    double w = 100e6;
    for (int k = 0; k < TICKS; k++) {
        w = next_load(&seed, k, 1, w);
        j->grid_w[k] = w;
    }
    judge(j, 1.01);
    assert_true(j->n_broken > TICKS / 4);
    free(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(covered_edges_never_break_the_ramp),
        cmocka_unit_test(battery_that_trips_is_one_more_edge),
        cmocka_unit_test(listed_trip_never_breaks_the_ramp),
        cmocka_unit_test(judge_sees_what_breaks),
    };
    return cmocka_run_group_tests_name("guarantee", tests, NULL, NULL);
}
