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
#include "tests/site_fixture.h"

/* Four pods of 10 MW (floor 4 MW): priorities 1, 1, 2, 3. */
static struct site *make(struct shed_cfg *cfg, struct shed_state *s)
{
    struct site *site = fixture_site(1, 4, 0);
    static const int priority[4] = {1, 1, 2, 3};
    for (int i = 0; i < 4; i++) {
        site->pods[i].power_max_w = 10e6;
        site->pods[i].cap_min_w = 4e6;
        site->pods[i].priority = priority[i];
    }
    shed_init(cfg, site);
    shed_reset(cfg, s);
    return site;
}

static struct shed_in asked(double pods_w, double over_w)
{
    return (struct shed_in){
        .pods_w = pods_w, .over_w = over_w, .room_w = INFINITY, .dt_s = 0.1};
}

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

/* As many pods as there may be, of four classes, with priorities. */
static void make_hall(struct shed_cfg *cfg, struct shed_state *s, int n,
                      uint64_t *seed)
{
    struct site *site = fixture_site(1, n, 0);
    site->n_classes = 4;
    for (int c = 0; c < 4; c++) {
        site->classes[c] =
            (struct site_class){.value_per_kwh = 1.0 + c / 2, .firm = c > 0};
    }
    for (int i = 0; i < n; i++) {
        struct site_pod *pod = &site->pods[i];
        pod->power_max_w = random_draw(seed, 0.5e6, 2e6);
        pod->cap_min_w = random_draw(seed, 0.0, 0.5) * pod->power_max_w;
        pod->cap_step_w = random_draw(seed, 0.0, 1.0) < 0.5 ? 0.0 : 10e3;
        pod->priority = (int)random_draw(seed, 0.0, 3.0);
        pod->class_id = (int)random_draw(seed, 0.0, 4.0);
        pod->checkpoint_hold_s = 30.0;
    }
    shed_init(cfg, site);
    shed_reset(cfg, s);
    free(site);
}

/* Budgets of any kind: caps stay within floor and power_max in whole steps,
 * and all together within the budget wherever the floors leave it. */
static void the_budget_is_met_wherever_floors_allow(void **state)
{
    (void)state;
    static struct shed_cfg cfg;
    static struct shed_state s;
    static double power_w[SITE_PODS_MAX];
    uint64_t seed = random_seed(21);
    print_message("seed 21\n");
    for (int turn = 0; turn < 40; turn++) {
        int n = 1 + (int)random_draw(&seed, 0.0, 60.0);
        make_hall(&cfg, &s, n, &seed);
        for (int k = 0; k < 300; k++) {
            struct shed_in in = asked(0.0, 0.0);
            for (int i = 0; i < n; i++) {
                double w = random_draw(&seed, 0.0, cfg.power_max_w[i]);
                power_w[i] = fmin(w, s.cap_w[i]);
                in.pods_w += power_w[i];
            }
            in.over_w = random_draw(&seed, -0.3, 0.3) * cfg.power_max_sum_w;
            double target_w = in.pods_w - in.over_w;
            bool bound = in.over_w > 0.0 || !shed_is_open(&cfg, &s);
            double missing_w = shed_step(&cfg, &s, &in, power_w);
            double sum_w = 0.0;
            for (int i = 0; i < n; i++) {
                double above_w = s.cap_w[i] - cfg.cap_min_w[i];
                double steps = above_w / cfg.step_w[i];
                bool whole = fabs(steps - round(steps)) < 1e-3 ||
                             s.cap_w[i] == cfg.power_max_w[i];
                assert_true(above_w >= -1e-6 && whole);
                assert_true(s.cap_w[i] <= cfg.power_max_w[i]);
                sum_w += s.cap_w[i];
            }
            double most_w = fmax(target_w, cfg.floor_sum_w);
            if (bound && !shed_is_open(&cfg, &s) && sum_w > most_w + 1.0) {
                fail_msg("caps of %g W, %g W asked", sum_w, most_w);
            }
            assert_true(missing_w >= 0.0);
            assert_true(!bound ||
                        missing_w <=
                            fmax(cfg.floor_sum_w - target_w, 0.0) + 1.0);
            assert_true(shed_valid(&cfg, &s));
        }
    }
}

/* All draw what they may: nobody of a lower standing has more than its floor
 * while one of a higher is held back by more than its step. */
static void a_lower_standing_gives_all_before_a_higher_gives(void **state)
{
    (void)state;
    static struct shed_cfg cfg;
    static struct shed_state s;
    static double power_w[SITE_PODS_MAX];
    uint64_t seed = random_seed(22);
    print_message("seed 22\n");
    for (int turn = 0; turn < 200; turn++) {
        int n = 2 + (int)random_draw(&seed, 0.0, 40.0);
        make_hall(&cfg, &s, n, &seed);
        memcpy(power_w, cfg.power_max_w, sizeof(power_w));
        struct shed_in in = asked(cfg.power_max_sum_w, 0.0);
        double range_w = cfg.power_max_sum_w - cfg.floor_sum_w;
        in.over_w = random_draw(&seed, 0.01, 0.99) * range_w;
        shed_step(&cfg, &s, &in, power_w);
        int64_t served = -1; /* the lowest rank with more than its floor */
        for (int64_t k = 0; k < n; k++) {
            int64_t i = cfg.order[k];
            served = s.cap_w[i] > cfg.cap_min_w[i] + 1.0 ? cfg.rank[k] : served;
        }
        for (int64_t k = 0; k < n; k++) {
            int64_t i = cfg.order[k];
            double held_w = cfg.power_max_w[i] - s.cap_w[i];
            if (cfg.rank[k] < served && held_w > cfg.step_w[i]) {
                fail_msg("rank %d gives %g W before %d", (int)cfg.rank[k],
                         held_w, (int)served);
            }
        }
    }
}

/* Ten equal pods of which one is spared by checkpoints for half of the time:
 * over an hour the others are not held back longer than it. */
static void nobody_among_equals_is_held_back_all_the_time(void **state)
{
    (void)state;
    static struct shed_cfg cfg;
    static struct shed_state s;
    struct site *site = fixture_site(1, 10, 0);
    for (int i = 0; i < 10; i++) {
        site->pods[i].checkpoint_hold_s = 60.0;
    }
    shed_init(&cfg, site);
    shed_reset(&cfg, &s);
    double power_w[10];
    double held_wh[10] = {0.0};
    for (int k = 0; k < 36000; k++) {
        struct shed_in in = asked(0.0, 0.0);
        for (int i = 0; i < 10; i++) {
            power_w[i] = fmin(15e6, s.cap_w[i]);
            held_wh[i] += (15e6 - power_w[i]) * 0.1 / 3600.0;
            in.pods_w += power_w[i];
            struct shed_pod_seen seen = {.power_w = power_w[i]};
            seen.inlet_c = seen.coolant_c = seen.servers_w = NAN;
            shed_see(&cfg, &s, i, &seen, 0.1);
        }
        if (k % 1200 == 0) {
            shed_mark(&cfg, &s, 3, JOB_CHECKPOINT_START);
        }
        in.over_w = in.pods_w - 120e6;
        shed_step(&cfg, &s, &in, power_w);
        if (k % 1200 < 590 && k > 0 && s.phases[3].hold_s > 0.0) {
            assert_true(s.cap_w[3] >= power_w[3] - 1.0);
        }
    }
    double most_wh = 0.0;
    double least_wh = INFINITY;
    for (int i = 0; i < 10; i++) {
        most_wh = fmax(most_wh, held_wh[i]);
        least_wh = fmin(least_wh, held_wh[i]);
    }
    if (most_wh > 1.15 * least_wh) {
        fail_msg("held back between %g and %g Wh", least_wh, most_wh);
    }
    free(site);
}

/* One that does not obey: what it draws comes off the others at once. */
static void others_give_in_place_of_one_that_disobeys(void **state)
{
    (void)state;
    static struct shed_cfg cfg;
    static struct shed_state s;
    struct site *site = make(&cfg, &s);
    double power_w[4] = {10e6, 10e6, 10e6, 10e6};
    double drawn_w = 40e6;
    int at = -1;
    for (int k = 0; k < 100; k++) {
        struct shed_in in = asked(drawn_w, drawn_w - 32e6);
        drawn_w = 0.0;
        shed_step(&cfg, &s, &in, power_w);
        for (int i = 0; i < 4; i++) {
            power_w[i] = i == 0 ? 10e6 : fmin(10e6, s.cap_w[i]);
            drawn_w += power_w[i];
            struct shed_pod_seen seen = {.power_w = power_w[i]};
            seen.inlet_c = seen.coolant_c = seen.servers_w = NAN;
            shed_see(&cfg, &s, i, &seen, 0.1);
        }
        at = at < 0 && s.pods[0].apart ? k : at;
        assert_true(at < 0 || k < at + 2 || drawn_w <= 32e6 + 1.0);
        assert_true(at >= 0 || k < 40);
    }
    assert_true(s.cap_w[0] < 10e6 && s.cap_w[3] == 10e6);
    free(site);
}

/* A checkpoint is capped no lower while the others' floors leave it, and is
 * where they do not. */
static void a_checkpoint_is_spared_while_others_can_give(void **state)
{
    (void)state;
    static const struct {
        double over_w;
        bool spared;
    } rows[] = {{6e6, true}, {17e6, true}, {23e6, false}};
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        static struct shed_cfg cfg;
        static struct shed_state s;
        struct site *site = make(&cfg, &s);
        cfg.checkpoint_hold_s[0] = 30.0;
        double power_w[4] = {10e6, 10e6, 10e6, 10e6};
        shed_mark(&cfg, &s, 0, JOB_CHECKPOINT_START);
        struct shed_in in = asked(40e6, rows[r].over_w);
        shed_step(&cfg, &s, &in, power_w);
        assert_true((s.cap_w[0] == 10e6) == rows[r].spared);
        shed_mark(&cfg, &s, 0, JOB_CHECKPOINT_END);
        shed_step(&cfg, &s, &in, power_w);
        assert_true(s.cap_w[0] < 10e6);
        free(site);
    }
}

/* Work that can wait comes down to its class's budget at the ramp, the lower
 * priority of it first, and comes back likewise. */
static void a_class_keeps_its_budget(void **state)
{
    (void)state;
    static struct shed_cfg cfg;
    static struct shed_state s;
    struct site *site = fixture_site(1, 4, 0);
    site->n_classes = 2;
    site->classes[1] = (struct site_class){.value_per_kwh = 1.0};
    for (int i = 0; i < 4; i++) {
        site->pods[i].power_max_w = 10e6;
        site->pods[i].cap_min_w = 2e6;
        site->pods[i].class_id = i / 2;
        site->pods[i].priority = i;
    }
    shed_init(&cfg, site);
    shed_reset(&cfg, &s);
    double class_w[2] = {INFINITY, 9e6};
    double before_w = 40e6;
    double power_w[4] = {10e6, 10e6, 10e6, 10e6};
    for (int k = 0; k < 8000; k++) {
        struct shed_in in = asked(before_w, -100e6);
        class_w[1] = k < 4000 ? 9e6 : INFINITY;
        in.class_w = class_w;
        shed_step(&cfg, &s, &in, power_w);
        double sum_w = 0.0;
        for (int i = 0; i < 4; i++) {
            power_w[i] = fmin(10e6, s.cap_w[i]);
            sum_w += power_w[i];
        }
        double step_w = cfg.return_w_per_s * 0.1 + cfg.step_w[0];
        assert_true(before_w - sum_w <= step_w + 1.0);
        before_w = sum_w;
        assert_true(s.cap_w[0] == 10e6 && s.cap_w[1] == 10e6);
        if (k == 3999) {
            assert_true(s.cap_w[2] + s.cap_w[3] <= 9e6 + 1.0);
            assert_true(s.cap_w[2] + s.cap_w[3] >= 9e6 - 3.0 * cfg.step_w[0]);
            assert_true(s.cap_w[3] > s.cap_w[2]);
            assert_true(s.held_w == 0.0 && s.waiting_w > 10.9e6);
        }
    }
    assert_true(s.cap_w[2] == 10e6 && s.cap_w[3] == 10e6);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wanted_outlasts_a_trough),
        cmocka_unit_test(lowest_priority_gives_first),
        cmocka_unit_test(what_is_missing_is_said),
        cmocka_unit_test(compute_comes_back_at_the_ramp),
        cmocka_unit_test(caps_stay_inside_whatever_comes),
        cmocka_unit_test(the_budget_is_met_wherever_floors_allow),
        cmocka_unit_test(a_lower_standing_gives_all_before_a_higher_gives),
        cmocka_unit_test(nobody_among_equals_is_held_back_all_the_time),
        cmocka_unit_test(others_give_in_place_of_one_that_disobeys),
        cmocka_unit_test(a_checkpoint_is_spared_while_others_can_give),
        cmocka_unit_test(a_class_keeps_its_budget),
        cmocka_unit_test(a_cut_that_can_wait_waits_for_a_phase_to_end),
    };
    return cmocka_run_group_tests_name("shed", tests, NULL, NULL);
}
