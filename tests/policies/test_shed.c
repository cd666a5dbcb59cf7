/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of policies/shed: who gives first, how much, and how it comes back. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/random.h"
#include "policies/shed.h"
#include "tests/policies/shed_fixture.h"
#include "tests/site_fixture.h"

static void lowest_priority_gives_first(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        double over_w;
        double cap_w[4]; /* at most */
    } rows[] = {
        {"nothing over", 0.0, {10e6, 10e6, 10e6, 10e6}},
        {"the two lowest share", 6e6, {7.1e6, 7.1e6, 10e6, 10e6}},
        {"then the next", 15e6, {4e6, 4e6, 7.1e6, 10e6}},
        {"all at their floors", 30e6, {4e6, 4e6, 4e6, 4e6}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        static struct shed_cfg cfg;
        static struct shed_state s;
        struct site *site = make(&cfg, &s);
        double power_w[4] = {10e6, 10e6, 10e6, 10e6};
        struct shed_in in = asked(40e6, rows[i].over_w);
        shed_step(&cfg, &s, &in, power_w);
        double sum_w = 0.0;
        for (int k = 0; k < 4; k++) {
            sum_w += s.cap_w[k];
            if (s.cap_w[k] > rows[i].cap_w[k] + 1.0) {
                fail_msg("%s: pod %d has a cap of %g W", rows[i].what, k,
                         s.cap_w[k]);
            }
        }
        double most_w = fmax(40e6 - rows[i].over_w, 16e6);
        assert_true(sum_w <= most_w + 1.0);
        assert_true(s.cap_w[3] >= s.cap_w[2] && s.cap_w[2] >= s.cap_w[0]);
        free(site);
    }
}

static void what_is_missing_is_said(void **state)
{
    (void)state;
    static struct shed_cfg cfg;
    static struct shed_state s;
    struct site *site = make(&cfg, &s);
    double power_w[4] = {10e6, 10e6, 10e6, 10e6};
    struct shed_in in = asked(40e6, 30e6);
    assert_true(shed_step(&cfg, &s, &in, power_w) > 0.0);
    free(site);
}

/* Each pod's cap rises at moments of its own, all together below a budget that
 * grows at the ramp. */
static void compute_comes_back_at_the_ramp(void **state)
{
    (void)state;
    static struct shed_cfg cfg;
    static struct shed_state s;
    struct site *site = make(&cfg, &s);
    double power_w[4] = {10e6, 10e6, 10e6, 10e6};
    struct shed_in in = asked(40e6, 12e6);
    shed_step(&cfg, &s, &in, power_w);
    in.over_w = -100e6;
    int ticks = 0;
    while (s.capped) {
        double sum_w = 0.0;
        for (int k = 0; k < 4; k++) {
            power_w[k] = fmin(10e6, s.cap_w[k]);
            sum_w += power_w[k];
        }
        double most_w = 28e6 + cfg.return_w_per_s * 0.1 * (double)ticks;
        assert_true(sum_w <= most_w + 1.0);
        in.pods_w = sum_w;
        shed_step(&cfg, &s, &in, power_w);
        assert_true(++ticks < 10000);
    }
    assert_in_range(ticks, 700, 760); /* 12 MW at 10 MW/min */
    for (int k = 0; k < 4; k++) {
        assert_true(s.cap_w[k] == 10e6);
    }
    free(site);
}

static void caps_stay_inside_whatever_comes(void **state)
{
    (void)state;
    static struct shed_cfg cfg;
    static struct shed_state s;
    struct site *site = make(&cfg, &s);
    uint64_t seed = random_seed(5);
    for (int k = 0; k < 100000; k++) {
        double power_w[4];
        double sum_w = 0.0;
        for (int i = 0; i < 4; i++) {
            bool silent = random_draw(&seed, 0.0, 1.0) < 0.1;
            power_w[i] = silent ? NAN : random_draw(&seed, 0.0, 11e6);
            sum_w += silent ? s.cap_w[i] : power_w[i];
        }
        struct shed_in in = asked(sum_w, random_draw(&seed, -40e6, 40e6));
        double missing_w = shed_step(&cfg, &s, &in, power_w);
        assert_true(missing_w >= 0.0 && isfinite(missing_w));
        double caps_w = 0.0;
        for (int i = 0; i < 4; i++) {
            if (!(s.cap_w[i] >= 4e6 - 1.0 && s.cap_w[i] <= 10e6 + 1.0)) {
                fail_msg("%d: cap %d %g budget %g over %g", k, i, s.cap_w[i],
                         s.budget_w, in.over_w);
            }
            caps_w += s.cap_w[i];
        }
        if (caps_w > fmax(s.budget_w, 16e6) + 1.0) {
            fail_msg("%d: caps %g budget %g over %g", k, caps_w, s.budget_w,
                     in.over_w);
        }
    }
    free(site);
}

/* A cut that can wait comes at the end of a phase, or after five minutes. */
static void a_cut_that_can_wait_waits_for_a_phase_to_end(void **state)
{
    (void)state;
    static struct shed_cfg cfg;
    static struct shed_state s;
    struct site *site = make(&cfg, &s);
    double power_w[4] = {10e6, 10e6, 10e6, 10e6};
    double class_w[1] = {30e6};
    int cut[4] = {-1, -1, -1, -1};
    shed_mark(&cfg, &s, 0, JOB_PHASE);
    shed_mark(&cfg, &s, 1, JOB_PHASE);
    for (int k = -300; k < 4000; k++) {
        struct shed_in in = asked(40e6, -100e6);
        in.class_w = k >= 0 ? class_w : NULL;
        if (k == 1000) {
            shed_mark(&cfg, &s, 0, JOB_EVAL_START);
        }
        shed_step(&cfg, &s, &in, power_w);
        for (int i = 0; i < 4; i++) {
            struct shed_pod_seen seen = {.power_w = power_w[i]};
            seen.inlet_c = seen.coolant_c = seen.servers_w = NAN;
            shed_see(&cfg, &s, i, &seen, 0.1);
            power_w[i] = fmin(10e6, s.cap_w[i]);
            cut[i] = cut[i] < 0 && s.cap_w[i] < 10e6 ? k : cut[i];
        }
    }
    assert_in_range(cut[0], 1000, 1100);
    assert_in_range(cut[1], 2990, 3010);
    free(site);
}

/* All pods of a job come to the end of their waiting, or of a phase, at the
 * same time: their cuts are no edge. */
static void cuts_that_fall_together_are_staggered(void **state)
{
    (void)state;
    static struct shed_cfg cfg;
    static struct shed_state s;
    struct site *site = make(&cfg, &s);
    for (int marked = 0; marked < 2; marked++) {
        double power_w[4] = {10e6, 10e6, 10e6, 10e6};
        double class_w[1] = {20e6};
        shed_reset(&cfg, &s);
        double before_w = 40e6;
        for (int i = 0; i < 4; i++) {
            shed_mark(&cfg, &s, i, JOB_PHASE);
        }
        for (int k = -300; k < 6000; k++) {
            struct shed_in in = asked(before_w, -100e6);
            in.class_w = k >= 0 ? class_w : NULL;
            for (int i = 0; i < 4 && marked && k == 1500; i++) {
                shed_mark(&cfg, &s, i, JOB_EVAL_START);
            }
            shed_step(&cfg, &s, &in, power_w);
            double sum_w = 0.0;
            for (int i = 0; i < 4; i++) {
                struct shed_pod_seen seen = {.power_w = power_w[i]};
                seen.inlet_c = seen.coolant_c = seen.servers_w = NAN;
                shed_see(&cfg, &s, i, &seen, 0.1);
                power_w[i] = fmin(10e6, s.cap_w[i]);
                sum_w += power_w[i];
            }
            double most_w = 1.1 * cfg.return_w_per_s + 4.0 * cfg.step_w[0];
            assert_true(before_w - sum_w <= most_w + 1.0);
            bool early = k < (marked ? 1500 : 2990);
            assert_true(!early || sum_w >= 40e6 - 1.0);
            before_w = sum_w;
        }
        assert_true(before_w <= 20e6 + 1.0);
    }
    free(site);
}

/* Four pods want 9 MW, and 3 MW in every second ten seconds: what is held back
 * in the crests is not forgotten in the troughs, or a grid that follows what
 * is wanted would never learn of it. */
static void what_is_wanted_outlasts_a_trough(void **state)
{
    (void)state;
    struct shed_cfg cfg;
    struct shed_state s;
    struct site *site = make(&cfg, &s);
    double least_w = INFINITY;
    for (int k = 0; k < 6000; k++) {
        bool crest = k / 100 % 2 == 0;
        double w[4];
        double sum_w = 0.0;
        for (int i = 0; i < 4; i++) {
            w[i] = fmin(crest ? 9e6 : 3e6, s.cap_w[i]);
            sum_w += w[i];
        }
        struct shed_in in = asked(sum_w, sum_w - 24e6);
        shed_step(&cfg, &s, &in, w);
        if (crest && k > 1000 && k % 100 == 99) {
            least_w = fmin(least_w, s.held_w);
        }
    }
    if (least_w < 8e6) {
        fail_msg("36 MW wanted, 24 MW given, %g W held back", least_w);
    }
    free(site);
}

/* What could be given up at once: not floors, nothing of pods that do not obey,
 * write a checkpoint or are silent. */
static void what_obeys_can_be_given_up(void **state)
{
    (void)state;
    struct shed_cfg cfg;
    struct shed_state s;
    struct site *site = make(&cfg, &s);
    double power_w[4] = {9e6, 6e6, 3e6, 9e6}; /* the third below its floor */
    struct shed_gives g = shed_gives(&cfg, &s, power_w);
    assert_true(fabs(g.power_w - (5e6 + 2e6 + 5e6)) < 1.0);
    assert_true(fabs(g.response_s - cfg.pods[0].response_s) < 1e-9);
    s.pods[0].apart = 1;
    s.phases[3].hold_s = 10.0;
    cfg.pods[1].response_s = 4.0;
    g = shed_gives(&cfg, &s, power_w);
    assert_true(fabs(g.power_w - 2e6) < 1.0);
    assert_true(fabs(g.response_s - 4.0) < 1e-9);
    power_w[1] = NAN;
    assert_false(shed_gives(&cfg, &s, power_w).power_w > 0.0);
    free(site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_obeys_can_be_given_up),
        cmocka_unit_test(what_is_wanted_outlasts_a_trough),
        cmocka_unit_test(lowest_priority_gives_first),
        cmocka_unit_test(what_is_missing_is_said),
        cmocka_unit_test(compute_comes_back_at_the_ramp),
        cmocka_unit_test(caps_stay_inside_whatever_comes),
        cmocka_unit_test(a_cut_that_can_wait_waits_for_a_phase_to_end),
        cmocka_unit_test(cuts_that_fall_together_are_staggered),
    };
    return cmocka_run_group_tests_name("shed", tests, NULL, NULL);
}
